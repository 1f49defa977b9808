"""One module a scheduler; the module's name is what `--scheduler` takes."""
