"""Pictures in files: decoding and encoding with Pillow, which is loaded when first needed."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam.ops.host import jpeg
from hornbeam.ops.host.deep_png import deep_png, deep_png_pixels

__all__ = [
    "RESAMPLING",
    "decode",
    "encode_jpeg",
    "encode_png",
    "is_deep_png",
    "kind_of_picture",
    "larger_pictures",
    "pillow",
    "resampling",
    "shape_of_picture",
]

RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
"""Names of Pillow's resampling filters."""

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_LUMA = np.array([9797, 19234, 3737], np.int32)
"""Shares of red, green and blue in brightness (BT.601), in parts of 2**15, as PNG decoders have them."""


@functools.cache
def pillow() -> Any:
    """The module ``PIL.Image``.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        return importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError(
            'Reading and writing pictures needs Pillow (PIL): pip install "hornbeam[image]", or pip install pillow'
        ) from error


def resampling(name: str) -> Any:
    """Pillow's filter of that name.

    Raises:
        ValueError: no filter has that name.
    """
    if name not in RESAMPLING:
        raise ValueError(f"`interpolation` is one of {', '.join(RESAMPLING)}. Received: interpolation={name!r}")
    return getattr(pillow().Resampling, name.upper())


# --- what a file holds ---------------------------------------------------------------------------
_SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
)


def kind_of_picture(contents: bytes) -> str | None:
    """Format by the first bytes: ``"jpeg"``, ``"png"``, ``"gif"``, ``"bmp"``, ``"webp"``, or None."""
    for start, kind in _SIGNATURES:
        if contents.startswith(start):
            return kind
    return "webp" if contents[:4] == b"RIFF" and contents[8:12] == b"WEBP" else None


def _opened(contents: bytes, where: str) -> Any:
    try:
        return pillow().open(io.BytesIO(contents))
    except pillow().UnidentifiedImageError as error:
        head = contents[:8].hex(" ")
        raise ValueError(
            f"{where}: the contents are no picture (JPEG, PNG, GIF, BMP, WebP). Received {len(contents)} bytes that "
            f"begin with: {head or 'nothing'}"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{where}: the picture is damaged or cut short ({error}).") from error


def _pixels(picture: Any, where: str, recover: bool = False) -> Any:
    try:
        if recover:
            return _recovered(picture)
        picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{where}: the picture is damaged or cut short ({error}).") from error
    return picture


def _recovered(picture: Any) -> Any:
    """A picture that may be cut short: what is missing stays blank."""
    files: Any = importlib.import_module("PIL.ImageFile")
    before = files.LOAD_TRUNCATED_IMAGES
    files.LOAD_TRUNCATED_IMAGES = True
    try:
        picture.load()
    finally:
        files.LOAD_TRUNCATED_IMAGES = before
    return picture


def _natural_channels(picture: Any) -> int:
    if picture.mode in ("P", "PA"):
        return 4 if "transparency" in picture.info or picture.mode == "PA" else 3
    if picture.mode.startswith("I") or picture.mode in ("1", "L", "F"):
        return 2 if "transparency" in picture.info else 1
    return {"LA": 2, "La": 2, "RGBA": 4, "RGBa": 4}.get(picture.mode, 4 if "transparency" in picture.info else 3)


def is_deep_png(contents: bytes) -> bool:
    """True for PNG files of 16 bits per value."""
    return kind_of_picture(contents) == "png" and contents[24:25] == b"\x10"


def shape_of_picture(contents: bytes) -> tuple[int, int, int]:
    """Height, width and channels, from the head of the file."""
    picture = _opened(contents, "extract_jpeg_shape")
    return picture.height, picture.width, _natural_channels(picture)


def decode(
    contents: bytes,
    channels: int = 0,
    depth: int = 8,
    where: str = "decode_image",
    frames: bool = False,
    ratio: int = 1,
    recover: bool = False,
    jpeg_options: dict[str, bool] | None = None,
) -> np.ndarray:
    """Pixels of an encoded picture.

    Args:
        contents: the file's bytes.
        channels: 0 for as many as the picture has, 1 grey, 2 grey with opacity, 3 colour, 4 colour with opacity.
        depth: bits per value, 8 or 16.
        where: name of the public function, for messages.
        frames: all frames of an animation, with an axis for them in front; otherwise the first.
        ratio: JPEG only: decode to this part of the size, 1, 2, 4 or 8.
        recover: take a picture that is cut short.
        jpeg_options: JPEG only: how the quicker decoder works, where it is installed (`jpeg.checked_options`).

    Returns:
        uint8 or uint16 array (height, width, channels), or (frames, height, width, channels).

    Raises:
        ValueError: not a picture, or a damaged one.
    """
    if channels not in (0, *_MODES):
        raise ValueError(f"{where}: `channels` is 0, 1, 2, 3 or 4. Received: channels={channels}")
    found = None
    if jpeg_options is not None and ratio == 1 and depth == 8 and not recover and not frames:
        found = _quick(contents, channels, where, jpeg_options)
    if found is None:
        found = _decoded(contents, channels, depth, where, frames, ratio, recover)
    uses = _larger.get()
    if uses is None:
        return found
    uses.append(where)
    return np.pad(found, [(0, 0)] * (found.ndim - 3) + [(0, 2), (0, 3), (0, 0)], mode="edge")


_larger: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("larger_pictures", default=None)


@contextlib.contextmanager
def larger_pictures() -> Iterator[Callable[[], bool]]:
    """Decode pictures with some rows and columns more, to see which sizes follow from those of the files.

    Yields: a function that says if any picture was decoded.
    """
    uses: list[str] = []
    token = _larger.set(uses)
    try:
        yield lambda: bool(uses)
    finally:
        _larger.reset(token)


def _quick(contents: bytes, channels: int, where: str, options: dict[str, bool]) -> np.ndarray | None:
    if kind_of_picture(contents) != "jpeg" or jpeg.decoder() is None:
        return None
    return jpeg.pixels(contents, channels or _natural_channels(_opened(contents, where)), options)


def _decoded(
    contents: bytes, channels: int, depth: int, where: str, frames: bool, ratio: int, recover: bool
) -> np.ndarray:
    # Pillow keeps the upper 8 of 16 bits, which is all that 8 bits of the same colours need.
    all_bits = depth == 16 or channels in (1, 2) or contents[25:26] == b"\x04"
    if all_bits and not frames and is_deep_png(contents) and (deep := _deep(contents, channels, where)) is not None:
        return deep if depth == 16 else (deep >> 8).astype(np.uint8)
    picture = _opened(contents, where)
    if frames:
        return np.stack([_array_of(frame, channels or 3, depth) for frame in _frames(picture, where)])
    wanted = channels or _natural_channels(picture)
    if picture.format == "JPEG" and (ratio > 1 or wanted == 1):
        # The decoder itself gives smaller sizes, and the brightness that JPEG stores anyway.
        # It takes the largest part that is no smaller than what is asked for, so that is rounded down.
        size = (max(1, picture.width // ratio), max(1, picture.height // ratio))
        picture.draft("L" if wanted == 1 else None, size)
    picture = _pixels(picture, where, recover)
    if picture.format == "PNG" and wanted <= 2 and picture.mode in ("RGB", "RGBA", "P"):
        return _luma_of(picture, wanted, depth)
    return _array_of(picture, wanted, depth)


def _deep(contents: bytes, channels: int, where: str) -> np.ndarray | None:
    """All 16 bits of a PNG file's values, with as many channels as asked for."""
    try:
        found = deep_png_pixels(contents)
    except ValueError as error:
        raise ValueError(f"{where}: the picture is damaged or cut short ({error}).") from error
    if found is None or channels in (0, found.shape[2]):
        return found
    colours, opacity = found[..., : 1 if found.shape[2] < 3 else 3], found[..., 3:]
    if found.shape[2] in (1, 3):
        opacity = np.full((*found.shape[:2], 1), 65535, np.uint16)
    elif found.shape[2] == 2:
        opacity = found[..., 1:]
    if channels <= 2 and colours.shape[2] == 3:
        luma = colours.astype(np.int64) @ _LUMA
        colours = ((luma + 16384) >> 15).astype(np.uint16)[..., None]
    elif channels > 2 and colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    return colours if channels in (1, 3) else np.concatenate([colours, opacity], axis=2)


def _luma_of(picture: Any, channels: int, depth: int) -> np.ndarray:
    """Brightness of a coloured PNG (and its opacity): BT.601 in fixed point, cut off, as PNG decoders have it."""
    colours = np.asarray(picture.convert("RGBA")).astype(np.int32)
    luma = (colours[..., :3] @ _LUMA) >> 15
    planes = np.stack([luma, colours[..., 3]][:channels], axis=-1).astype(np.uint8)
    return planes.astype(np.uint16) * 257 if depth == 16 else planes


def _frames(picture: Any, where: str) -> Any:
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        yield _pixels(picture, where).copy()


def _array_of(picture: Any, channels: int, depth: int) -> np.ndarray:
    if picture.mode.startswith("I"):
        array = np.asarray(picture).astype(np.int64)
        # Pillow reads 16 bits of grey as whole numbers.
        values = array.astype(np.uint16) if depth == 16 else (array >> 8).astype(np.uint8)
        return _grey_to(values, channels)
    if picture.mode in ("CMYK", "YCCK"):
        picture = picture.convert("RGB")
    if picture.mode in ("P", "PA") and channels in (1, 2):
        picture = picture.convert("RGBA" if channels == 2 else "RGB")
    mode = _MODES[channels]
    array = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    array = array[:, :, None] if array.ndim == 2 else array
    return array.astype(np.uint16) * 257 if depth == 16 else array


def _grey_to(values: np.ndarray, channels: int) -> np.ndarray:
    full = np.iinfo(values.dtype).max
    grey = np.repeat(values[:, :, None], 3 if channels >= 3 else 1, axis=2)
    if channels in (2, 4):
        grey = np.concatenate([grey, np.full((*values.shape, 1), full, values.dtype)], axis=2)
    return grey


# --- writing -------------------------------------------------------------------------------------
def _picture_of(array: np.ndarray, allowed: tuple[int, ...], where: str) -> Any:
    if array.ndim != 3 or array.shape[2] not in allowed:
        raise ValueError(
            f"{where}: expected (height, width, channels) with channels among {allowed}. "
            f"Received shape {tuple(array.shape)}"
        )
    if array.dtype != np.uint8:
        raise ValueError(f"{where}: expected uint8 pixels. Received dtype {array.dtype}")
    array = np.ascontiguousarray(array[:, :, 0] if array.shape[2] == 1 else array)
    return pillow().fromarray(array)


def encode_jpeg(array: np.ndarray, quality: int = 95, **options: Any) -> bytes:
    """JPEG file of a uint8 image (height, width, 1 or 3 channels); ``options`` go to Pillow."""
    stream = io.BytesIO()
    _picture_of(array, (1, 3), "encode_jpeg").save(stream, format="JPEG", quality=quality, **options)
    return stream.getvalue()


def encode_png(array: np.ndarray, compression: int = -1) -> bytes:
    """PNG file of a uint8 or uint16 image (height, width, 1 to 4 channels)."""
    if array.dtype == np.uint16 and array.ndim == 3 and array.shape[2] in _MODES:
        return deep_png(array, compression)
    stream = io.BytesIO()
    options = {} if compression < 0 else {"compress_level": compression}
    _picture_of(array, (1, 2, 3, 4), "encode_png").save(stream, format="PNG", **options)
    return stream.getvalue()
