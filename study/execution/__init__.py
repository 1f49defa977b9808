"""A run of a study on Ray Tune: the driver, what it is asked for next, the workers, and what they report."""
