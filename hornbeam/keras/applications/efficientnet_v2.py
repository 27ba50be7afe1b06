"""EfficientNetV2B0 to B3, S, M and L. References: Keras ``applications.efficientnet_v2``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hornbeam.keras import initializers, layers
from hornbeam.keras.applications.assembly import Request, assemble, standard_input_shape
from hornbeam.keras.applications.blocks import (
    CONV_INITIALIZER,
    DENSE_INITIALIZER,
    channel_axis,
    conv,
    squeeze_excite,
)
from hornbeam.keras.applications.imagenet_utils import decode_predictions, no_preprocessing
from hornbeam.keras.applications.variants import describe
from hornbeam.keras.applications.weight_files import plain
from hornbeam.keras.models.model import Model

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

# Blocks, filters in, filters out, expansion, stride, fused; windows are 3 everywhere. Fused blocks have one ordinary
# convolution in place of a 1x1 and a depthwise one, and no squeeze-and-excite.
_BASE = (
    (1, 32, 16, 1, 1, True),
    (2, 16, 32, 4, 2, True),
    (2, 32, 48, 4, 2, True),
    (3, 48, 96, 4, 2, False),
    (5, 96, 112, 6, 1, False),
    (8, 112, 192, 6, 2, False),
)
_STAGES = {
    "s": (
        (2, 24, 24, 1, 1, True),
        (4, 24, 48, 4, 2, True),
        (4, 48, 64, 4, 2, True),
        (6, 64, 128, 4, 2, False),
        (9, 128, 160, 6, 1, False),
        (15, 160, 256, 6, 2, False),
    ),
    "m": (
        (3, 24, 24, 1, 1, True),
        (5, 24, 48, 4, 2, True),
        (5, 48, 80, 4, 2, True),
        (7, 80, 160, 4, 2, False),
        (14, 160, 176, 6, 1, False),
        (18, 176, 304, 6, 2, False),
        (5, 304, 512, 6, 1, False),
    ),
    "l": (
        (4, 32, 32, 1, 1, True),
        (7, 32, 64, 4, 2, True),
        (7, 64, 96, 4, 2, True),
        (10, 96, 192, 4, 2, False),
        (19, 192, 224, 6, 1, False),
        (25, 224, 384, 6, 2, False),
        (7, 384, 640, 6, 1, False),
    ),
}
# Width, depth, picture size, hashes.
_VARIANTS = {
    "b0": (1.0, 1.0, 224, "21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "b1": (1.0, 1.1, 240, "069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "b2": (1.1, 1.2, 260, "424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "b3": (1.2, 1.4, 300, "1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "s": (1.0, 1.0, 384, "e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "m": (1.0, 1.0, 480, "a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "l": (1.0, 1.0, 480, "27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}
_DROPOUT = _DROP_CONNECT = 0.2


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(), momentum=0.9, name=f"{name}bn")(x)


def _norm_swish(x: Any, name: str) -> Any:
    return layers.Activation("swish", name=f"{name}activation")(_norm(x, name))


def _bare_conv(x: Any, filters: int, name: str, window: int = 1, stride: int = 1) -> Any:
    return conv(
        x,
        filters,
        window,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=CONV_INITIALIZER,
        name=f"{name}conv",
    )


def _depthwise_block(x: Any, name: str, filters_in: int, filters_out: int, expansion: int, stride: int) -> Any:
    wide = filters_in * expansion
    if expansion != 1:
        x = _norm_swish(_bare_conv(x, wide, f"{name}expand_"), f"{name}expand_")
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=CONV_INITIALIZER,
        name=f"{name}dwconv2",
    )(x)
    x = squeeze_excite(_norm_swish(x, name), wide, max(1, int(filters_in * 0.25)), name)
    return _norm(_bare_conv(x, filters_out, f"{name}project_"), f"{name}project_")


def _fused_block(x: Any, name: str, filters_in: int, filters_out: int, expansion: int, stride: int) -> Any:
    last = f"{name}project_"
    if expansion == 1:
        return _norm_swish(_bare_conv(x, filters_out, last, 3, stride), last)
    x = _bare_conv(x, filters_in * expansion, f"{name}expand_", 3, stride)
    x = _norm_swish(x, f"{name}expand_")
    return _norm(_bare_conv(x, filters_out, last), last)


def _prepare(x: Any, basic: bool, channels: int | None) -> Any:
    """From pixels of 0 to 255 to the range the weights were trained on."""
    if basic and channels == 3:
        x = layers.Rescaling(scale=1.0 / 255)(x)
        variance = [0.229**2, 0.224**2, 0.225**2]
        return layers.Normalization(mean=[0.485, 0.456, 0.406], variance=variance, axis=channel_axis())(x)
    return layers.Rescaling(scale=1.0 / 128.0, offset=-1)(x)


def _body(variant: str, channels: int | None, include_preprocessing: bool) -> Callable[[Any], Any]:
    width, depth = _VARIANTS[variant][:2]
    stages = _STAGES.get(variant, _BASE)

    def scaled(filters: int) -> int:
        return max(8, int(filters * width + 4) // 8 * 8)

    def run(x: Any) -> Any:
        if include_preprocessing:
            x = _prepare(x, variant.startswith("b"), channels)
        x = _norm_swish(_bare_conv(x, scaled(stages[0][1]), "stem_", 3, 2), "stem_")
        total, number = sum(stage[0] for stage in stages), 0
        for stage, (count, filters_in, filters_out, expansion, stride, fused) in enumerate(stages, 1):
            block = _fused_block if fused else _depthwise_block
            for index in range(math.ceil(depth * count)):
                name = f"block{stage}{chr(ord('a') + index)}_"
                start, end = scaled(filters_in if index == 0 else filters_out), scaled(filters_out)
                step = stride if index == 0 else 1
                before, x = x, block(x, name, start, end, expansion, step)
                if step == 1 and start == end:
                    drop = _DROP_CONNECT * number / total
                    if drop:
                        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
                    x = layers.Add(name=f"{name}add")([x, before])
                number += 1
        return _norm_swish(_bare_conv(x, scaled(1280), "top_"), "top_")

    return run


def _head(x: Any, request: Request) -> Any:
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(_DROPOUT, name="top_dropout")(x)
    return layers.Dense(
        request.classes,
        activation=request.classifier_activation,
        kernel_initializer=DENSE_INITIALIZER,
        bias_initializer=initializers.Constant(0.0),
        name="predictions",
    )(x)


def _variant(variant: str) -> Callable[..., Model]:
    size, top, no_top = _VARIANTS[variant][2:]
    owner, default_name = f"EfficientNetV2{variant.upper()}", f"efficientnetv2-{variant}"
    published = plain(default_name, "tensorflow/keras-applications/efficientnet_v2", top, no_top)

    def construct(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str = default_name,
    ) -> Model:
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        request.check(owner)
        shape = standard_input_shape(owner, request, size, 32)
        body = _body(variant, shape[channel_axis() - 1], include_preprocessing)
        return assemble(request, body, shape=shape, head=_head, named_pools=True, published=published)

    return describe(
        construct,
        owner,
        __name__,
        about=f"smaller and quicker to train than the first version; usual size {size} x {size}",
        pixels="It expects pixels of 0 to 255, or of -1 to 1 with ``include_preprocessing=False``.",
        paper="Tan and Le 2021, arXiv 2104.00298",
        extra="""
        include_preprocessing: begin with layers that bring pixels of 0 to 255 into the range of the weights.""",
    )


EfficientNetV2B0, EfficientNetV2B1 = _variant("b0"), _variant("b1")
EfficientNetV2B2, EfficientNetV2B3 = _variant("b2"), _variant("b3")
EfficientNetV2S, EfficientNetV2M, EfficientNetV2L = _variant("s"), _variant("m"), _variant("l")
preprocess_input = no_preprocessing
