"""What the jobs of the workflows do: pack, admit, recompute, measure, post."""
