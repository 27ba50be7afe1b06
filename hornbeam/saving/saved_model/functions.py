"""Which functions of an object go into a SavedModel, and for which tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbeam.base import dtypes
from hornbeam.core.concrete import BoundFunction, ConcreteFunction
from hornbeam.core.function import Function
from hornbeam.core.spec import TensorSpec
from hornbeam.core.variable import Variable
from hornbeam.saving.saved_model.traced import Traced, trace
from hornbeam.saving.saved_model.writer import Endpoint

__all__ = ["endpoint_of", "functions_of", "signature_of"]


def functions_of(item: Any) -> dict[str, tuple[Function, Any]]:
    """Compiled functions among an object's attributes and its class's methods, with the object they are bound to."""
    found: dict[str, tuple[Function, Any]] = {}
    for kind in reversed(type(item).__mro__):
        for name, value in vars(kind).items():
            if isinstance(value, Function):
                found[name] = (value, item)
    for name, value in vars(item).items() if hasattr(item, "__dict__") else ():
        if isinstance(value, Function):
            found[name] = (value, None)
        elif isinstance(value, BoundFunction):
            found[name] = (value.__func__, value.__self__)
    return {name: pair for name, pair in found.items() if not name.startswith("_") or name == "__call__"}


def endpoint_of(name: str, function: Function, owner: Any, variables: list[Variable]) -> Endpoint | None:
    """A function's programs: for its input signature, else for the calls that it has had; None if there were none."""
    names, defaults = _parameters(function.python_function, owner)
    if function.input_signature is not None:
        specs = _named(function.input_signature, names)
        traced = trace(name, _bound(function, owner), tuple(specs), {}, variables)
        return Endpoint([traced], names, defaults, signature=tuple(specs))
    traces = []
    for args, kwargs in _past_calls(function, owner):
        positional, keywords = _canonical(function, owner, args, kwargs, names)
        traces.append(trace(name, _bound(function, owner), positional, keywords, variables))
    return Endpoint(traces, names, defaults) if traces else None


def _bound(function: Function, owner: Any) -> Callable:
    inner = function.python_function
    return inner if owner is None else lambda *args, **kwargs: inner(owner, *args, **kwargs)


def _parameters(inner: Callable, owner: Any) -> tuple[list[str], tuple]:
    parameters = list(inspect.signature(inner).parameters.values())[0 if owner is None else 1 :]
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    defaults = tuple(p.default for p in plain if p.default is not p.empty)
    return [p.name for p in plain], defaults


def _named(specs: Any, names: list[str]) -> list[Any]:
    """Specs with the names of the parameters, where they have none."""
    found = []
    for place, spec in enumerate(specs):
        if isinstance(spec, TensorSpec) and spec.name is None and place < len(names):
            spec = TensorSpec(spec.shape, spec.dtype, names[place])
        found.append(spec)
    return found


def _canonical(function: Function, owner: Any, args: tuple, kwargs: dict[str, Any], names: list[str]) -> Any:
    """Arguments by position with defaults filled in, as callers in other programs are matched against."""
    signature = inspect.signature(_bound(function, owner) if owner is None else function.python_function)
    bound = signature.bind(*(() if owner is None else (owner,)), *args, **kwargs)
    bound.apply_defaults()
    values = bound.arguments
    positional = [
        TensorSpec(v.shape, v.dtype, n) if isinstance(v := values[n], TensorSpec) else v for n in names if n in values
    ]
    rest = {k: v for k, v in values.items() if k in kwargs and k not in names}
    return tuple(positional), rest


def _past_calls(function: Function, owner: Any) -> list[tuple[tuple, dict[str, Any]]]:
    """Arguments of the programs that the function has been traced for, specs for tensors."""
    found = [
        signature for of, signature in function.concrete_signatures if (owner is None if of is None else of() is owner)
    ]
    for *_, (structure, parts) in function._traces:
        leaves = iter(parts)
        try:
            args, kwargs = _rebuilt(structure, leaves)
        except _OtherObject:
            continue
        if owner is not None:
            if not args or getattr(args[0], "_number", None) != id(owner):
                continue
            args = args[1:]
        if not _has_identity((args, kwargs)) and (args, kwargs) not in found:
            found.append((args, kwargs))
    return found


class _OtherObject(Exception):
    """An argument is an object that a file cannot hold."""


def _rebuilt(structure: Any, leaves: Any) -> Any:
    if structure is None:
        part: Any = next(leaves)
        if not isinstance(part, tuple):
            return part
        kind: Any = part[0]
        value: Any = part[1]
        if kind in (float, complex):
            # Noted as text, which tells zeros of either sign apart.
            return kind(value)
        return value if isinstance(kind, type) else TensorSpec(kind, dtypes.from_numpy(value))
    name, *parts = structure
    if name == "dict":
        return {key: _rebuilt(part, leaves) for key, part in parts}
    items = [_rebuilt(part, leaves) for part in parts]
    if name not in ("list", "tuple"):
        raise _OtherObject
    return items if name == "list" else tuple(items)


def _has_identity(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_identity, value))
    if isinstance(value, dict):
        return any(map(_has_identity, value.values()))
    return hasattr(value, "_number")


def signature_of(name: str, given: Any, variables: list[Variable]) -> Traced:
    """The program of a signature.

    Raises:
        ValueError: the function has neither an input signature nor been made concrete.
    """
    if isinstance(given, BoundFunction):
        function, owner = given.__func__, given.__self__
    elif isinstance(given, ConcreteFunction):
        args, kwargs = given.structured_input_signature
        function, owner = given._owner, given.bound_to[0] if given.bound_to else None
        named = _named(args, _parameters(function.python_function, owner)[0])
        return trace(name, _bound(function, owner), tuple(named), _named_keywords(kwargs), variables)
    elif isinstance(given, Function):
        function, owner = given, None
    else:
        raise ValueError(
            f"Signature {name!r} must be a tf.function with an `input_signature`, or what its "
            f"`get_concrete_function(...)` gave. Received: {given!r}"
        )
    endpoint = endpoint_of(name, function, owner, variables)
    if endpoint is None or len(endpoint.traces) != 1:
        raise ValueError(
            f"Signature {name!r}: it is not clear for which tensors function {function.name!r} is meant. Give it an "
            "`input_signature`, or pass `function.get_concrete_function(tf.TensorSpec(...))`."
        )
    return endpoint.traces[0]


def _named_keywords(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {
        key: TensorSpec(value.shape, value.dtype, value.name or key) if isinstance(value, TensorSpec) else value
        for key, value in kwargs.items()
    }
