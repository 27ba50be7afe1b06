"""``tf.random``: draws that move on, stateless draws, and generators with a state of their own."""

from hornbeam.random.candidates import log_uniform_candidate_sampler, uniform_candidate_sampler
from hornbeam.random.generator import Algorithm, Generator, create_rng_state, get_global_generator, set_global_generator
from hornbeam.random.seeds import set_seed
from hornbeam.random.stateful import categorical, gamma, normal, poisson, shuffle, truncated_normal, uniform
from hornbeam.random.stateless import (
    fold_in,
    split,
    stateless_binomial,
    stateless_categorical,
    stateless_gamma,
    stateless_normal,
    stateless_poisson,
    stateless_shuffle,
    stateless_truncated_normal,
    stateless_uniform,
)

__all__ = [
    "Algorithm",
    "Generator",
    "categorical",
    "create_rng_state",
    "fold_in",
    "gamma",
    "get_global_generator",
    "log_uniform_candidate_sampler",
    "normal",
    "poisson",
    "set_global_generator",
    "set_seed",
    "shuffle",
    "split",
    "stateless_binomial",
    "stateless_categorical",
    "stateless_gamma",
    "stateless_normal",
    "stateless_poisson",
    "stateless_shuffle",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
    "uniform_candidate_sampler",
]
