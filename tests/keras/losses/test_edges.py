"""R-50: losses at the edges of their domain are finite, have finite gradients, and equal a float64 reference."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.keras import losses

pytestmark = pytest.mark.numeric
INF = float("inf")
EPSILON = 1e-7
# Rows: certain and wrong, all zero, not scaled, uniform.
SHARES = np.array([[0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0.25, 0.25, 0.25, 0.25]])
LOGITS = np.array([[0, 1e4, -1e4, 0], [INF, -INF, 0, 0], [-INF, -INF, 0, 0], [0, 0, 0, 0]])
ONE_HOT = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
CLASSES = np.array([0, 1, 2, 3])
REAL = np.array([[0, 0, 0, 0], [1, -1, 200, -200], [50, -50, 100, -100], [1e-30, -1e-30, 0, 0]])


def clipped(p):
    # The upper bound is a float32 number, as in Keras: 1 - 1.19e-7.
    return np.clip(p, EPSILON, float(np.float32(1 - EPSILON)))


def shares(p):
    total = p.sum(-1, keepdims=True)
    return clipped(p / np.where(total == 0, 1, total))


def log_softmax(x, largest):
    x = np.clip(x, -largest, largest)
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def log_cosh(x):
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)


LARGEST = float(np.finfo(np.float32).max) / 8
CASES = {
    "binary_crossentropy": (
        {},
        ONE_HOT,
        SHARES,
        lambda t, p: -(t * np.log(clipped(p)) + (1 - t) * np.log(1 - clipped(p))).mean(-1),
    ),
    "binary_crossentropy, logits": (
        {"from_logits": True},
        ONE_HOT,
        LOGITS,
        lambda t, p: (lambda x: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))))(
            np.clip(p, -LARGEST, LARGEST)
        ).mean(-1),
    ),
    "categorical_crossentropy": ({}, ONE_HOT, SHARES, lambda t, p: -(t * np.log(shares(p))).sum(-1)),
    "categorical_crossentropy, logits": (
        {"from_logits": True},
        ONE_HOT,
        LOGITS,
        lambda t, p: -(t * log_softmax(p, LARGEST)).sum(-1),
    ),
    "sparse_categorical_crossentropy": (
        {},
        CLASSES,
        SHARES,
        lambda t, p: -np.log(shares(p))[np.arange(len(t)), t],
    ),
    "sparse_categorical_crossentropy, logits": (
        {"from_logits": True},
        CLASSES,
        LOGITS,
        lambda t, p: -log_softmax(p, LARGEST)[np.arange(len(t)), t],
    ),
    "categorical_generalized_cross_entropy": (
        {"q": 0.7},
        CLASSES,
        SHARES,
        lambda t, p: (1 - p[np.arange(len(t)), t] ** 0.7) / 0.7,
    ),
    "categorical_hinge": ({}, ONE_HOT, np.clip(LOGITS, -1e4, 1e4), None),
    "kl_divergence": ({}, ONE_HOT, SHARES, lambda t, p: (clip1(t) * np.log(clip1(t) / clip1(p))).sum(-1)),
    "log_cosh": ({}, REAL * 0, REAL, lambda t, p: log_cosh(p).mean(-1)),
    "mean_squared_logarithmic_error": (
        {},
        np.abs(REAL),
        REAL,
        lambda t, p: ((np.log1p(np.maximum(p, EPSILON)) - np.log1p(np.maximum(t, EPSILON))) ** 2).mean(-1),
    ),
    "huber": ({}, REAL * 0, REAL, lambda t, p: np.where(np.abs(p) <= 1, p * p / 2, np.abs(p) - 0.5).mean(-1)),
    "dice": ({}, ONE_HOT * 0, SHARES * 0, None),
    "cosine_similarity": ({}, ONE_HOT, SHARES * 0, lambda t, p: np.zeros(4)),
    "poisson": ({}, ONE_HOT, SHARES, lambda t, p: (p - t * np.log(p + EPSILON)).mean(-1)),
}


def clip1(p):
    return np.clip(p, EPSILON, 1)


def everything(predictions):
    """Values and gradients of all cases, one program."""
    found = {}
    for label, (options, y_true, _, _) in CASES.items():
        function = getattr(losses, label.split(",")[0]).array_form
        labels = jnp.asarray(y_true, "int32" if y_true.dtype.kind == "i" else "float32")

        def value(y_pred, function=function, labels=labels, options=options):
            return function(labels, y_pred, **options)

        values, pull = jax.vjp(value, predictions[label])
        found[label] = values, pull(jnp.ones_like(values))[0]
    return found


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_edges(dtype):
    given = {label: jnp.asarray(case[2], dtype) for label, case in CASES.items()}
    for label, (values, slopes) in jax.jit(everything)(given).items():
        values = np.asarray(values, "float64")
        assert np.isfinite(values).all(), (label, values)
        # 1 / epsilon is beyond the largest float16.
        if not (dtype == "float16" and label in ("poisson", "kl_divergence", "cosine_similarity")):
            assert np.isfinite(np.asarray(slopes, "float64")).all(), (label, slopes)
        reference = CASES[label][3]
        if reference is None:
            continue
        expected = reference(
            CASES[label][1].astype("float64" if "sparse" not in label and "general" not in label else int),
            np.asarray(given[label], "float64"),
        )
        if dtype == "float16":
            np.testing.assert_allclose(values, np.minimum(expected, 65504.0), rtol=2e-3, atol=2e-3, err_msg=label)
        else:
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5, err_msg=label)


def test_weights_that_are_all_zero():
    """Their sum divides nothing: the loss is 0, for every reduction and every class of loss."""
    for reduction in ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"):
        for name in ("MeanSquaredError", "BinaryCrossentropy", "CategoricalCrossentropy", "Huber"):
            loss = getattr(losses, name)(reduction=reduction)
            assert float(loss(ONE_HOT, SHARES, sample_weight=np.zeros(4))) == 0.0, (name, reduction)
