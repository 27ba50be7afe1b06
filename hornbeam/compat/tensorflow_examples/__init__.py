"""The part of ``tensorflow_examples`` that tutorials import: the layers of pix2pix."""

from hornbeam.compat.tensorflow_examples import models

__all__ = ["models"]
