"""What lies on a storage that outlives this machine: claims, copies of the ledger, and the way back."""
