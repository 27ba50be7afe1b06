"""``tf.experimental``."""

from hornbeam.experimental import numpy as numpy

__all__ = ["numpy"]
