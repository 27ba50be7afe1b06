"""InceptionV3. References: Keras ``applications.inception_v3``."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.blocks import channel_axis, conv, relu
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

# A branch is a row of steps: (filters, rows, columns) of a convolution, with a fourth entry "half" if it halves the
# picture; or the name of a pooling.
_POOLS = {
    "average": lambda: layers.AveragePooling2D(3, strides=1, padding="same"),
    "largest, half": lambda: layers.MaxPooling2D(3, strides=2),
}


def _conv_norm(x: Any, filters: int, rows: int, columns: int, how: str = "same") -> Any:
    strides, padding = (2, "valid") if how == "half" else (1, how)
    x = conv(x, filters, (rows, columns), strides=strides, padding=padding, use_bias=False)
    return relu(layers.BatchNormalization(axis=channel_axis(), scale=False)(x))


def _branch(x: Any, *steps: Any) -> Any:
    for step in steps:
        x = _POOLS[step]()(x) if isinstance(step, str) else _conv_norm(x, *step)
    return x


def _mixed(x: Any, name: str, *branches: tuple) -> Any:
    return layers.Concatenate(axis=channel_axis(), name=name)([_branch(x, *steps) for steps in branches])


def _fine(x: Any, name: str, pooled: int) -> Any:
    return _mixed(
        x,
        name,
        ((64, 1, 1),),
        ((48, 1, 1), (64, 5, 5)),
        ((64, 1, 1), (96, 3, 3), (96, 3, 3)),
        ("average", (pooled, 1, 1)),
    )


def _middle(x: Any, name: str, inner: int) -> Any:
    across, down = (inner, 1, 7), (inner, 7, 1)
    return _mixed(
        x,
        name,
        ((192, 1, 1),),
        ((inner, 1, 1), across, (192, 7, 1)),
        ((inner, 1, 1), down, across, down, (192, 1, 7)),
        ("average", (192, 1, 1)),
    )


def _coarse(x: Any, number: int) -> Any:
    axis = channel_axis()
    straight = _conv_norm(x, 320, 1, 1)
    single = _conv_norm(x, 384, 1, 1)
    single = _mixed(single, f"mixed9_{number}", ((384, 1, 3),), ((384, 3, 1),))
    double = _branch(x, (448, 1, 1), (384, 3, 3))
    double = layers.Concatenate(axis=axis)([_conv_norm(double, 384, 1, 3), _conv_norm(double, 384, 3, 1)])
    pooled = _branch(x, "average", (192, 1, 1))
    return layers.Concatenate(axis=axis, name=f"mixed{9 + number}")([straight, single, double, pooled])


def _body(x: Any) -> Any:
    x = _branch(x, (32, 3, 3, "half"), (32, 3, 3, "valid"), (64, 3, 3), "largest, half")
    x = _branch(x, (80, 1, 1, "valid"), (192, 3, 3, "valid"), "largest, half")
    for number, pooled in enumerate((32, 64, 64)):
        x = _fine(x, f"mixed{number}", pooled)
    x = _mixed(
        x,
        "mixed3",
        ((384, 3, 3, "half"),),
        ((64, 1, 1), (96, 3, 3), (96, 3, 3, "half")),
        ("largest, half",),
    )
    for number, inner in enumerate((128, 160, 160, 192), 4):
        x = _middle(x, f"mixed{number}", inner)
    x = _mixed(
        x,
        "mixed8",
        ((192, 1, 1), (320, 3, 3, "half")),
        ((192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, "half")),
        ("largest, half",),
    )
    return _coarse(_coarse(x, 0), 1)


InceptionV3 = standard(
    "InceptionV3",
    "inception_v3",
    __name__,
    lambda _request: _body,
    about="modules of parallel convolutions of several sizes",
    paper="Szegedy et al. 2016, arXiv 1512.00567",
    size=299,
    least=75,
    published=kernels(
        "inception_v3", "inception_v3", "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"
    ),
)
preprocess_input = preprocessing("tf")
