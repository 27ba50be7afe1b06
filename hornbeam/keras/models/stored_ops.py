"""Calls of ops in stored graphs: under the names of Keras's classes, and back to the functions."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from hornbeam import ops
from hornbeam.base import registry, trees
from hornbeam.core.door import Op, OpCall
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.saving import serialization
from hornbeam.ops import image

__all__ = ["StoredOp", "call_arguments", "is_op_class", "op_config"]

# Where Keras defines the class of an op: by the part of ``ops`` that holds the function, or by the function's name.
_OP_FOLDERS = {
    "activations": "nn",
    "attention": "nn",
    "casting": "core",
    "control": "core",
    "conv": "nn",
    "ctc": "nn",
    "image": "image",
    "linalg": "linalg",
    "losses": "nn",
    "math": "math",
    "nn": "nn",
    "numpy": "numpy",
    "patches": "nn",
    "pooling": "nn",
    "scans": "core",
    "signal": "math",
}
_OP_MODULES = {
    "jvp": "linalg",
    "logsumexp": "math",
    "rearrange": "einops",
    "scatter": "core",
    "scatter_update": "core",
    "slice": "core",
    "slogdet": "numpy",
    "slice_update": "core",
}

_TF_FUNCTIONS = ("hornbeam.tensors.", "hornbeam.random.stateful", "hornbeam.ops.numpy.item")
# Classes that are not called as their functions are.
_CLASSES = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss",
    "fft": "FFT",
    "fft2": "FFT2",
    "hsv_to_rgb": "HSVToRGB",
    "ifft2": "IFFT2",
    "irfft": "IRFFT",
    "isin": "IsIn",
    "istft": "ISTFT",
    "jvp": "JVP",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale",
    "rgb_to_hsv": "RGBToHSV",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
    "ssim": "SSIM",
    "stft": "STFT",
    "svd": "SVD",
}
_FUNCTIONS = {kind: name for name, kind in _CLASSES.items()}
# Folders whose ops, all of them pure, a graph may hold under their own place.
_TF_OPS = (
    *("hornbeam.bitwise.", "hornbeam.image.", "hornbeam.linalg.", "hornbeam.math.", "hornbeam.nn."),
    *("hornbeam.random.", "hornbeam.ragged.", "hornbeam.signal.", "hornbeam.sparse.", "hornbeam.strings."),
)


# Names of the arguments that Keras's classes take in their call; all others they take when they are made.
_CALL_NAMES = """
    a abs_ angle array atol axes_lengths b beta bias bins branches choicelist condition condlist constant_values
    coordinates data default depthwise_kernel elements elems end_points f false_fn fun gamma image1 image2 images index
    indices init init_val inputs kernel key loop_vars mask mean offset operands output output_length output_shape
    pattern pointwise_kernel pred predictions primals q query rtol scale segment_ids sequence_lengths sorted_sequence
    start start_indices start_points step stop tangents target target_length targets tensor transform translation
    true_fn updates value values variable variance weights x x1 x2 xs y
"""
_IN_CALLS = frozenset(_CALL_NAMES.split())
# The same for ops that differ: what is in a call only there, and what is not there.
_ALSO_IN_CALLS = {"full": {"fill_value"}, "full_like": {"fill_value"}}
_NOT_IN_CALLS = {
    "allclose": {"atol", "rtol"},
    "bincount": {"weights"},
    "diagonal": {"offset"},
    "histogram": {"bins"},
    "squareplus": {"b"},
    "trace": {"offset"},
    "trapezoid": {"x"},
}
# Ops whose shapes Keras finds only if it is given every argument of the call.
_WHOLE_CALLS = frozenset({"batch_normalization", "layer_normalization", "rms_normalization", "where"})


def call_arguments(node: Any) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Arguments of an op's call as Keras stores them.

    Returns: those of the call by place and by name, and those that the op is made with.
    """
    function = node.operation.function
    try:
        bound = inspect.signature(function).bind(*node.args, **node.kwargs)
    except (TypeError, ValueError):
        return _as_given(node)
    name = function.__name__
    in_calls = (_IN_CALLS | _ALSO_IN_CALLS.get(name, set())) - _NOT_IN_CALLS.get(name, set())
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    defaults: list[Any] = []
    for key, parameter in bound.signature.parameters.items():
        value = bound.arguments.get(key, parameter.default)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            args += bound.arguments.get(key, ())
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(bound.arguments.get(key, {}))
        elif key not in in_calls and not _has_tensor(value):
            fixed.update({key: value} if key in bound.arguments else {})
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            kwargs.update({key: value} if key in bound.arguments else {})
        elif key in bound.arguments:
            # Keras hands these on by their places, with the defaults of those before.
            args += [*defaults, value]
            defaults = []
        else:
            defaults.append(value)
    args += defaults if name in _WHOLE_CALLS else []
    return args, kwargs, fixed


def _as_given(node: Any) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    tensors = {key: value for key, value in node.kwargs.items() if _has_tensor(value)}
    return list(node.args), tensors, {key: value for key, value in node.kwargs.items() if key not in tensors}


def op_config(operation: OpCall) -> dict[str, Any]:
    """An op as Keras writes it: its class, named after the function, and the arguments that it is made with."""
    function = operation.function
    name = function.__name__
    fixed = call_arguments(operation._inbound_nodes[0])[2]
    home = _OP_MODULES.get(name) or _OP_FOLDERS.get(function.__module__.removeprefix("hornbeam.ops.").split(".")[0])
    kind = _CLASSES.get(name) or "".join(part.capitalize() for part in name.split("_"))
    config = {"name": operation.name, **serialization.serialize_keras_object(fixed)}
    if getattr(ops, name, None) is function:
        config.update({"op": name} if home is None or _op_name(kind) != name else {})
    elif function.__module__.startswith(_TF_FUNCTIONS) or f"{function.__module__}.".startswith(_TF_OPS):
        config["op"] = f"{function.__module__}:{name}"
    elif home is None or _op_name(kind) != name:
        config["op"] = name
    module = f"keras.src.ops.{home}" if home else "keras.src.ops"
    return {"module": module, "class_name": kind, "config": config, "registered_name": kind}


def _has_tensor(value: Any) -> bool:
    return any(isinstance(leaf, KerasTensor) for leaf in trees.flatten(value))


class StoredOp:
    """An op call as stored: its fixed arguments stand in the config, its tensors in the call."""

    def __init__(self, stored: dict[str, Any]) -> None:
        fixed = dict(stored["config"])
        self.name = fixed.pop("name", stored.get("name"))
        name = fixed.pop("op", None) or _op_name(stored["class_name"])
        function = _function(name)
        if function is None:
            raise ValueError(f"The stored model uses the op {stored['class_name']!r}, which is not known.")
        self.function = function
        self.fixed = {key: serialization.deserialize_keras_object(value) for key, value in fixed.items()}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self._call(args, kwargs)
        given = [leaf for leaf in trees.flatten([args, kwargs]) if isinstance(leaf, KerasTensor)]
        first = trees.flatten(outputs)[0]
        # A function that gives back what it was given has no operation of its own.
        if isinstance(first, KerasTensor) and all(first.node is not tensor.node for tensor in given):
            first._keras_history.operation.name = self.name
        return outputs

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The op, its stored tensors in the places that the fixed arguments leave free."""
        parameters = inspect.signature(self.function).parameters
        rest, given = dict(self.fixed), list(args)
        bound: dict[str, Any] = dict(kwargs)
        for name, parameter in parameters.items():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                # What stands before an open list of arguments can be given by its place only.
                before = [rest.pop(key) if key in rest else bound.pop(key) for key in self._before(parameters)]
                return self.function(*before, *given, **bound, **rest)
            if given and name not in rest and name not in bound:
                bound[name] = given.pop(0)
        return self.function(*given, **bound, **rest)

    @staticmethod
    def _before(parameters: Any) -> list[str]:
        kinds = [parameter.kind for parameter in parameters.values()]
        return list(parameters)[: kinds.index(inspect.Parameter.VAR_POSITIONAL)]


def _function(name: str) -> Any:
    if name in ops.__all__:
        return getattr(ops, name)
    return getattr(image, name) if name in image.__all__ else _tf_function(name)


def _tf_function(name: str) -> Any:
    """A function of tensors outside of ``ops``, from its place; None if it is none of those that a graph may hold."""
    if name.startswith("tf:"):
        return registry.find("configs", "tensorflow function")(name.removeprefix("tf:"))
    module, _, name = name.partition(":")
    if not f"{module}.".startswith((*_TF_FUNCTIONS, *_TF_OPS)):
        return None
    try:
        home = importlib.import_module(module)
    except ImportError:
        return None
    found = getattr(home, name, None)
    public = module.startswith(_TF_FUNCTIONS) and name in getattr(home, "__all__", ())
    return found if public or isinstance(getattr(found, "op", None), Op) else None


def _op_name(class_name: str) -> str:
    if class_name in _FUNCTIONS:
        return _FUNCTIONS[class_name]
    parts = ""
    for index, letter in enumerate(class_name):
        if letter.isupper() and index and not class_name[index - 1].isupper():
            parts += "_"
        parts += letter.lower()
    return parts


def is_op_class(class_name: str) -> bool:
    """Whether a class of Keras's by that name is one of an op."""
    name = _op_name(class_name)
    return name in ops.__all__ or name in image.__all__
