"""Data in memory: what a data set gives, how it is split and corrupted, and what a trial gets of it."""
