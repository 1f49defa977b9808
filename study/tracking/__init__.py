"""What MLflow and Optuna are told: projections of the ledger, made by a process of their own."""
