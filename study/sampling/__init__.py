"""How trials are chosen: samplers, one file each; some lay trials out in advance, some learn."""
