"""Layers that change the shape only."""
