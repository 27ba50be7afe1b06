"""Functions that Keras dropped from ``keras.models`` and ``keras.experimental``."""

from __future__ import annotations

from typing import Any

from hornbeam.base import check
from hornbeam.base.errors import NotSupportedError


def export_saved_model(model: Any, saved_model_path: Any, custom_objects: Any = None, **options: Any) -> None:
    """Write a model as a SavedModel folder, which ``keras.models.load_model`` reads.

    Args:
        model: the model.
        saved_model_path: the folder.
        custom_objects: accepted; classes are written by name.
        **options: ``as_text``, ``input_signature`` and ``serving_only``, which must be left at their defaults.

    References: TensorFlow 2.0 ``keras.experimental.export_saved_model``.
    """
    for name in ("as_text", "input_signature", "serving_only"):
        if options.pop(name, None):
            raise NotSupportedError(f"export_saved_model: argument `{name}` is not offered. Use `model.export(path)`.")
    check.no_unknown(options, owner="export_saved_model()", known=("as_text", "input_signature", "serving_only"))
    model.save(saved_model_path, save_format="tf")
