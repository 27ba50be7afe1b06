"""Old layer configs into today's: by the tables of words, and the few values that are not just renamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.compat.configs import values
from hornbeam.compat.configs.generation import Context
from hornbeam.compat.configs.layer_words import (
    CLASSES,
    DEPTHWISE_EXTRA,
    DROPPED,
    ONLY,
    ORDERINGS,
    REFUSED,
    RENAMED,
    SEPARABLE_EXTRA,
    WITH_ORDERING,
)
from hornbeam.keras.saving.errors import UnresolvedNameError

__all__ = ["REFUSED", "convert_arguments", "new_class_name"]


def new_class_name(name: str, context: Context) -> str:
    """Today's name of a layer class."""
    if context.knows(name) or context.generation >= 3:
        return name
    plain = name.removeprefix("Custom>")
    if plain != name and context.is_builtin(plain):
        name = plain
    return CLASSES.get(name, name)


def convert_arguments(old_name: str, name: str, config: dict[str, Any], context: Context) -> dict[str, Any]:
    """Today's arguments of a built-in layer.

    Args:
        old_name: class name as stored.
        name: today's class name.
        config: stored arguments.
        context: what is known about the writer.

    Raises:
        UnsupportedFileError: an argument asks for something that no layer does today.
    """
    if context.generation >= 3:
        # Only the form is older here: the words are today's.
        found: dict[str, Any] = {
            key: values.dtype_name(value) if key == "dtype" else value for key, value in config.items()
        }
        if name == "InputLayer" and "batch_input_shape" in found:
            found["batch_shape"] = found.pop("batch_input_shape")
        if name == "LeakyReLU" and "alpha" in found:
            found["negative_slope"] = found.pop("alpha")
        return found
    table = RENAMED.get(name, {})
    found = {}
    for key, value in config.items():
        if key in DROPPED and not (name == "InputLayer" and key in ("input_dtype",)):
            continue
        if key in ONLY and name != "InputLayer":
            if value not in ONLY[key]:
                raise UnsupportedFileError(f"{name} {config.get('name')!r} has {key}={value!r}, which is not offered.")
            continue
        found[table.get(key, key)] = value
    if "dim_ordering" in found:
        found["data_format"] = ORDERINGS.get(found.pop("dim_ordering"), "channels_last")
    elif context.channels_first and name in WITH_ORDERING:
        found.setdefault("data_format", "channels_first")
    fix = _SPECIAL.get(name)
    if fix is not None:
        fix(found, old_name, context)
    if name != "Embedding":
        found.pop("input_dim", None)
    if name.startswith("SpatialDropout"):
        # Nothing to train, and the shape of the noise follows from the class.
        found = {key: value for key, value in found.items() if key not in ("trainable", "noise_shape")}
    return {key: _value(key, value, context) for key, value in found.items()}


def _value(key: str, value: Any, context: Context) -> Any:
    if key == "dtype":
        return values.dtype_name(value)
    if value is None:
        return None
    if key == "activation" or key.endswith("_activation"):
        return values.activation(value, context)
    for suffix, convert in (
        ("initializer", values.initializer), ("regularizer", values.regularizer), ("constraint", values.constraint),
    ):  # fmt: skip
        if key.endswith(suffix):
            return convert(value, context)
    return value


# --- single layers -------------------------------------------------------------------------------
def _kernel_size(config: dict[str, Any], *parts: str) -> None:
    sizes = [config.pop(part) for part in parts if part in config]
    if sizes and "kernel_size" not in config:
        config["kernel_size"] = sizes


def _convolution(config: dict[str, Any], old_name: str, context: Context) -> None:
    _kernel_size(config, "nb_row", "nb_col")
    _kernel_size(config, "kernel_dim1", "kernel_dim2", "kernel_dim3")
    _kernel_size(config, "filter_length")
    if isinstance(config.get("dilation_rate"), int) and old_name.startswith("Atrous"):
        config["dilation_rate"] = [config["dilation_rate"]]


def _transposed(config: dict[str, Any], old_name: str, context: Context) -> None:
    _convolution(config, old_name, context)
    config.pop("output_shape", None)
    if config.get("groups") == 1:
        config.pop("groups")


def _without(*names: str) -> Callable[[dict[str, Any], str, Context], None]:
    def fix(config: dict[str, Any], old_name: str, context: Context) -> None:
        _convolution(config, old_name, context)
        for name in names:
            config.pop(name, None)

    return fix


def _recurrent(config: dict[str, Any], old_name: str, context: Context) -> None:
    for key in ("input_dim", "forget_bias_init"):
        value = config.pop(key, None)
        if key == "forget_bias_init" and value is not None:
            config["unit_forget_bias"] = value in ("one", "ones")
    if old_name.startswith("CuDNN"):
        config.setdefault("activation", "tanh")
        config.setdefault("recurrent_activation", "sigmoid")
    elif context.generation < 3 and context.separate and "SimpleRNN" not in old_name:
        config.setdefault("recurrent_activation", "hard_sigmoid")
    if config.get("implementation") not in (None, 1, 2):
        config.pop("implementation")


def _gated(config: dict[str, Any], old_name: str, context: Context) -> None:
    _recurrent(config, old_name, context)
    config.pop("unit_forget_bias", None)
    if context.generation < 3:
        config.setdefault("reset_after", old_name.startswith("CuDNN"))


def _cell_or_simple(config: dict[str, Any], old_name: str, context: Context) -> None:
    _recurrent(config, old_name, context)
    for key in ("recurrent_activation", "unit_forget_bias"):
        config.pop(key, None)


def _conv_lstm(config: dict[str, Any], old_name: str, context: Context) -> None:
    _convolution(config, old_name, context)
    _recurrent(config, old_name, context)
    config.pop("implementation", None)


def _batch_normalization(config: dict[str, Any], old_name: str, context: Context) -> None:
    mode = config.pop("mode", 0)
    if mode != 0:
        raise UnsupportedFileError(
            f"BatchNormalization {config.get('name')!r} has mode={mode}, of which no layer today gives the "
            "results. Only "
            "mode 0 is read; mode 1 resembles LayerNormalization."
        )
    axis = config.get("axis")
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        config["axis"] = axis[0]
    if old_name == "SyncBatchNormalization":
        config["synchronized"] = True


def _embedding(config: dict[str, Any], old_name: str, context: Context) -> None:
    dropout = config.pop("dropout", 0.0)
    if dropout:
        raise UnsupportedFileError(
            f"Embedding {config.get('name')!r} has dropout={dropout}, which drops whole words and is not "
            "offered. Build "
            "the model in Python with a SpatialDropout1D after the Embedding."
        )


def _pooling_1d(config: dict[str, Any], old_name: str, context: Context) -> None:
    for key in ("pool_size", "strides"):
        value = config.get(key)
        if isinstance(value, (list, tuple)) and len(value) == 1:
            config[key] = value[0]


def _padding_2d(config: dict[str, Any], old_name: str, context: Context) -> None:
    padding = config.get("padding")
    if isinstance(padding, dict):
        config["padding"] = [
            [padding.get("top_pad", 0), padding.get("bottom_pad", 0)],
            [padding.get("left_pad", 0), padding.get("right_pad", 0)],
        ]
    elif isinstance(padding, (list, tuple)) and len(padding) == 4:
        config["padding"] = [list(padding[:2]), list(padding[2:])]


def _padding_1d(config: dict[str, Any], old_name: str, context: Context) -> None:
    padding = config.get("padding")
    if isinstance(padding, dict):
        config["padding"] = [padding.get("left_pad", 0), padding.get("right_pad", 0)]


def _thresholded(config: dict[str, Any], old_name: str, context: Context) -> None:
    config.setdefault("threshold", 1.0)


def _input_layer(config: dict[str, Any], old_name: str, context: Context) -> None:
    if "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    if "input_dtype" in config:
        config["dtype"] = config.pop("input_dtype")
    for key in ("sparse", "ragged"):
        if not config.get(key):
            config.pop(key, None)


def _lookup(config: dict[str, Any], old_name: str, context: Context) -> None:
    if config.get("output_mode") == "binary":
        config["output_mode"] = "multi_hot"
    if "output_sequence_length" in config and config.get("split") == "whitespace_split":
        config["split"] = "whitespace"


def _attention(config: dict[str, Any], old_name: str, context: Context) -> None:
    config.pop("causal", None)


def _lambda(config: dict[str, Any], old_name: str, context: Context) -> None:
    """Functions stored as (code, defaults, closure), or by name, beside a word that says which."""
    for key in ("module", "output_shape_module", "output_mask", "output_mask_module"):
        config.pop(key, None)
    kind = config.pop("function_type", None)
    shape_kind = config.pop("output_shape_type", None)
    config["function"] = _function(config.get("function"), kind)
    if isinstance(config["function"], str) and not context.knows(config["function"]):
        raise UnresolvedNameError(
            f"Lambda layer {config.get('name')!r} calls the function {config['function']!r}, which the file "
            "names only. "
            "Pass it: custom_objects={name: function}."
        )
    if "output_shape" in config:
        shape = config["output_shape"]
        config["output_shape"] = _function(shape, shape_kind) if shape_kind in ("lambda", "function") else shape
        if config["output_shape"] is None:
            config.pop("output_shape")


def _function(value: Any, kind: str | None) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 3 and kind != "raw":
        code, defaults, closure = value
        return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
    return value


_SPECIAL: dict[str, Callable[[dict[str, Any], str, Context], None]] = {
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv1DTranspose": _transposed,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "SeparableConv1D": _without(*SEPARABLE_EXTRA),
    "SeparableConv2D": _without(*SEPARABLE_EXTRA),
    "DepthwiseConv1D": _without(*DEPTHWISE_EXTRA),
    "DepthwiseConv2D": _without(*DEPTHWISE_EXTRA),
    "SimpleRNN": _cell_or_simple,
    "SimpleRNNCell": _cell_or_simple,
    "LSTM": _recurrent,
    "LSTMCell": _recurrent,
    "GRU": _gated,
    "GRUCell": _gated,
    "ConvLSTM1D": _conv_lstm,
    "ConvLSTM2D": _conv_lstm,
    "ConvLSTM3D": _conv_lstm,
    "BatchNormalization": _batch_normalization,
    "Embedding": _embedding,
    "MaxPooling1D": _pooling_1d,
    "AveragePooling1D": _pooling_1d,
    "ZeroPadding1D": _padding_1d,
    "ZeroPadding2D": _padding_2d,
    "Cropping2D": _padding_2d,
    "ThresholdedReLU": _thresholded,
    "InputLayer": _input_layer,
    "StringLookup": _lookup,
    "IntegerLookup": _lookup,
    "TextVectorization": _lookup,
    "Attention": _attention,
    "AdditiveAttention": _attention,
    "Lambda": _lambda,
}
