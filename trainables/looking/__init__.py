"""What may be looked at inside the networks of a stack, by criteria and by measures alike."""
