"""Pictures as such: resizing, morphology, components, colours, tiles."""
