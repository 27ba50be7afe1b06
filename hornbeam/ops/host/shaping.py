"""What shape, joining and comparing ops do with string tensors: the same in NumPy, on the host."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hornbeam.core.arguments import value_of
from hornbeam.core.tensor import HostTensor, Tensor, from_host


def _host(x: Any) -> Any:
    """NumPy form of one argument; texts as ``bytes``."""
    if isinstance(x, HostTensor):
        return x._value
    if isinstance(x, (str, bytes)):
        return np.array(x.encode() if isinstance(x, str) else x, object)
    array = np.asarray(value_of(x))
    return from_host(array)._value if array.dtype.kind in "SUO" else array


def _out(found: Any) -> Tensor:
    array = np.asarray(found, object) if isinstance(found, (bytes, str)) else np.asarray(found)
    return HostTensor(array) if array.dtype == object else from_host(array)


def _axes(axis: Any) -> Any:
    return tuple(np.atleast_1d(_host(axis)).tolist()) if isinstance(axis, (list, tuple, Tensor)) else axis


def _ints(x: Any) -> Any:
    return tuple(int(size) for size in np.atleast_1d(_host(x)).tolist())


def _wanted(x: Any, shape: Any) -> Any:
    return np.broadcast_to(_host(x), _ints(shape))


def _same(x1: Any, x2: Any) -> Tensor:
    return from_host(np.asarray(_host(x1) == _host(x2), bool))


def _different(x1: Any, x2: Any) -> Tensor:
    return from_host(np.asarray(_host(x1) != _host(x2), bool))


def _ordered(function: Callable) -> Callable:
    return lambda x1, x2: from_host(np.asarray(function(_host(x1), _host(x2)), bool))


def _add(x1: Any, x2: Any) -> Tensor:
    one, other = _host(x1), _host(x2)
    for array in (one, other):
        if array.dtype != object:
            raise TypeError(
                f"add() joins string tensors to strings only, and got one beside {array.dtype} values. Turn the "
                "numbers into strings first (tf.strings.as_string), or the strings into numbers (tf.strings.to_number)."
            )
    return _out(one + other)


def _where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    return _out(np.where(_host(condition), _host(x1), _host(x2)))


def _take(x: Any, indices: Any, axis: Any = None) -> Any:
    return _out(np.take(_host(x), _host(indices), axis=axis))


def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    parts = indices_or_sections if isinstance(indices_or_sections, int) else list(_ints(indices_or_sections))
    return [_out(part) for part in np.split(_host(x), parts, axis=axis)]


def _unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    return [_out(part) for part in np.moveaxis(_host(x), axis, 0)]


HOSTS: dict[str, Callable] = {
    "add": _add,
    "append": lambda x1, x2, axis=None: _out(np.append(_host(x1), _host(x2), axis)),
    "broadcast_to": lambda x, shape: _out(_wanted(x, shape)),
    "concatenate": lambda xs, axis=0: _out(np.concatenate([_host(part) for part in xs], axis)),
    "copy": lambda x: _out(_host(x).copy()),
    "equal": _same,
    "expand_dims": lambda x, axis: _out(np.expand_dims(_host(x), _axes(axis))),
    "flip": lambda x, axis=None: _out(np.flip(_host(x), _axes(axis))),
    "greater": _ordered(np.greater),
    "greater_equal": _ordered(np.greater_equal),
    "less": _ordered(np.less),
    "less_equal": _ordered(np.less_equal),
    "moveaxis": lambda x, source, destination: _out(np.moveaxis(_host(x), source, destination)),
    "not_equal": _different,
    "ravel": lambda x: _out(_host(x).reshape(-1)),
    "repeat": lambda x, repeats, axis=None: _out(np.repeat(_host(x), _host(repeats), axis)),
    "reshape": lambda x, newshape: _out(_host(x).reshape(_ints(newshape) if np.size(newshape) else ())),
    "split": _split,
    "squeeze": lambda x, axis=None: _out(np.squeeze(_host(x), _axes(axis))),
    "stack": lambda x, axis=0: _out(np.stack([_host(part) for part in x], axis)),
    "take": _take,
    "tile": lambda x, repeats: _out(np.tile(_host(x), _ints(repeats))),
    "transpose": lambda x, axes=None: _out(np.transpose(_host(x), _axes(axes))),
    "unstack": _unstack,
    "where": _where,
}


def _has_texts(items: Any) -> bool:
    for item in items:
        kind = type(item)
        if kind is HostTensor or ((kind is list or kind is tuple) and any(type(part) is HostTensor for part in item)):
            return True
    return False


def _guarded(function: Callable, on_host: Callable) -> Callable:
    @functools.wraps(function)
    def choose(*args: Any, **kwargs: Any) -> Any:
        return on_host(*args, **kwargs) if _has_texts(args) else function(*args, **kwargs)

    return choose


def install(ops: Mapping[str, Callable]) -> None:
    """Tell the ops what to do with string tensors; called by the package of ops."""
    for name, on_host in HOSTS.items():
        held = ops[name].op  # type: ignore[attr-defined]
        if not hasattr(held, "host"):
            # Made of several ops: texts must not get as far as those.
            held.function = _guarded(held.function, on_host)
        elif held.host is None:
            held.host = on_host
