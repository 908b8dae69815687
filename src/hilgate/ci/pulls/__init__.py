"""Where a pull request stands on GitHub: event, base, approvals, check and comment."""
