"""``keras.legacy.interfaces``: decorators that authors of layers and optimizers put on their methods.

They translated old argument names. A class of Hornbeam's translates by itself, and a class of the user is called with
the names that it has; so here they leave the method as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SUPPORTED = (
    "dense dropout embedding input input_layer pooling1d prelu gaussiannoise gaussiandropout recurrent conv1d conv2d "
    "conv3d separable_conv2d deconv2d pooling2d pooling3d global_pooling batchnorm spatialdropout1d spatialdropoutNd "
    "add_weight get_updates generator_methods model_constructor cropping2d cropping3d upsampling1d upsampling2d "
    "upsampling3d zeropadding2d zeropadding3d lambda convlstm2d"
)

__all__ = ["generate_legacy_interface", *(f"legacy_{name}_support" for name in _SUPPORTED.split())]


def _as_it_is(function: Callable) -> Callable:
    """The method itself."""
    return function


def generate_legacy_interface(*args: Any, **kwargs: Any) -> Callable:
    """A decorator that leaves the method as it is; the rules of translation are not needed."""
    return _as_it_is


def __getattr__(name: str) -> Any:
    if name in __all__:
        return _as_it_is
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
