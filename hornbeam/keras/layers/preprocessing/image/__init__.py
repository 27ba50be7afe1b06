"""Layers that change pictures: sizes, geometry, colours, mixtures."""
