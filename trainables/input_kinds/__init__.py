"""Kinds of inputs, one file each; see `trainables.data.conditions`."""
