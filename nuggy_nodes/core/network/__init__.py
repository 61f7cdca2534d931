"""What runs, and how it is read."""
