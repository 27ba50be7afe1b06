"""Layers that let positions look at others."""
