"""A fixture that puts the old spellings on Hornbeam's classes for the length of a test module."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from hornbeam.compat import adapt, notes
from hornbeam.compat.names import keras as names

MODULES = [
    "hornbeam.keras.applications",
    "hornbeam.keras.applications.imagenet_utils",
    "hornbeam.keras.backend",
    "hornbeam.keras.callbacks",
    "hornbeam.keras.constraints",
    "hornbeam.keras.initializers",
    "hornbeam.keras.layers",
    "hornbeam.keras.losses",
    "hornbeam.keras.metrics",
    "hornbeam.keras.models",
    "hornbeam.keras.optimizers",
    "hornbeam.keras.regularizers",
    "hornbeam.keras.utils",
    "hornbeam.keras.wrappers",
]


@pytest.fixture(scope="module", autouse=True)
def old_spellings() -> Iterator[None]:
    """Old arguments, names and methods; other test modules must not see them."""
    for name in MODULES:
        assert name in names.MODULES
        importlib.import_module(name)
    adapt.apply()
    notes.forget()
    yield
    adapt.remove()


@pytest.fixture(autouse=True)
def no_notes(recwarn: pytest.WarningsRecorder) -> None:
    """Notes on old spellings are expected here."""
