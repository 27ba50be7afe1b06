"""``MelSpectrogram``: sound as an image of mel bands over time."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer

# O'Shaughnessy 1987: mels = 1127 ln(1 + Hz / 700).
_BREAK_HZ = 700.0
_MEL_SCALE = 1127.0


class MelSpectrogram(Layer):
    """Mel-scaled spectrogram of sound, in decibels by default.

    Args:
        fft_length: length of the Fourier transform, in samples.
        sequence_stride: distance between windows, in samples.
        sequence_length: length of a window, in samples; ``fft_length`` by default.
        window: name of the window, ``"hann"`` or ``"hamming"``, or its values.
        sampling_rate: samples per second.
        num_mel_bins: number of bands.
        min_freq: lower edge of the lowest band, in Hz.
        max_freq: upper edge of the highest band, in Hz; half of the sampling rate by default.
        power_to_db: give decibels.
        top_db: the quietest value kept, in decibels below the loudest of the whole input.
        mag_exp: exponent of the magnitudes, 2 for power.
        min_power: powers below count as this.
        ref_power: power that counts as 0 dB.

    Input shape: (samples,) or (batch, samples).
    Output shape: (num_mel_bins, windows) or (batch, num_mel_bins, windows).

    References: Keras ``layers.MelSpectrogram``.
    """

    pure = True

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length, self.sequence_stride = fft_length, sequence_stride
        self.sequence_length = sequence_length or fft_length
        if self.fft_length < self.sequence_length:
            raise ValueError(
                "MelSpectrogram: `fft_length` must not be shorter than `sequence_length`. "
                f"Received: fft_length={fft_length}, sequence_length={self.sequence_length}"
            )
        self.window, self.sampling_rate, self.num_mel_bins = window, sampling_rate, num_mel_bins
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def call(self, inputs: Any) -> Any:
        """The spectrogram."""
        dtype = self.compute_dtype if self.compute_dtype in ("float32", "float64") else "float32"
        real, imag = ops.stft(
            ops.cast(inputs, dtype),
            sequence_length=self.sequence_length,
            sequence_stride=self.sequence_stride,
            fft_length=self.fft_length,
            window=self.window,
            center=True,
        )
        magnitude = ops.sqrt(ops.square(real) + ops.square(imag))
        bands = ops.tensordot(
            ops.power(magnitude, self.mag_exp),
            self.linear_to_mel_weight_matrix(
                num_mel_bins=self.num_mel_bins,
                num_spectrogram_bins=magnitude.shape[-1],
                sampling_rate=self.sampling_rate,
                lower_edge_hertz=self.min_freq,
                upper_edge_hertz=self.max_freq,
            ),
            axes=1,
        )
        if self.power_to_db:
            bands = self._decibels(bands)
        return ops.cast(ops.swapaxes(bands, -1, -2), self.compute_dtype)

    def _decibels(self, power: Any) -> Any:
        levels = 10.0 * ops.log10(ops.maximum(power, self.min_power))
        reference = ops.abs(ops.convert_to_tensor(self.ref_power, "float32"))
        levels = levels - 10.0 * ops.log10(ops.maximum(reference, self.min_power))
        return ops.maximum(levels, ops.max(levels) - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: Any = "float32",
    ) -> Any:
        """Matrix (spectrogram bins, mel bands) of triangles, each from one band's middle to the next but one.

        Args:
            num_mel_bins: number of bands.
            num_spectrogram_bins: number of frequencies, from 0 to half the sampling rate.
            sampling_rate: samples per second.
            lower_edge_hertz: lower edge of the lowest band.
            upper_edge_hertz: upper edge of the highest band.
            dtype: dtype of the result.
        """
        frequencies = ops.linspace(0.0, ops.cast(sampling_rate, dtype) / 2.0, num_spectrogram_bins, dtype=dtype)
        # The lowest frequency, which is the mean of the sound, belongs to no band.
        mels = ops.expand_dims(_mels(frequencies[1:]), 1)
        edges = ops.linspace(
            _mels(ops.convert_to_tensor(lower_edge_hertz, dtype)),
            _mels(ops.convert_to_tensor(upper_edge_hertz, dtype)),
            num_mel_bins + 2,
            dtype=dtype,
        )
        low, middle, high = (ops.expand_dims(edges[n : n + num_mel_bins], 0) for n in range(3))
        rising, falling = (mels - low) / (middle - low), (high - mels) / (high - middle)
        weights = ops.maximum(ops.minimum(rising, falling), 0.0)
        return ops.pad(weights, [[1, 0], [0, 0]])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Bands and number of windows."""
        *batch, samples = input_shape
        windows = None if samples is None else (samples + self.sequence_stride + 1) // self.sequence_stride
        return [*batch, self.num_mel_bins, windows]

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(tuple(self.compute_output_shape(tuple(inputs.shape))), self.compute_dtype)


def _mels(hertz: Any) -> Any:
    return _MEL_SCALE * ops.log(1.0 + hertz / _BREAK_HZ)
