"""Where exactly the subject's edge is."""
