"""Kinds of label noise: one module each, found by its name; see `trainables.data.conditions`."""
