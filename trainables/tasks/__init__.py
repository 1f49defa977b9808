"""What networks are asked for, one file each; see `trainables.data.task`."""
