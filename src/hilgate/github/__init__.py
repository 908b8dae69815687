"""GitHub over its REST interface: comments, checks, settings."""
