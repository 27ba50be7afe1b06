"""TensorFlow's functions that a stored graph of layers may call: a closed table of ours, all of them pure."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from hornbeam.base.errors import UnsupportedFileError

__all__ = ["arguments_of", "is_known", "tf_function"]

_FUNCTIONS: dict[str, tuple[str, str]] = {
    "": (
        "hornbeam",
        "argsort bitcast boolean_mask broadcast_to cast clip_by_value complex concat convert_to_tensor einsum "
        "ensure_shape expand_dims eye fill gather gather_nd identity linspace meshgrid norm one_hot ones ones_like pad "
        "range rank repeat reshape reverse reverse_sequence roll saturate_cast searchsorted sequence_mask shape size "
        "slice sort split squeeze stack stop_gradient strided_slice tensor_scatter_nd_add tensor_scatter_nd_max "
        "tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile transpose unstack where "
        "zeros zeros_like",
    ),
    "math": (
        "hornbeam.math",
        "abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh bessel_i0 bessel_i0e "
        "bessel_i1 bessel_i1e betainc bincount ceil conj cos cosh count_nonzero cumprod cumsum cumulative_logsumexp "
        "digamma divide divide_no_nan equal erf erfc erfcinv erfinv exp expm1 floor floordiv floormod greater "
        "greater_equal igamma igammac imag in_top_k invert_permutation is_finite is_inf is_nan l2_normalize lbeta less "
        "less_equal lgamma log log1p logical_and logical_not logical_or logical_xor maximum minimum mod multiply "
        "multiply_no_nan ndtri negative nextafter not_equal polygamma polyval pow real reciprocal reciprocal_no_nan "
        "reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod "
        "reduce_std reduce_sum reduce_variance rint round rsqrt scalar_mul segment_max segment_mean segment_min "
        "segment_prod segment_sum sigmoid sign sin sinh softplus softsign sqrt square squared_difference subtract tan "
        "tanh top_k truediv unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod "
        "unsorted_segment_sqrt_n unsorted_segment_sum xdivy xlog1py xlogy zero_fraction zeta",
    ),
    "nn": (
        "hornbeam.nn",
        "atrous_conv2d avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d conv1d_transpose "
        "conv2d conv2d_transpose conv3d conv3d_transpose convolution crelu depthwise_conv2d dropout elu "
        "embedding_lookup gelu in_top_k l2_loss l2_normalize leaky_relu local_response_normalization lrn "
        "log_poisson_loss log_softmax max_pool max_pool1d max_pool2d max_pool3d moments pool relu relu6 selu "
        "separable_conv2d sigmoid sigmoid_cross_entropy_with_logits silu softmax softmax_cross_entropy_with_logits "
        "softplus softsign sparse_softmax_cross_entropy_with_logits swish tanh top_k "
        "weighted_cross_entropy_with_logits zero_fraction",
    ),
    "linalg": (
        "hornbeam.linalg",
        "adjoint band_part cholesky cholesky_solve cross det diag diag_part eig eigh eigvals eigvalsh einsum expm eye "
        "inv l2_normalize logdet lstsq matmul matrix_transpose matvec norm normalize pinv qr set_diag slogdet solve "
        "sqrtm svd tensor_diag tensor_diag_part tensordot trace triangular_solve",
    ),
    "image": (
        "hornbeam.image",
        "adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation central_crop convert_image_dtype "
        "crop_and_resize crop_to_bounding_box extract_patches flip_left_right flip_up_down grayscale_to_rgb hsv_to_rgb "
        "image_gradients pad_to_bounding_box per_image_standardization psnr resize resize_with_crop_or_pad "
        "resize_with_pad rgb_to_grayscale rgb_to_hsv rgb_to_yiq rgb_to_yuv rot90 sobel_edges ssim total_variation "
        "transpose yiq_to_rgb yuv_to_rgb",
    ),
    "signal": (
        "hornbeam.signal",
        "dct fft fft2d fft3d fftshift frame hamming_window hann_window idct ifft ifft2d ifft3d ifftshift inverse_stft "
        "irfft irfft2d irfft3d overlap_and_add rfft rfft2d rfft3d stft",
    ),
    "random": ("hornbeam.random", "categorical gamma normal poisson truncated_normal uniform"),
    "bitwise": ("hornbeam.bitwise", "bitwise_and bitwise_or bitwise_xor invert left_shift right_shift"),
    "strings": ("hornbeam.strings", "as_string join length lower regex_replace split strip substr to_number upper"),
}
"""Where a group of functions lies, and its names."""

_OTHER_NAMES = {
    "__operators__.add": "math.add",
    "__operators__.mul": "math.multiply",
    "__operators__.sub": "math.subtract",
    "__operators__.div": "math.truediv",
    "__operators__.truediv": "math.truediv",
    "compat.v1.floor_div": "math.floordiv",
    "compat.v1.div": "math.divide",
    "compat.v1.div_no_nan": "math.divide_no_nan",
    "keras.backend.relu": "nn.relu",
    "math.logsumexp": "math.reduce_logsumexp",
    "math.log_softmax": "nn.log_softmax",
    "math.softmax": "nn.softmax",
}
"""Symbols under which the same function, or a form of ``_FORMS``, was stored."""

_WORDS = {
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "dimension": "axis",
    "squeeze_dims": "axis",
    "filter": "filters",
    "dim": "axis",
}
"""Arguments of the first version of TensorFlow and what they are called since."""
_DROPPED = ("name", "validate_indices", "use_cudnn_on_gpu")


def _form(op: str, **words: str) -> Callable[..., Any]:
    """A function of ours under TensorFlow's words for its arguments."""

    def call(value: Any, *rest: Any, **given: Any) -> Any:
        function = getattr(importlib.import_module("hornbeam.ops"), op)
        given = {words.get(key, key): _FORMATS.get(part, part) if isinstance(part, str) else part
                 for key, part in given.items()}  # fmt: skip
        return function(value, *rest, **given)

    return call


_FORMATS = {"NHWC": "channels_last", "NCHW": "channels_first"}


def _resize(method: str) -> Callable[..., Any]:
    def call(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Any:
        if align_corners or (method != "nearest" and not half_pixel_centers):
            return sampled(images, size, align_corners, method)
        if half_pixel_centers:
            return importlib.import_module("hornbeam.image").resize(images, size, method=method)
        return sampled(images, size, align_corners, method)

    return call


def sampled(images: Any, size: Any, align_corners: bool, method: str) -> Any:
    """Resizing as the first version did it: corners of pixels, not their centres, are the places."""
    ops = importlib.import_module("hornbeam.ops")
    for axis, length in ((1, int(size[0])), (2, int(size[1]))):
        old = int(images.shape[axis])
        step = (old - 1) / (length - 1) if align_corners and length > 1 else old / length
        places = [index * step for index in range(length)]
        if method == "nearest":
            near = [min(int(place + 0.5 if align_corners else place), old - 1) for place in places]
            images = ops.take(images, near, axis=axis)
            continue
        low = [min(int(place), old - 1) for place in places]
        high = [min(place + 1, old - 1) for place in low]
        shape = [1, length, 1, 1] if axis == 1 else [1, 1, length, 1]
        share = ops.reshape(ops.array([p - i for p, i in zip(places, low, strict=True)], "float32"), shape)
        first, second = ops.take(images, low, axis=axis), ops.take(images, high, axis=axis)
        images = ops.cast(first, "float32") * (1.0 - share) + ops.cast(second, "float32") * share
    return images


def _get_item(value: Any, slice_spec: Any) -> Any:
    parts = slice_spec if isinstance(slice_spec, (list, tuple)) else [slice_spec]
    found = tuple(map(_index, parts))
    return value[found[0] if len(found) == 1 else found]


def _index(part: Any) -> Any:
    """One part of an index: a number, a tensor, None for a new axis, or a dict that stands for something else."""
    if not isinstance(part, dict):
        return part
    return Ellipsis if part.get("ellipsis") else slice(part.get("start"), part.get("stop"), part.get("step"))


_FORMS: dict[str, Callable[..., Any]] = {
    "__operators__.getitem": _get_item,
    "nn.depth_to_space": _form("depth_to_space"),
    "nn.space_to_depth": _form("space_to_depth"),
    "math.log_sigmoid": _form("log_sigmoid"),
    "compat.v1.to_float": lambda x: importlib.import_module("hornbeam.ops").cast(x, "float32"),
    "compat.v1.image.resize_bilinear": _resize("bilinear"),
    "compat.v1.image.resize_nearest_neighbor": _resize("nearest"),
}
_LISTS = frozenset({"concat", "stack", "math.add_n", "math.accumulate_n", "meshgrid", "strings.join"})
"""Functions whose first argument is a list, which is stored like one tensor where it has one element."""


def _place(symbol: str) -> tuple[str, str] | None:
    """Group and name of a function, ``None`` if it is not in the table."""
    found = _OTHER_NAMES.get(symbol) or symbol.removeprefix("compat.v1.").removeprefix("compat.v2.")
    group, _, name = found.rpartition(".")
    if group in _FUNCTIONS and name in _FUNCTIONS[group][1].split():
        return group, name
    # The first version had most functions at the top.
    homes = [home for home in ("math", "linalg", "") if not group and name in _FUNCTIONS[home][1].split()]
    return (homes[0], name) if homes else None


def is_known(symbol: str) -> bool:
    """Whether a function is in the table."""
    return symbol in _FORMS or _place(symbol) is not None


def tf_function(symbol: str) -> Callable[..., Any]:
    """The function of ours for TensorFlow's symbol.

    Raises:
        UnsupportedFileError: it is not in the table.
    """
    if symbol in _FORMS:
        return _FORMS[symbol]
    place = _place(symbol)
    if place is None:
        raise UnsupportedFileError(
            f"The stored model calls the TensorFlow function {symbol!r}, which is not in the table of those that are "
            "read. Build the model in Python, and load its weights by name."
        )
    return getattr(importlib.import_module(_FUNCTIONS[place[0]][0]), place[1])


def arguments_of(symbol: str, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a stored call, under today's names; those that say nothing go."""
    old = symbol.startswith("compat.v1.")
    found = {
        (_WORDS.get(key, key) if old else key): value
        for key, value in kwargs.items()
        if value is not None and key not in _DROPPED
    }
    if "slice_spec" in found:
        found["slice_spec"] = _without_markers(found["slice_spec"])
    if symbol in _LISTS and args and not isinstance(args[0], list):
        args = [[args[0]], *args[1:]]
    return args, found


def _without_markers(part: Any) -> Any:
    """The parts of an index, where a dict with a class name stands for an ellipsis."""
    if isinstance(part, (list, tuple)):
        return [_without_markers(item) for item in part]
    return {"ellipsis": True} if isinstance(part, dict) and part.get("class_name") == "__ellipsis__" else part
