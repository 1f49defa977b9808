"""Optimizers: one module each, found by its name; see `trainables.training.recipes`."""
