"""Helpers around models and data.

References: Keras ``keras.utils``.
"""

import importlib
from typing import Any

from hornbeam.base import registry
from hornbeam.keras.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from hornbeam.keras.saving import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from hornbeam.keras.utils import bounding_boxes
from hornbeam.keras.utils.config import Config
from hornbeam.keras.utils.data_tuples import pack_x_y_sample_weight, unpack_x_y_sample_weight
from hornbeam.keras.utils.dtypes import standardize_dtype
from hornbeam.keras.utils.file_utils import get_file
from hornbeam.keras.utils.graph import get_source_inputs, is_keras_tensor
from hornbeam.keras.utils.image_utils import array_to_img, img_to_array, load_img, save_img
from hornbeam.keras.utils.numerical import normalize, to_categorical
from hornbeam.keras.utils.progbar import Progbar
from hornbeam.keras.utils.py_dataset import PyDataset, Sequence
from hornbeam.keras.utils.random_seed import set_random_seed
from hornbeam.keras.utils.sequence_utils import pad_sequences
from hornbeam.keras.utils.session import clear_session

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "legacy",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

# Data sets over folders and arrays need `hornbeam.data`, which takes a while to load.
_DATASETS = {
    "audio_dataset_from_directory": "audio_dataset",
    "image_dataset_from_directory": "image_dataset",
    "model_to_dot": "model_plot",
    "plot_model": "model_plot",
    "split_dataset": "dataset_split",
    "text_dataset_from_directory": "text_dataset",
    "timeseries_dataset_from_array": "timeseries_dataset",
}


def __getattr__(name: str) -> Any:
    if name in _DATASETS:
        found = getattr(importlib.import_module(f"hornbeam.keras.utils.{_DATASETS[name]}"), name)
        globals()[name] = found
        return found
    if name == "legacy":
        return importlib.import_module("hornbeam.keras.utils.legacy")
    # Made of layers, which import this package: loaded when asked for.
    if name == "FeatureSpace":
        return importlib.import_module("hornbeam.keras.layers.preprocessing.feature_space").FeatureSpace
    raise registry.missing(__name__, name, __all__)
