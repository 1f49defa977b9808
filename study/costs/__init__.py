"""What a study takes and has taken, in hours and in money."""
