"""What networks are asked for, one file each; see `trainables.task`."""
