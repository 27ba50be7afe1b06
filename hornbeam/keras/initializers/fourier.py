"""``STFT``: convolution kernels that compute a short-time Fourier transform."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import check, dtypes
from hornbeam.base.errors import ShapeError
from hornbeam.core.tensor import wrap
from hornbeam.engine.jax_compat import wide_types
from hornbeam.keras.initializers.base import Initializer, numpy_dtype

__all__ = ["STFT"]


class STFT(Initializer):
    """Kernels of a convolution whose output is the real or imaginary part of a short-time Fourier transform.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: name of a window of ``scipy.signal``, its values (one per sample of a frame), or ``None`` for none.
        scaling: ``"density"`` divides by the window's Euclidean norm, ``"spectrum"`` by the sum of its absolute
            values, ``None`` by nothing.
        periodic: True takes the periodic form of a named window.

    Raises:
        ValueError: unknown side, scaling or window.

    References: Keras ``keras.initializers.STFT``.
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        check.one_of("side", side, ("real", "imag"), owner=self)
        if isinstance(window, str):
            _named_window(window, 1, periodic)
        if scaling is not None:
            check.one_of("scaling", scaling, ("density", "spectrum"), owner=self)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The kernel.

        Args:
            shape: ``(frame_length, 1, fft_length // 2 + 1)``.
            dtype: element type, floatx by default.
        """
        kind = numpy_dtype(dtype)
        frame_length, _, bins = shape
        # One operation after the other: a fused program would round differently.
        with jax.ensure_compile_time_eval(), wide_types(dtypes.is_wide(kind.name)):
            frequency = jnp.divide(jnp.reshape(jnp.arange(bins, dtype=kind), (1, 1, bins)), (bins - 1) * 2)
            time = jnp.reshape(jnp.arange(frame_length, dtype=kind), (frame_length, 1, 1))
            angle = jnp.multiply(jnp.multiply(-2, time), frequency) * jnp.arccos(jnp.asarray(-1, kind))
            kernel = (jnp.cos if self.side == "real" else jnp.sin)(angle).astype(kind)
            if self.window is not None:
                window, scale = self._window(frame_length, kind)
                kernel = jnp.divide(jnp.multiply(kernel, window), scale)
            return wrap(kernel)

    def _window(self, frame_length: int, kind: np.dtype) -> tuple[Any, Any]:
        values = self.window
        if isinstance(values, str):
            values = _named_window(values, frame_length, self.periodic)
        values = jnp.asarray(np.asarray(values).astype(kind))
        if values.shape != (frame_length,):
            raise ShapeError(
                f"STFT initializer: `window` holds one factor for each sample of a frame, here ({frame_length},). "
                f"Received: shape {values.shape}"
            )
        window = jnp.reshape(values, (frame_length, 1, 1))
        if self.scaling == "density":
            return window, jnp.sqrt(jnp.sum(jnp.square(window)))
        return window, jnp.sum(jnp.abs(window)) if self.scaling == "spectrum" else 1

    def get_config(self) -> dict[str, Any]:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}


def _named_window(name: str, length: int, periodic: bool) -> np.ndarray:
    import scipy.signal

    return np.asarray(scipy.signal.get_window(name, length, periodic))
