"""Adapters from every kind of input data to batches."""
