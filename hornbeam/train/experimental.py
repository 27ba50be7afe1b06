"""``tf.train.experimental``."""

from hornbeam.train.options import CheckpointOptions

__all__ = ["CheckpointOptions"]
