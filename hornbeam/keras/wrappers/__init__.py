"""Keras models as estimators of scikit-learn.

References: Keras ``keras.wrappers``.
"""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry
from hornbeam.base.errors import NotSupportedError

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise registry.missing(__name__, name, __all__)
    try:
        made = importlib.import_module("hornbeam.keras.wrappers.scikit").estimator_class(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "sklearn":
            raise
        raise NotSupportedError(f"keras.wrappers.{name} needs scikit-learn: `pip install scikit-learn`.") from error
    globals()[name] = made
    return made


def __dir__() -> list[str]:
    return [*__all__]
