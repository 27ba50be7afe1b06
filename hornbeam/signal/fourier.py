"""Fourier and cosine transforms along the last axes. Complex numbers come and go as complex tensors."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import jax.scipy.fft as jsf

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, promote
from hornbeam.tensors.face import face, tensor

__all__ = [
    "dct",
    "fft",
    "fft2d",
    "fft3d",
    "fftshift",
    "idct",
    "ifft",
    "ifft2d",
    "ifft3d",
    "ifftshift",
    "irfft",
    "irfft2d",
    "irfft3d",
    "mfccs_from_log_mel_spectrograms",
    "rfft",
    "rfft2d",
    "rfft3d",
]


def _complex(x: Any) -> Any:
    x = tensor(x)
    return x if x.dtype.is_complex else ops.cast(x, "complex128" if x.dtype == "float64" else "complex64")


@op(static=("axes", "inverse"))
def _fft(x: Any, axes: int, inverse: bool) -> Any:
    return (jnp.fft.ifftn if inverse else jnp.fft.fftn)(promote(x)[0], axes=tuple(range(-axes, 0)))


@op(static=("lengths", "axes"))
def _rfft(x: Any, lengths: Any, axes: int) -> Any:
    return jnp.fft.rfftn(as_float(x), s=lengths, axes=tuple(range(-axes, 0)))


@op(static=("lengths", "axes"))
def _irfft(x: Any, lengths: Any, axes: int) -> Any:
    return jnp.fft.irfftn(promote(x)[0], s=lengths, axes=tuple(range(-axes, 0)))


def _lengths(fft_length: Any) -> Any:
    found = static_value(fft_length, "fft_length")
    return (found,) if isinstance(found, int) else found


@face
def fft(input: Any, name: str | None = None) -> Any:
    """Fourier transform along the last axis."""
    return _fft(_complex(input), 1, False)


@face
def ifft(input: Any, name: str | None = None) -> Any:
    """Inverse of ``fft``."""
    return _fft(_complex(input), 1, True)


@face
def fft2d(input: Any, name: str | None = None) -> Any:
    """Fourier transform along the last two axes."""
    return _fft(_complex(input), 2, False)


@face
def ifft2d(input: Any, name: str | None = None) -> Any:
    """Inverse of ``fft2d``."""
    return _fft(_complex(input), 2, True)


@face
def fft3d(input: Any, name: str | None = None) -> Any:
    """Fourier transform along the last three axes."""
    return _fft(_complex(input), 3, False)


@face
def ifft3d(input: Any, name: str | None = None) -> Any:
    """Inverse of ``fft3d``."""
    return _fft(_complex(input), 3, True)


@face
def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
    """Fourier transform of real numbers along the last axis, cut or padded to ``fft_length``: the first half."""
    return _rfft(tensor(input_tensor), _lengths(fft_length), 1)


@face
def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
    """Inverse of ``rfft``; ``fft_length`` is the length of the result, ``2 * (n - 1)`` by default."""
    return _irfft(_complex(input_tensor), _lengths(fft_length), 1)


@face
def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
    """``rfft`` along the last two axes."""
    return _rfft(tensor(input_tensor), _lengths(fft_length), 2)


@face
def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
    """Inverse of ``rfft2d``."""
    return _irfft(_complex(input_tensor), _lengths(fft_length), 2)


@face
def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
    """``rfft`` along the last three axes."""
    return _rfft(tensor(input_tensor), _lengths(fft_length), 3)


@face
def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
    """Inverse of ``rfft3d``."""
    return _irfft(_complex(input_tensor), _lengths(fft_length), 3)


@op(static=("axes", "inverse"))
def _shifted(x: Any, axes: Any, inverse: bool) -> Any:
    return (jnp.fft.ifftshift if inverse else jnp.fft.fftshift)(promote(x)[0], axes=axes)


@face
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Any:
    """Frequency 0 moved to the middle of the axes (all by default)."""
    return _shifted(tensor(x), static_value(axes, "axes"), False)


@face
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Any:
    """Inverse of ``fftshift``."""
    return _shifted(tensor(x), static_value(axes, "axes"), True)


@op(static=("n", "norm"))
def _second(x: Any, n: int | None, norm: str | None) -> Any:
    return jsf.dct(as_float(x), type=2, n=n, axis=-1, norm=norm)


@op(static=("n", "norm"))
def _third(x: Any, n: int | None, norm: str | None) -> Any:
    x = as_float(x)
    length = x.shape[-1] if n is None else n
    inverse = jsf.idct(x, type=2, n=n, axis=-1, norm=norm)
    return inverse if norm == "ortho" else inverse * (2 * length)


def _check_cosine(type: Any, axis: Any, norm: Any, name: str) -> None:
    if type not in (2, 3):
        raise NotSupportedError(f"{name}: types 2 and 3 are offered, received {type}.")
    if axis != -1:
        raise NotSupportedError(f"{name}: only the last axis can be transformed (axis=-1), received {axis}.")
    if norm not in (None, "ortho"):
        raise ValueError(f"{name}: `norm` must be None or 'ortho', received {norm!r}.")


@face
def dct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Any:
    """Discrete cosine transform along the last axis, of type 2 or (its inverse up to a factor) 3.

    Args:
        input: real tensor.
        type: 2 or 3.
        n: length that the axis is cut or padded to.
        axis: -1.
        norm: ``"ortho"`` makes the transform orthogonal.
    """
    _check_cosine(type, axis, norm, "tf.signal.dct")
    x = tensor(input)
    return _second(x, n, norm) if type == 2 else _third(x, n, norm)


@face
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Any:
    """Mel-frequency cepstral coefficients: the second cosine transform of each frame, over ``sqrt(2 * bins)``.

    References: TensorFlow `tf.signal.mfccs_from_log_mel_spectrograms`; the scale is that of HTK.
    """
    x = tensor(log_mel_spectrograms)
    if not x.shape[-1]:
        raise ValueError(f"Expected at least one mel bin on the last axis. Received: shape {tuple(x.shape)}")
    return _second(x, None, None) * float((2 * x.shape[-1]) ** -0.5)


@face
def idct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Any:
    """Inverse of ``dct`` of that type up to a factor: without ``norm`` there and back gives ``2 n`` times the input."""
    _check_cosine(type, axis, norm, "tf.signal.idct")
    if n is not None:
        raise ValueError("tf.signal.idct: `n` is not offered, as in TensorFlow; slice or pad the input.")
    x = tensor(input)
    return _third(x, None, norm) if type == 2 else _second(x, None, norm)
