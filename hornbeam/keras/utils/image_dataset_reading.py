"""From a picture file to pixels of the wanted size: what `image_dataset_from_directory` does for each file.

Runs in threads, so it calls what lets other threads run: decoders, and NumPy on whole pictures.
"""

from __future__ import annotations

import functools
import io

import numpy as np

from hornbeam.base.errors import DataError, explain
from hornbeam.engine.memory import aligned_empty
from hornbeam.keras.utils.image_dataset_blending import Neighbours
from hornbeam.keras.utils.image_dataset_scratch import buffer
from hornbeam.ops.host import jpeg
from hornbeam.ops.host.images import decode, kind_of_picture, pillow
from hornbeam.ops.image.resizing import centre_box
from hornbeam.ops.image.taps import axis_weights

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")

_MOST_FREE = 4
"""Rooms kept for reuse."""
_JPEG_SPACES = {1: "GRAY", 3: "RGBX"}


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
        self._free: list[Neighbours] = []

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_free": []}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a result."""
        return (self.channels, *self.size) if self.channels_first else (*self.size, self.channels)

    @property
    def dtype(self) -> str:
        """Values between pixels need floats; the nearest pixel stays as it is."""
        return "uint8" if self.interpolation == "nearest" else "float32"

    def room(self, count: int) -> Neighbours | np.ndarray:
        """Memory for some pictures, to be filled by ``read``."""
        if self.interpolation == "bilinear":
            try:
                free = self._free.pop()
            except IndexError:
                free = None
            return free if free is not None and free.count == count else Neighbours(count, self.size, self.channels)
        return aligned_empty((count, *self.shape), self.dtype)

    def read(self, path: str, room: Neighbours | np.ndarray, number: int) -> None:
        """Put the picture of a file into its place.

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
        pixels, box = self._fitted(pixels)
        if isinstance(room, Neighbours):
            room.pick(number, pixels, box)
            return
        out = room[number].transpose(1, 2, 0) if self.channels_first else room[number]
        if box is not None:
            out[...] = 0
            out = out[box]
        self._resize(pixels, out)

    def finish(self, room: Neighbours | np.ndarray, count: int) -> np.ndarray:
        """The first pictures of a room."""
        # All of them, whatever their number: short batches share the program of the others.
        batch = room.blended(self.channels_first) if isinstance(room, Neighbours) else room
        self.release(room)
        return batch[:count]

    def release(self, room: Neighbours | np.ndarray) -> None:
        """Take a room back whose pictures are not wanted, or done: memory that was touched before is quicker."""
        if isinstance(room, Neighbours) and len(self._free) < _MOST_FREE:
            self._free.append(room)

    def _fitted(self, pixels: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice] | None]:
        """What of a picture counts, and the box of the result that it fills; None for all of it."""
        height, width = pixels.shape[:2]
        if self.fit == "crop":
            top, left, box_height, box_width = centre_box(height, width, *self.size)
            return pixels[top : top + box_height, left : left + box_width], None
        if self.fit != "pad":
            return pixels, None
        # In float32, as TensorFlow's `resize_with_pad` does it: the cut to whole pixels shows the rounding.
        ratio = max(np.float32(width) / np.float32(self.size[1]), np.float32(height) / np.float32(self.size[0]))
        inner = np.float32(height) / ratio, np.float32(width) / ratio
        top, left = (max(0, int((np.float32(whole) - part) / 2)) for whole, part in zip(self.size, inner, strict=True))
        rows, columns = (max(1, int(part)) for part in inner)
        # Rounding may ask for one row more than there are.
        return pixels, (slice(top, min(top + rows, self.size[0])), slice(left, min(left + columns, self.size[1])))

    def _resize(self, pixels: np.ndarray, out: np.ndarray) -> None:
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
    return buffer("pixels", (height * width * 4,), "uint8")
