"""DenseNet121, DenseNet169, DenseNet201. References: Keras ``applications.densenet``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Body, Request, refuse_channels_first
from hornbeam.keras.applications.blocks import conv, relu
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.resnet import norm, norm_relu
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_GROWTH = 32
_VARIANTS = {
    121: ((6, 12, 24, 16), "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    169: ((6, 12, 32, 32), "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    201: ((6, 12, 48, 32), "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def _block(x: Any, name: str) -> Any:
    new = conv(norm_relu(x, f"{name}_0"), 4 * _GROWTH, use_bias=False, name=f"{name}_1_conv")
    new = conv(norm_relu(new, f"{name}_1"), _GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")
    return layers.Concatenate(axis=3, name=f"{name}_concat")([x, new])


def _body(depths: tuple[int, ...]) -> Callable[[Request], Body]:
    def run(x: Any) -> Any:
        x = conv(layers.ZeroPadding2D(3)(x), 64, 7, strides=2, use_bias=False, name="conv1_conv")
        x = layers.ZeroPadding2D(1)(norm_relu(x, "conv1"))
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        for stage, depth in enumerate(depths, 2):
            for index in range(1, depth + 1):
                x = _block(x, f"conv{stage}_block{index}")
            if stage < 5:
                x = norm_relu(x, f"pool{stage}")
                x = conv(x, x.shape[3] // 2, use_bias=False, name=f"pool{stage}_conv")
                x = layers.AveragePooling2D(2, strides=2, name=f"pool{stage}_pool")(x)
        return relu(norm(x, "bn"), "relu")

    return lambda _request: run


def _variant(depth: int) -> Any:
    depths, top, no_top = _VARIANTS[depth]
    return standard(
        f"DenseNet{depth}",
        f"densenet{depth}",
        __name__,
        _body(depths),
        about=f"{depth} layers, each of which sees the outputs of all before it in its stage",
        paper="Huang et al. 2017, arXiv 1608.06993",
        named_pools=True,
        before=refuse_channels_first,
        published=kernels(f"densenet{depth}", "densenet", top, no_top),
    )


DenseNet121, DenseNet169, DenseNet201 = _variant(121), _variant(169), _variant(201)
preprocess_input = preprocessing("torch")
