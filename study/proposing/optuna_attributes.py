"""Where Optuna keeps what has no method of its storages."""

CONSTRAINTS = "constraints"  # a trial's system attributes `constraints:<name>`, at most 0 where kept
