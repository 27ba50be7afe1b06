"""Gradients of convolutions as operations of their own.

Libraries have kernels for them that take the operands as they lie. The operations stand in programs as long as nobody
asks for more: where no such kernel is at hand, and in passes over programs that know convolutions only, each is
replaced by the canonical convolution with turned operands that it is (``expansion``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax import Array

from hornbeam.engine import onednn
from hornbeam.engine.conv_geometry import Geometry
from hornbeam.engine.jax_compat import Described, bilinear_primitive

INPUT, KERNEL = "hornbeam_conv_input_gradient", "hornbeam_conv_kernel_gradient"
"""Names of the operations in programs."""


@dataclass(frozen=True)
class Gradient(Described):
    """What a gradient of a convolution is taken of.

    Attributes:
        geometry: the window of the convolution.
        shape: of the operand whose gradient it is.
        operands: shapes and dtype of the operation's own operands.
        make: the same as canonical convolutions: ``(left, right, shape, geometry)``.
    """

    geometry: Geometry
    shape: tuple[int, ...]
    operands: tuple[Any, ...]
    make: Callable

    def operands_of(self) -> list[Any]:
        """Shapes and dtypes of the operation's own operands."""
        left, right, dtype = self.operands
        return [jax.ShapeDtypeStruct(shape, dtype) for shape in (left, right)]

    def write_out(self, left: Array, right: Array) -> Array:
        """The operation by canonical convolutions."""
        return self.make(left, right, self.shape, self.geometry)


def _operation(
    name: str, kind: str, plain: Callable, call: Callable, shapes: Callable, left: Callable, right: Callable
) -> Callable:
    """One of both operations, as ``(left, right, shape, geometry)``."""

    def on_cpu(one: Array, other: Array, spec: Gradient) -> Array:
        x, w = shapes(one.shape, other.shape, spec.shape)
        if onednn.takes(kind, x, w, spec.geometry, (one.dtype, other.dtype)):
            return call(one, other, spec.shape, spec.geometry)
        return plain(one, other, spec.shape, spec.geometry)

    def batch(one: Array, other: Array, axes: tuple, spec: Gradient) -> tuple[Array, int]:
        return jax.vmap(lambda a, b: plain(a, b, spec.shape, spec.geometry), axes)(one, other), 0

    bound = bilinear_primitive(
        name,
        shape=lambda _one, _other, spec: spec.shape,
        lowerings={None: lambda one, other, spec: plain(one, other, spec.shape, spec.geometry), "cpu": on_cpu},
        left=left,
        right=right,
        batch=batch,
    )

    def operation(one: Array, other: Array, shape: Sequence[int], geometry: Geometry) -> Array:
        operands = (one.shape, other.shape, one.dtype)
        return bound(one, other, Gradient(geometry, tuple(shape), operands, plain))

    return operation


def operations(canonical: Callable, plain_input: Callable, plain_kernel: Callable) -> tuple[Callable, Callable]:
    """The gradients of input and kernel as operations, whose own gradients are convolutions and gradients again.

    Args:
        canonical: the convolution, ``(x, w, geometry)``.
        plain_input: ``(dy, w, x_shape, geometry)`` by canonical convolutions.
        plain_kernel: ``(dy, x, w_shape, geometry)`` by canonical convolutions.

    Returns:
        Functions of the same arguments as both last.
    """
    of_input = _operation(
        INPUT,
        onednn.INPUT,
        plain_input,
        onednn.input_gradient,
        lambda _, w, x: (x, w),
        left=lambda dx, _, w, spec: canonical(dx, w, spec.geometry),
        right=lambda dx, dy, w_shape, spec: of_kernel(dy, dx, w_shape, spec.geometry),
    )
    of_kernel = _operation(
        KERNEL,
        onednn.KERNEL,
        plain_kernel,
        onednn.kernel_gradient,
        lambda _, x, w: (x, w),
        left=lambda dw, _, x, spec: canonical(x, dw, spec.geometry),
        right=lambda dw, dy, x_shape, spec: of_input(dy, dw, x_shape, spec.geometry),
    )
    return of_input, of_kernel
