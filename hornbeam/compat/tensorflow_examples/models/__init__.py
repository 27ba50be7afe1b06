"""Models of ``tensorflow_examples``."""

from hornbeam.compat.tensorflow_examples.models import pix2pix

__all__ = ["pix2pix"]
