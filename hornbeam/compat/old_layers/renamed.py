"""Layers that have another name today: calling the old name makes a layer of the new class."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.notes import note
from hornbeam.compat.spellings.layers import conv
from hornbeam.compat.spellings.table import Translator, chain, spell
from hornbeam.keras import layers


class _Renamed(type):
    """Metaclass of old names: a call makes an object of ``target``, and such objects count as instances."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "target" not in vars(cls):  # a user's subclass is a class like any other
            return super().__call__(*args, **kwargs)
        args, kwargs = cls.translate(args, kwargs)
        return cls.target(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.target) if "target" in vars(cls) else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.target) if "target" in vars(cls) else super().__subclasscheck__(subclass)

    target: Any
    translate: Any


def renamed(name: str, target: type, translate: Translator | None = None) -> Any:
    """A class under its old name.

    Args:
        name: the old name.
        target: today's class.
        translate: from old arguments to today's; by default they are the same.
    """

    def same(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        note(f"{name} is called {target.__name__} now.")
        return args, kwargs

    body = {
        "target": target,
        "translate": staticmethod(chain(same, translate) if translate else same),
        "__doc__": f"Old name of ``{target.__name__}``.",
        "__module__": __name__,
    }
    kind = type(target)
    metaclass = _Renamed if kind is type else type("_Renamed", (_Renamed, kind), {})
    return metaclass(name, (target,), body)


Convolution1D = renamed("Convolution1D", layers.Conv1D, conv("Convolution1D", 1, always=True))
Convolution2D = renamed("Convolution2D", layers.Conv2D, conv("Convolution2D", 2, always=True))
Convolution3D = renamed("Convolution3D", layers.Conv3D, conv("Convolution3D", 3, always=True))
AtrousConv1D = AtrousConvolution1D = renamed(
    "AtrousConvolution1D", layers.Conv1D, conv("AtrousConvolution1D", 1, always=True)
)
AtrousConv2D = AtrousConvolution2D = renamed(
    "AtrousConvolution2D", layers.Conv2D, conv("AtrousConvolution2D", 2, always=True)
)
SeparableConvolution2D = renamed(
    "SeparableConvolution2D", layers.SeparableConv2D, conv("SeparableConvolution2D", 2, always=True)
)
Deconv2D = Deconvolution2D = renamed(
    "Deconvolution2D", layers.Conv2DTranspose, conv("Deconvolution2D", 2, always=True, output_shape=True)
)
Deconv3D = Deconvolution3D = renamed(
    "Deconvolution3D", layers.Conv3DTranspose, conv("Deconvolution3D", 3, always=True, output_shape=True)
)
SyncBatchNormalization = renamed(
    "SyncBatchNormalization",
    layers.BatchNormalization,
    lambda args, kwargs: (args, {**kwargs, "synchronized": kwargs.get("synchronized", True)}),
)


def _recurrent(name: str) -> type:
    found = getattr(layers, name, None)
    if found is None:
        raise NotSupportedError(f"CuDNN{name}: recurrent layers are not offered yet.")
    return found


def __getattr__(name: str) -> Any:
    # Made when asked for: recurrent layers are a large part of the package.
    if name == "CuDNNGRU":
        made = renamed(name, _recurrent("GRU"), lambda args, kwargs: (args, {**kwargs, "reset_after": True}))
    elif name == "CuDNNLSTM":
        made = renamed(name, _recurrent("LSTM"))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = made
    return made


_DENSE_LATER = spell("TimeDistributedDense", {"output_dim": "units"})


class TimeDistributedDense(layers.TimeDistributed):
    """A ``Dense`` layer applied to each time step.

    Args:
        units: size of the outputs (``output_dim`` of old).
        **kwargs: arguments of ``Dense``; ``input_shape`` and the like are the whole layer's.

    Input shape: (batch, time, features).
    Output shape: (batch, time, units).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        args, kwargs = _DENSE_LATER(args, kwargs)
        if (inner := kwargs.pop("layer", None)) is None:
            own = {
                name: kwargs.pop(name)
                for name in ("name", "input_shape", "batch_input_shape", "input_dim", "input_length", "trainable")
                if name in kwargs
            }
            inner = layers.Dense(*args, **kwargs)
        else:
            own = kwargs
        super().__init__(inner, **own)
