"""Fourier transforms. Complex numbers come and go as pairs (real, imaginary), as in Keras."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import as_float, promote, to_dtype

__all__ = ["fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def _joined(x: Any) -> jax.Array:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"Complex numbers are given as a pair `(real, imaginary)` of tensors. Received: x={x!r}")
    real, imag = (promote(part)[0] for part in x)
    if real.shape != imag.shape:
        raise ValueError(
            "The parts of `x`, real and imaginary, differ in shape. "
            f"Received: real {tuple(real.shape)}, imaginary {tuple(imag.shape)}"
        )
    if not all(jnp.issubdtype(part.dtype, jnp.floating) for part in (real, imag)):
        raise ValueError(
            "The parts of `x`, real and imaginary, are float tensors; cast other dtypes first. "
            f"Received: real {real.dtype}, imaginary {imag.dtype}"
        )
    return jax.lax.complex(*promote(real, imag))


def _parted(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.real(x), jnp.imag(x)


@op(lists=("x",))
def fft(x: Any) -> tuple[jax.Array, jax.Array]:
    """Discrete Fourier transform along the last axis of ``(real, imaginary)``."""
    return _parted(jnp.fft.fft(_joined(x)))


@op(lists=("x",))
def fft2(x: Any) -> tuple[jax.Array, jax.Array]:
    """Discrete Fourier transform in two dimensions, the last ones, of ``(real, imaginary)``."""
    return _parted(jnp.fft.fft2(_joined(x)))


@op(lists=("x",))
def ifft2(x: Any) -> tuple[jax.Array, jax.Array]:
    """Inverse of ``fft2``."""
    return _parted(jnp.fft.ifft2(_joined(x)))


@op(static=("fft_length",))
def rfft(x: Any, fft_length: int | None = None) -> tuple[jax.Array, jax.Array]:
    """Fourier transform of real numbers along the last axis, cut or padded to ``fft_length``: the first half."""
    return _parted(jnp.fft.rfft(as_float(x), n=fft_length))


@op(static=("fft_length",), lists=("x",))
def irfft(x: Any, fft_length: int | None = None) -> jax.Array:
    """Inverse of ``rfft``; ``fft_length`` is the length of the result, ``2 * (n - 1)`` by default."""
    return jnp.fft.irfft(_joined(x), n=fft_length)


@composite
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Short-time Fourier transform of the last axis.

    Args:
        x: float32 or float64 signal, (..., samples).
        sequence_length: samples of a window.
        sequence_stride: samples from one window to the next.
        fft_length: length of the transform, ``sequence_length`` at least; windows are padded on both sides.
        window: ``"hann"``, ``"hamming"``, a tensor of ``sequence_length`` values, or None for ones.
        center: pad the signal by reflection, so that window ``t`` is centred at ``t * sequence_stride``.

    Returns:
        Real and imaginary part, each (..., windows, fft_length // 2 + 1).
    """
    _check_stride(sequence_stride)
    name, values = _split_window(window)
    return _stft(
        x,
        values,
        sequence_length=sequence_length,
        sequence_stride=sequence_stride,
        fft_length=fft_length,
        window=name,
        center=bool(center),
    )


def _check_stride(sequence_stride: Any) -> None:
    if not isinstance(sequence_stride, int) or sequence_stride <= 0:
        raise ValueError(f"`sequence_stride` counts samples: an int, 1 at least. Received: {sequence_stride!r}")


def _split_window(window: Any) -> tuple[str | None, Any]:
    return (window, None) if isinstance(window, str) else (None, window)


def _window_values(name: str, length: int) -> list[float]:
    """Periodic Hann or Hamming window, in double precision.

    Raises:
        ValueError: another name.
    """
    if name not in ("hann", "hamming"):
        raise ValueError(
            f"Unknown window {name!r}. Known by name are 'hann' and 'hamming'; give the values of another as a tensor, "
            "one for each of the `sequence_length` samples."
        )
    middle = 0.5 if name == "hann" else 0.54
    if length == 1:
        return [1.0]
    return [middle - (1 - middle) * math.cos(2 * math.pi * i / length) for i in range(length)]


def _padded_window(name: str | None, values: Any, sequence_length: int, fft_length: int, dtype: Any) -> jax.Array:
    left = (fft_length - sequence_length) // 2
    if name is None and values is None:
        return jnp.ones((fft_length,), dtype)
    if name is not None:
        values = jnp.asarray(_window_values(name, sequence_length), dtype)
    values = to_dtype(values, dtype)
    if values.shape != (sequence_length,):
        raise ValueError(
            f"`window` needs one value for each of the {sequence_length} samples (`sequence_length`). "
            f"Received: a tensor of shape {tuple(values.shape)}"
        )
    return jnp.pad(values, (left, fft_length - sequence_length - left))


@op(static=("sequence_length", "sequence_stride", "fft_length", "window", "center"))
def _stft(
    x: Any,
    values: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | None,
    center: bool,
) -> tuple[jax.Array, jax.Array]:
    x = promote(x)[0]
    if x.dtype.name not in ("float32", "float64"):
        raise TypeError(f"stft(): the signal `x` is float32 or float64; cast it first. Received: {x.dtype}")
    if fft_length < sequence_length:
        raise ValueError(
            f"stft(): a window of sequence_length={sequence_length} samples does not fit into a transform of "
            f"fft_length={fft_length}. Make `fft_length` as long, or longer."
        )
    weights = _padded_window(window, values, sequence_length, fft_length, x.dtype)
    if center:
        half = fft_length // 2
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")
    if x.shape[-1] < fft_length:
        raise ValueError(
            f"The signal is shorter than one window. Received: {x.shape[-1]} samples, fft_length={fft_length}"
        )
    starts = jnp.arange(0, x.shape[-1] - fft_length + 1, sequence_stride, dtype=jnp.int32)
    frames = jnp.take(x, starts[:, None] + jnp.arange(fft_length, dtype=jnp.int32), axis=-1)
    return _parted(jnp.fft.rfft(frames * weights))


@composite
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Signal from its short-time Fourier transform, by overlapping and adding; inverse of ``stft``.

    Args:
        x: real and imaginary part, each (..., windows, fft_length // 2 + 1).
        sequence_length: samples of a window.
        sequence_stride: samples from one window to the next.
        fft_length: length of the transform.
        length: samples of the result; by default all that the windows cover.
        window: as given to ``stft``.
        center: as given to ``stft``.
    """
    _check_stride(sequence_stride)
    name, values = _split_window(window)
    return _istft(
        x,
        values,
        sequence_length=sequence_length,
        sequence_stride=sequence_stride,
        fft_length=fft_length,
        length=length,
        window=name,
        center=bool(center),
    )


@op(
    static=("sequence_length", "sequence_stride", "fft_length", "length", "window", "center"),
    lists=("x",),
)
def _istft(
    x: Any,
    values: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None,
    window: str | None,
    center: bool,
) -> jax.Array:
    spectrum = _joined(x)
    if spectrum.ndim < 2:
        raise ValueError(
            f"istft(): each part of `x` is (..., windows, fft_length // 2 + 1). Received: shape {tuple(spectrum.shape)}"
        )
    dtype = jnp.real(spectrum).dtype
    weights = _padded_window(window, values, sequence_length, fft_length, dtype)
    plain = window is None and values is None
    signal = _overlap_add(jnp.fft.irfft(spectrum, n=fft_length) * weights, sequence_stride)
    weight = _overlap_add(jnp.broadcast_to(weights**2, (spectrum.shape[-2], fft_length)), sequence_stride)
    signal = signal / jnp.where(weight > 1e-10, weight, 1)
    if plain:
        # Keras scales by the sum of the window and divides by the stride here; its numbers are the contract.
        signal = signal * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    if length is not None:
        return signal[..., start : start + length]
    return signal[..., start : -(fft_length // 2)] if center else signal


def _overlap_add(frames: jax.Array, stride: int) -> jax.Array:
    """Sum of frames (..., count, size) laid ``stride`` apart: (..., size + (count - 1) * stride)."""
    count, size = frames.shape[-2:]
    total = size + (count - 1) * stride
    places = jnp.arange(count, dtype=jnp.int32)[:, None] * stride + jnp.arange(size, dtype=jnp.int32)
    empty = jnp.zeros((*frames.shape[:-2], total), frames.dtype)
    return empty.at[..., places.reshape(-1)].add(frames.reshape((*frames.shape[:-2], count * size)))
