"""The signature of a layer's ``call`` and ``build``, looked at once per class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


class CallSpec:
    """Facts about ``call``.

    Attributes:
        names: positional parameters after ``self``.
        first: name of the first one.
        has_training: takes ``training`` (by name, or through ``**kwargs``).
        needs_training: ``training`` has no default.
        mask_names: parameters ``mask`` or ``<name>_mask`` that are filled from the inputs' masks.
    """

    __slots__ = (
        "default_training",
        "first",
        "has_kwargs",
        "has_training",
        "mask_names",
        "names",
        "needs_training",
        "signature",
        "variadic",
    )

    def __init__(self, function: Callable, is_method: bool) -> None:
        self.signature = inspect.signature(function)
        parameters = list(self.signature.parameters.values())
        if is_method and parameters:
            # The object itself, whatever its name.
            parameters = parameters[1:]
            self.signature = self.signature.replace(parameters=parameters)
        self.names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.has_kwargs = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.first = self.names[0] if self.names else None
        known = self.signature.parameters
        self.has_training = "training" in known
        default = known["training"].default if self.has_training else None
        self.needs_training = default is inspect.Parameter.empty
        self.default_training = None if default is inspect.Parameter.empty else default
        self.mask_names = [name for name in known if name == "mask" or name.endswith("_mask")]

    def bind(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name, in the order of the signature; ``*args`` stay under ``"*"``."""
        bound: dict[str, Any] = dict(zip(self.names, args, strict=False))
        if len(args) > len(self.names):
            bound["*"] = args[len(self.names) :]
        bound.update(kwargs)
        return bound


class BuildSpec:
    """Facts about ``build``: which shapes it takes."""

    __slots__ = ("names", "variadic")

    def __init__(self, function: Callable) -> None:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.variadic = any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters)


_call_specs: dict[Any, CallSpec] = {}
_build_specs: dict[Any, BuildSpec] = {}


def call_spec(layer: Any) -> CallSpec:
    """Facts about a layer's ``call`` (which may also be set on the instance)."""
    own = layer.__dict__.get("call")
    function = own or type(layer).call
    found = _call_specs.get(function)
    if found is None:
        found = _call_specs[function] = CallSpec(function, is_method=own is None)
    return found


def build_spec(layer: Any) -> BuildSpec:
    """Facts about a layer's ``build``."""
    function = type(layer).build
    found = _build_specs.get(function)
    if found is None:
        found = _build_specs[function] = BuildSpec(function)
    return found
