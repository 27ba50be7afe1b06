"""Objects named by text, so that tables of old names cost nothing until a name is used."""

from __future__ import annotations

import importlib
from typing import Any


def load(home: str) -> Any:
    """The object of ``"module:attribute"``, or the module of ``"module"``; both below ``hornbeam``."""
    module, _, attribute = home.partition(":")
    found = importlib.import_module(f"hornbeam.{module}" if module else "hornbeam")
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part)
    return found
