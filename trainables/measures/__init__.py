"""Measures: what is inside networks that learned, and inside those that memorised."""
