"""The global seed, and the key of each draw that follows from it and from the seed of the operation.

As in TensorFlow there are four cases: without any seed numbers differ from run to run; with the global seed,
with the operation's, or with both, the sequence of draws is the same in every run, and begins anew after
``set_seed``. The numbers themselves are not TensorFlow's: generators differ.
"""

from __future__ import annotations

import threading
from typing import Any

import jax.numpy as jnp

from hornbeam import ops
from hornbeam.core.door import op
from hornbeam.core.random_state import SeedGenerator, draw_seed, set_operation_seed
from hornbeam.tensors.face import tensor

__all__ = ["operation_key", "set_seed", "stateless_key"]

_NO_GLOBAL_SEED = 87654321
_MIX = 0x9E3779B9


class _Sequences(threading.local):
    global_seed: int | None = None
    generators: dict[tuple[str, int], SeedGenerator] | None = None


_sequences = _Sequences()


def set_seed(seed: int) -> None:
    """Set the global seed: all draws without a seed of their own, and the initial weights of layers, follow from it.

    Unlike ``keras.utils.set_random_seed`` it leaves Python's and NumPy's random numbers alone.

    Args:
        seed: int.

    References: TensorFlow `tf.random.set_seed`.
    """
    _sequences.global_seed = int(seed)
    _sequences.generators = None
    set_operation_seed(int(seed) % 2**32)


def operation_key(seed: Any, operation: str) -> Any:
    """Key data ``uint32[2]`` for one draw of an operation; each call gives another one.

    Args:
        seed: the operation's seed, or None.
        operation: its name; operations with equal seeds have sequences of their own.
    """
    if seed is None or not isinstance(seed, int):
        return draw_seed(seed)
    if _sequences.generators is None:
        _sequences.generators = {}
    generator = _sequences.generators.get((operation, seed))
    if generator is None:
        start = _NO_GLOBAL_SEED if _sequences.global_seed is None else _sequences.global_seed
        generator = SeedGenerator((start * _MIX ^ seed) % 2**32, name=f"{operation}_seed")
        _sequences.generators[(operation, seed)] = generator
    return generator.next()


@op
def _key_of(seed: Any) -> Any:
    if seed.shape != (2,):
        raise ValueError(
            f"A stateless random function needs a `seed` of shape (2,), received shape {tuple(seed.shape)}."
        )
    if seed.dtype.itemsize == 8:
        # High halves must matter, too.
        return (seed ^ ((seed >> 32) * _MIX)).astype(jnp.uint32)
    return seed.astype(jnp.uint32)


def stateless_key(seed: Any) -> Any:
    """Key data ``uint32[2]`` from the pair of integers that stateless functions take."""
    return _key_of(ops.convert_to_tensor(tensor(seed)))
