"""Kinds of inputs: one module each, found by its name; see `trainables.data.conditions`."""
