"""Models: ``Model``, ``Sequential``, functional models, and how to clone them."""

from typing import Any

from hornbeam.base import registry
from hornbeam.keras.models.clone import clone_model
from hornbeam.keras.models.functional_config import functional_config as _functional_config  # noqa: F401 - registers itself
from hornbeam.keras.models.model import Model
from hornbeam.keras.models.sequential import Sequential

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]


_FROM_FILES = ("load_model", "model_from_config", "model_from_json", "model_from_yaml", "save_model")


def __getattr__(name: str) -> Any:
    if name in _FROM_FILES:
        return registry.find("saving", name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
