"""MobileNet. References: Keras ``applications.mobilenet``."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam.base.errors import explain
from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Request, assemble, rows_and_columns, standard_input_shape
from hornbeam.keras.applications.blocks import channel_axis, conv
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import describe, pixels_through
from hornbeam.keras.applications.weight_files import Published, WeightFile
from hornbeam.keras.models.model import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

_SIZES = (128, 160, 192, 224)
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
# Filters and stride of the blocks after the first convolution.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


def usual_size(shape: Any, sizes: tuple[int, ...]) -> int:
    """Height of a square picture of one of the published sizes, else 224."""
    if shape is None:
        return 224
    rows, columns = rows_and_columns(shape)
    return rows if rows == columns and rows in sizes else 224


def published_rows(owner: str, shape: Any, sizes: tuple[int, ...]) -> int:
    """Picture size of the weight file to take; warns if it is not that of the pictures."""
    rows, columns = rows_and_columns(shape)
    if rows == columns and rows in sizes:
        return rows
    warnings.warn(
        f"{owner}: weights were published for square pictures of {sizes} pixels, not for input_shape={tuple(shape)}. "
        "Those for 224 are taken.",
        stacklevel=3,
    )
    return 224


def check_alpha(owner: str, alpha: float, known: Any) -> None:
    """Raise ValueError if no weights were published for that width."""
    if alpha not in known:
        raise ValueError(
            explain(
                f"{owner}: no weights were published for this width.",
                expected=f"alpha one of {tuple(known)} with weights='imagenet'",
                received=f"alpha={alpha}",
                fix="pass weights=None to train from random weights",
            )
        )


def _norm_relu(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(axis=channel_axis(-1), name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _block(x: Any, number: int, filters: int, stride: int, depth_multiplier: int) -> Any:
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="valid" if stride == 2 else "same",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = _norm_relu(x, f"conv_dw_{number}")
    x = conv(x, filters, padding="same", use_bias=False, name=f"conv_pw_{number}")
    return _norm_relu(x, f"conv_pw_{number}")


def _files(alpha: float, rows: int) -> Published:
    folder, stem = "tensorflow/keras-applications/mobilenet", f"mobilenet_{_ALPHAS[alpha]}_{rows}_tf"
    return Published(WeightFile(folder, f"{stem}.h5"), WeightFile(folder, f"{stem}_no_top.h5"))


def _check_pretrained(alpha: float, depth_multiplier: int) -> None:
    check_alpha("MobileNet", alpha, _ALPHAS)
    if depth_multiplier != 1:
        raise ValueError(
            explain(
                "MobileNet: weights were published for one filter per channel only.",
                expected="depth_multiplier=1 with weights='imagenet'",
                received=f"depth_multiplier={depth_multiplier}",
            )
        )


def _construct(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    request.check("MobileNet")
    shape = standard_input_shape("MobileNet", request, usual_size(input_shape, _SIZES), 32)
    rows, published = rows_and_columns(shape)[0], None
    if request.pretrained:
        _check_pretrained(alpha, depth_multiplier)
        rows = published_rows("MobileNet", shape, _SIZES)
        published = _files(alpha, rows)
    request.name = name or f"mobilenet_{alpha:0.2f}_{rows}"

    def body(x: Any) -> Any:
        x = conv(x, int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")
        x = _norm_relu(x, "conv1")
        for number, (filters, stride) in enumerate(_BLOCKS, 1):
            x = _block(x, number, int(filters * alpha), stride, depth_multiplier)
        return x

    def head(x: Any, request: Request) -> Any:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = conv(x, request.classes, padding="same", name="conv_preds")
        x = layers.Reshape((request.classes,), name="reshape_2")(x)
        return layers.Activation(request.classifier_activation, name="predictions")(x)

    return assemble(request, body, shape=shape, head=head, published=published)


MobileNet = describe(
    _construct,
    "MobileNet",
    __name__,
    about="depthwise separable convolutions, for small devices",
    pixels=pixels_through(__name__),
    paper="Howard et al. 2017, arXiv 1704.04861",
    extra="""
        alpha: width: factor of all filter counts.
        depth_multiplier: filters per channel of the depthwise convolutions.
        dropout: rate of the dropout before the classifier.""",
)
preprocess_input = preprocessing("tf")
