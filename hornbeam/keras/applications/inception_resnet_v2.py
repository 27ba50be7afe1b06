"""InceptionResNetV2. References: Keras ``applications.inception_resnet_v2``."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.blocks import channel_axis, conv, relu
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

# Branches of convolutions: (filters, window), with a third entry "half" for stride 2 without padding.
_RESIDUAL = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}
_TO_17 = (((384, 3, "half"),), ((256, 1), (256, 3), (384, 3, "half")))
_TO_8 = (((256, 1), (384, 3, "half")), ((256, 1), (288, 3, "half")), ((256, 1), (288, 3), (320, 3, "half")))


class CustomScaleLayer(layers.Layer):
    """``first + second * scale``.

    Args:
        scale: factor of the second tensor.

    Input shape: list of two tensors of one shape.
    Output shape: that shape.

    References: Keras ``applications.inception_resnet_v2``.
    """

    pure = True

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        """The sum."""
        return inputs[0] + inputs[1] * self.scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The first shape."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "scale": self.scale}


def _conv_norm(x: Any, filters: int, window: Any, how: str = "same", name: str | None = None) -> Any:
    strides, padding = (2, "valid") if how == "half" else (1, how)
    x = conv(x, filters, window, strides=strides, padding=padding, use_bias=False, name=name)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False, name=name and f"{name}_bn")(x)
    return relu(x, name and f"{name}_ac")


def _branches(x: Any, branches: tuple) -> list[Any]:
    outputs = []
    for steps in branches:
        branch = x
        for step in steps:
            branch = _conv_norm(branch, *step)
        outputs.append(branch)
    return outputs


def _residual_block(x: Any, kind: str, number: int, scale: float, last: bool = False) -> Any:
    name = f"{kind}_{number}"
    mixed = layers.Concatenate(axis=channel_axis(), name=f"{name}_mixed")(_branches(x, _RESIDUAL[kind]))
    up = conv(mixed, x.shape[channel_axis()], padding="same", name=f"{name}_conv")
    x = CustomScaleLayer(scale)([x, up])
    return x if last else relu(x, f"{name}_ac")


def _reduction(x: Any, branches: tuple, name: str) -> Any:
    outputs = _branches(x, branches)
    outputs.append(layers.MaxPooling2D(3, strides=2)(x))
    return layers.Concatenate(axis=channel_axis(), name=name)(outputs)


def _body(x: Any) -> Any:
    x = _conv_norm(_conv_norm(_conv_norm(x, 32, 3, "half"), 32, 3, "valid"), 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = _conv_norm(_conv_norm(x, 80, 1, "valid"), 192, 3, "valid")
    x = layers.MaxPooling2D(3, strides=2)(x)
    outputs = _branches(x, (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3))))
    outputs.append(_conv_norm(layers.AveragePooling2D(3, strides=1, padding="same")(x), 64, 1))
    x = layers.Concatenate(axis=channel_axis(), name="mixed_5b")(outputs)
    for number in range(1, 11):
        x = _residual_block(x, "block35", number, 0.17)
    x = _reduction(x, _TO_17, "mixed_6a")
    for number in range(1, 21):
        x = _residual_block(x, "block17", number, 0.1)
    x = _reduction(x, _TO_8, "mixed_7a")
    for number in range(1, 10):
        x = _residual_block(x, "block8", number, 0.2)
    x = _residual_block(x, "block8", 10, 1.0, last=True)
    return _conv_norm(x, 1536, 1, name="conv_7b")


InceptionResNetV2 = standard(
    "InceptionResNetV2",
    "inception_resnet_v2",
    __name__,
    lambda _request: _body,
    about="inception modules with residual connections",
    paper="Szegedy et al. 2017, arXiv 1602.07261",
    size=299,
    least=75,
    published=kernels(
        "inception_resnet_v2",
        "inception_resnet_v2",
        "e693bd0210a403b3192acc6073ad2e96",
        "d19885ff4a710c122648d3b5c3b684e4",
    ),
)
preprocess_input = preprocessing("tf")
