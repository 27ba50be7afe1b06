"""``set_random_seed``, under its Keras name."""

from hornbeam.core.random_state import get_random_seed, set_random_seed

__all__ = ["get_random_seed", "set_random_seed"]
