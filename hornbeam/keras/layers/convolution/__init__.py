"""Layers that move a kernel over sequences, images and volumes."""
