"""From measured networks to metrics: rows of networks, means with intervals, curves and contrasts."""
