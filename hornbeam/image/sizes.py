"""Images of another size."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.image.patches import extract_patches as cut
from hornbeam.ops.image.resizing import resized
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import face, tensor

__all__ = [
    "ResizeMethod",
    "central_crop",
    "crop_and_resize",
    "crop_to_bounding_box",
    "extract_patches",
    "pad_to_bounding_box",
    "resize",
    "resize_with_crop_or_pad",
    "resize_with_pad",
]


class ResizeMethod:
    """Names of the methods of ``tf.image.resize``."""

    AREA = "area"
    BICUBIC = "bicubic"
    BILINEAR = "bilinear"
    GAUSSIAN = "gaussian"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    MITCHELLCUBIC = "mitchellcubic"
    NEAREST_NEIGHBOR = "nearest"


_METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
# Numbers that stand for methods.
_BY_NUMBER = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}


def _rank(images: Any, where: str) -> int:
    rank = len(images.shape)
    if rank not in (3, 4):
        raise ValueError(f"{where}: expected one image (3 axes) or a batch of images (4 axes), received {rank} axes.")
    return rank


def _number(value: Any, name: str) -> int:
    return int(static_value(value, name))


@face
def resize(
    images: Any,
    size: Any,
    method: Any = "bilinear",
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Any:
    """Resize images.

    Args:
        images: one image (height, width, channels) or a batch of them.
        size: new height and width, in pixels.
        method: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"area"``, ``"lanczos3"``, ``"lanczos5"``,
            ``"gaussian"`` or ``"mitchellcubic"``.
        preserve_aspect_ratio: take the largest size within ``size`` that does not distort.
        antialias: when images shrink, let every pixel count.

    Returns:
        float32 images; of the images' own dtype for ``"nearest"``.

    References: TensorFlow `tf.image.resize`.
    """
    images = tensor(images)
    rank = _rank(images, "tf.image.resize")
    method = _BY_NUMBER.get(method, method) if isinstance(method, int) else str(method).lower()
    if method not in _METHODS:
        raise ValueError(f"tf.image.resize: `method` is one of {_METHODS}. Received: method={method!r}")
    sizes = np.asarray(static_value(size, "size")).reshape(-1)
    if sizes.size != 2:
        raise ValueError(f"tf.image.resize: `size` is a pair (height, width) in pixels. Received: size={size}")
    target = (int(sizes[0]), int(sizes[1]))
    if min(target) <= 0:
        raise ValueError(f"tf.image.resize: height and width in `size` must be positive. Received: size={target}")
    height, width = images.shape[rank - 3], images.shape[rank - 2]
    if preserve_aspect_ratio and height is not None and width is not None:
        scale = np.float32(min(target[0] / height, target[1] / width))
        target = (_whole(scale, height), _whole(scale, width))
    return _resized(images, target=target, method=method, antialias=bool(antialias))


def _whole(scale: np.float32, size: int) -> int:
    return max(int(np.round(scale * np.float32(size))), 1)


@op(static=("target", "method", "antialias"))
def _resized(images: Any, target: tuple[int, int], method: str, antialias: bool) -> jax.Array:
    images = promote(images)[0]
    rows, columns = images.ndim - 3, images.ndim - 2
    if method != "nearest" and jnp.issubdtype(images.dtype, jnp.floating):
        # Half precision is widened first: the result is float32 all through.
        images = images.astype(jnp.float32)
    if method == "bicubic" and not antialias:
        method = "bicubic_by_table"
    widened = antialias and method not in ("nearest", "area")
    found = resized(images, target, method, widened, rows, columns)
    return found if method == "nearest" else found.astype(jnp.float32)


# --- cutting and padding -------------------------------------------------------------------------
def _checked_box(where: str, ok: bool, text: str) -> None:
    if not ok:
        raise ValueError(f"{where}: {text}")


@face
def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """A part of images.

    Args:
        image: one image or a batch of them.
        offset_height: rows to leave out above.
        offset_width: columns to leave out on the left.
        target_height: height of the part.
        target_width: width of the part.

    References: TensorFlow `tf.image.crop_to_bounding_box`.
    """
    where, image = "tf.image.crop_to_bounding_box", tensor(image)
    rank = _rank(image, where)
    height, width = _number(target_height, "target_height"), _number(target_width, "target_width")
    top, left = static_value(offset_height, "offset_height"), static_value(offset_width, "offset_width")
    top, left = int(top), int(left)
    _checked_box(where, min(top, left) >= 0, "the offsets must not be negative.")
    _checked_box(where, min(height, width) > 0, "height and width of the part must be positive.")
    rows, columns = image.shape[rank - 3], image.shape[rank - 2]
    fits = (rows is None or top + height <= rows) and (columns is None or left + width <= columns)
    _checked_box(where, fits, f"the part ends at ({top + height}, {left + width}), outside of {rows} x {columns}.")
    return image[..., top : top + height, left : left + width, :]


@face
def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """Images with zeros around.

    Args:
        image: one image or a batch of them.
        offset_height: rows of zeros above.
        offset_width: columns of zeros on the left.
        target_height: height of the result.
        target_width: width of the result.

    References: TensorFlow `tf.image.pad_to_bounding_box`.
    """
    where, image = "tf.image.pad_to_bounding_box", tensor(image)
    rank = _rank(image, where)
    top, left = _number(offset_height, "offset_height"), _number(offset_width, "offset_width")
    below = _number(target_height, "target_height") - top - image.shape[rank - 3]
    right = _number(target_width, "target_width") - left - image.shape[rank - 2]
    _checked_box(where, min(top, left) >= 0, "the offsets must not be negative.")
    _checked_box(where, min(below, right) >= 0, "the image and its offset must fit into the target size.")
    return ops.pad(image, [[0, 0]] * (rank - 3) + [[top, below], [left, right], [0, 0]])


@face
def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Any:
    """Images brought to a size by cutting the middle out, or by zeros around.

    References: TensorFlow `tf.image.resize_with_crop_or_pad`.
    """
    where, image = "tf.image.resize_with_crop_or_pad", tensor(image)
    rank = _rank(image, where)
    target = (_number(target_height, "target_height"), _number(target_width, "target_width"))
    _checked_box(where, min(target) > 0, "height and width must be positive.")
    given = (image.shape[rank - 3], image.shape[rank - 2])
    crop = [max(-(wanted - size) // 2, 0) for wanted, size in zip(target, given, strict=True)]
    kept = [min(wanted, size) for wanted, size in zip(target, given, strict=True)]
    image = image[..., crop[0] : crop[0] + kept[0], crop[1] : crop[1] + kept[1], :]
    before = [max((wanted - size) // 2, 0) for wanted, size in zip(target, given, strict=True)]
    widths = [[start, wanted - size - start] for start, wanted, size in zip(before, target, kept, strict=True)]
    return ops.pad(image, [[0, 0]] * (rank - 3) + widths + [[0, 0]])


@face
def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: bool = False
) -> Any:
    """Resize without distortion, and fill up with zeros.

    Args:
        image: one image or a batch of them.
        target_height: height of the result, in pixels.
        target_width: width of the result, in pixels.
        method: as for ``resize``.
        antialias: as for ``resize``.

    References: TensorFlow `tf.image.resize_with_pad`.
    """
    where, image = "tf.image.resize_with_pad", tensor(image)
    rank = _rank(image, where)
    target = (_number(target_height, "target_height"), _number(target_width, "target_width"))
    _checked_box(where, min(target) > 0, "height and width must be positive.")
    height, width = image.shape[rank - 3], image.shape[rank - 2]
    ratio = np.float32(max(np.float32(width / target[1]), np.float32(height / target[0])))
    inner = (math.floor(np.float32(height) / ratio), math.floor(np.float32(width) / ratio))
    top = max(0, math.floor((np.float32(target[0]) - np.float32(height) / ratio) / 2))
    left = max(0, math.floor((np.float32(target[1]) - np.float32(width) / ratio) / 2))
    image = resize(image, inner, method=method, antialias=antialias)
    return pad_to_bounding_box(image, top, left, target[0], target[1])


@face
def central_crop(image: Any, central_fraction: Any) -> Any:
    """The middle of images.

    Args:
        image: one image or a batch of them.
        central_fraction: share of height and width to keep, above 0 and at most 1.

    References: TensorFlow `tf.image.central_crop`.
    """
    image = tensor(image)
    fraction = float(static_value(central_fraction, "central_fraction"))
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"tf.image.central_crop: `central_fraction` lies in (0, 1]. Received: {fraction}")
    if fraction == 1.0:
        return image
    rank = _rank(image, "tf.image.central_crop")
    height, width = image.shape[rank - 3], image.shape[rank - 2]
    top, left = int((height - height * fraction) / 2), int((width - width * fraction) / 2)
    return image[..., top : height - top, left : width - left, :]


# --- parts of images -----------------------------------------------------------------------------
@face
def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Any:
    """Patches of a batch of images, each laid out as channels.

    Args:
        images: (batch, height, width, channels).
        sizes: ``[1, rows, columns, 1]`` of a patch.
        strides: ``[1, rows, columns, 1]`` between patches.
        rates: ``[1, rows, columns, 1]`` between the pixels of a patch.
        padding: ``"VALID"`` or ``"SAME"``.

    References: TensorFlow `tf.image.extract_patches`.
    """
    size, stride, rate = ([int(one) for one in static_value(item, "sizes")] for item in (sizes, strides, rates))
    return cut(
        tensor(images),
        tuple(size[1:3]),
        strides=tuple(stride[1:3]),
        dilation_rate=tuple(rate[1:3]),
        padding=str(padding).lower(),
        data_format="channels_last",
    )


@face
def crop_and_resize(
    image: Any,
    boxes: Any,
    box_indices: Any,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Any:
    """Parts of images, each brought to one size; their corner pixels fall on the box's corners.

    Args:
        image: (batch, height, width, channels).
        boxes: (boxes, 4): top, left, bottom and right, 0 to 1; reversed edges mirror the part.
        box_indices: (boxes,) image of each box.
        crop_size: height and width of the parts.
        method: ``"bilinear"`` or ``"nearest"``.
        extrapolation_value: value outside of the images.

    Returns:
        float32 tensor (boxes, *crop_size, channels).

    References: TensorFlow `tf.image.crop_and_resize`.
    """
    if method not in ("bilinear", "nearest"):
        raise ValueError(f"tf.image.crop_and_resize: `method` is 'bilinear' or 'nearest'. Received: {method!r}")
    image, boxes, chosen = tensor(image), tensor(boxes), tensor(box_indices)
    if len(image.shape) != 4 or len(boxes.shape) != 2 or boxes.shape[1] != 4:
        raise InvalidArgumentError(
            None,
            None,
            "tf.image.crop_and_resize: expected images (batch, height, width, channels) and boxes (n, 4). "
            f"Received shapes {tuple(image.shape)} and {tuple(boxes.shape)}",
        )
    height, width = (int(one) for one in static_value(crop_size, "crop_size"))
    return _cropped(image, boxes, chosen, float(extrapolation_value), size=(height, width), nearest=method == "nearest")


@op(static=("size", "nearest"))
def _cropped(image: Any, boxes: Any, chosen: Any, fill: Any, size: tuple[int, int], nearest: bool) -> jax.Array:
    image = promote(image)[0].astype(jnp.float32)
    boxes = promote(boxes)[0].astype(jnp.float32)
    height, width = image.shape[1:3]
    rows = _steps(boxes[:, 0], boxes[:, 2], height, size[0])
    columns = _steps(boxes[:, 1], boxes[:, 3], width, size[1])
    inside = ((rows >= 0) & (rows <= height - 1))[:, :, None] & ((columns >= 0) & (columns <= width - 1))[:, None, :]
    which = chosen.astype(jnp.int32)[:, None, None]

    def at(row: jax.Array, column: jax.Array) -> jax.Array:
        return image[which, jnp.clip(row, 0, height - 1)[:, :, None], jnp.clip(column, 0, width - 1)[:, None, :]]

    if nearest:
        found = at(jax.lax.round(rows).astype(jnp.int32), jax.lax.round(columns).astype(jnp.int32))
    else:
        top, left = jnp.floor(rows).astype(jnp.int32), jnp.floor(columns).astype(jnp.int32)
        down = (rows - jnp.floor(rows))[:, :, None, None]
        aside = (columns - jnp.floor(columns))[:, None, :, None]
        upper = at(top, left) + (at(top, left + 1) - at(top, left)) * aside
        lower = at(top + 1, left) + (at(top + 1, left + 1) - at(top + 1, left)) * aside
        found = upper + (lower - upper) * down
    return jnp.where(inside[..., None], found, jnp.asarray(fill, jnp.float32))


def _steps(first: jax.Array, last: jax.Array, size: int, count: int) -> jax.Array:
    """Places (boxes, count) of the output pixels along an axis of the input."""
    if count == 1:
        return (0.5 * (first + last) * (size - 1))[:, None]
    step = (last - first) * (size - 1) / (count - 1)
    return first[:, None] * (size - 1) + jnp.arange(count, dtype=jnp.float32)[None, :] * step[:, None]
