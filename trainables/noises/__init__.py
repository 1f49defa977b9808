"""Kinds of label noise, one file each; see `trainables.data.conditions`."""
