"""The models: one module each, found by its name."""
