"""Layers that add noise while training, or a penalty on activities."""
