"""Old arguments of functions, by the module that shows them."""

from __future__ import annotations

from typing import Any

from hornbeam.compat.loading import load
from hornbeam.compat.names.keras import ARCHITECTURES
from hornbeam.compat.spellings.table import Translator, data_format, spell

_FORMAT = {"dim_ordering": "data_format"}
_FORMAT_VALUES = {"dim_ordering": data_format}
_WORDS = {"nb_words": "num_words"}
_FORM = {"use_legacy_format": ((False, True), "leave it out; both forms of config are read")}


def _format(owner: str, renamed: dict[str, str] | None = None, **options: Any) -> Translator:
    return spell(owner, {**_FORMAT, **(renamed or {})}, values=_FORMAT_VALUES, **options)


_PARTS = frozenset(("backend", "layers", "models", "utils"))


def _without_parts(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Leave out the parts of Keras that a network was to be built from; Hornbeam has one set of them."""
    return args, {name: value for name, value in kwargs.items() if name not in _PARTS}


def _grayscale(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``grayscale=True`` as ``color_mode="grayscale"``; by position it is a truth value, never a mode."""
    if len(args) > 1 and isinstance(args[1], bool):
        args, kwargs = args[:1] + args[2:], {**kwargs, "grayscale": args[1]}
    if "grayscale" in kwargs:
        kwargs = dict(kwargs)
        if kwargs.pop("grayscale"):
            kwargs["color_mode"] = "grayscale"
    return args, kwargs


def _old_measure(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Names of losses and metrics that are functions of the compatibility room now."""
    if args and args[0] in ("cosine", "cosine_proximity"):
        args = (load(f"compat.measures:{args[0]}"), *args[1:])
    return args, kwargs


_OLD_METRICS = {
    "fmeasure": "compat.measures:fmeasure",
    "kullback_leibler_divergence": "keras.losses:kl_divergence",
    "log_cosh": "keras.losses:log_cosh",
    "logcosh": "keras.losses:log_cosh",
    "matthews_correlation": "compat.measures:matthews_correlation",
}


def _old_metric(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    if args and isinstance(args[0], str) and args[0] in _OLD_METRICS:
        return (load(_OLD_METRICS[args[0]]), *args[1:]), kwargs
    return _old_measure(args, kwargs)


FUNCTIONS: dict[str, dict[str, Translator]] = {
    "keras.losses": {"get": _old_measure},
    "keras.metrics": {"get": _old_metric},
    "keras.activations": {"relu": spell("relu", {"alpha": "negative_slope"})},
    "keras.utils": {
        "get_source_inputs": spell("get_source_inputs", dropped=["layer", "node_index"]),
        "load_img": spell("load_img", before=_grayscale),
        "img_to_array": _format("img_to_array"),
        "array_to_img": _format("array_to_img"),
        "plot_model": spell("plot_model", {"show_shape": "show_shapes"}),
    },
    "keras.preprocessing.image": {
        "load_img": spell("load_img", before=_grayscale),
        "img_to_array": _format("img_to_array"),
        "array_to_img": _format("array_to_img"),
    },
    "keras.applications.imagenet_utils": {
        "preprocess_input": _format("preprocess_input", before=_without_parts),
        "decode_predictions": spell("decode_predictions", {"top_n": "top"}, before=_without_parts),
    },
    "keras.datasets.imdb": {"load_data": spell("imdb.load_data", _WORDS)},
    "keras.datasets.reuters": {"load_data": spell("reuters.load_data", _WORDS)},
    "keras.backend": {
        "batch_get_value": spell("batch_get_value", {"xs": "tensors"}),
        "conv2d": _format(
            "conv2d",
            {"border_mode": "padding", "filter_dilation": "dilation_rate"},
            dropped=["image_shape", "filter_shape"],
        ),
        "pool2d": _format("pool2d", {"border_mode": "padding"}),
        "expand_dims": spell("expand_dims", {"dim": "axis"}),
        "one_hot": spell("one_hot", {"nb_classes": "num_classes"}),
        "random_normal": spell("random_normal", {"std": "stddev"}),
        "random_uniform": spell("random_uniform", {"low": "minval", "high": "maxval"}),
        "repeat_elements": spell("repeat_elements", {"repeats": "rep"}),
        "resize_images": _format("resize_images", {"X": "x"}),
        "resize_volumes": _format("resize_volumes", {"X": "x"}),
        "set_epsilon": spell("set_epsilon", {"e": "value"}),
        "spatial_2d_padding": _format("spatial_2d_padding"),
    },
}
"""Module (without ``hornbeam.``) to function to the translator of its arguments."""

for _room in (
    "activations",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
):
    FUNCTIONS.setdefault(f"keras.{_room}", {})["deserialize"] = spell(f"{_room}.deserialize", only=_FORM)
FUNCTIONS["keras.optimizers"]["get"] = spell(
    "optimizers.get",
    only={"use_legacy_optimizer": ((None, False, True), "leave it out; there is one set of optimizers")},
)
FUNCTIONS["keras.optimizers.schedules"] = {"deserialize": spell("schedules.deserialize", only=_FORM)}

for _room, _networks in ARCHITECTURES.items():
    _names = [*_networks.split(), "preprocess_input", "decode_predictions"]
    FUNCTIONS.setdefault(f"keras.applications.{_room}", {}).update(dict.fromkeys(_names, _without_parts))

CLASSES: dict[tuple[str, str], dict[str, Translator]] = {
    ("preprocessing", "ImageDataGenerator"): {
        "__init__": _format("ImageDataGenerator"),
        "flow": spell("flow", {"X": "x"}),
        "fit": spell("fit", {"X": "x"}),
    },
    ("preprocessing", "Tokenizer"): {"__init__": spell("Tokenizer", _WORDS)},
}
"""Like ``training.METHODS``, for classes that prepare data."""
