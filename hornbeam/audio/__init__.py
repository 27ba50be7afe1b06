"""Sound files. References: TensorFlow ``tf.audio``."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

from hornbeam.core.arguments import static_value
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.tensors.texts import each, one

__all__ = ["decode_wav", "encode_wav"]

_FULL_SCALE = 32768.0


def decode_wav(
    contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: str | None = None
) -> tuple[Any, Any]:
    """Samples of a WAV file of 16 bits per sample.

    Args:
        contents: one string, the file's contents.
        desired_channels: number of channels; the last one is repeated, or surplus ones are left out; -1 for all.
        desired_samples: number of samples; zeros are added, or the end is cut off; -1 for all.

    Returns:
        float32 tensor (samples, channels) with values from -1 to 1, and the number of samples per second.

    References: TensorFlow `tf.audio.decode_wav`.
    """
    try:
        with wave.open(io.BytesIO(one(contents, "tf.audio.decode_wav"))) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise InvalidArgumentError(None, None, f"tf.audio.decode_wav: not a WAV file ({error}).") from error
    if width != 2:
        raise InvalidArgumentError(
            None, None, f"tf.audio.decode_wav reads 16 bits per sample; this file has {8 * width}. Convert it first."
        )
    samples = np.frombuffer(data, "<i2").reshape(-1, channels).astype(np.float32) / np.float32(_FULL_SCALE)
    if desired_channels > 0:
        samples = samples[:, np.minimum(np.arange(desired_channels), channels - 1)]
    if desired_samples > 0:
        missing = max(desired_samples - len(samples), 0)
        samples = np.pad(samples[:desired_samples], ((0, missing), (0, 0)))
    return from_host(samples), from_host(np.asarray(rate, np.int32))


def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Any:
    """WAV file of 16 bits per sample, as one string.

    Args:
        audio: (samples, channels), values from -1 to 1; others are cut off.
        sample_rate: samples per second.

    References: TensorFlow `tf.audio.encode_wav`.
    """
    samples = np.asarray(audio, np.float32)
    if samples.ndim != 2:
        raise InvalidArgumentError(
            None, None, f"tf.audio.encode_wav: expected (samples, channels), received shape {samples.shape}."
        )
    return each(wav_file(samples, int(static_value(sample_rate, "sample_rate"))), bytes, "tf.audio.encode_wav")


def wav_file(samples: np.ndarray, rate: int) -> bytes:
    """WAV file of 16 bits per sample: floats (samples, channels) from -1 to 1; others are cut off."""
    scaled = np.asarray(samples, np.float32) * np.float32(_FULL_SCALE)
    whole = np.clip(np.trunc(scaled + np.copysign(np.float32(0.5), scaled)), -_FULL_SCALE, _FULL_SCALE - 1)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.astype("<i2").tobytes())
    return stream.getvalue()
