"""Names that lived only in private files of TensorFlow and Keras, and that published programs import from there."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.compat.loading import load

HOMES = {
    # Classes that `isinstance` and subclasses of users ask for.
    "BaseConv": "keras.layers.convolution.conv:Conv",
    "BaseOptimizer": "keras.optimizers:Optimizer",
    "BatchNormalizationBase": "keras.layers:BatchNormalization",
    "Conv": "keras.layers.convolution.conv:Conv",
    "DatasetV1": "data:Dataset",
    "DatasetV2": "data:Dataset",
    "EagerTensor": ":Tensor",
    "OptimizerV2": "keras.optimizers:Optimizer",
    "ReductionV2": "keras.losses:Reduction",
    "ResourceVariable": ":Variable",
    "_Conv": "keras.layers.convolution.conv:Conv",
    # Files.
    "FileIO": "io.gfile:GFile",
    "create_dir": "io.gfile:mkdir",
    "delete_file": "io.gfile:remove",
    "delete_recursively": "io.gfile:rmtree",
    "file_exists": "io.gfile:exists",
    "file_exists_v2": "io.gfile:exists",
    "get_matching_files": "io.gfile:glob",
    "is_directory": "io.gfile:isdir",
    "list_directory": "io.gfile:listdir",
    "recursive_create_dir": "io.gfile:makedirs",
    # The rest.
    "enable_numpy_behavior": "experimental.numpy:experimental_enable_numpy_behavior",
}
"""Name to ``module:attribute`` below ``hornbeam``."""

__all__ = [*HOMES, "NoDependency", "assign_moving_average"]


def NoDependency(value: Any) -> Any:
    """The value itself: what is tracked is decided by what it holds."""
    return value


def assign_moving_average(variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: Any = None) -> Any:
    """Move a variable towards a value: ``decay * variable + (1 - decay) * value``.

    Raises:
        NotSupportedError: with ``zero_debias``, whose counter lived in TensorFlow's graph.
    """
    if zero_debias:
        raise NotSupportedError(
            explain(
                "assign_moving_average: `zero_debias` kept a count of steps in TensorFlow's graph",
                fix="pass `zero_debias=False`, or use `tf.train.ExponentialMovingAverage`",
            )
        )
    return load("keras.backend:moving_average_update")(variable, value, decay)


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return load(HOMES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
