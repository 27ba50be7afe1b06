"""EfficientNetB0 to EfficientNetB7. References: Keras ``applications.efficientnet``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Body, Request
from hornbeam.keras.applications.blocks import (
    CONV_INITIALIZER,
    DENSE_INITIALIZER,
    channel_axis,
    conv,
    correct_pad,
    round_to_multiple,
    squeeze_excite,
)
from hornbeam.keras.applications.imagenet_utils import decode_predictions, no_preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import plain
from hornbeam.keras.models.model import Model

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

# Window, blocks, filters in, filters out, expansion, stride; before width and depth are scaled.
_STAGES = (
    (3, 1, 32, 16, 1, 1),
    (3, 2, 16, 24, 6, 2),
    (5, 2, 24, 40, 6, 2),
    (3, 3, 40, 80, 6, 2),
    (5, 3, 80, 112, 6, 1),
    (5, 4, 112, 192, 6, 2),
    (3, 1, 192, 320, 6, 1),
)
_DROP_CONNECT = 0.2
# Width, depth, picture size, dropout before the classifier, hashes.
_VARIANTS = {
    0: (1.0, 1.0, 224, 0.2, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    1: (1.0, 1.1, 240, 0.2, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    2: (1.1, 1.2, 260, 0.3, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    3: (1.2, 1.4, 300, 0.3, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    4: (1.4, 1.8, 380, 0.4, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    5: (1.6, 2.2, 456, 0.4, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    6: (1.8, 2.6, 528, 0.5, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    7: (2.0, 3.1, 600, 0.5, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
_IMAGENET_STD = (0.229, 0.224, 0.225)


def _norm_swish(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(axis=channel_axis(), name=f"{name}bn")(x)
    return layers.Activation("swish", name=f"{name}activation")(x)


def _bare_conv(x: Any, filters: int, name: str) -> Any:
    return conv(x, filters, padding="same", use_bias=False, kernel_initializer=CONV_INITIALIZER, name=name)


def _block(
    x: Any, name: str, window: int, filters_in: int, filters_out: int, expansion: int, stride: int, drop: float
) -> Any:
    """Inverted residual block with squeeze-and-excite."""
    before, wide = x, filters_in * expansion
    if expansion != 1:
        x = _norm_swish(_bare_conv(x, wide, f"{name}expand_conv"), f"{name}expand_")
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, window), name=f"{name}dwconv_pad")(x)
    x = layers.DepthwiseConv2D(
        window,
        strides=stride,
        padding="valid" if stride == 2 else "same",
        use_bias=False,
        depthwise_initializer=CONV_INITIALIZER,
        name=f"{name}dwconv",
    )(x)
    x = _norm_swish(x, name)
    x = squeeze_excite(x, wide, max(1, int(filters_in * 0.25)), name)
    x = _bare_conv(x, filters_out, f"{name}project_conv")
    x = layers.BatchNormalization(axis=channel_axis(), name=f"{name}project_bn")(x)
    if stride != 1 or filters_in != filters_out:
        return x
    if drop > 0:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, before])


def _prepare(x: Any, pretrained: bool) -> Any:
    """From pixels of 0 to 255 to the first convolution's input."""
    x = layers.Normalization(axis=channel_axis())(layers.Rescaling(1.0 / 255.0)(x))
    if pretrained:
        # The stored variances are the deviations, by which the original network divided: make up for the other root.
        x = layers.Rescaling([1.0 / math.sqrt(std) for std in _IMAGENET_STD])(x)
    return layers.ZeroPadding2D(correct_pad(x, 3), name="stem_conv_pad")(x)


def _body(width: float, depth: float) -> Callable[[Request], Body]:
    def scaled(filters: int) -> int:
        return round_to_multiple(filters * width)

    def run(x: Any, pretrained: bool) -> Any:
        x = _prepare(x, pretrained)
        x = conv(x, scaled(32), 3, strides=2, use_bias=False, kernel_initializer=CONV_INITIALIZER, name="stem_conv")
        x = _norm_swish(x, "stem_")
        total = sum(math.ceil(depth * stage[1]) for stage in _STAGES)
        number = 0
        for stage, (window, count, filters_in, filters_out, expansion, stride) in enumerate(_STAGES, 1):
            for index in range(math.ceil(depth * count)):
                x = _block(
                    x,
                    f"block{stage}{chr(ord('a') + index)}_",
                    window,
                    scaled(filters_in if index == 0 else filters_out),
                    scaled(filters_out),
                    expansion,
                    stride if index == 0 else 1,
                    _DROP_CONNECT * number / total,
                )
                number += 1
        return _norm_swish(_bare_conv(x, scaled(1280), "top_conv"), "top_")

    return lambda request: lambda x: run(x, request.pretrained)


def _head(dropout: float) -> Callable[[Any, Request], Any]:
    def head(x: Any, request: Request) -> Any:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(dropout, name="top_dropout")(x)
        activation = request.classifier_activation
        return layers.Dense(
            request.classes, activation=activation, kernel_initializer=DENSE_INITIALIZER, name="predictions"
        )(x)

    return head


def _variant(number: int) -> Callable[..., Model]:
    width, depth, size, dropout, top, no_top = _VARIANTS[number]
    return standard(
        f"EfficientNetB{number}",
        f"efficientnetb{number}",
        __name__,
        _body(width, depth),
        about=f"scaled in width, depth and picture size together; usual size {size} x {size}",
        paper="Tan and Le 2019, arXiv 1905.11946",
        size=size,
        head=_head(dropout),
        named_pools=True,
        pixels="It expects pixels of 0 to 255.",
        published=plain(f"efficientnetb{number}", "keras-applications", top, no_top),
    )


EfficientNetB0, EfficientNetB1, EfficientNetB2, EfficientNetB3 = (_variant(number) for number in range(4))
EfficientNetB4, EfficientNetB5, EfficientNetB6, EfficientNetB7 = (_variant(number) for number in range(4, 8))
preprocess_input = no_preprocessing
