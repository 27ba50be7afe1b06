"""Blocks of the networks that turn pictures into pictures (Isola et al. 2017, appendix A).

References: ``tensorflow_examples.models.pix2pix.pix2pix``.
"""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import explain
from hornbeam.keras import Model, Sequential, layers
from hornbeam.keras.initializers import RandomNormal
from hornbeam.keras.ops import mean, rsqrt, square

__all__ = ["InstanceNormalization", "discriminator", "downsample", "unet_generator", "upsample"]


class InstanceNormalization(layers.Layer):
    """Brings each channel of each picture to mean 0 and variance 1, then scales and shifts it.

    Args:
        epsilon: added to the variance.
        **common: name, dtype.

    Input shape: (batch, height, width, channels).
    Output shape: the same.

    References: Ulyanov et al. 2016.
    """

    def __init__(self, epsilon: float = 1e-5, **common: Any) -> None:
        super().__init__(**common)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.scale = self.add_weight(
            name="scale", shape=shape, initializer=RandomNormal(mean=1.0, stddev=0.02), trainable=True
        )
        self.offset = self.add_weight(name="offset", shape=shape, initializer="zeros", trainable=True)

    def call(self, x: Any) -> Any:
        middle = mean(x, axis=(1, 2), keepdims=True)
        variance = mean(square(x - middle), axis=(1, 2), keepdims=True)
        return self.scale * ((x - middle) * rsqrt(variance + self.epsilon)) + self.offset

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


def _norm(norm_type: str) -> layers.Layer:
    kinds = {"batchnorm": layers.BatchNormalization, "instancenorm": InstanceNormalization}
    if norm_type.lower() not in kinds:
        raise ValueError(
            explain("Unknown `norm_type`.", expected=f"one of {tuple(kinds)}", received=f"norm_type={norm_type!r}")
        )
    return kinds[norm_type.lower()]()


def downsample(filters: int, size: int, norm_type: str = "batchnorm", apply_norm: bool = True) -> Sequential:
    """Half the height and width: convolution, normalisation, leaky ReLU.

    Args:
        filters: channels of the result.
        size: of the window, in pixels.
        norm_type: ``"batchnorm"`` or ``"instancenorm"``.
        apply_norm: False leaves the normalisation out.
    """
    block = Sequential()
    block.add(
        layers.Conv2D(filters, size, strides=2, padding="same", kernel_initializer=_small_normal(), use_bias=False)
    )
    if apply_norm:
        block.add(_norm(norm_type))
    block.add(layers.LeakyReLU())
    return block


def upsample(filters: int, size: int, norm_type: str = "batchnorm", apply_dropout: bool = False) -> Sequential:
    """Twice the height and width: transposed convolution, normalisation, dropout if wanted, ReLU.

    Args:
        filters: channels of the result.
        size: of the window, in pixels.
        norm_type: ``"batchnorm"`` or ``"instancenorm"``.
        apply_dropout: drop half of the values while training.
    """
    block = Sequential()
    block.add(
        layers.Conv2DTranspose(
            filters, size, strides=2, padding="same", kernel_initializer=_small_normal(), use_bias=False
        )
    )
    block.add(_norm(norm_type))
    if apply_dropout:
        block.add(layers.Dropout(0.5))
    block.add(layers.ReLU())
    return block


def _small_normal() -> RandomNormal:
    return RandomNormal(mean=0.0, stddev=0.02)


def unet_generator(output_channels: int, norm_type: str = "batchnorm") -> Model:
    """A U-Net of eight halvings and doublings; heights and widths must be multiples of 256.

    Args:
        output_channels: channels of the result, -1 to 1.
        norm_type: ``"batchnorm"`` or ``"instancenorm"``.
    """
    down = [downsample(64, 4, norm_type, apply_norm=False)]
    down += [downsample(filters, 4, norm_type) for filters in (128, 256, 512, 512, 512, 512, 512)]
    up = [upsample(512, 4, norm_type, apply_dropout=True) for _ in range(3)]
    up += [upsample(filters, 4, norm_type) for filters in (512, 256, 128, 64)]
    inputs = layers.Input(shape=[None, None, 3])
    x, skips = inputs, []
    for block in down:
        x = block(x)
        skips.append(x)
    for block, skip in zip(up, reversed(skips[:-1]), strict=True):
        x = layers.Concatenate()([block(x), skip])
    last = layers.Conv2DTranspose(
        output_channels, 4, strides=2, padding="same", kernel_initializer=_small_normal(), activation="tanh"
    )
    return Model(inputs=inputs, outputs=last(x))


def discriminator(norm_type: str = "batchnorm", target: bool = True) -> Model:
    """Judges patches of a picture: true or made (one logit for each).

    Args:
        norm_type: ``"batchnorm"`` or ``"instancenorm"``.
        target: also look at the picture that was wanted.
    """
    picture = layers.Input(shape=[None, None, 3], name="input_image")
    inputs, x = [picture], picture
    if target:
        wanted = layers.Input(shape=[None, None, 3], name="target_image")
        inputs, x = [picture, wanted], layers.concatenate([picture, wanted])
    x = downsample(64, 4, norm_type, apply_norm=False)(x)
    x = downsample(128, 4, norm_type)(x)
    x = downsample(256, 4, norm_type)(x)
    x = layers.ZeroPadding2D()(x)
    x = layers.Conv2D(512, 4, strides=1, kernel_initializer=_small_normal(), use_bias=False)(x)
    x = layers.LeakyReLU()(_norm(norm_type)(x))
    x = layers.ZeroPadding2D()(x)
    last = layers.Conv2D(1, 4, strides=1, kernel_initializer=_small_normal())(x)
    return Model(inputs=inputs if target else picture, outputs=last)
