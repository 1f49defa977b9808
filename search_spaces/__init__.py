"""What a study spans: typed spaces, the notation of `--set`, and the named studies that ship with Ockham."""
