"""What is subject."""
