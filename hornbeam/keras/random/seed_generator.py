"""``SeedGenerator`` and what belongs to it, under their Keras names."""

from hornbeam.core.random_state import SeedGenerator, draw_seed, global_seed_generator, make_default_seed

__all__ = ["SeedGenerator", "draw_seed", "global_seed_generator", "make_default_seed"]
