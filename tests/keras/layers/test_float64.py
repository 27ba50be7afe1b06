"""R-53: every layer in float32 against itself in float64, and its gradient against finite differences."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.keras import config, layers, ops
from tests.keras.layers.cases import CASES, IDS

# A single pass of all cases takes minutes, most of it compiling.
pytestmark = [pytest.mark.numeric, pytest.mark.slow]
# Kinks and integers inside: the value jumps, so that a difference quotient says nothing.
NOT_SMOOTH = {"Discretization", "Hashing", "HashedCrossing", "IntegerLookup", "StringLookup", "CategoryEncoding"}
STEP = 1e-6


def flat(value):
    return [np.asarray(leaf, "float64") for leaf in jax.tree_util.tree_leaves(value) if leaf is not None]


def made(case, dtype, weights=None):
    before = config.floatx()
    config.set_floatx(dtype)  # for layers inside of layers
    try:
        layer = case.make(layers, dtype=dtype)
    finally:
        config.set_floatx(before)
    inputs = case.inputs(scale=1.0)
    arrays = inputs if isinstance(inputs, list) else [inputs]
    cast = [array.astype(dtype) if array.dtype.kind == "f" else array for array in arrays]

    def call(arrays):
        tensors = [from_host(array) if isinstance(array, np.ndarray) else array for array in arrays]
        return layer(tensors if len(tensors) > 1 else tensors[0], **case.call)

    call(cast)
    rng = np.random.default_rng(5)
    layer.set_weights(
        [rng.uniform(0.5, 1.5, np.shape(weight)).astype(weight.dtype) for weight in layer.get_weights()]
        if weights is None
        else [np.asarray(weight, old.dtype) for weight, old in zip(weights, layer.get_weights(), strict=True)]
    )
    return layer, call, cast


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_values_and_slopes(case):
    if case.name in NOT_SMOOTH:
        pytest.skip("integers in, integers out")
    single, call32, inputs32 = made(case, "float32")
    _, call64, inputs64 = made(case, "float64", single.get_weights())
    narrow, wide = flat(call32(inputs32)), flat(call64(inputs64))
    for found, expected in zip(narrow, wide, strict=True):
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=3e-6)
    if case.integers or not all(array.dtype.kind == "f" for array in inputs64):
        return
    rng = np.random.default_rng(7)
    along = [rng.standard_normal(array.shape) for array in inputs64]
    weights = [rng.standard_normal(value.shape) for value in wide]

    def total(arrays):
        values = flat(call64(arrays))
        return sum(float((value * weight).sum()) for value, weight in zip(values, weights, strict=True))

    tensors = [from_host(array) for array in inputs64]
    with GradientTape() as tape:
        tape.watch(tensors)
        leaves = jax.tree_util.tree_leaves(call64(tensors), is_leaf=lambda leaf: hasattr(leaf, "numpy"))
        loss = sum(ops.sum(ops.cast(leaf, "float64") * weight) for leaf, weight in zip(leaves, weights, strict=True))
    gradients = tape.gradient(loss, tensors, unconnected_gradients="zero")
    slope = sum(float((np.asarray(g) * d).sum()) for g, d in zip(gradients, along, strict=True))
    ahead = total([array + STEP * d for array, d in zip(inputs64, along, strict=True)])
    behind = total([array - STEP * d for array, d in zip(inputs64, along, strict=True)])
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * STEP), rtol=2e-5, atol=2e-5 * max(1.0, abs(slope)))
