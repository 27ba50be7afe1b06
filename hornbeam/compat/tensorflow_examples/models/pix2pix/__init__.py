"""Pictures to pictures."""

from hornbeam.compat.tensorflow_examples.models.pix2pix import pix2pix

__all__ = ["pix2pix"]
