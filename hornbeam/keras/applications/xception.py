"""Xception. References: Keras ``applications.xception``."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.blocks import channel_axis, conv, relu
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _norm(x: Any, name: str | None = None) -> Any:
    return layers.BatchNormalization(axis=channel_axis(-1), name=name)(x)


def _separable(x: Any, filters: int, name: str) -> Any:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _norm(x, f"{name}_bn")


def _smaller(x: Any, block: int, first: int, last: int) -> Any:
    """Two separable convolutions and a pooling of stride 2, beside a 1x1 convolution of stride 2."""
    name = f"block{block}"
    residual = _norm(conv(x, last, strides=2, padding="same", use_bias=False))
    if block > 2:
        x = relu(x, f"{name}_sepconv1_act")
    x = relu(_separable(x, first, f"{name}_sepconv1"), f"{name}_sepconv2_act")
    x = _separable(x, last, f"{name}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, residual])


def _body(x: Any) -> Any:
    for index, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{index}"
        x = conv(x, filters, 3, strides=strides, use_bias=False, name=name)
        x = relu(_norm(x, f"{name}_bn"), f"{name}_act")
    for block, filters in ((2, 128), (3, 256), (4, 728)):
        x = _smaller(x, block, filters, filters)
    for block in range(5, 13):
        before = x
        for index in (1, 2, 3):
            name = f"block{block}_sepconv{index}"
            x = _separable(relu(x, f"{name}_act"), 728, name)
        x = layers.Add()([x, before])
    x = _smaller(x, 13, 728, 1024)
    for index, filters in ((1, 1536), (2, 2048)):
        name = f"block14_sepconv{index}"
        x = relu(_separable(x, filters, name), f"{name}_act")
    return x


Xception = standard(
    "Xception",
    "xception",
    __name__,
    lambda _request: _body,
    about="depthwise separable convolutions with residual connections",
    paper="Chollet 2017, arXiv 1610.02357",
    size=299,
    least=71,
    published=kernels("xception", "xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
)
preprocess_input = preprocessing("tf")
