"""JPEG pictures decoded with libjpeg-turbo through the optional package ``simplejpeg``: quicker than Pillow.

It also offers what Pillow has no switch for: the quick transform, which TensorFlow takes by default (equal values), and
plain upsampling of colours.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError

__all__ = ["checked_options", "decoder", "header", "pixels"]

SPACES = {1: "GRAY", 3: "RGB"}
METHODS = ("", "INTEGER_FAST", "INTEGER_ACCURATE")


@functools.cache
def decoder() -> Any:
    """The function that decodes; None if the package is not there."""
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg.decode_jpeg


@functools.cache
def header() -> Any:
    """The function that reads height, width and colour space of a file."""
    import simplejpeg

    return simplejpeg.decode_jpeg_header


def checked_options(where: str, fancy_upscaling: bool, dct_method: Any, ratio: int, recover: bool) -> dict[str, bool]:
    """How to decode, as keyword arguments of `decoder`.

    Raises:
        NotSupportedError: what only libjpeg-turbo itself can do, and it is not there or cannot be used.
    """
    method = dct_method.decode() if isinstance(dct_method, bytes) else str(dct_method or "")
    if method not in METHODS:
        raise ValueError(f"{where}: `dct_method` is one of {METHODS}. Received: dct_method={dct_method!r}")
    if not fancy_upscaling or method == "INTEGER_FAST":
        if ratio != 1 or recover:
            raise NotSupportedError(
                f"{where}: fancy_upscaling=False and dct_method='INTEGER_FAST' go with whole pictures of full "
                "size only "
                "(ratio=1, try_recover_truncated=False)."
            )
        if decoder() is None:
            raise NotSupportedError(
                f"{where}: fancy_upscaling=False and dct_method='INTEGER_FAST' need libjpeg-turbo.\n"
                "  fix:      pip install simplejpeg"
            )
    return {"fastdct": method != "INTEGER_ACCURATE", "fastupsample": not fancy_upscaling}


def pixels(contents: bytes, channels: int, options: dict[str, bool]) -> np.ndarray | None:
    """uint8 pixels (height, width, channels); None if the package is not there or does not take the file."""
    decode = decoder()
    if decode is None or channels not in SPACES:
        return None
    try:
        return decode(contents, colorspace=SPACES[channels], **options)
    except ValueError:
        return None  # other colour spaces, small damage: Pillow decides
