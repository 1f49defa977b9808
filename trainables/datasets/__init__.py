"""Data sets: one module each, found by its name."""
