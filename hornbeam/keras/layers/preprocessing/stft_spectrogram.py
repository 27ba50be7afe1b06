"""``STFTSpectrogram``: short-time Fourier transform by convolution, with kernels that may be trained."""

from __future__ import annotations

import math
import warnings
from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.initializers import STFT
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """Spectrogram of signals.

    Args:
        mode: ``"log"``, ``"magnitude"``, ``"psd"`` (power spectral density), ``"real"``, ``"imag"``, ``"angle"`` (in
            radians) or ``"stft"`` (real and imaginary parts side by side).
        frame_length: length of a window, in samples.
        frame_step: distance between windows; half of ``frame_length`` by default.
        fft_length: length of the transform; the next power of two by default.
        window: name of the window (see ``scipy.signal.get_window``), its values, or None.
        periodic: the window is one period of a longer one; otherwise it is symmetric.
        scaling: ``"density"``, ``"spectrum"`` or None.
        padding: ``"valid"`` or ``"same"``.
        expand_dims: keep the channels on an axis of their own.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Input shape: (batch, samples, channels), or channels first; floating.
    Output shape: (batch, windows, channels * frequencies), or with ``expand_dims`` (batch, windows, frequencies,
        channels); with channels first (batch, channels * frequencies, windows) or (batch, channels, windows,
        frequencies).

    References: Keras ``layers.STFTSpectrogram``.
    """

    pure = True
    real_kernel: Any
    imag_kernel: Any

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        _check(mode, frame_length, frame_step, fft_length, scaling, padding)
        STFT("real", window, scaling, periodic)  # refuses unknown windows
        super().__init__(**kwargs)
        self.mode, self.frame_length, self.frame_step, self.fft_length = mode, frame_length, frame_step, fft_length
        self._step = frame_step or frame_length // 2
        self._length = fft_length or 2 ** math.ceil(math.log2(frame_length))
        self.window, self.periodic, self.scaling = window, periodic, scaling
        self.padding, self.expand_dims = padding, expand_dims
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the kernels: cosines and sines under the window."""
        shape = (self.frame_length, 1, self._length // 2 + 1)
        for part, other in (("real", "imag"), ("imag", "real")):
            if self.mode != other:
                initializer = STFT(part, self.window, self.scaling, self.periodic)
                weight = self.add_weight(name=f"{part}_kernel", shape=shape, initializer=initializer)
                setattr(self, f"{part}_kernel", weight)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The spectrogram."""
        if inputs.dtype not in ("float16", "float32", "float64"):
            raise TypeError(
                f"STFTSpectrogram: expected float16, float32 or float64 signals. Received dtype {inputs.dtype}"
            )
        real = None if self.mode == "imag" else self._filtered(inputs, self.real_kernel)
        imag = None if self.mode == "real" else self._filtered(inputs, self.imag_kernel)
        return self._arranged(self._combined(real, imag))

    def _combined(self, real: Any, imag: Any) -> Any:
        """What the mode asks for, of parts (batch, channels, frequencies, windows)."""
        if self.mode in ("real", "imag"):
            return real if self.mode == "real" else imag
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        if self.mode == "stft":
            return ops.concatenate([real, imag], axis=2)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":
            # All but the first and last frequency stand for their negative twins too.
            return power + ops.pad(power[:, :, 1:-1, :], [[0, 0], [0, 0], [1, 1], [0, 0]])
        magnitude = ops.sqrt(ops.maximum(power, settings.epsilon()))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, settings.epsilon()))

    def _filtered(self, inputs: Any, kernel: Any) -> Any:
        """Signals convolved channel by channel: (batch, channels, frequencies, windows)."""
        if self.data_format == "channels_last":
            inputs = ops.transpose(inputs, (0, 2, 1))
        batch, channels, samples = inputs.shape
        signals = ops.reshape(inputs, (batch * channels, samples, 1))
        found = ops.conv(
            signals,
            ops.cast(kernel, inputs.dtype),
            strides=self._step,
            padding=self.padding,
            data_format="channels_last",
        )
        found = ops.transpose(found, (0, 2, 1))
        return ops.reshape(found, (batch, channels, *found.shape[1:]))

    def _arranged(self, found: Any) -> Any:
        batch, channels, frequencies, windows = found.shape
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return ops.transpose(found, (0, 3, 2, 1) if last else (0, 1, 3, 2))
        found = ops.reshape(found, (batch, channels * frequencies, windows))
        return ops.transpose(found, (0, 2, 1)) if last else found

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Windows and frequencies."""
        last = self.data_format == "channels_last"
        batch, samples, channels = input_shape if last else (input_shape[0], input_shape[2], input_shape[1])
        windows = None
        if samples is not None:
            room = samples if self.padding == "same" else samples - self.frame_length + 1
            windows = -(-room // self._step)
        frequencies = (self._length // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (batch, windows, frequencies, channels) if last else (batch, channels, windows, frequencies)
        together = None if channels is None else channels * frequencies
        return (batch, windows, together) if last else (batch, together, windows)


def _check(mode: str, frame_length: int, frame_step: Any, fft_length: Any, scaling: Any, padding: str) -> None:
    if frame_step is not None and not 1 <= frame_step <= frame_length:
        raise ValueError(
            f"STFTSpectrogram: `frame_step` lies between 1 and `frame_length` ({frame_length}). "
            f"Received: frame_step={frame_step}"
        )
    if fft_length is not None and fft_length < frame_length:
        raise ValueError(
            "STFTSpectrogram: `fft_length` must not be shorter than `frame_length`. "
            f"Received: fft_length={fft_length}, frame_length={frame_length}"
        )
    if fft_length is not None and fft_length & (fft_length - 1):
        warnings.warn(
            f"STFTSpectrogram works best with a power of two for `fft_length`. Received: {fft_length}", stacklevel=3
        )
    for name, value, known in (
        ("mode", mode, _MODES),
        ("scaling", scaling, (None, "density", "spectrum")),
        ("padding", padding, ("valid", "same")),
    ):
        if value not in known:
            raise ValueError(f"STFTSpectrogram: `{name}` is one of {known}. Received: {name}={value!r}")
