"""Compression methods: how a level is made smaller, one module each, found by its name."""
