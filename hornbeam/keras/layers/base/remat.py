"""Rematerialisation: results inside a call are computed again for the backward pass instead of being kept."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import jax

from hornbeam.base import trees
from hornbeam.core.frame import Frame, isolated
from hornbeam.core.scopes import override, scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.keras.layers.base.taped import run_as_one_node

__all__ = ["RematScope", "remat", "with_remat"]

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematScope:
    """Layers made inside give up what they compute after the forward pass, and compute it again for the backward one.

    That saves memory and costs time; numbers stay the same. It takes effect in compiled programs: ``fit``,
    ``tf.function``. Calls outside of them keep what their tape needs.

    Args:
        mode: ``"full"``: each layer; ``"activations"``: the activation functions of layers that have one;
            ``"larger_than"``: layers whose output has more elements than ``output_size_threshold`` (batch included);
            ``"list_of_layers"``: those in ``layer_names``; None: no layer (inside another scope).
        output_size_threshold: elements.
        layer_names: names.

    Raises:
        ValueError: another mode.

    References: Keras ``RematScope``.
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: list[str] | None = None
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"RematScope knows no mode={mode!r}. Use one of {list(_MODES)}.")
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = list(layer_names or ())
        self._before: list[Any] = []

    def __enter__(self) -> RematScope:
        self._before.append(scopes.remat)
        scopes.remat = self
        return self

    def __exit__(self, *details: object) -> None:
        scopes.remat = self._before.pop()


class _NoLayer:
    """In place of a layer where the function alone says which variables it reads."""

    trainable_variables: tuple[Variable, ...] = ()


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its inner results computed again for the backward pass (in compiled programs).

    Args:
        f: function of tensors, or a layer.

    References: Keras ``remat``; JAX ``jax.checkpoint``.
    """

    @functools.wraps(f, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if scopes.frame is None:
            return f(*args, **kwargs)
        leaves = trees.flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]

        def run(*inner: Tensor) -> Any:
            queue = iter(inner)
            filled = [next(queue) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
            return _checkpointed(f, *trees.pack((args, kwargs), filled))

        return run_as_one_node(_NoLayer(), run, tensors) if scopes.tapes else run(*tensors)

    return wrapped


def _checkpointed(f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """``f`` under ``jax.checkpoint``; writes to variables become outputs."""
    leaves = trees.flatten((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    found: dict[str, Any] = {}

    def pure(*arrays: Any) -> tuple[list[Any], list[Any]]:
        queue = iter(arrays)
        filled = [wrap(next(queue)) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        inner_args, inner_kwargs = trees.pack((args, kwargs), filled)
        frame = Frame(parent=scopes.frame)
        with frame, override(tapes=()):
            outputs = f(*inner_args, **inner_kwargs)
        flat, found["tree"] = jax.tree_util.tree_flatten(outputs, is_leaf=lambda leaf: isinstance(leaf, Tensor))
        found["written"], values = frame.updates()
        return [leaf._value if isinstance(leaf, Tensor) else leaf for leaf in flat], values

    arrays, values = jax.checkpoint(pure)(*(tensor._value for tensor in tensors))
    for variable, value in zip(found["written"], values, strict=True):
        variable._write(value)
    return jax.tree_util.tree_unflatten(found["tree"], [wrap(array) for array in arrays])


def with_remat(layer: Any, call: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """``call`` of a layer that was made in a ``RematScope``, as the scope says."""
    scope = vars(layer)["_remat"]
    if scope.mode == "activations":
        with _remat_activation(layer):
            return call(*args, **kwargs)
    if _is_chosen(layer, scope, call, args, kwargs):
        return remat(call)(*args, **kwargs)
    return call(*args, **kwargs)


def _is_chosen(layer: Any, scope: RematScope, call: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> bool:
    if scope.mode == "list_of_layers":
        return layer.name in scope.layer_names
    if scope.mode != "larger_than":
        return scope.mode == "full"
    # Traced once more for its shape only; nothing of it stays in the program.
    with override(tapes=()):
        outputs, _ = isolated(lambda: call(*args, **kwargs), {})
    sizes = [math.prod(leaf.shape) for leaf in trees.flatten(outputs) if isinstance(leaf, Tensor)]
    return sum(sizes) > scope.output_size_threshold


@contextmanager
def _remat_activation(layer: Any) -> Any:
    before = vars(layer).get("activation")
    if before is None:
        yield
        return
    # Past the layer's own bookkeeping, which would take this for a change of the layer.
    vars(layer)["activation"] = remat(before)
    try:
        yield
    finally:
        vars(layer)["activation"] = before
