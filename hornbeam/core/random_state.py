"""Where random numbers come from: generators, the global one, and the process seed.

A generator is a variable ``uint32[2]`` = (seed, counter). Each draw uses the state as threefry key data and moves the
counter on, so the numbers are those of Keras on JAX, bit for bit. Inside a frame the variable is read and written
through the frame like any other: a compiled step draws new numbers on each run.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import names
from hornbeam.core import scopes as scopes_module
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import is_tracing


class _Process(threading.local):
    generator: SeedGenerator | None = None
    seed: int | None = None
    source: Any = random
    """Where seeds come from that nobody gave: Python's ``random``, or a generator of our own."""
    passes: int = 0
    """Passes over data sets begun since the process seed was set."""


_process = _Process()

_next_in_order = jax.jit(lambda state: state + jnp.array([0, 1], jnp.uint32))
# Near-unique numbers below a million: the sequence of the global generator, as in Keras.
_next_scrambled = jax.jit(lambda state: (state + np.uint32(1)) * np.uint32(5387) % np.uint32(933199))


class SeedGenerator:
    """Source of random numbers that moves on with every draw.

    Args:
        seed: int; by default one is drawn from Python's ``random``.
        name: name; a default one is made up.

    Attributes:
        state: variable ``uint32[2]``, the seed and a counter.

    Example:
        >>> generator = keras.random.SeedGenerator(1337)
        >>> first, second = (keras.random.normal((2,), seed=generator) for _ in range(2))  # two different draws

    References: Keras `random.SeedGenerator`.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("backend", None)  # there is one only
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = name if name is not None else names.auto_name(type(self).__name__)
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, int):
            raise ValueError(f"SeedGenerator(): `seed` is an int, or None to draw one. Received: {seed!r}")
        with scopes_module.name_scope(self.name):
            self.state = Variable(
                _key_data(seed), trainable=False, autocast=False, aggregation="none", name="seed_generator_state"
            )

    def next(self, ordered: bool = True) -> Tensor:
        """Key data ``uint32[2]`` for one draw; the state moves on.

        Args:
            ordered: count up; False jumps about as the global generator does.
        """
        # The old array is given away and the variable gets a new one, so nothing is shared.
        state = self.state._unlent()
        if scopes.symbolic and scopes.frame is None:
            return wrap(state)
        self.state._write((_next_in_order if ordered else _next_scrambled)(state))
        return wrap(state)

    def get_config(self) -> dict[str, Any]:
        """Arguments to make a generator that starts anew."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Generator from ``get_config``'s result."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<SeedGenerator name={self.name}, seed={self._initial_seed}>"


def make_default_seed() -> int:
    """Seed from Python's ``random``, which ``set_random_seed`` sets (or as ``set_operation_seed`` says)."""
    return _process.source.randint(1, int(1e9))


def _key_data(seed: int) -> np.ndarray:
    if not 0 <= seed < 2**32:
        raise OverflowError(f"A seed must lie in [0, 2**32). Received: seed={seed}")
    return np.array([seed, 0], np.uint32)


def global_seed_generator() -> SeedGenerator:
    """Generator of all draws without a seed, one per thread.

    Raises:
        ValueError: inside a ``jax`` transformation of the user's own, where its state would be lost.
    """
    if scopes.frame is None and not scopes.symbolic and is_tracing():
        raise ValueError(
            "A random function without a seed was called inside a jax transformation (jit, grad, vmap ...) that "
            "Hornbeam did not start: the global generator cannot move on there, and each run would draw the same "
            "numbers.\n  fix:      pass `seed=` an int or a keras.random.SeedGenerator"
        )
    if _process.generator is None:
        _process.generator = SeedGenerator()
    return _process.generator


def draw_seed(seed: Any) -> Any:
    """Key data ``uint32[2]`` for one draw.

    Args:
        seed: a ``SeedGenerator`` (which moves on), an int (the same numbers each time), None (the global generator),
            or key data, as a tensor or array.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (Tensor, jax.Array)):
        return seed
    if isinstance(seed, int):
        return wrap(jnp.asarray(_key_data(seed)))
    if seed is None:
        return global_seed_generator().next(ordered=False)
    raise ValueError(
        "`seed` takes an int (the same numbers each time), a `SeedGenerator` (new ones at each draw) or None. "
        f"Received: {seed!r}, a {type(seed).__name__}"
    )


def set_random_seed(seed: int) -> None:
    """Seed Python's ``random``, NumPy, and with them everything drawn here from now on.

    Args:
        seed: int in [0, 2**32).

    References: Keras `utils.set_random_seed`.
    """
    if not isinstance(seed, int):
        raise ValueError(f"set_random_seed(): `seed` is an int. Received: {seed!r}, a {type(seed).__name__}")
    _process.seed, _process.passes = seed, 0
    _process.generator, _process.source = None, random
    random.seed(seed)
    np.random.seed(seed)


def set_operation_seed(seed: int) -> None:
    """Seed everything drawn here from now on, and leave Python's ``random`` and NumPy alone (``tf.random.set_seed``).

    Args:
        seed: int in [0, 2**32).
    """
    _process.seed, _process.passes = seed, 0
    _process.generator, _process.source = None, random.Random(seed)


def pass_seed() -> int:
    """Seed (below 2**63) for one pass over a data set.

    It follows from the process seed and the number of passes begun since, if that seed was set; otherwise it comes from
    the system. No other source of random numbers moves on by it.
    """
    if _process.seed is None:
        return secrets.randbits(63)
    _process.passes += 1
    return (_process.seed * 0x9E3779B97F4A7C15 + _process.passes * 0xD1B54A32D192ED03) % 2**63


def is_global_state(variable: Any) -> bool:
    """True for the state of this thread's global generator."""
    return _process.generator is not None and variable is _process.generator.state


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """Let draws without a seed follow from ``seed`` inside a ``with`` block, and leave the global generator alone.

    Costs next to nothing if nothing is drawn.

    Args:
        seed: any int.
    """
    before = _process.generator, _process.source
    _process.generator, _process.source = None, _Seeded(seed)
    try:
        yield
    finally:
        _process.generator, _process.source = before


class _Seeded:
    """Python's generator of random numbers, made when first asked."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made: random.Random | None = None

    def randint(self, low: int, high: int) -> int:
        """A number in [low, high]."""
        if self._made is None:
            self._made = random.Random(self._seed)
        return self._made.randint(low, high)


def get_random_seed() -> int | None:
    """The seed last given to ``set_random_seed``, or None."""
    return _process.seed


def random_state() -> dict[str, Any]:
    """All sources of random numbers of this thread, as plain data: Python's, NumPy's, and those here."""
    own = None if _process.source is random else _process.source
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=True),
        "seed": _process.seed,
        "passes": _process.passes,
        "source": own if isinstance(own, random.Random) else None,
        "generator": None if _process.generator is None else np.asarray(_process.generator.state),
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Go back to what ``random_state`` gave.

    Args:
        state: its result, of this process or another one.
    """
    _process.seed, _process.passes = state["seed"], state["passes"]
    _process.source = random if state["source"] is None else state["source"]
    if state["generator"] is None:
        _process.generator = None
    else:
        if _process.generator is None:
            _process.generator = SeedGenerator(0)
        _process.generator.state.assign(state["generator"])
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])


def reset() -> None:
    """Forget the global generator and the process seed (``clear_session``)."""
    _process.generator, _process.source = None, random
    _process.seed = None
