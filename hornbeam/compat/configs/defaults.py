"""What a program of a certain generation expects where it leaves the choice open."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

__all__ = ["bare_name_format", "compiles_for_all_outputs", "is_first_tensorflow"]

_NEW_WORDS = re.compile(
    r"""\bKERAS_BACKEND\b
    |\bkeras\.(ops|random|distribution|tree|KerasTensor|Variable|StatelessScope|version\(|config\.(set_)?backend)
    |^\s*from\s+(tensorflow\.)?keras\s+import\s[^\n]*\b(ops|random|tree|distribution)\b
    |^\s*from\s+(tensorflow\.)?keras\.(ops|random|tree|distribution)\s
    |\.(stateless_call|stateless_apply|enable_lora|quantize)\(
    |\bkeras\s*(>=|==|~=)\s*3""",
    re.VERBOSE | re.MULTILINE,
)
"""Words that only programs for Keras 3 use."""
_seen: dict[str, bool] = {}


def bare_name_format() -> str:
    """Format of ``model.save("name")``: one HDF5 file for programs of TensorFlow 1, else a SavedModel folder."""
    return "h5" if is_first_tensorflow() else "saved_model"


def is_first_tensorflow() -> bool:
    """Whether the program asks for TensorFlow 1."""
    return _asked() in ("tf1", "1")


def compiles_for_all_outputs() -> bool:
    """Whether the program expects what Keras 1 and 2 made of a list of metrics, and of a list of results.

    ``HORNBEAM_GENERATION`` says so; without it, all programs do but those whose main file has words of Keras 3.
    """
    asked = _asked()
    return not asked.endswith("3") if asked else not _main_file_is_new()


def _asked() -> str:
    return os.environ.get("HORNBEAM_GENERATION", "").lower()


def _main_file_is_new() -> bool:
    name = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(name, str):
        return False
    if name not in _seen:
        try:
            _seen[name] = _NEW_WORDS.search(Path(name).read_text(encoding="utf-8", errors="replace")) is not None
        except OSError:  # a program in a zip file, or one that deleted itself
            _seen[name] = False
    return _seen[name]
