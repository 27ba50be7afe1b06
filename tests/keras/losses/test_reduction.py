"""Masks, weights and reductions against the oracle, over shapes that do and do not match the values'."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from keras.src.losses import loss as oracle

from hornbeam.keras.losses import Loss, MeanSquaredError, Reduction
from hornbeam.keras.losses.functional.arrays import squeeze_or_expand_to_same_rank
from hornbeam.keras.losses.reduction import reduce_weighted_values, standardize_reduction

pytestmark = pytest.mark.numeric
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "none", None, "mean_with_sample_weight"]
SHAPES = [
    # values, weight, mask
    ((4,), None, None),
    ((4,), (), None),
    ((4,), (4,), None),
    ((4,), (4, 1), None),
    ((4, 3), (4, 1), None),
    ((4, 3), (4, 3), None),
    ((4, 3), (1, 3), (4, 3)),
    ((4, 1), (4,), (4,)),
    ((4, 3), None, (4, 3)),
    ((4, 3), None, (4, 1)),
    ((4, 3), (4, 3, 1), (4, 3)),
    ((4,), (4, 1), (4,)),
    ((), (), None),
    ((0,), None, None),
    ((4, 3, 2), (4, 1, 1), (4, 3, 2)),
]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_reduction(shapes, reduction):
    rng = np.random.default_rng(3)
    values, weight = (None if shape is None else rng.uniform(size=shape).astype("float32") for shape in shapes[:2])
    mask = None if shapes[2] is None else rng.uniform(size=shapes[2]) > 0.4
    ours = reduce_weighted_values(values, weight, None if mask is None else jnp.asarray(mask), reduction, np.float32)
    theirs = oracle.reduce_weighted_values(values, weight, mask, reduction, "float32")
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-6, atol=1e-7)
    assert ours.dtype == np.float32


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nothing_counts(reduction):
    """All masked, or all weights zero: 0, not NaN."""
    ours = reduce_weighted_values(np.ones((3,), "float32"), None, jnp.zeros(3, bool), reduction, np.float32)
    assert np.array_equal(np.asarray(ours), np.zeros(ours.shape))
    ours = reduce_weighted_values(np.ones((3,), "float32"), np.zeros(3, "float32"), None, reduction, np.float32)
    assert np.array_equal(np.asarray(ours), np.zeros(ours.shape))


@pytest.mark.parametrize("expand", [True, False])
def test_ranks(expand):
    for first, second in [
        ((3,), (3, 1)),
        ((3, 1), (3,)),
        ((3, 2), (3, 2, 1)),
        ((3,), (3, 2)),
        ((), (1,)),
        ((3,), (3,)),
    ]:
        ours = squeeze_or_expand_to_same_rank(jnp.zeros(first), jnp.zeros(second), expand)
        theirs = oracle.squeeze_or_expand_to_same_rank(jnp.zeros(first), jnp.zeros(second), expand)
        assert [a.shape for a in ours] == [a.shape for a in theirs]


def test_half_precision_sums_do_not_overflow():
    """300 values of 300 add up to 90000, above the largest float16."""
    assert float(reduce_weighted_values(np.full(300, 300.0), None, None, "mean", np.float16)) == 300.0


def test_names():
    assert standardize_reduction("auto") == "sum_over_batch_size"
    assert Reduction.all() == ("auto", "none", "sum", "sum_over_batch_size")
    assert MeanSquaredError(reduction=Reduction.NONE)([[1.0]], [[3.0]]).numpy().tolist() == [4.0]
    with pytest.raises(ValueError, match="did you mean 'sum'"):
        Loss(reduction="summ")
    with pytest.raises(ValueError, match="Invalid Reduction"):
        Reduction.validate("max")
