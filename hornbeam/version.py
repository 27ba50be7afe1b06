"""Version numbers: of Hornbeam itself, and of the two interfaces it follows (read as ``tf.version`` too)."""

__version__ = "0.1.0"

VERSION = "2.21.0"
"""The TensorFlow release whose ``tf.keras`` names and signatures are followed; scripts compare against it."""

KERAS_VERSION = "3.15.1"
"""The Keras release that is the specification of ``hornbeam.keras``."""
