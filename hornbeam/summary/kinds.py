"""Kinds of summaries: scalars, histograms, images, texts, sounds."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from hornbeam.audio import wav_file
from hornbeam.io.wire import varint_field
from hornbeam.summary.events import metadata_proto
from hornbeam.summary.recording import record, tag_of

_DEFAULT_BUCKETS = 30
_WAV = 11
# Channels of a picture to the colour type of a PNG file.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> Any:
    """Write one number.

    Args:
        name: name of the series; open name scopes come before it.
        data: the number; stored as float32.
        step: number of the step; by default the one in force.
        description: text for people, in Markdown.

    Returns:
        A bool tensor: False if nothing was written, as there is no writer or ``record_if`` says no.

    Raises:
        ValueError: there is a writer, but no step.

    References: TensorFlow `tf.summary.scalar`.
    """

    def encode(value: np.ndarray) -> np.ndarray:
        if np.ndim(value):
            raise ValueError(
                f"tf.summary.scalar({name!r}) takes one number. Received: an array of shape {np.shape(value)}"
            )
        return np.asarray(value, np.float32)

    return record(tag_of(name), data, step, metadata_proto("scalars", b"", description), encode)


def histogram(
    name: str, data: Any, step: Any = None, buckets: int | None = None, description: str | None = None
) -> Any:
    """Write how often values occur.

    Args:
        name: name of the series.
        data: numbers, of any shape.
        step: number of the step; by default the one in force.
        buckets: number of buckets of equal width, 30 by default.
        description: text for people, in Markdown.

    Returns:
        A bool tensor: False if nothing was written.

    References: TensorFlow `tf.summary.histogram`.
    """
    count = _DEFAULT_BUCKETS if buckets is None else max(0, int(buckets))
    metadata = metadata_proto("histograms", b"", description)
    return record(tag_of(name), data, step, metadata, lambda values: bucketed(values, count))


def bucketed(values: Any, buckets: int) -> np.ndarray:
    """Rows (left edge, right edge, count), float64, of buckets of equal width over the range of the values.

    If all values are equal, all edges are that value and the last bucket holds them. Values that are not finite are
    left out.
    """
    data = np.asarray(values).astype(np.float64).reshape(-1)
    data = data[np.isfinite(data)]
    out = np.zeros((buckets, 3))
    if not data.size or not buckets:
        return out
    low, high = data.min(), data.max()
    edges = np.linspace(low, high, buckets + 1)
    out[:, 0], out[:, 1] = edges[:-1], edges[1:]
    width = (high - low) / buckets
    if width > 0:
        places = np.minimum(np.floor((data - low) / width), buckets - 1).astype(np.int64)
        out[:, 2] = np.bincount(places, minlength=buckets)
    else:
        out[-1, 2] = data.size
    return out


def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: str | None = None) -> Any:
    """Write pictures.

    Args:
        name: name of the series.
        data: (pictures, height, width, channels) with 1 (grey), 2 (grey, opacity), 3 (RGB) or 4 (RGB, opacity)
            channels; uint8, uint16, or floats from 0 to 1 (others are cut off).
        step: number of the step; by default the one in force.
        max_outputs: pictures to write at most.
        description: text for people, in Markdown.

    Returns:
        A bool tensor: False if nothing was written.

    References: TensorFlow `tf.summary.image`.
    """

    def encode(pictures: np.ndarray) -> np.ndarray:
        if np.ndim(pictures) != 4 or np.shape(pictures)[3] not in _COLOUR_TYPES:
            raise ValueError(
                f"tf.summary.image({name!r}) takes pictures of shape (pictures, height, width, 1 to 4 channels). "
                f"Received: shape {np.shape(pictures)}"
            )
        chosen = np.asarray(pictures)[: max(0, int(max_outputs))]
        sizes = [str(np.shape(pictures)[2]).encode(), str(np.shape(pictures)[1]).encode()]
        return np.array([*sizes, *(png(_pixels(one)) for one in chosen)], object)

    return record(tag_of(name), data, step, metadata_proto("images", b"", description), encode)


def _pixels(picture: np.ndarray) -> np.ndarray:
    if picture.dtype in (np.uint8, np.uint16):
        return picture
    if picture.dtype.kind in "iub":
        top = np.iinfo(picture.dtype).max if picture.dtype.kind != "b" else 1
        return (np.clip(picture.astype(np.float64) / top, 0, 1) * 255).astype(np.uint8)
    # As TensorFlow turns floats into bytes: 256 steps of equal width but for the outermost.
    scaled = np.nan_to_num(picture.astype(np.float32) * np.float32(255.5))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file: pixels (height, width, channels), uint8 or uint16."""
    height, width, channels = pixels.shape
    depth = pixels.dtype.itemsize * 8
    rows = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def text(name: str, data: Any, step: Any = None, description: str | None = None) -> Any:
    """Write text, in Markdown.

    Args:
        name: name of the series.
        data: a string, or strings in any nesting: two axes are shown as a table.
        step: number of the step; by default the one in force.
        description: text for people, in Markdown.

    Returns:
        A bool tensor: False if nothing was written.

    References: TensorFlow `tf.summary.text`.
    """

    def encode(strings: np.ndarray) -> np.ndarray:
        if np.asarray(strings).dtype.kind not in "OSU":
            raise ValueError(
                f"tf.summary.text({name!r}) takes strings. Received: numbers of type {np.asarray(strings).dtype}; "
                "turn them into text with str() or tf.strings.as_string()"
            )
        return np.asarray(strings, object)

    return record(tag_of(name), data, step, metadata_proto("text", b"", description), encode)


def audio(
    name: str,
    data: Any,
    sample_rate: Any,
    step: Any = None,
    max_outputs: int = 3,
    encoding: str | None = None,
    description: str | None = None,
) -> Any:
    """Write sounds.

    Args:
        name: name of the series.
        data: (clips, samples, channels), floats from -1 to 1 (others are cut off).
        sample_rate: samples per second.
        step: number of the step; by default the one in force.
        max_outputs: clips to write at most.
        encoding: None or "wav": 16 bits per sample.
        description: text for people, in Markdown.

    Returns:
        A bool tensor: False if nothing was written.

    References: TensorFlow `tf.summary.audio`.
    """
    if encoding not in (None, "wav"):
        raise ValueError(f"tf.summary.audio({name!r}) writes WAV files only. Received: encoding={encoding!r}")

    def encode(clips: np.ndarray) -> np.ndarray:
        if np.ndim(clips) != 3:
            raise ValueError(
                f"tf.summary.audio({name!r}) takes sounds of shape (clips, samples, channels). "
                f"Received: shape {np.shape(clips)}"
            )
        chosen = np.asarray(clips)[: max(0, int(max_outputs))]
        out = np.empty((len(chosen), 2), object)
        for row, clip in enumerate(chosen):
            out[row] = wav_file(clip, int(np.asarray(sample_rate))), b""
        return out

    content = varint_field(2, _WAV)
    return record(tag_of(name), data, step, metadata_proto("audio", content, description), encode)
