"""From what a user says to a study that exists: read, checked, completed, frozen."""
