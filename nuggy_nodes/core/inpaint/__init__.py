"""Before and behind a diffusion model that paints a new background."""
