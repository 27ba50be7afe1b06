"""What a program of a certain generation expects where it leaves the choice open."""

from __future__ import annotations

import os

__all__ = ["bare_name_format"]


def bare_name_format() -> str:
    """Format of ``model.save("name")``: one HDF5 file for programs of TensorFlow 1, else a SavedModel folder."""
    return "h5" if os.environ.get("HORNBEAM_GENERATION", "").lower() in ("tf1", "1") else "saved_model"
