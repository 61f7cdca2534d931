"""Whose colours a pixel shows."""
