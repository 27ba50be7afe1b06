"""Hornbeam: Keras on JAX/XLA. ``import hornbeam as tf``, or ``from hornbeam import keras``.

Everything is found on first use (PEP 562): importing the package itself loads neither JAX nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hornbeam.base import registry as _registry
from hornbeam.version import VERSION as __version__  # noqa: F401 - what tf.__version__ is

if TYPE_CHECKING:
    from hornbeam import keras as keras
    from hornbeam.compat.install import install as install

# Formats stand above Keras; Keras finds them by these names.
for _name in ("save_model", "load_model", "save_weights", "load_weights"):
    _registry.provide("saving", _name, f"hornbeam.saving.files:{_name}")
for _name in ("list_backups", "read_backup", "remove_backups", "write_backup"):
    _registry.provide("saving", _name, f"hornbeam.saving.backup:{_name}")
for _name, _target in {
    "bundle": "bundle:Bundle",
    "bundle dtype": "kinds:as_dtype",
    "checkpoint children": "objects:children",
    "checkpoint state": "state:read_state",
    "is bundle": "bundle:is_bundle",
    "latest checkpoint": "state:latest_checkpoint",
    "read checkpoint": "faces:read_checkpoint",
    "remove bundle": "bundle:remove_bundle",
    "write checkpoint": "faces:write_checkpoint",
    "write checkpoint state": "state:write_state",
}.items():
    _registry.provide("saving", _name, f"hornbeam.saving.tf_checkpoint.{_target}")
for _name, _target in {
    "export model": "export:export_model",
    "is saved model": "folder:is_saved_model",
    "load saved model": "loader:load",
    "local folder": "layers:local_folder",
    "revive saved model": "revived:revive",
    "save saved model": "saver:save",
}.items():
    _registry.provide("saving", _name, f"hornbeam.saving.saved_model.{_target}")
for _name, _target in {
    "modernize": "modernize",
    "compile config": "compile_config",
    "layer weights": "layer_weights",
    "optimizer state": "optimizer_state",
    "tensorflow function": "tf_function",
}.items():
    _registry.provide("configs", _name, f"hornbeam.compat.configs:{_target}")
for _name in ("model_from_config", "model_from_json", "model_from_yaml", "model_to_json", "model_to_yaml"):
    _registry.provide("saving", _name, f"hornbeam.saving.architectures:{_name}")
_registry.provide("saving", "file editor", "hornbeam.saving.editor:KerasFileEditor")
_registry.provide("saving", "reduce model", "hornbeam.saving.pickled:reduce_model")
_registry.provide("saving", "bare name format", "hornbeam.compat.configs.defaults:bare_name_format")
_registry.provide("advice", "names", "hornbeam.compat.advice:advice")
_registry.provide("keras", "TFSMLayer", "hornbeam.saving.saved_model.layers:TFSMLayer")
_registry.provide("keras", "hub layer", "hornbeam.saving.saved_model.layers:HubLayer")
_registry.provide("keras", "export archive", "hornbeam.saving.saved_model.export:ExportArchive")
_registry.provide("feeds", "dataset", "hornbeam.keras.trainers.feeds.datasets:open_dataset")
_registry.provide("keras", "data parallel", "hornbeam.keras.distribution:DataParallel")
_registry.provide("keras", "summary", "hornbeam.keras.utils.summary_table:print_summary")

_FOLDERS = (
    "audio",
    "autodiff",
    "autograph",
    "bitwise",
    "compat",
    "config",
    "data",
    "debugging",
    "distribute",
    "dtypes",
    "errors",
    "experimental",
    "hub",
    "image",
    "io",
    "keras",
    "linalg",
    "lookup",
    "math",
    "nest",
    "nn",
    "ops",
    "ragged",
    "random",
    "saved_model",
    "signal",
    "sparse",
    "strings",
    "summary",
    "test",
    "tpu",
    "train",
    "version",
)
"""Public folders and modules, imported when first touched."""

_HOMES: dict[str, tuple[str, ...]] = {
    "hornbeam.compat.install": ("install",),
    "hornbeam.core.tape": ("GradientTape",),
    "hornbeam.core.tensor": ("Tensor",),
    "hornbeam.core.function": ("function",),
    "hornbeam.core.spec": ("TensorSpec", "TypeSpec"),
    "hornbeam.base.shapes": ("TensorShape",),
    "hornbeam.base.dtypes": (
        "DType",
        "as_dtype",
        "bfloat16",
        "complex128",
        "complex64",
        "float16",
        "float32",
        "float64",
        "int16",
        "int32",
        "int64",
        "int8",
        "string",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
        "variant",
        "resource",
    ),
    "hornbeam.autodiff": ("UnconnectedGradients",),
    "hornbeam.ragged.spec": ("RaggedTensorSpec",),
    "hornbeam.ragged.tensor": ("RaggedTensor",),
    "hornbeam.sparse.distance": ("edit_distance",),
    "hornbeam.sparse.spec": ("SparseTensorSpec",),
    "hornbeam.sparse.tensor": ("SparseTensor",),
    "hornbeam.strings": ("as_string",),
    "hornbeam.debugging": (
        "Assert",
        "assert_equal",
        "assert_greater",
        "assert_less",
        "assert_rank",
    ),
    "hornbeam.linalg": (
        "einsum",
        "matmul",
        "norm",
        "tensordot",
    ),
    "hornbeam.math": (
        "abs",
        "acos",
        "acosh",
        "add",
        "add_n",
        "argmax",
        "argmin",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "clip_by_global_norm",
        "clip_by_norm",
        "clip_by_value",
        "cos",
        "cosh",
        "cumsum",
        "divide",
        "equal",
        "exp",
        "floor",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "logical_and",
        "logical_not",
        "logical_or",
        "maximum",
        "minimum",
        "multiply",
        "negative",
        "not_equal",
        "pow",
        "reduce_all",
        "reduce_any",
        "reduce_logsumexp",
        "reduce_max",
        "reduce_mean",
        "reduce_min",
        "reduce_prod",
        "reduce_sum",
        "round",
        "scalar_mul",
        "sigmoid",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "subtract",
        "tan",
        "tanh",
        "truediv",
        "truncatediv",
        "truncatemod",
    ),
    "hornbeam.tensors.control": (
        "case",
        "cond",
        "control_dependencies",
        "foldl",
        "foldr",
        "group",
        "map_fn",
        "no_op",
        "scan",
        "switch_case",
        "tuple",
        "vectorized_map",
        "while_loop",
    ),
    "hornbeam.tensors.differentiation": (
        "custom_gradient",
        "grad_pass_through",
        "gradients",
        "hessians",
        "no_gradient",
        "recompute_grad",
        "stop_gradient",
    ),
    "hornbeam.tensors.creation": (
        "bitcast",
        "cast",
        "complex",
        "constant",
        "convert_to_tensor",
        "eye",
        "fill",
        "get_static_value",
        "identity",
        "identity_n",
        "is_symbolic_tensor",
        "is_tensor",
        "linspace",
        "meshgrid",
        "one_hot",
        "ones",
        "ones_like",
        "range",
        "rank",
        "saturate_cast",
        "sequence_mask",
        "shape",
        "shape_n",
        "size",
        "zeros",
        "zeros_like",
    ),
    "hornbeam.tensors.host": (
        "numpy_function",
        "py_function",
    ),
    "hornbeam.tensors.indexing": (
        "boolean_mask",
        "gather",
        "gather_nd",
        "scatter_nd",
        "slice",
        "strided_slice",
        "tensor_scatter_nd_add",
        "tensor_scatter_nd_max",
        "tensor_scatter_nd_min",
        "tensor_scatter_nd_sub",
        "tensor_scatter_nd_update",
        "unravel_index",
        "where",
    ),
    "hornbeam.tensors.indexed_slices": ("IndexedSlices", "IndexedSlicesSpec"),
    "hornbeam.tensors.sorting": (
        "argsort",
        "dynamic_partition",
        "dynamic_stitch",
        "histogram_fixed_width",
        "histogram_fixed_width_bins",
        "searchsorted",
        "sort",
        "unique",
        "unique_with_counts",
    ),
    "hornbeam.tensors.module": ("Module",),
    "hornbeam.tensors.printing": ("print",),
    "hornbeam.tensors.scopes": (
        "device",
        "executing_eagerly",
        "get_logger",
        "init_scope",
        "inside_function",
        "name_scope",
    ),
    "hornbeam.tensors.shaping": (
        "broadcast_dynamic_shape",
        "broadcast_static_shape",
        "broadcast_to",
        "concat",
        "ensure_shape",
        "expand_dims",
        "pad",
        "repeat",
        "reshape",
        "reverse",
        "reverse_sequence",
        "roll",
        "split",
        "squeeze",
        "stack",
        "tile",
        "transpose",
        "unstack",
    ),
    "hornbeam.tensors.tensor_array": ("TensorArray",),
    "hornbeam.tensors.variable": (
        "Variable",
        "VariableAggregation",
        "VariableSynchronization",
        "variable_creator_scope",
    ),
}
"""Module that holds each public name."""

_NAMES = {name: module for module, names in _HOMES.items() for name in names}
_RENAMED = {
    "bool": ("hornbeam.base.dtypes", "bool_"),
    "constant_initializer": ("hornbeam.keras.initializers", "Constant"),
    "double": ("hornbeam.base.dtypes", "float64"),
    "half": ("hornbeam.base.dtypes", "float16"),
    "ones_initializer": ("hornbeam.keras.initializers", "Ones"),
    "random_normal_initializer": ("hornbeam.keras.initializers", "RandomNormal"),
    "random_uniform_initializer": ("hornbeam.keras.initializers", "RandomUniform"),
    "zeros_initializer": ("hornbeam.keras.initializers", "Zeros"),
}
"""Public names that are called otherwise where they live: (module, name)."""

_ALIASES = {
    **{name: f"hornbeam.keras.{name}" for name in ("initializers", "losses", "metrics", "optimizers")},
    "feature_column": "hornbeam.compat.feature_column",
}
"""Public modules that live elsewhere."""

__all__ = sorted([*_FOLDERS, *_NAMES, *_RENAMED, *_ALIASES])


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.{name}")
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
    elif name in _RENAMED:
        module, attribute = _RENAMED[name]
        found = getattr(importlib.import_module(module), attribute)
    elif name in _ALIASES:
        found = importlib.import_module(_ALIASES[name])
    elif name == "newaxis":
        return None
    else:
        raise _registry.missing("hornbeam", name, [*__all__, "newaxis"])
    # Some names hide builtins (`abs`, `print` ...) in this module from now on; nothing here uses those.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "newaxis"]
