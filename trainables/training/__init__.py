"""Training and evaluation of a stack."""
