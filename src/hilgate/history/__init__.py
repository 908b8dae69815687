"""What main measured, commit by commit, as JSON lines on a branch of their own."""
