"""NASNetMobile and NASNetLarge. References: Keras ``applications.nasnet``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hornbeam.base.errors import explain
from hornbeam.core.scopes import name_scope
from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import (
    Request,
    assemble,
    average_head,
    refuse_channels_first,
    standard_input_shape,
)
from hornbeam.keras.applications.blocks import conv, correct_pad, relu
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import describe, pixels_through
from hornbeam.keras.applications.weight_files import Published, WeightFile
from hornbeam.keras.models.model import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


class _Variant(NamedTuple):
    filters: int
    blocks: int
    stem_filters: int
    skip_reduction: bool
    size: int
    top: str
    no_top: str


_VARIANTS = {
    "mobile": _Variant(
        1056 // 24, 4, 32, False, 224, "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"
    ),
    "large": _Variant(
        4032 // 24, 6, 96, True, 331, "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"
    ),
}


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=-1, momentum=0.9997, epsilon=1e-3, name=name)(x)


def _project(x: Any, filters: int, name: str) -> Any:
    return conv(x, filters, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)


def _average(x: Any, name: str) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _add(x: Any, y: Any, name: str | None = None) -> Any:
    return layers.Add(name=name)([x, y])


def _separable(x: Any, filters: int, window: int, name: str, stride: int = 1) -> Any:
    """Twice: ReLU, separable convolution, normalization."""
    with name_scope(f"separable_conv_block_{name}"):
        for index in (1, 2):
            x = relu(x)
            halve = stride == 2 and index == 1
            if halve:
                x = layers.ZeroPadding2D(correct_pad(x, window), name=f"separable_conv_1_pad_{name}")(x)
            x = layers.SeparableConv2D(
                filters,
                window,
                strides=2 if halve else 1,
                padding="valid" if halve else "same",
                use_bias=False,
                name=f"separable_conv_{index}_{name}",
            )(x)
            x = _norm(x, f"separable_conv_{index}_bn_{name}")
    return x


def _halved(x: Any, filters: int, name: str) -> Any:
    """The picture and the picture moved by one pixel, each at half the size."""
    x = relu(x, f"adjust_relu_1_{name}")
    halves = []
    for index in (1, 2):
        half = x
        if index == 2:
            half = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
        half = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{index}_{name}")(half)
        halves.append(_project(half, filters // 2, f"adjust_conv_{index}_{name}"))
    return _norm(layers.Concatenate(axis=-1)(halves), f"adjust_bn_{name}")


def _adjusted(before: Any, x: Any, filters: int, name: str) -> Any:
    """The output of the cell before the last, brought to the size of the last cell's."""
    with name_scope("adjust_block"):
        if before is None:
            return x
        if before.shape[-2] != x.shape[-2]:
            with name_scope(f"adjust_reduction_block_{name}"):
                return _halved(before, filters, name)
        if before.shape[-1] != filters:
            with name_scope(f"adjust_projection_block_{name}"):
                before = _project(relu(before), filters, f"adjust_conv_projection_{name}")
                return _norm(before, f"adjust_bn_{name}")
    return before


def _normal_cell(x: Any, before: Any, filters: int, name: str) -> Any:
    with name_scope(f"normal_A_block_{name}"):
        p = _adjusted(before, x, filters, name)
        h = _norm(_project(relu(x), filters, f"normal_conv_1_{name}"), f"normal_bn_1_{name}")
        parts = [p]
        for index, left in ((1, h), (2, p)):
            with name_scope(f"block_{index}"):
                first = _separable(left, filters, 5, f"normal_left{index}_{name}")
                second = _separable(p, filters, 3, f"normal_right{index}_{name}")
                parts.append(_add(first, second, f"normal_add_{index}_{name}"))
        with name_scope("block_3"):
            parts.append(_add(_average(h, f"normal_left3_{name}"), p, f"normal_add_3_{name}"))
        with name_scope("block_4"):
            first, second = _average(p, f"normal_left4_{name}"), _average(p, f"normal_right4_{name}")
            parts.append(_add(first, second, f"normal_add_4_{name}"))
        with name_scope("block_5"):
            parts.append(_add(_separable(h, filters, 3, f"normal_left5_{name}"), h, f"normal_add_5_{name}"))
        return layers.Concatenate(axis=-1, name=f"normal_concat_{name}")(parts)


def _reduction_cell(x: Any, before: Any, filters: int, name: str) -> Any:
    with name_scope(f"reduction_A_block_{name}"):
        p = _adjusted(before, x, filters, name)
        h = _norm(_project(relu(x), filters, f"reduction_conv_1_{name}"), f"reduction_bn_1_{name}")
        padded = layers.ZeroPadding2D(correct_pad(h, 3), name=f"reduction_pad_1_{name}")(h)
        with name_scope("block_1"):
            first = _separable(h, filters, 5, f"reduction_left1_{name}", 2)
            second = _separable(p, filters, 7, f"reduction_right1_{name}", 2)
            one = _add(first, second, f"reduction_add_1_{name}")
        with name_scope("block_2"):
            first = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
            second = _separable(p, filters, 7, f"reduction_right2_{name}", 2)
            two = _add(first, second, f"reduction_add_2_{name}")
        with name_scope("block_3"):
            first = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
            second = _separable(p, filters, 5, f"reduction_right3_{name}", 2)
            three = _add(first, second, f"reduction_add3_{name}")
        with name_scope("block_4"):
            four = _add(two, _average(one, f"reduction_left4_{name}"))
        with name_scope("block_5"):
            first = _separable(one, filters, 3, f"reduction_left4_{name}")
            second = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
            five = _add(first, second, f"reduction_add4_{name}")
        return layers.Concatenate(axis=-1, name=f"reduction_concat_{name}")([two, three, four, five])


def _body(variant: _Variant) -> Callable[[Any], Any]:
    filters, blocks = variant.filters, variant.blocks

    def run(x: Any) -> Any:
        x = conv(
            x,
            variant.stem_filters,
            3,
            strides=2,
            use_bias=False,
            kernel_initializer="he_normal",
            name="stem_conv1",
        )
        x, before = _norm(x, "stem_bn1"), None
        x, before = _reduction_cell(x, before, filters // 4, "stem_1"), x
        x, before = _reduction_cell(x, before, filters // 2, "stem_2"), x
        for stage in range(3):
            if stage:
                reduced = _reduction_cell(x, before, filters * 2**stage, f"reduce_{stage * blocks}")
                # The large network hands the cell before the last on as it was.
                x, before = reduced, before if variant.skip_reduction else x
            first = stage * blocks + (1 if stage else 0)
            for number in range(first, first + blocks):
                x, before = _normal_cell(x, before, filters * 2**stage, f"{number}"), x
        return relu(x)

    return run


def _check_static(owner: str, request: Request) -> None:
    if request.pretrained and request.input_shape is not None and None in tuple(request.input_shape):
        raise ValueError(
            explain(
                f"{owner} takes the published weights for known picture sizes only.",
                expected="an input_shape without None",
                received=f"input_shape={request.input_shape}",
            )
        )


def _variant(kind: str) -> Callable[..., Model]:
    owner, variant = f"NASNet{kind.capitalize()}", _VARIANTS[kind]
    folder = "tensorflow/keras-applications/nasnet"
    published = Published(
        WeightFile(folder, f"NASNet-{kind}.h5", variant.top, f"nasnet_{kind}.h5"),
        WeightFile(folder, f"NASNet-{kind}-no-top.h5", variant.no_top, f"nasnet_{kind}_no_top.h5"),
    )

    def construct(
        input_shape: Any = None,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = f"nasnet_{kind}",
    ) -> Model:
        refuse_channels_first(owner)
        if kind == "mobile" and not include_top and input_shape is None:
            input_shape = (224, 224, 3)
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        request.check(owner)
        _check_static(owner, request)
        shape = standard_input_shape(owner, request, variant.size, 32)
        return assemble(request, _body(variant), shape=shape, head=average_head(None), published=published)

    return describe(
        construct,
        owner,
        __name__,
        about=f"cells found by search; usual size {variant.size} x {variant.size}",
        pixels=pixels_through(__name__),
        paper="Zoph et al. 2018, arXiv 1707.07012",
    )


NASNetMobile, NASNetLarge = _variant("mobile"), _variant("large")
preprocess_input = preprocessing("tf")
