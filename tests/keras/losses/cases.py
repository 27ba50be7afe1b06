"""Arguments and data for every loss: what the contract tests run over."""

from __future__ import annotations

import numpy as np

from hornbeam.core.tensor import Tensor


def to_numpy(value):
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def data(kind, shape=(5, 4), seed=0):
    """Labels and predictions of a kind, float32 (class numbers int32); the shape is that of the predictions."""
    rng = np.random.default_rng(seed)
    draw = rng.normal(size=shape).astype("float32")
    other = rng.normal(size=shape).astype("float32")
    classes = shape[-1]
    one_hot = np.eye(classes, dtype="float32")[rng.integers(0, classes, shape[:-1])]
    makers = {
        "real": lambda: (other, draw),
        "positive": lambda: (np.floor(np.abs(other) * 3), np.abs(draw) + 0.1),
        "signs": lambda: (np.where(other > 0, 1.0, -1.0).astype("float32"), draw),
        "binary": lambda: ((other > 0).astype("float32"), 1 / (1 + np.exp(-draw))),
        "binary_logits": lambda: ((other > 0).astype("float32"), 4 * draw),
        "one_hot": lambda: (one_hot, softmax(2 * draw)),
        "one_hot_logits": lambda: (one_hot, 3 * draw),
        "distributions": lambda: (softmax(other), softmax(draw)),
        "classes": lambda: (one_hot.argmax(-1).astype("int32"), softmax(2 * draw)),
        "classes_logits": lambda: (one_hot.argmax(-1).astype("int32"), 3 * draw),
        "embeddings": lambda: (
            rng.integers(0, 3, shape[:1]).astype("int32"),
            draw / np.linalg.norm(draw, axis=-1, keepdims=True),
        ),
        "sequences": lambda: (
            np.array([[1, 2, 2, 0], [3, 0, 0, 0], [1, 1, 1, 1]], "int32"),
            rng.normal(size=(3, 9, 5)).astype("float32"),
        ),
    }
    return makers[kind]()


CASES = {
    "MeanSquaredError": [({}, "real")],
    "MeanAbsoluteError": [({}, "real")],
    "MeanAbsolutePercentageError": [({}, "real")],
    "MeanSquaredLogarithmicError": [({}, "positive"), ({}, "real")],
    "CosineSimilarity": [({}, "real"), ({"axis": 0}, "real")],
    "Huber": [({}, "real"), ({"delta": 0.3}, "real")],
    "LogCosh": [({}, "real")],
    "Hinge": [({}, "signs"), ({}, "binary_logits")],
    "SquaredHinge": [({}, "signs"), ({}, "binary_logits")],
    "CategoricalHinge": [({}, "one_hot_logits")],
    "KLDivergence": [({}, "distributions"), ({}, "one_hot")],
    "Poisson": [({}, "positive")],
    "BinaryCrossentropy": [
        ({}, "binary"),
        ({"from_logits": True}, "binary_logits"),
        ({"label_smoothing": 0.2}, "binary"),
        ({"from_logits": True, "label_smoothing": 0.1, "axis": 0}, "binary_logits"),
    ],
    "BinaryFocalCrossentropy": [
        ({}, "binary"),
        ({"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}, "binary"),
        ({"from_logits": True, "gamma": 3.0, "label_smoothing": 0.1}, "binary_logits"),
        ({"gamma": 0.0}, "binary"),
    ],
    "CategoricalCrossentropy": [
        ({}, "one_hot"),
        ({"from_logits": True}, "one_hot_logits"),
        ({"label_smoothing": 0.1}, "distributions"),
        ({"from_logits": True, "axis": 0}, "one_hot_logits"),
        ({"axis": 0}, "distributions"),
    ],
    "CategoricalFocalCrossentropy": [
        ({}, "one_hot"),
        ({"from_logits": True, "alpha": 0.5, "gamma": 1.5}, "one_hot_logits"),
        ({"alpha": [0.1, 0.2, 0.3, 0.4], "label_smoothing": 0.1}, "one_hot"),
    ],
    "SparseCategoricalCrossentropy": [
        ({}, "classes"),
        ({"from_logits": True}, "classes_logits"),
        ({"ignore_class": 1}, "classes"),
        ({"ignore_class": 0, "from_logits": True}, "classes_logits"),
    ],
    "CategoricalGeneralizedCrossEntropy": [({}, "classes"), ({"q": 0.8}, "classes")],
    "CTC": [({}, "sequences")],
    "Dice": [({}, "binary"), ({"axis": (1,)}, "binary")],
    "Tversky": [({}, "binary"), ({"alpha": 0.2, "beta": 0.9, "axis": 1}, "binary")],
    "Circle": [({}, "embeddings"), ({"gamma": 10.0, "margin": 0.2, "remove_diagonal": False}, "embeddings")],
}
FLAT = [(name, options, kind) for name, cases in CASES.items() for options, kind in cases]
IDS = [f"{name}-{number}" for name, cases in CASES.items() for number in range(len(cases))]
