"""An executor on Ray Tune: a private local Ray or a cluster, its workers, and what this process changes in Ray."""
