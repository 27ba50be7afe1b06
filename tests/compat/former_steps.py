"""Steps of optimizers under options of Keras 2; ``former_steps.npz`` has what tf_keras 2.21 gives for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

CLIPS = ({"clipnorm": 0.3}, {"clipvalue": 0.2}, {"global_clipnorm": 0.3})
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "SGD": ({}, {"momentum": 0.7, "nesterov": True}, {"momentum": 0.5, "decay": 0.05}, {"lr": 0.2}, *CLIPS),
    "RMSprop": ({}, {"momentum": 0.5}, {"centered": True}, {"centered": True, "momentum": 0.3}, {"decay": 0.1}),
    "Adam": ({}, {"amsgrad": True, "decay": 0.1}, {"beta_1": 0.5, "epsilon": 1e-3}, *CLIPS),
    "Adagrad": ({"lr": 0.1}, {"initial_accumulator_value": 0.5, "epsilon": 1e-3, "decay": 0.1}),
    "Adadelta": ({"lr": 1.0}, {"lr": 0.1, "rho": 0.5, "epsilon": 1e-3}),
    "Adamax": ({}, {"beta_1": 0.3, "epsilon": 1e-3}),
    "Nadam": ({}, {"lr": 0.05, "beta_1": 0.3}),
    "Ftrl": (
        {"learning_rate": 0.1},
        {"learning_rate": 0.1, "l1_regularization_strength": 0.01, "l2_shrinkage_regularization_strength": 0.3},
    ),
}
"""Class of ``optimizers.legacy`` to arguments."""

CASES = {f"{kind} {options}": (kind, options) for kind, rows in OPTIONS.items() for options in rows}


def steps(make: Callable[..., Any], variable: Callable, options: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Values after six steps, and the slots by name.

    Args:
        make: class of the optimizer.
        variable: makes a variable from an array.
        options: arguments of the optimizer.
    """
    random = np.random.default_rng(1)
    optimizer = make(**options)
    trained = variable(random.normal(size=7).astype("float32"))
    for number in range(6):
        gradient = (random.normal(size=7) * (8 if number == 3 else 1)).astype("float32")
        optimizer.apply_gradients([(gradient, trained)])
    slots = {name: np.asarray(optimizer.get_slot(trained, name)) for name in sorted(optimizer.get_slot_names())}
    return np.asarray(trained), slots
