"""Which trials are not worth training on: schedulers, one file each, in plain Python. Ray is told elsewhere."""
