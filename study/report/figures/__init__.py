"""The figures of the report: one module each, found by its name, which binds a `Figure` to FIGURE."""
