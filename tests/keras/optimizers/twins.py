"""The same optimizer twice, Hornbeam's and the oracle's, on equal variables and gradients."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from hornbeam.core.frame import Program
from hornbeam.core.variable import Variable, commit_all, read_all
from hornbeam.keras import optimizers

SHAPES = {"kernel": (3, 5), "bias": (4,), "scale": (), "filters": (2, 3, 4, 5)}
STEPS = 6


class Twins:
    """Hornbeam's optimizer beside the oracle's.

    Args:
        kind: class name.
        make: function of a module ``optimizers`` that returns the optimizer.
    """

    def __init__(
        self, make: Any, dtype: str = "float32", shapes: dict[str, tuple] | None = None, seed: int = 0
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.shapes = shapes or SHAPES
        values = {name: self.draw(shape) for name, shape in self.shapes.items()}
        self.ours = [Variable(value, dtype=dtype, name=name) for name, value in values.items()]
        self.theirs = [keras.Variable(value, dtype=dtype, name=name) for name, value in values.items()]
        self.optimizer = make(optimizers)
        self.oracle = make(keras.optimizers)
        self.dtype = dtype

    def draw(self, shape: tuple) -> np.ndarray:
        return np.asarray(self.random.normal(size=shape), "float32")

    def gradients(self, size: float = 1.0) -> list[jax.Array]:
        return [jnp.asarray(size * self.draw(shape), self.dtype) for shape in self.shapes.values()]

    def step(self, size: float = 1.0) -> None:
        gradients = self.gradients(size)
        self.optimizer.apply_gradients(zip(gradients, self.ours, strict=True))
        self.oracle.apply(gradients, self.theirs)

    def differences(self) -> dict[str, float]:
        """Largest difference of each variable, relative to its largest element (at least 1)."""
        found = {}
        assert len(self.optimizer.variables) == len(self.oracle.variables)
        pairs = zip([*self.ours, *self.optimizer.variables], [*self.theirs, *self.oracle.variables], strict=True)
        for position, (mine, other) in enumerate(pairs):
            left, right = np.asarray(mine, "float64"), np.asarray(other.value).astype("float64")
            assert left.shape == right.shape
            assert mine.dtype.name == other.dtype
            scale = max(1.0, float(np.abs(right).max(initial=0.0)))
            found[f"{position}:{mine.path}"] = float(np.abs(left - right).max(initial=0.0)) / scale
        return found

    def worst(self) -> float:
        return max(self.differences().values())


def run_in_program(optimizer: Any, variables: list[Variable], steps: list[list[jax.Array]]) -> None:
    """Apply gradients inside one captured program, as a compiled training step does."""
    optimizer.build(variables)

    def step(*gradients: Any) -> None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    program = Program(step, steps[0])
    compiled = jax.jit(lambda reads, gradients: program.pure(reads, program.consts, gradients)[1])
    for gradients in steps:
        commit_all(program.writes, compiled(read_all(program.reads), gradients))
    assert compiled._cache_size() == 1
