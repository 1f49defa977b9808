"""One module a sampler; the module's name is what `--sampler` takes. Optuna is imported where it is needed only."""
