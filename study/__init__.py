"""The service: config, ledger, proposing, scheduling, recording, resuming, reporting, CLI."""
