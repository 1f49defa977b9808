"""Compression: methods, criteria, recovery and how levels are sized."""
