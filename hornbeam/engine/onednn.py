"""oneDNN's kernels on the CPU, where ``hornbeam-onednn`` is installed.

They are convolutions, products, recurrent layers, statistics and gradients of pooling. XLA calls them from inside
compiled programs, on its own threads, and goes on fusing everything round them. Which work goes there is decided when a
program is lowered, from shapes and dtype alone; without the package ``takes`` is always False. ``HORNBEAM_ONEDNN=0`` in
the environment switches it off.
"""

from __future__ import annotations

import functools
import importlib
import math
import os
import platform
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import Array

from hornbeam.engine.conv_geometry import Geometry
from hornbeam.engine.jax_compat import identity_primitive, is_exporting
from hornbeam.engine.window import Window

SWITCH = "HORNBEAM_ONEDNN"
BROKEN = "cannot be loaded"
"""Begins the text of ``status`` if something is installed that does not work."""
FORWARD, INPUT, KERNEL = "forward", "input_gradient", "kernel_gradient"
_DTYPES = ("float32", "bfloat16")
_PRODUCT, _MOMENTS, _GRADIENT_SUMS = "hornbeam_product", "hornbeam_moments", "hornbeam_gradient_sums"
_PUT_BACK, _HOLD = "hornbeam_pool_put_back", "hornbeam_hold"


def _found() -> tuple[Any, str]:
    """The loaded package or None, and what there is to say about it."""
    with _loading:  # programs are compiled by several threads
        return _load()


_loading = threading.RLock()


@functools.cache
def _load() -> tuple[Any, str]:
    if os.environ.get(SWITCH, "").lower() in ("0", "off", "false", "no"):
        return None, f"switched off by {SWITCH}"
    if not sys.platform.startswith("linux") or platform.machine() not in ("x86_64", "aarch64"):
        return None, f"not offered on {sys.platform} {platform.machine()}"
    try:
        kernels = importlib.import_module("hornbeam_onednn").load()
        handlers = {_target(kind): handler for kind, handler in kernels.handlers.items()}
        handlers |= {_PRODUCT: kernels.product, _PUT_BACK: kernels.put_back, _HOLD: kernels.hold}
        handlers |= {_recurrent_target(cell): handler for cell, handler in kernels.recurrent.items()}
        handlers |= {_MOMENTS: kernels.moments, _GRADIENT_SUMS: kernels.gradient_sums}
        for name, handler in handlers.items():
            jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(handler), platform="cpu")
    except ImportError:
        return None, "package hornbeam-onednn is not installed"
    except Exception as error:  # a library that is missing, or built for another XLA: work goes on without it
        problem = f"{BROKEN}: {error}"
        named = os.environ.get("HORNBEAM_ONEDNN_LIBRARY")
        advice = f"HORNBEAM_ONEDNN_LIBRARY names {named}: correct it" if named else "Install ./native/onednn again"
        warnings.warn(
            f"oneDNN {problem}. Convolutions and matrix products are done by XLA, which is slower. {advice}, or set "
            f"{SWITCH}=0 to leave it out.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None, problem
    threads = "XLA's threads" if kernels.shares_threads else "threads of its own"
    return kernels, f"oneDNN {kernels.version} on {threads}"


def _target(kind: str) -> str:
    return f"hornbeam_conv_{kind}"


def _recurrent_target(cell: str) -> str:
    return f"hornbeam_{cell}"


def status() -> tuple[bool, str]:
    """Whether the kernels are in use on the CPU, and which, or why not."""
    kernels, text = _found()
    return kernels is not None, text


def is_available() -> bool:
    """True if the kernels can be called."""
    return _found()[0] is not None


def takes(kind: str, x: Sequence[Any], w: Sequence[Any], spec: Geometry, dtypes: Sequence[Any]) -> bool:
    """True if oneDNN should do this; asked while a program is lowered.

    Args:
        kind: ``FORWARD``, or the gradient of ``INPUT`` or ``KERNEL``.
        x: shape of the input, (batch, *space, channels).
        w: shape of the kernel, (*window, channels of a group, filters).
        spec: the window of the forward convolution.
        dtypes: of both operands.
    """
    if len(set(dtypes)) != 1 or np.dtype(dtypes[0]).name not in _DTYPES or not is_available() or is_exporting():
        return False
    if not all(isinstance(size, int) and size > 0 for size in (*x, *w)):
        return False
    return _pays(kind, tuple(x), tuple(w), spec, np.dtype(dtypes[0]).name)


@functools.lru_cache(maxsize=4096)
def _pays(kind: str, x: tuple[int, ...], w: tuple[int, ...], spec: Geometry, dtype: str) -> bool:
    y = _result(x, w, spec)
    if 0 in y or max(spec.input_dilation) > 1 or min(map(min, spec.padding)) < 0 or len(spec.strides) > 3:
        return False
    if 2.0 * math.prod(y) * math.prod(w[:-1]) < _LEAST_WORK or _is_slower(kind, w, spec):
        return False
    found = _found()[0].implementation(kind, dtype, x, w, y, _numbers(spec))
    # "ref" and "gemm" are the general forms for shapes without code of their own.
    return bool(found) and "ref" not in found and "gemm" not in found


def _is_slower(kind: str, w: tuple[int, ...], spec: Geometry) -> bool:
    """What XLA's forms do better, by ``benchmarks/onednn_ops.py``."""
    if kind == INPUT:
        return w[-2] * spec.groups <= _FEW_CHANNELS < w[-1]  # the first layer's, which training seldom asks for
    return kind == KERNEL and spec.groups > 1 and w[-2] == 1 and math.prod(w[:-2]) > _LARGE_DEPTHWISE


_FEW_CHANNELS, _LARGE_DEPTHWISE = 4, 9
_LEAST_WORK = 1e5
"""Operations below which a call costs more than it saves."""


def _result(x: Sequence[int], w: Sequence[int], spec: Geometry) -> tuple[int, ...]:
    return (x[0], *spec.out_sizes(x[1:-1], w[:-2]), w[-1])


def _numbers(spec: Geometry) -> tuple[int, ...]:
    before, after = zip(*spec.padding, strict=True)
    return (len(spec.strides), spec.groups, *spec.strides, *before, *after, *spec.kernel_dilation)


def _call(kind: str, shape: Sequence[int], left: Array, right: Array, spec: Geometry) -> Array:
    call = jax.ffi.ffi_call(_target(kind), jax.ShapeDtypeStruct(tuple(shape), left.dtype), vmap_method="sequential")
    return call(left, right, geometry=np.array(_numbers(spec), np.int64))


def forward(x: Array, w: Array, spec: Geometry) -> Array:
    """The convolution; see ``conv.canonical``."""
    return _call(FORWARD, _result(x.shape, w.shape, spec), x, w, spec)


def input_gradient(dy: Array, w: Array, x_shape: Sequence[int], spec: Geometry) -> Array:
    """What the convolution takes from the result's gradient to the input's."""
    return _call(INPUT, x_shape, dy, w, spec)


def kernel_gradient(dy: Array, x: Array, w_shape: Sequence[int], spec: Geometry) -> Array:
    """What it takes from the result's gradient and the input to the kernel's gradient."""
    return _call(KERNEL, w_shape, x, dy, spec)


# --- products ------------------------------------------------------------------------------------
_LEAST_PRODUCT = 2e5
"""Operations below which XLA's own product, which needs no call, is as quick."""
_LEAST_SIDE = 8


def takes_product(rows: int, inner: int, columns: int, turned: tuple[bool, bool], dtype: Any) -> bool:
    """True if oneDNN should multiply matrices of these sizes; asked while a program is lowered.

    Args:
        rows: of the result.
        inner: elements in a sum.
        columns: of the result.
        turned: whether each operand has its axes swapped in memory.
        dtype: of operands and result.
    """
    if np.dtype(dtype).name not in _DTYPES or min(rows, inner, columns) < _LEAST_SIDE:
        return False
    if 2.0 * rows * inner * columns < _LEAST_PRODUCT or not is_available() or is_exporting():
        return False
    return _has_product(rows, inner, columns, turned, np.dtype(dtype).name)


@functools.lru_cache(maxsize=4096)
def _has_product(rows: int, inner: int, columns: int, turned: tuple[bool, bool], dtype: str) -> bool:
    # Not every processor has code for bfloat16.
    found = _found()[0].product_implementation(dtype, (*turned, rows, inner, columns))
    return bool(found) and "ref" not in found


def multiply(left: Array, right: Array, turned: tuple[bool, bool]) -> Array:
    """The product of matrices; a turned one has its axes swapped."""
    rows, inner = left.shape[::-1] if turned[0] else left.shape
    columns = right.shape[0 if turned[1] else 1]
    call = jax.ffi.ffi_call(_PRODUCT, jax.ShapeDtypeStruct((rows, columns), left.dtype), vmap_method="sequential")
    return call(left, right, geometry=np.array([*turned, rows, inner, columns], np.int64))


# --- pooling -------------------------------------------------------------------------------------
def takes_put_back(shape: Sequence[Any], window: Window, dtype: Any) -> bool:
    """True if oneDNN should put the gradient of a max-pooling back; asked while a program is lowered.

    Args:
        shape: of the input, (batch, *space, channels).
        window: over all of its space.
        dtype: of the gradient.
    """
    if np.dtype(dtype).name not in _DTYPES or not is_available() or is_exporting():
        return False
    is_known = all(isinstance(size, int) and size > 0 for size in shape)
    if not is_known or window.axes != range(1, len(shape) - 1):
        return False
    return _has_pooling(tuple(shape), window, np.dtype(dtype).name)


@functools.lru_cache(maxsize=1024)
def _has_pooling(shape: tuple[int, ...], window: Window, dtype: str) -> bool:
    if len(window.sizes) > 3 or any(max(pads) >= size for pads, size in zip(window.padding, window.sizes, strict=True)):
        return False
    pooled = (shape[0], *window.counts(shape), shape[-1])
    found = _found()[0].pooling(dtype, shape, pooled, _pooling_numbers(window))
    return bool(found) and "ref" not in found


def _pooling_numbers(window: Window) -> tuple[int, ...]:
    before, after = zip(*window.padding, strict=True)
    return (len(window.sizes), *window.sizes, *window.strides, *before, *after)


def put_back(part: Array, winner: Array, shape: Sequence[int], window: Window) -> Array:
    """The elements of ``part`` at the winners' places in an array of this shape; see ``engine.max_pool``."""
    call = jax.ffi.ffi_call(_PUT_BACK, jax.ShapeDtypeStruct(tuple(shape), part.dtype), vmap_method="sequential")
    return call(part, winner, geometry=np.array(_pooling_numbers(window), np.int64))


# --- recurrent layers ----------------------------------------------------------------------------
_LEAST_STEPS, _LEAST_RECURRENT = 8, 3e7
"""Steps and operations below which packing the kernels costs more than the loop (``benchmarks/onednn_layers.py``)."""
_GATES = {"lstm": 4, "gru": 3}


def takes_recurrent(cell: str, sizes: Sequence[Any], dtype: Any) -> bool:
    """True if all steps of a layer should be done by one call.

    Args:
        cell: "lstm" or "gru", with tanh and sigmoid.
        sizes: batch, steps, features and units.
        dtype: of all arrays.
    """
    if np.dtype(dtype).name != "float32" or not all(isinstance(size, int) and size > 0 for size in sizes):
        return False
    batch, steps, features, units = sizes
    work = 2.0 * batch * steps * _GATES[cell] * units * (features + units)
    if steps < _LEAST_STEPS or work < _LEAST_RECURRENT or not is_available() or is_exporting():
        return False
    return jax.device_count("cpu") == 1 and _has_recurrent(cell, tuple(sizes))


@functools.lru_cache(maxsize=1024)
def _has_recurrent(cell: str, sizes: tuple[int, ...]) -> bool:
    return bool(_found()[0].recurrent_implementation(cell, sizes))


def recurrent(cell: str, x: Array, *operands: Array) -> tuple[Array, ...]:
    """Outputs and last states; see ``engine.recurrent``."""
    *states, kernel, recurrent_kernel, bias = operands
    units = states[0].shape[-1]
    if cell == "gru":
        # oneDNN adds up the biases of the gates, and keeps both of the candidate.
        gates = bias[0, : 2 * units] + bias[1, : 2 * units]
        bias = jax.numpy.concatenate([gates, bias[0, 2 * units :], bias[1, 2 * units :]])
    of_state = jax.ShapeDtypeStruct(states[0].shape, x.dtype)
    results = jax.ShapeDtypeStruct((*x.shape[:2], units), x.dtype), *[of_state] * len(states)
    call = jax.ffi.ffi_call(_recurrent_target(cell), results, vmap_method="sequential")
    return tuple(call(x, *states, kernel, recurrent_kernel, bias))


# --- statistics ----------------------------------------------------------------------------------
_LEAST_MEASURED = 16384
"""Elements below which XLA's own passes are as quick."""


def takes_moments(shape: Sequence[Any], dtype: Any) -> bool:
    """True if mean and variance of the last axis should be computed in one pass; asked while a program is lowered.

    Args:
        shape: of the array, with the channels last.
        dtype: of the array.
    """
    if np.dtype(dtype).name not in _DTYPES or len(shape) < 2 or not is_available() or is_exporting():
        return False
    if not all(isinstance(size, int) and size > 0 for size in shape) or math.prod(shape) < _LEAST_MEASURED:
        return False
    return jax.device_count("cpu") == 1  # last: there may be no such device where programs are only made for it


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and biased variance of all axes but the last, in float32."""
    result = jax.ShapeDtypeStruct(x.shape[-1:], np.float32)
    mean, variance = jax.ffi.ffi_call(_MOMENTS, (result, result), vmap_method="sequential")(x)
    return mean, variance


def gradient_sums(gradient: Array, x: Array) -> tuple[Array, Array]:
    """Sums over all axes but the last, in float32: of a gradient, and of its products with an array of its dtype."""
    result = jax.ShapeDtypeStruct(x.shape[-1:], np.float32)
    call = jax.ffi.ffi_call(_GRADIENT_SUMS, (result, result), vmap_method="sequential")
    total, of_products = call(gradient, x)
    return total, of_products


def _hold_on_cpu(array: Array) -> Array:
    if not is_available() or is_exporting():
        return array
    result = jax.ShapeDtypeStruct(array.shape, array.dtype)
    return jax.ffi.ffi_call(_HOLD, result, input_output_aliases={0: 0}, vmap_method="sequential")(array)


hold = identity_primitive(_HOLD, {None: lambda array: array, "cpu": _hold_on_cpu})
"""The array, computed once: XLA does not do the work that leads to it again in every pass that reads it."""
