"""One network of a trial as an ordinary PyTorch network in files: found again, made small, written, read back."""
