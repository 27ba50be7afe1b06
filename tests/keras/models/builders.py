"""Models that are built the same way with Hornbeam and with the real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np


def branches(k: Any) -> Any:
    """Two inputs, a shared layer, two outputs."""
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = k.layers.Dense(3, activation="tanh", name="shared")
    left, right = shared(a), shared(b)
    both = k.layers.Concatenate(name="both")([left, right])
    return k.Model(
        [a, b], [k.layers.Dense(2, name="first")(both), k.layers.Dense(1, name="second")(left)], name="branches"
    )


def residual(k: Any) -> Any:
    """A skip connection and ops between layers."""
    x = k.Input((6,), name="x")
    h = k.layers.Dense(6, activation="relu", name="h1")(x)
    h = k.layers.Add(name="skip")([h, x])
    h = k.ops.multiply(h, 0.5)
    h = k.layers.Dense(6, name="h2")(h) + h
    return k.Model(x, k.layers.Dense(2, name="out")(h), name="residual")


def nested(k: Any) -> Any:
    """A functional and a sequential model inside a functional one."""
    i = k.Input((4,), name="inner_in")
    inner = k.Model(i, k.layers.Dense(3, name="inner_dense")(i), name="inner")
    tail = k.Sequential(
        [k.Input((3,)), k.layers.Dense(5, name="tail_dense"), k.layers.Dense(2, name="tail_out")], name="tail"
    )
    x = k.Input((4,), name="x")
    return k.Model(x, tail(inner(x)), name="nested")


def dicts(k: Any) -> Any:
    """Dict inputs and outputs."""
    p, q = k.Input((2,), name="p"), k.Input((3,), name="q")
    h = k.layers.Concatenate(name="joined")([p, q])
    outputs = {"u": k.layers.Dense(1, name="u")(h), "v": k.layers.Dense(4, name="v")(h)}
    return k.Model({"p": p, "q": q}, outputs, name="dicts")


def sequential(k: Any) -> Any:
    """A plain stack."""
    layers = [k.Input((5,)), k.layers.Dense(4, activation="relu", name="one"), k.layers.Dropout(0.5, name="drop")]
    return k.Sequential([*layers, k.layers.Dense(3, activation="softmax", name="two")], name="stack")


BUILDERS = {f.__name__: f for f in (branches, residual, nested, dicts, sequential)}


def inputs_for(name: str, rows: int = 7) -> Any:
    """Inputs that fit a builder's model."""
    rng = np.random.RandomState(3)
    make = lambda size: rng.normal(size=(rows, size)).astype("float32")  # noqa: E731
    if name == "branches":
        return [make(4), make(4)]
    if name == "dicts":
        return {"p": make(2), "q": make(3)}
    return make({"residual": 6, "nested": 4, "sequential": 5}[name])
