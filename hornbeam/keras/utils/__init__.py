"""Helpers around models and data.

References: Keras ``keras.utils``.
"""

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
from hornbeam.keras.utils.config import Config
from hornbeam.keras.utils.data_tuples import pack_x_y_sample_weight, unpack_x_y_sample_weight
from hornbeam.keras.utils.dtypes import standardize_dtype
from hornbeam.keras.utils.graph import get_source_inputs, is_keras_tensor
from hornbeam.keras.utils.numerical import normalize, to_categorical
from hornbeam.keras.utils.progbar import Progbar
from hornbeam.keras.utils.random_seed import set_random_seed
from hornbeam.keras.utils.session import clear_session

__all__ = [
    "Config",
    "CustomObjectScope",
    "Progbar",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
