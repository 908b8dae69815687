"""What a pull request's own jobs hand over: made by cells and pack, and taken from strangers by admit."""
