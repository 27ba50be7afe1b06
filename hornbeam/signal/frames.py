"""Windows, frames and short-time transforms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops.promotion import promote
from hornbeam.signal.fourier import irfft, rfft
from hornbeam.tensors.face import face, tensor

__all__ = [
    "frame",
    "hamming_window",
    "hann_window",
    "inverse_stft",
    "inverse_stft_window_fn",
    "kaiser_window",
    "linear_to_mel_weight_matrix",
    "overlap_and_add",
    "stft",
    "vorbis_window",
]


# --- windows -------------------------------------------------------------------------------------
def _raised_cosine(length: Any, periodic: Any, dtype: Any, middle: float) -> Any:
    length = int(static_value(length, "window_length"))
    kind = dtypes.as_dtype(dtype)
    if length == 1:
        return ops.ones((1,), dtype=kind)
    # A periodic window of even length is a symmetric one with its last value left out.
    count = length + (1 if periodic and length % 2 == 0 else 0) - 1
    values = middle - (1 - middle) * np.cos(2 * np.pi * np.arange(length) / count)
    return ops.cast(tensor(values), kind)


@face
def hann_window(window_length: Any, periodic: bool = True, dtype: Any = "float32", name: str | None = None) -> Any:
    """Hann window; ``periodic`` for spectral analysis, else symmetric."""
    return _raised_cosine(window_length, periodic, dtype, 0.5)


@face
def hamming_window(window_length: Any, periodic: bool = True, dtype: Any = "float32", name: str | None = None) -> Any:
    """Hamming window; ``periodic`` for spectral analysis, else symmetric."""
    return _raised_cosine(window_length, periodic, dtype, 0.54)


@face
def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = "float32", name: str | None = None) -> Any:
    """Kaiser window; a larger ``beta`` makes side lobes lower and the main lobe wider."""
    length = int(static_value(window_length, "window_length"))
    return ops.cast(tensor(np.kaiser(length, float(static_value(beta, "beta")))), dtypes.as_dtype(dtype))


@face
def vorbis_window(window_length: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """Power-complementary window of the Vorbis codec."""
    length = int(static_value(window_length, "window_length"))
    inner = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    return ops.cast(tensor(np.sin(np.pi / 2 * inner)), dtypes.as_dtype(dtype))


# --- frames --------------------------------------------------------------------------------------
@op(static=("length", "step", "count", "axis"))
def _frames(signal: Any, length: int, step: int, count: int, axis: int) -> Any:
    places = jnp.arange(count, dtype=jnp.int32)[:, None] * step + jnp.arange(length, dtype=jnp.int32)
    return jnp.take(promote(signal)[0], places, axis=axis)


@face
def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: int = -1,
    name: str | None = None,
) -> Any:
    """Overlapping pieces of a signal.

    Args:
        signal: tensor.
        frame_length: samples of a frame.
        frame_step: samples from one frame to the next.
        pad_end: also give the frames that begin in the signal but end after it.
        pad_value: what is added at the end then.
        axis: axis of the samples; in its place the result has two, frames and samples.
    """
    x = tensor(signal)
    length, step = int(static_value(frame_length, "n")), int(static_value(frame_step, "n"))
    axis %= len(x.shape)
    samples = x.shape[axis]
    if pad_end:
        count = -(-samples // step)
        widths = [(0, 0)] * len(x.shape)
        widths[axis] = (0, max(0, length + step * (count - 1) - samples))
        x = ops.pad(x, widths, constant_values=pad_value)
    else:
        count = max(0, 1 + (samples - length) // step)
    return _frames(x, length, step, count, axis)


@op(static=("step",))
def _overlapped(frames: Any, step: int) -> Any:
    frames = promote(frames)[0]
    count, length = frames.shape[-2:]
    total = length + (count - 1) * step
    places = jnp.arange(count, dtype=jnp.int32)[:, None] * step + jnp.arange(length, dtype=jnp.int32)
    flat = frames.reshape((*frames.shape[:-2], count * length))
    return jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places.reshape(-1)].add(flat)


@face
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Any:
    """Sum of frames (..., frames, samples) laid ``frame_step`` samples apart."""
    return _overlapped(tensor(signal), int(static_value(frame_step, "frame_step")))


# --- short-time transforms -----------------------------------------------------------------------
def _enclosing_power_of_two(number: int) -> int:
    return 2 ** max(0, math.ceil(math.log2(number)))


@face
def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Any:
    """Short-time Fourier transform of the last axis: (..., frames, fft_length // 2 + 1), complex.

    Args:
        signals: real tensor.
        frame_length: samples of a frame.
        frame_step: samples from one frame to the next.
        fft_length: length that frames are padded to; by default the next power of two.
        window_fn: function ``(length, dtype=)`` that gives the window, or None.
        pad_end: as in ``frame``.
    """
    x = tensor(signals)
    length = int(static_value(frame_length, "frame_length"))
    size = _enclosing_power_of_two(length) if fft_length is None else int(static_value(fft_length, "fft_length"))
    frames = frame(x, length, frame_step, pad_end)
    if window_fn is not None:
        frames = ops.multiply(frames, window_fn(length, dtype=x.dtype))
    return rfft(frames, [size])


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable = hann_window, name: str | None = None
) -> Callable:
    """Function that makes the window for ``inverse_stft`` with which it undoes ``stft`` exactly."""

    def window(frame_length: Any, dtype: Any = "float32") -> Any:
        length, step = int(static_value(frame_length, "n")), int(static_value(frame_step, "n"))
        forward = np.asarray(forward_window_fn(length, dtype=dtype), np.float64)
        overlaps = -(-length // step)
        squares = np.pad(forward**2, (0, overlaps * step - length)).reshape(overlaps, step).sum(axis=0)
        return ops.cast(tensor(forward / np.tile(squares, overlaps)[:length]), dtypes.as_dtype(dtype))

    return window


@face
def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable | None = hann_window,
    name: str | None = None,
) -> Any:
    """Signal of a short-time Fourier transform; see ``inverse_stft_window_fn`` for an exact inverse."""
    x = tensor(stfts)
    length = int(static_value(frame_length, "frame_length"))
    size = _enclosing_power_of_two(length) if fft_length is None else int(static_value(fft_length, "fft_length"))
    frames = irfft(x, [size])
    if size >= length:
        frames = frames[..., :length]
    else:
        frames = ops.pad(frames, [(0, 0)] * (len(frames.shape) - 1) + [(0, length - size)])
    if window_fn is not None:
        frames = ops.multiply(frames, window_fn(length, dtype=frames.dtype))
    return overlap_and_add(frames, frame_step)


@face
def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = "float32",
    name: str | None = None,
) -> Any:
    """Matrix (spectrogram bins, mel bins) of triangular filters that are equally wide on the mel scale.

    The mel of a frequency ``f`` in hertz is ``1127 * log(1 + f / 700)``. The bin of frequency 0 has weight 0.
    """

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)

    if not 0 <= lower_edge_hertz < upper_edge_hertz <= float(sample_rate) / 2:
        raise ValueError(
            "kaiser_window",
            "linear_to_mel_weight_matrix: expected 0 <= lower_edge_hertz < upper_edge_hertz <= sample_rate / 2, got "
            f"{lower_edge_hertz}, {upper_edge_hertz} and sample_rate {sample_rate}.",
        )
    bins = mel(np.linspace(0.0, float(sample_rate) / 2, int(num_spectrogram_bins))[1:])[:, None]
    edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return ops.cast(tensor(np.pad(weights, ((1, 0), (0, 0)))), dtypes.as_dtype(dtype))
