"""ResNet50, ResNet101 and ResNet152. References: Keras ``applications.resnet``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Body, Request
from hornbeam.keras.applications.blocks import channel_axis, conv, relu
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_HASHES = {
    50: ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    101: ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    152: ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
}


def norm(x: Any, name: str) -> Any:
    """Batch normalization with the epsilon of the residual networks."""
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def norm_relu(x: Any, name: str) -> Any:
    """Batch normalization, then ReLU."""
    return relu(norm(x, f"{name}_bn"), f"{name}_relu")


def stem(x: Any) -> Any:
    """7x7 convolution of stride 2."""
    return conv(layers.ZeroPadding2D(3, name="conv1_pad")(x), 64, 7, strides=2, name="conv1_conv")


def stem_pool(x: Any) -> Any:
    """3x3 pooling of stride 2."""
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(layers.ZeroPadding2D(1, name="pool1_pad")(x))


def _block(x: Any, filters: int, stride: int, project: bool, name: str) -> Any:
    shortcut = x
    if project:
        shortcut = norm(conv(x, 4 * filters, strides=stride, name=f"{name}_0_conv"), f"{name}_0_bn")
    x = norm_relu(conv(x, filters, strides=stride, name=f"{name}_1_conv"), f"{name}_1")
    x = norm_relu(conv(x, filters, 3, padding="same", name=f"{name}_2_conv"), f"{name}_2")
    x = norm(conv(x, 4 * filters, name=f"{name}_3_conv"), f"{name}_3_bn")
    return relu(layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _body(depths: tuple[int, ...]) -> Callable[[Request], Body]:
    def run(x: Any) -> Any:
        x = stem_pool(norm_relu(stem(x), "conv1"))
        for stage, depth in enumerate(depths):
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1
                x = _block(x, 64 * 2**stage, stride, index == 0, f"conv{stage + 2}_block{index + 1}")
        return x

    return lambda _request: run


def _variant(depth: int) -> Any:
    return standard(
        f"ResNet{depth}",
        f"resnet{depth}",
        __name__,
        _body(DEPTHS[depth]),
        about=f"residual network of {depth} layers",
        paper="He et al. 2015, arXiv 1512.03385",
        named_pools=True,
        published=kernels(f"resnet{depth}", "resnet", *_HASHES[depth]),
    )


ResNet50, ResNet101, ResNet152 = _variant(50), _variant(101), _variant(152)
preprocess_input = preprocessing("caffe")
