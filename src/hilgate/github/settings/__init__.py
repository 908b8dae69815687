"""What a repository needs on GitHub beside its files: one file per setting, each looked at and put right on its own."""
