"""MobileNetV3Small and MobileNetV3Large. References: Keras ``applications.mobilenet_v3``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from hornbeam.base.errors import explain
from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import (
    Request,
    assemble,
    check_agreement,
    picture_shape,
    rows_and_columns,
)
from hornbeam.keras.applications.blocks import channel_axis, conv, correct_pad, round_to_multiple
from hornbeam.keras.applications.imagenet_utils import decode_predictions, no_preprocessing
from hornbeam.keras.applications.mobilenet import check_alpha
from hornbeam.keras.applications.variants import describe
from hornbeam.keras.applications.weight_files import Published, WeightFile
from hornbeam.keras.models.model import Model

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

# Blocks: expansion, filters, window, stride, squeeze-and-excite, hard swish. Minimalistic models have windows of 3,
# no squeeze-and-excite and no hard swish anywhere.
_BLOCKS = {
    "small": (
        (1, 16, 3, 2, True, False),
        (72 / 16, 24, 3, 2, False, False),
        (88 / 24, 24, 3, 1, False, False),
        (4, 40, 5, 2, True, True),
        (6, 40, 5, 1, True, True),
        (6, 40, 5, 1, True, True),
        (3, 48, 5, 1, True, True),
        (3, 48, 5, 1, True, True),
        (6, 96, 5, 2, True, True),
        (6, 96, 5, 1, True, True),
        (6, 96, 5, 1, True, True),
    ),
    "large": (
        (1, 16, 3, 1, False, False),
        (4, 24, 3, 2, False, False),
        (3, 24, 3, 1, False, False),
        (3, 40, 5, 2, True, False),
        (3, 40, 5, 1, True, False),
        (3, 40, 5, 1, True, False),
        (6, 80, 3, 2, False, True),
        (2.5, 80, 3, 1, False, True),
        (2.3, 80, 3, 1, False, True),
        (2.3, 80, 3, 1, False, True),
        (6, 112, 3, 1, True, True),
        (6, 112, 3, 1, True, True),
        (6, 160, 5, 2, True, True),
        (6, 160, 5, 1, True, True),
        (6, 160, 5, 1, True, True),
    ),
}
_LAST_FILTERS = {"small": 1024, "large": 1280}
_HASHES = {
    "large_224_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(-1), momentum=0.999, epsilon=1e-3, name=name)(x)


def _relu(x: Any) -> Any:
    return layers.ReLU()(x)


def _hard_swish(x: Any) -> Any:
    return layers.Activation("hard_swish")(x)


def _squeeze_excite(x: Any, filters: int, name: str) -> Any:
    name = f"{name}squeeze_excite_"
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}avg_pool")(x)
    weights = conv(weights, round_to_multiple(filters * 0.25), padding="same", name=f"{name}conv")
    weights = layers.ReLU(name=f"{name}relu")(weights)
    weights = conv(weights, filters, padding="same", name=f"{name}conv_1")
    weights = layers.ReLU(6.0)(weights + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}mul")([x, weights])


def _block(
    x: Any,
    number: int,
    expansion: float,
    filters: int,
    window: int,
    stride: int,
    excite: bool,
    activation: Callable[[Any], Any],
) -> Any:
    before, channels = x, x.shape[channel_axis(-1)]
    wide = round_to_multiple(channels * expansion)
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    if number:
        x = conv(x, wide, padding="same", use_bias=False, name=f"{name}expand")
        x = activation(_norm(x, f"{name}expand_bn"))
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, window), name=f"{name}depthwise_pad")(x)
    x = layers.DepthwiseConv2D(
        window, strides=stride, padding="valid" if stride == 2 else "same", use_bias=False, name=f"{name}depthwise"
    )(x)
    x = activation(_norm(x, f"{name}depthwise_bn"))
    if excite:
        x = _squeeze_excite(x, wide, name)
    x = conv(x, filters, padding="same", use_bias=False, name=f"{name}project")
    x = _norm(x, f"{name}project_bn")
    return layers.Add(name=f"{name}add")([before, x]) if stride == 1 and channels == filters else x


def _body(kind: str, alpha: float, minimalistic: bool, include_preprocessing: bool) -> Callable[[Any], Any]:
    activation = _relu if minimalistic else _hard_swish

    def run(x: Any) -> Any:
        if include_preprocessing:
            x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
        x = conv(x, 16, 3, strides=2, padding="same", use_bias=False, name="conv")
        x = activation(_norm(x, "conv_bn"))
        for number, (expansion, filters, window, stride, excite, swish) in enumerate(_BLOCKS[kind]):
            x = _block(
                x,
                number,
                expansion,
                round_to_multiple(filters * alpha),
                3 if minimalistic else window,
                stride,
                excite and not minimalistic,
                activation if swish else _relu,
            )
        wide = round_to_multiple(x.shape[channel_axis(-1)] * 6)
        x = conv(x, wide, padding="same", use_bias=False, name="conv_1")
        return activation(_norm(x, "conv_1_bn"))

    return run


def _head(kind: str, alpha: float, minimalistic: bool, dropout_rate: float) -> Callable[[Any, Request], Any]:
    activation = _relu if minimalistic else _hard_swish
    filters = _LAST_FILTERS[kind]
    filters = round_to_multiple(filters * alpha) if alpha > 1.0 else filters

    def head(x: Any, request: Request) -> Any:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = activation(conv(x, filters, padding="same", name="conv_2"))
        if dropout_rate > 0:
            x = layers.Dropout(dropout_rate)(x)
        x = layers.Flatten()(conv(x, request.classes, padding="same", name="logits"))
        return layers.Activation(request.classifier_activation, name="predictions")(x)

    return head


def _shape(owner: str, request: Request) -> tuple:
    shape = request.input_shape
    if shape is None:
        rows = columns = None
        if request.input_tensor is not None:
            rows, columns = rows_and_columns(request.input_tensor.shape[1:])
        shape = picture_shape(rows, columns)
    rows, columns = rows_and_columns(shape)
    if rows and columns and (rows < 32 or columns < 32):
        raise ValueError(
            explain(
                f"{owner} cannot take pictures of this shape.",
                expected="height and width of at least 32",
                received=f"input_shape={tuple(shape)}",
            )
        )
    if request.pretrained and (rows != columns or rows != 224):
        warnings.warn(
            f"{owner}: weights were published for pictures of 224 x 224 pixels, not for {rows} x {columns}. They are "
            "taken all the same.",
            stacklevel=4,
        )
    return tuple(shape)


def _files(kind: str, alpha: float, minimalistic: bool) -> Published:
    folder = "tensorflow/keras-applications/mobilenet_v3"
    name = f"{kind}{'_minimalistic' if minimalistic else ''}_224_{float(alpha)}"
    stem, (top, no_top) = f"weights_mobilenet_v3_{name}_float", _HASHES[name]
    return Published(WeightFile(folder, f"{stem}.h5", top), WeightFile(folder, f"{stem}_no_top_v2.h5", no_top))


def _variant(kind: str) -> Callable[..., Model]:
    owner = f"MobileNetV3{kind.capitalize()}"

    def construct(
        input_shape: Any = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        classes: int = 1000,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str = owner,
    ) -> Model:
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        request.check(owner)
        check_agreement(owner, request)
        shape, published = _shape(owner, request), None
        if request.pretrained:
            check_alpha(owner, alpha, (1.0,) if minimalistic else (0.75, 1.0))
            published = _files(kind, alpha, minimalistic)
        body = _body(kind, alpha, minimalistic, include_preprocessing)
        head = _head(kind, alpha, minimalistic, dropout_rate)
        return assemble(request, body, shape=shape, head=head, named_pools=True, published=published)

    return describe(
        construct,
        owner,
        __name__,
        about="found by search, with squeeze-and-excite and hard swish, for small devices",
        pixels="It expects pixels of 0 to 255, or of -1 to 1 with ``include_preprocessing=False``.",
        paper="Howard et al. 2019, arXiv 1905.02244",
        extra="""
        alpha: width: factor of all filter counts.
        minimalistic: without squeeze-and-excite, hard swish and 5x5 convolutions.
        dropout_rate: rate of the dropout before the classifier.
        include_preprocessing: begin with a layer that maps pixels of 0 to 255 to -1 to 1.""",
    )


MobileNetV3Small, MobileNetV3Large = _variant("small"), _variant("large")
preprocess_input = no_preprocessing
