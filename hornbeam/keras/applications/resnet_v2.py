"""ResNet50V2, ResNet101V2, ResNet152V2. References: Keras ``applications.resnet_v2``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Body, Request
from hornbeam.keras.applications.blocks import conv
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.resnet import DEPTHS, norm_relu, stem, stem_pool
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

_HASHES = {
    50: ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    101: ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    152: ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def _block(x: Any, filters: int, stride: int, project: bool, name: str) -> Any:
    before = norm_relu(x, f"{name}_preact")
    if project:
        shortcut = conv(before, 4 * filters, strides=stride, name=f"{name}_0_conv")
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = norm_relu(conv(before, filters, use_bias=False, name=f"{name}_1_conv"), f"{name}_1")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = norm_relu(conv(x, filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv"), f"{name}_2")
    x = conv(x, 4 * filters, name=f"{name}_3_conv")
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _body(depths: tuple[int, ...]) -> Callable[[Request], Body]:
    def run(x: Any) -> Any:
        x = stem_pool(stem(x))
        for stage, depth in enumerate(depths):
            for index in range(depth):
                # Here the last block of a stage makes the picture smaller, except in the last stage.
                stride = 2 if stage < 3 and index == depth - 1 else 1
                x = _block(x, 64 * 2**stage, stride, index == 0, f"conv{stage + 2}_block{index + 1}")
        return norm_relu(x, "post")

    return lambda _request: run


def _variant(depth: int) -> Any:
    return standard(
        f"ResNet{depth}V2",
        f"resnet{depth}v2",
        __name__,
        _body(DEPTHS[depth]),
        about=f"residual network of {depth} layers, normalization before the convolutions",
        paper="He et al. 2016, arXiv 1603.05027",
        named_pools=True,
        published=kernels(f"resnet{depth}v2", "resnet", *_HASHES[depth]),
    )


ResNet50V2, ResNet101V2, ResNet152V2 = _variant(50), _variant(101), _variant(152)
preprocess_input = preprocessing("tf")
