"""MobileNetV2. References: Keras ``applications.mobilenet_v2``."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import (
    Request,
    assemble,
    average_head,
    check_agreement,
    rows_and_columns,
    standard_input_shape,
)
from hornbeam.keras.applications.blocks import channel_axis, conv, correct_pad, round_to_multiple
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.mobilenet import check_alpha, published_rows, usual_size
from hornbeam.keras.applications.variants import describe, pixels_through
from hornbeam.keras.applications.weight_files import Published, WeightFile
from hornbeam.keras.models.model import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

_SIZES = (96, 128, 160, 192, 224)
_ALPHAS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)
# Filters, number of blocks and stride of the first of them.
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(-1), momentum=0.999, epsilon=1e-3, name=name)(x)


def _relu(x: Any, name: str) -> Any:
    return layers.ReLU(6.0, name=name)(x)


def _block(x: Any, number: int, filters: int, stride: int) -> Any:
    """Wider by a 1x1 convolution, then a depthwise one, then narrow again; the first block is not widened."""
    before, channels = x, x.shape[channel_axis(-1)]
    name = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = conv(x, 6 * channels, padding="same", use_bias=False, name=f"{name}expand")
        x = _relu(_norm(x, f"{name}expand_BN"), f"{name}expand_relu")
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, 3), name=f"{name}pad")(x)
    x = layers.DepthwiseConv2D(
        3, strides=stride, padding="valid" if stride == 2 else "same", use_bias=False, name=f"{name}depthwise"
    )(x)
    x = _relu(_norm(x, f"{name}depthwise_BN"), f"{name}depthwise_relu")
    x = conv(x, filters, padding="same", use_bias=False, name=f"{name}project")
    x = _norm(x, f"{name}project_BN")
    if stride == 1 and channels == filters:
        return layers.Add(name=f"{name}add")([before, x])
    return x


def _files(alpha: float, rows: int) -> Published:
    folder = "tensorflow/keras-applications/mobilenet_v2"
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    return Published(WeightFile(folder, f"{stem}.h5"), WeightFile(folder, f"{stem}_no_top.h5"))


def _construct(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    request.check("MobileNetV2")
    check_agreement("MobileNetV2", request)
    known = input_shape if input_shape is not None or input_tensor is None else input_tensor.shape[1:]
    shape = standard_input_shape("MobileNetV2", request, usual_size(known, _SIZES), 32)
    rows, published = rows_and_columns(shape)[0], None
    if request.pretrained:
        check_alpha("MobileNetV2", alpha, _ALPHAS)
        rows = published_rows("MobileNetV2", shape, _SIZES)
        published = _files(alpha, rows)
    request.name = name or f"mobilenetv2_{alpha:0.2f}_{rows}"

    def body(x: Any) -> Any:
        filters = round_to_multiple(32 * alpha)
        x = conv(x, filters, 3, strides=2, padding="same", use_bias=False, name="Conv1")
        x = _relu(_norm(x, "bn_Conv1"), "Conv1_relu")
        number = 0
        for filters, count, first_stride in _STAGES:
            for index in range(count):
                x = _block(x, number, round_to_multiple(int(filters * alpha)), first_stride if index == 0 else 1)
                number += 1
        # The last convolution becomes wider with alpha, but not narrower.
        filters = round_to_multiple(1280 * alpha) if alpha > 1.0 else 1280
        x = conv(x, filters, use_bias=False, name="Conv_1")
        return _relu(_norm(x, "Conv_1_bn"), "out_relu")

    return assemble(request, body, shape=shape, head=average_head(None), published=published)


MobileNetV2 = describe(
    _construct,
    "MobileNetV2",
    __name__,
    about="inverted residual blocks, for small devices",
    pixels=pixels_through(__name__),
    paper="Sandler et al. 2018, arXiv 1801.04381",
    extra="""
        alpha: width: factor of all filter counts.""",
)
preprocess_input = preprocessing("tf")
