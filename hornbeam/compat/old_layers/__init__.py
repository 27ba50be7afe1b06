"""Layers and helpers that Keras dropped, kept here for programs that still name them."""
