"""Inputs that students are fitted on: one module each, found by its name."""
