"""What git says of a change: its commits, paths, policies, touched cells and requests. No claim is read here."""
