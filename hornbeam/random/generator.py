"""``tf.random.Generator``: random numbers from an object that holds its own state."""

from __future__ import annotations

import enum
import secrets
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.random_state import SeedGenerator
from hornbeam.core.variable import Variable
from hornbeam.random import draws
from hornbeam.random.stateless import check_alg, split
from hornbeam.tensors.face import is_known, tensor

__all__ = ["Algorithm", "Generator", "create_rng_state", "get_global_generator", "set_global_generator"]


class Algorithm(enum.Enum):
    """Names of random number algorithms; all of them stand for threefry here."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


@op
def _raw_state(state: Any) -> Any:
    return state.reshape(-1)[:2].astype(jnp.uint32)


def create_rng_state(seed: Any, alg: Any = None) -> Any:
    """State of a generator from a seed: two numbers, the seed and a counter."""
    check_alg(alg)
    seed = static_value(seed, "seed")
    first = seed[0] if isinstance(seed, tuple) else seed
    return tensor(np.array([int(first) % 2**32, 0], np.uint32))


class Generator:
    """Source of random numbers with a state of its own, which moves on with every draw.

    Args:
        copy_from: generator whose state (as of now) to start from.
        state: state, two integers; ``alg`` must be given with it.
        alg: ``"philox"``, ``"threefry"`` or ``"auto_select"``; the numbers are threefry's in every case.

    Example:
        >>> generator = tf.random.Generator.from_seed(1)
        >>> generator.normal(shape=(2, 3)).shape
        TensorShape([2, 3])

    References: TensorFlow `tf.random.Generator`.
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        check_alg(alg)
        if copy_from is not None:
            if state is not None or alg is not None:
                raise ValueError("Generator: give either `copy_from`, or `state` and `alg`.")
            state = copy_from.state
        elif state is None or alg is None:
            raise ValueError("Generator: give `copy_from`, or both `state` and `alg`; see also Generator.from_seed.")
        self._source = SeedGenerator(0, name="generator")
        self.reset(state)

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """Generator that goes on from a state."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """Generator whose numbers follow from a seed (an int)."""
        return cls(state=create_rng_state(seed), alg="auto_select" if alg is None else alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Generator that nobody can foretell: its seed comes from the operating system."""
        return cls.from_seed(secrets.randbits(32), alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """Generator from a key (an int, or a tensor of one) and a counter (its first number)."""
        return cls(state=_joined(key, counter), alg=alg)

    # --- state -----------------------------------------------------------------------------------
    @property
    def state(self) -> Variable:
        """The state, a variable of two numbers."""
        return self._source.state

    @property
    def key(self) -> Any:
        """The seed part of the state."""
        return self.state.read_value()[0]

    @property
    def algorithm(self) -> int:
        """Number of the algorithm: threefry."""
        return Algorithm.THREEFRY.value

    def _checkpoint_children(self) -> list[tuple[str, Any]]:
        return [("_state_var", self.state)]

    def reset(self, state: Any) -> None:
        """Go on from another state: at least two integers, of which the first two count."""
        state = state.read_value() if isinstance(state, Variable) else tensor(state)
        self._source.state.assign(_raw_state(state))

    def reset_from_seed(self, seed: Any) -> None:
        """Start again from a seed."""
        self.reset(create_rng_state(seed))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Go on from a key and a counter."""
        self.reset(_joined(key, counter))

    def skip(self, delta: Any) -> Any:
        """Move the counter on by ``delta`` draws."""
        change = ops.stack([ops.zeros((), dtype="uint32"), ops.cast(tensor(delta), "uint32")])
        self._source.state.assign(ops.add(self._source.state, change))
        return self.state

    def make_seeds(self, count: int = 1) -> Any:
        """Seeds for stateless functions, int32 (2, count)."""
        keys = [self._source.next() for _ in range(int(count))]
        return (
            draws.bits(keys[0], (2, 1), "int32")
            if count == 1
            else ops.concatenate([draws.bits(key, (2, 1), "int32") for key in keys], axis=1)
        )

    def split(self, count: int = 1) -> list[Generator]:
        """``count`` generators whose numbers have nothing to do with each other or with this one's."""
        if not is_known(self.state.read_array()):
            raise NotSupportedError("Generator.split: make generators outside compiled functions.")
        seeds = np.asarray(split(self._source.next(), int(count)))
        return [Generator(state=seed.view(np.uint32), alg="auto_select") for seed in seeds]

    # --- draws -----------------------------------------------------------------------------------
    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: str | None = None
    ) -> Any:
        """Normally distributed numbers."""
        return draws.normal(self._source.next(), shape, mean, stddev, dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: str | None = None
    ) -> Any:
        """Normally distributed numbers, none further than two standard deviations from the mean."""
        return draws.truncated_normal(self._source.next(), shape, mean, stddev, dtype)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: str | None = None
    ) -> Any:
        """Uniformly distributed numbers in ``[minval, maxval)``."""
        return draws.uniform(self._source.next(), shape, minval, maxval, dtype)

    def uniform_full_int(self, shape: Any, dtype: Any = "uint64", name: str | None = None) -> Any:
        """Integers from the whole range of a dtype."""
        return draws.bits(self._source.next(), shape, dtype)

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = "int32", name: str | None = None) -> Any:
        """Numbers of successes in ``counts`` trials, each of probability ``probs``."""
        return draws.binomial(self._source.next(), shape, counts, probs, dtype)


def _joined(key: Any, counter: Any) -> Any:
    key, counter = (np.asarray(static_value(item, "key")).reshape(-1) for item in (key, counter))
    return tensor(np.array([int(key[0]) % 2**32, int(counter[0]) % 2**32], np.uint32))


_holder: dict[str, Generator] = {}


def get_global_generator() -> Generator:
    """The generator of the process, made from an unforeseeable seed when first asked for."""
    if "generator" not in _holder:
        with jax.ensure_compile_time_eval():
            _holder["generator"] = Generator.from_non_deterministic_state()
    return _holder["generator"]


def set_global_generator(generator: Generator) -> None:
    """Put another generator in the place of the global one."""
    _holder["generator"] = generator
