"""``tf.saved_model``: whole programs with their variables, in a folder.

References: TensorFlow ``tf.saved_model``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.base import registry
from hornbeam.saved_model.options import Asset, LoadOptions, SaveOptions

__all__ = [
    "ASSETS_DIRECTORY",
    "ASSETS_KEY",
    "CLASSIFY_INPUTS",
    "CLASSIFY_METHOD_NAME",
    "CLASSIFY_OUTPUT_CLASSES",
    "CLASSIFY_OUTPUT_SCORES",
    "DEBUG_DIRECTORY",
    "DEBUG_INFO_FILENAME_PB",
    "DEFAULT_SERVING_SIGNATURE_DEF_KEY",
    "GPU",
    "PREDICT_INPUTS",
    "PREDICT_METHOD_NAME",
    "PREDICT_OUTPUTS",
    "REGRESS_INPUTS",
    "REGRESS_METHOD_NAME",
    "REGRESS_OUTPUTS",
    "SAVED_MODEL_FILENAME_PB",
    "SAVED_MODEL_FILENAME_PBTXT",
    "SAVED_MODEL_SCHEMA_VERSION",
    "SERVING",
    "TPU",
    "TRAINING",
    "VARIABLES_DIRECTORY",
    "VARIABLES_FILENAME",
    "Asset",
    "LoadOptions",
    "SaveOptions",
    "contains_saved_model",
    "load",
    "save",
]

ASSETS_DIRECTORY = "assets"
ASSETS_KEY = "saved_model_assets"
CLASSIFY_INPUTS = PREDICT_INPUTS = REGRESS_INPUTS = "inputs"
CLASSIFY_METHOD_NAME = "tensorflow/serving/classify"
CLASSIFY_OUTPUT_CLASSES, CLASSIFY_OUTPUT_SCORES = "classes", "scores"
DEBUG_DIRECTORY, DEBUG_INFO_FILENAME_PB = "debug", "saved_model_debug_info.pb"
DEFAULT_SERVING_SIGNATURE_DEF_KEY = "serving_default"
GPU, SERVING, TPU, TRAINING = "gpu", "serve", "tpu", "train"
PREDICT_METHOD_NAME = "tensorflow/serving/predict"
PREDICT_OUTPUTS = REGRESS_OUTPUTS = "outputs"
REGRESS_METHOD_NAME = "tensorflow/serving/regress"
SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT = "saved_model.pb", "saved_model.pbtxt"
SAVED_MODEL_SCHEMA_VERSION = 1
VARIABLES_DIRECTORY = VARIABLES_FILENAME = "variables"


def load(export_dir: Any, tags: Sequence[str] | str | None = None, options: LoadOptions | None = None) -> Any:
    """Read a SavedModel as an object with variables, functions and signatures.

    Args:
        export_dir: the folder.
        tags: tags of the graph to take, if there are several; by default the one for serving.
        options: see ``LoadOptions``.

    Returns:
        An object with the attributes of the saved one, with ``signatures``, and callable if that one was. Its functions
        are compiled by XLA and can be differentiated.

    Raises:
        FileNotFoundError: there is no SavedModel.
        FileFormatError: it is damaged or unsafe. A function that uses an operation which is not run here raises when
            it is called, naming the operation.
    """
    return registry.find("saving", "load saved model")(export_dir, tags, options)


def save(obj: Any, export_dir: Any, signatures: Any = None, options: SaveOptions | None = None) -> None:
    """Write an object with variables and compiled functions as a SavedModel, which TensorFlow and its servers run.

    Args:
        obj: a module, layer or model. Functions with an input signature, and those that were called, are written.
        export_dir: the folder; replaced if it exists.
        signatures: a function, or functions by name, that servers offer.
        options: see ``SaveOptions``.
    """
    registry.find("saving", "save saved model")(obj, export_dir, signatures, options)


def contains_saved_model(export_dir: Any) -> bool:
    """Whether a folder holds a SavedModel."""
    return registry.find("saving", "is saved model")(export_dir)
