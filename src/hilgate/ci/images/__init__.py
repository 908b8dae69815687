"""What a foreign image costs and how well it does: counted and run here, nothing of it believed."""
