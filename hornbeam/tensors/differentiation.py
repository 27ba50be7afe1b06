"""Functions that say how they are differentiated, and values that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.door import wrap_tree
from hornbeam.ops.capture import Leaves, capture_with_tree, execute_captured, from_leaves, unwrapped
from hornbeam.tensors.creation import identity
from hornbeam.tensors.face import face, tensor, unwatched

__all__ = [
    "custom_gradient",
    "grad_pass_through",
    "gradients",
    "hessians",
    "no_gradient",
    "recompute_grad",
    "stop_gradient",
]


@face
def stop_gradient(input: Any, name: str | None = None) -> Any:
    """The value itself, through which no gradient flows."""
    return unwatched(ops.stop_gradient, tensor(input))


def no_gradient(op_type: str) -> None:
    """Raise: ops are not registered by name here.

    Raises:
        NotSupportedError: always.
    """
    raise NotSupportedError("tf.no_gradient works on TensorFlow's registry of ops; use tf.stop_gradient on the values.")


def custom_gradient(f: Callable | None = None) -> Callable:
    """Make a function that brings its own gradient.

    Args:
        f: takes tensors, returns ``(outputs, grad_fn)``; ``grad_fn`` gets the gradients of the outputs and returns
            those of the arguments. With a parameter ``variables`` it gets the variables that ``f`` read, and returns
            a pair ``(gradients of arguments, gradients of variables)``.

    References: TensorFlow `tf.custom_gradient`.
    """
    return custom_gradient if f is None else ops.custom_gradient(f)


def grad_pass_through(f: Callable) -> Callable:
    """The function, with the gradient of the identity: gradients of its output go to its argument unchanged."""

    @ops.custom_gradient
    def passed(x: Any) -> Any:
        return identity(f(x)), lambda upstream: upstream

    return passed


def recompute_grad(f: Callable) -> Callable:
    """The function, whose inner values are not kept for the gradient but computed again: less memory, more time."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = Leaves(args)
        made, tree = capture_with_tree(lambda *arrays: f(*given.rebuild(arrays, given.raw), **kwargs), given.structs())

        def lowering(runs: list[Callable], state: Any, arrays: list) -> Any:
            return jax.checkpoint(lambda state, *inner: runs[0](state, *inner))(state, *arrays)

        outputs = execute_captured([made], lowering, given.arrays, given.objects)
        return wrap_tree(from_leaves(tree, unwrapped(outputs, given.raw), given.raw))

    return wrapped


def _refuse_graph(name: str) -> NotSupportedError:
    return NotSupportedError(
        f"{name} differentiates a graph, and there is none here.\n"
        "  fix:      compute the target inside `with tf.GradientTape() as tape:` and call tape.gradient(target, xs)"
    )


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str | None = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = "none",
) -> Any:
    """Raise, as TensorFlow does in eager mode: use ``GradientTape``.

    Raises:
        NotSupportedError: always.
    """
    raise _refuse_graph("tf.gradients")


def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str | None = "hessians",
) -> Any:
    """Raise, as TensorFlow does in eager mode: use two gradient tapes.

    Raises:
        NotSupportedError: always.
    """
    raise _refuse_graph("tf.hessians")
