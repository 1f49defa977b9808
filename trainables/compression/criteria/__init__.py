"""Criteria: how units are scored for removal, one module each, found by its name."""
