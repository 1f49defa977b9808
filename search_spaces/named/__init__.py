"""The named studies: one module each, found by its name, which binds its `NamedStudy` to STUDY."""
