"""Likeness of images, their edges and their roughness."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.image.dtypes import convert_image_dtype
from hornbeam.ops.image.filters import correlate_axis, ssim_per_channel
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import face, tensor

__all__ = ["image_gradients", "psnr", "sobel_edges", "ssim", "ssim_multiscale", "total_variation"]

_MULTISCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Wang, Simoncelli and Bovik 2003, section 3.2."""


@face
def image_gradients(image: Any) -> tuple[Any, Any]:
    """Differences to the next row and to the next column, of (batch, height, width, channels); the last are 0."""
    image = tensor(image)
    if len(image.shape) != 4:
        raise ValueError(
            "tf.image.image_gradients expects a batch of images (batch, height, width, channels). "
            f"Received shape {tuple(image.shape)}"
        )
    down = ops.pad(image[:, 1:] - image[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
    right = ops.pad(image[:, :, 1:] - image[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
    return down, right


@face
def total_variation(images: Any, name: str | None = None) -> Any:
    """Sum of the absolute differences of neighbouring pixels, per image."""
    images = tensor(images)
    if len(images.shape) not in (3, 4):
        raise ValueError(f"tf.image.total_variation: expected 3 or 4 axes. Received shape {tuple(images.shape)}")
    down = images[..., 1:, :, :] - images[..., :-1, :, :]
    right = images[..., :, 1:, :] - images[..., :, :-1, :]
    axes = (-3, -2, -1)
    return ops.sum(ops.abs(down), axis=axes) + ops.sum(ops.abs(right), axis=axes)


@op
def _sobel(images: Any) -> jax.Array:
    images = promote(images)[0]
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    smooth, change = jnp.asarray([1, 2, 1], images.dtype), jnp.asarray([-1, 0, 1], images.dtype)

    def both(rows: jax.Array, columns: jax.Array) -> jax.Array:
        return correlate_axis(correlate_axis(padded, rows, 1, valid=True), columns, 2, valid=True)

    return jnp.stack([both(change, smooth), both(smooth, change)], axis=-1)


@face
def sobel_edges(image: Any) -> Any:
    """Change of brightness along height and width, by Sobel's kernels; images are mirrored at their edges.

    Args:
        image: (batch, height, width, channels).

    Returns:
        The images' shape with one more axis of size 2.

    References: TensorFlow `tf.image.sobel_edges`.
    """
    return _sobel(tensor(image))


@face
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Any:
    """Peak signal-to-noise ratio of images, in decibels.

    Args:
        a: images (..., height, width, channels).
        b: images of the same shape.
        max_val: difference between the highest and the lowest value that images may have.
    """
    a, b = tensor(a), tensor(b)
    highest = convert_image_dtype(ops.cast(tensor(max_val), a.dtype), "float32")
    a, b = convert_image_dtype(a, "float32"), convert_image_dtype(b, "float32")
    error = ops.mean(ops.square(a - b), axis=(-3, -2, -1))
    return (20 * ops.log(highest) - 10 * ops.log(error)) / float(np.log(10.0))


def _prepared(img1: Any, img2: Any, max_val: Any, where: str) -> tuple[Any, Any, Any]:
    img1, img2 = tensor(img1), tensor(img2)
    if tuple(img1.shape) != tuple(img2.shape) or len(img1.shape) < 3:
        raise ValueError(
            f"{where}: expected two sets of images of one shape (..., height, width, channels). "
            f"Received shapes {tuple(img1.shape)} and {tuple(img2.shape)}"
        )
    highest = convert_image_dtype(ops.cast(tensor(max_val), img1.dtype), "float32")
    return convert_image_dtype(img1, "float32"), convert_image_dtype(img2, "float32"), highest


@op(static=("filter_size", "mean"))
def _ssim(first: Any, second: Any, highest: Any, sigma: Any, k1: Any, k2: Any, filter_size: int, mean: bool) -> Any:
    return ssim_per_channel(first, second, highest, filter_size, sigma, k1, k2, mean=mean)


@face
def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Any:
    """Structural similarity of images, 1 for equal ones.

    Args:
        img1: images (..., height, width, channels).
        img2: images of the same shape.
        max_val: difference between the highest and the lowest value that images may have.
        filter_size: edge of the Gaussian window, in pixels.
        filter_sigma: its standard deviation.
        k1: constant that keeps dark regions stable.
        k2: constant that keeps flat regions stable.
        return_index_map: give the similarity of every place instead of one number per image.

    References: Wang et al. 2004, equation 13. TensorFlow `tf.image.ssim`.
    """
    img1, img2, highest = _prepared(img1, img2, max_val, "tf.image.ssim")
    size = int(static_value(filter_size, "filter_size"))
    likeness, _ = _ssim(img1, img2, highest, filter_sigma, k1, k2, filter_size=size, mean=not return_index_map)
    return ops.mean(likeness, axis=-1)


@face
def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = _MULTISCALE_WEIGHTS,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Any:
    """Structural similarity over several scales, each half as large as the one before.

    Args:
        img1: images (..., height, width, channels).
        img2: images of the same shape.
        max_val: difference between the highest and the lowest value that images may have.
        power_factors: exponent of each scale.
        filter_size: edge of the Gaussian window, in pixels.
        filter_sigma: its standard deviation.
        k1: constant that keeps dark regions stable.
        k2: constant that keeps flat regions stable.

    References: Wang, Simoncelli and Bovik 2003. TensorFlow `tf.image.ssim_multiscale`.
    """
    img1, img2, highest = _prepared(img1, img2, max_val, "tf.image.ssim_multiscale")
    size, weights = int(static_value(filter_size, "filter_size")), [float(one) for one in power_factors]
    parts = []
    for scale, weight in enumerate(weights):
        if scale:
            img1, img2 = _halved(img1), _halved(img2)
        if min(img1.shape[-3], img1.shape[-2]) < size:
            raise ValueError(
                f"tf.image.ssim_multiscale: at scale {scale} the images measure {img1.shape[-3]} x {img1.shape[-2]} "
                f"pixels, fewer than filter_size={size}. Take fewer power_factors or a smaller filter_size."
            )
        likeness, contrast = _ssim(img1, img2, highest, filter_sigma, k1, k2, filter_size=size, mean=True)
        chosen = likeness if scale == len(weights) - 1 else contrast
        parts.append(ops.power(ops.relu(chosen), weight))
    product = parts[0]
    for part in parts[1:]:
        product = product * part
    return ops.mean(product, axis=-1)


def _halved(images: Any) -> Any:
    """Means of blocks of 2 x 2; an odd last row or column is mirrored."""
    height, width = images.shape[-3], images.shape[-2]
    lead = [[0, 0]] * (len(images.shape) - 3)
    if height % 2 or width % 2:
        images = ops.pad(images, [*lead, [0, height % 2], [0, width % 2], [0, 0]], mode="symmetric")
    rows = (images[..., ::2, :, :] + images[..., 1::2, :, :]) * 0.5
    return (rows[..., :, ::2, :] + rows[..., :, 1::2, :]) * 0.5
