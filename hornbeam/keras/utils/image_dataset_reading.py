"""From a picture file to pixels of the wanted size: what `image_dataset_from_directory` does for each file.

Runs in threads, so it calls what lets other threads run: decoders, and NumPy on whole pictures. The scratch arrays of
a thread are kept, for fresh ones cost as much as the arithmetic.
"""

from __future__ import annotations

import functools
import io
import threading

import numpy as np

from hornbeam.base.errors import DataError, explain
from hornbeam.ops.host import jpeg
from hornbeam.ops.host.images import decode, kind_of_picture, pillow
from hornbeam.ops.image.resizing import centre_box
from hornbeam.ops.image.taps import axis_weights

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")

_JPEG_SPACES = {1: "GRAY", 3: "RGBX"}
_scratch = threading.local()


class PictureReader:
    """Reads and resizes picture files.

    Args:
        size: height and width of the result, in pixels.
        channels: 1, 3 or 4.
        interpolation: one of `INTERPOLATIONS`.
        fit: ``"crop"`` to cut the middle out first, ``"pad"`` to fill up with black, ``""`` to distort.
        channels_first: put the channels first.
    """

    def __init__(
        self, size: tuple[int, int], channels: int, interpolation: str, fit: str, channels_first: bool
    ) -> None:
        self.size, self.channels, self.interpolation, self.fit = size, channels, interpolation, fit
        self.channels_first = channels_first

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a result."""
        return (self.channels, *self.size) if self.channels_first else (*self.size, self.channels)

    @property
    def dtype(self) -> str:
        """Values between pixels need floats; the nearest pixel stays as it is."""
        return "uint8" if self.interpolation == "nearest" else "float32"

    def into(self, path: str, out: np.ndarray) -> None:
        """Write the picture of a file into an array.

        Raises:
            DataError: it is no picture, or a damaged one.
        """
        with open(path, "rb") as file:
            contents = file.read()
        try:
            pixels = _decoded(contents, self.channels)
        except (ValueError, OSError, SyntaxError, EOFError) as error:  # all of them are what Pillow raises
            raise DataError(
                explain(
                    f"The picture {path} cannot be read: {error}",
                    expected="a whole BMP, GIF, JPEG or PNG file",
                    fix="mend or remove the file",
                )
            ) from error
        self._fit(pixels, out.transpose(1, 2, 0) if self.channels_first else out)

    def _fit(self, pixels: np.ndarray, out: np.ndarray) -> None:
        height, width = pixels.shape[:2]
        if self.fit == "crop":
            top, left, box_height, box_width = centre_box(height, width, *self.size)
            pixels = pixels[top : top + box_height, left : left + box_width]
        elif self.fit == "pad":
            # In float32, as TensorFlow's `resize_with_pad` does it: the cut to whole pixels shows the rounding.
            ratio = max(np.float32(width) / np.float32(self.size[1]), np.float32(height) / np.float32(self.size[0]))
            inner = np.float32(height) / ratio, np.float32(width) / ratio
            top, left = (
                max(0, int((np.float32(whole) - part) / 2)) for whole, part in zip(self.size, inner, strict=True)
            )
            rows, columns = (max(1, int(part)) for part in inner)
            out[...] = 0
            out = out[top : top + rows, left : left + columns]
        self._resize(pixels, out)

    def _resize(self, pixels: np.ndarray, out: np.ndarray) -> None:
        if self.interpolation == "bilinear":
            _bilinear(pixels, out)
            return
        pixels = pixels[..., : self.channels]
        sizes = list(zip(pixels.shape[:2], out.shape[:2], strict=True))
        if self.interpolation == "nearest":
            rows, columns = (_nearest(old, new) for old, new in sizes)
            out[...] = pixels[rows[:, None], columns]
            return
        by_row, by_column = (_weights(old, new, self.interpolation) for old, new in sizes)
        wide = np.tensordot(by_row, pixels.astype("float32"), axes=(1, 0))
        out[...] = np.tensordot(wide, by_column, axes=(1, 1)).transpose(0, 2, 1)


def _nearest(old: int, new: int) -> np.ndarray:
    places = np.floor((np.arange(new, dtype="float32") + np.float32(0.5)) * (np.float32(old) / np.float32(new)))
    return np.minimum(places.astype("intp"), old - 1)


def _weights(old: int, new: int, interpolation: str) -> np.ndarray:
    """Matrix (new, old): how much of each pixel along an axis makes up each new one."""
    if interpolation == "bicubic":
        return _cubic_weights(old, new)
    return axis_weights(old, new, interpolation, False).astype("float32")


@functools.lru_cache(maxsize=256)
def _cubic_weights(old: int, new: int) -> np.ndarray:
    """Keys' cubic kernel, the distance rounded to 1/1024 of a pixel as in TensorFlow's table."""
    centres = (np.arange(new, dtype="float32") + np.float32(0.5)) * (np.float32(old) / np.float32(new)) - np.float32(
        0.5
    )
    whole = np.floor(centres)
    share = np.rint((centres - whole) * 1024) / 1024
    found = np.zeros((new, old), "float32")
    for step in (-1, 0, 1, 2):
        x = np.abs(share - step)
        near = ((1.5 * x - 2.5) * x) * x + 1
        far = ((-0.5 * x + 2.5) * x - 4) * x + 2
        place = whole.astype("intp") + step
        inside = (place >= 0) & (place < old)
        found[np.flatnonzero(inside), place[inside]] += np.where(x < 1, near, far)[inside]
    return found / found.sum(axis=1, keepdims=True)


def _decoded(contents: bytes, channels: int) -> np.ndarray:
    """Pixels (height, width, channels), or with a fourth one without meaning where three are wanted."""
    fast = jpeg.decoder() if channels in _JPEG_SPACES and kind_of_picture(contents) == "jpeg" else None
    if fast is not None:
        try:
            # The quick transform is the one TensorFlow takes by default: equal values.
            return fast(contents, colorspace=_JPEG_SPACES[channels], fastdct=True, buffer=_file_buffer(contents))
        except ValueError:
            pass  # other colour spaces, small damage: Pillow decides
    if channels == 3:
        found = _four_bytes(contents)
        if found is not None:
            return found
    return decode(contents, channels, where="image_dataset_from_directory")


def _four_bytes(contents: bytes) -> np.ndarray | None:
    """A plain colour picture as Pillow holds it, four bytes for each pixel; None for another kind, or a damaged one."""
    try:
        picture = pillow().open(io.BytesIO(contents))
        if picture.mode != "RGB":
            return None
        raw = picture.tobytes("raw", "RGBX")
    except (OSError, SyntaxError, ValueError):
        return None  # the general decoder says what is wrong
    return np.frombuffer(raw, "uint8").reshape(picture.height, picture.width, 4)


def _file_buffer(contents: bytes) -> np.ndarray:
    """Scratch that the pixels of a JPEG file fit in, by the size its header names."""
    height, width = jpeg.header()(contents)[:2]
    return _buffer("pixels", (height * width * 4,), "uint8")


@functools.lru_cache(maxsize=1024)
def _taps(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two pixels along an axis between which each new one lies, and the share of the second."""
    centres = (np.arange(new, dtype="float32") + np.float32(0.5)) * (np.float32(old) / np.float32(new)) - np.float32(
        0.5
    )
    first = np.floor(centres)
    low, high = (np.clip(place, 0, old - 1).astype("intp") for place in (first, first + 1))
    return low, high, centres - first


def _buffer(name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Scratch of this thread; a larger one replaces it, a smaller one is part of it."""
    count = int(np.prod(shape))
    held = vars(_scratch).get(name)
    if held is None or held.size < count:
        held = np.empty(count, dtype)
        setattr(_scratch, name, held)
    return held[:count].reshape(shape)


def _bilinear(pixels: np.ndarray, out: np.ndarray) -> None:
    """Linear interpolation, columns first: between neighbours, whatever the sizes (no antialiasing).

    Args:
        pixels: uint8 picture; a fourth channel more than ``out`` has is without meaning.
        out: float32 picture to write.
    """
    height, width, channels = pixels.shape
    new_height, new_width, wanted = out.shape
    left, right, across = _taps(width, new_width)
    above, below, down = _taps(height, new_height)
    row = new_width * channels
    first, second = (_buffer(name, (height, row), "float32") for name in ("first", "second"))
    for places, target in ((left, first), (right, second)):
        np.copyto(target, _columns(pixels, places))
    np.subtract(second, first, out=second)
    np.multiply(second, np.repeat(across, channels), out=second)
    np.add(first, second, out=first)
    upper, lower = (_buffer(name, (new_height, row), "float32") for name in ("upper", "lower"))
    np.take(first, above, axis=0, out=upper, mode="clip")
    np.take(first, below, axis=0, out=lower, mode="clip")
    np.subtract(lower, upper, out=lower)
    np.multiply(lower, down[:, None], out=lower)
    np.add(upper, lower, out=upper)
    # Plane by plane: NumPy is slow where the innermost axis has three entries.
    whole = upper.reshape(new_height, new_width, channels)
    for channel in range(wanted):
        out[..., channel] = whole[..., channel]


def _columns(pixels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Some columns of a picture, as rows of values."""
    height, _, channels = pixels.shape
    if channels == 4 and pixels.strides[1:] == (4, 1) and pixels.strides[0] % 4 == 0:
        # Four bytes are taken as one number.
        words = pixels.view("uint32")[..., 0]
        target = _buffer("words", (height, len(places)), "uint32")
        np.take(words, places, axis=1, out=target, mode="clip")
        return target.view("uint8").reshape(height, -1)
    return np.take(pixels, places, axis=1, mode="clip").reshape(height, -1)
