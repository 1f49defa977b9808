"""Recoveries: what follows each compression step, one module each, found by its name."""
