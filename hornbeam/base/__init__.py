"""Foundations that need no JAX: errors, dtypes, shapes, trees, names, settings, the registry of late-bound parts."""
