"""Layers that sum up neighbourhoods of sequences, images and volumes."""
