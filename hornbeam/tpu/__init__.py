"""``tf.tpu``: starting TPUs, which JAX does by itself."""

from hornbeam.tpu import experimental as experimental

__all__ = ["experimental"]
