"""The answer of a study: what its data say of each of its claims.

Only COMPLETE trials of role `design` count: what an adaptive sampler found is no sample of anything. The unit of every
interval is the independent dense training.
"""
