"""ResNetRS50 to ResNetRS420. References: Keras 2 ``applications.resnet_rs``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hornbeam.base import names
from hornbeam.base.errors import explain
from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Body, Request, assemble, standard_input_shape
from hornbeam.keras.applications.blocks import CONV_INITIALIZER, channel_axis, conv, squeeze_excite
from hornbeam.keras.applications.imagenet_utils import decode_predictions, no_preprocessing
from hornbeam.keras.applications.variants import describe
from hornbeam.keras.applications.weight_files import Published, plain
from hornbeam.keras.models.model import Model

__all__ = [
    "ResNetRS",
    "ResNetRS50",
    "ResNetRS101",
    "ResNetRS152",
    "ResNetRS200",
    "ResNetRS270",
    "ResNetRS350",
    "ResNetRS420",
    "decode_predictions",
    "preprocess_input",
]

# Blocks per group, dropout before the classifier, dropout of whole branches.
_VARIANTS = {
    50: ((3, 4, 6, 3), 0.25, 0.0),
    101: ((3, 4, 23, 3), 0.25, 0.0),
    152: ((3, 8, 36, 3), 0.25, 0.0),
    200: ((3, 24, 36, 3), 0.25, 0.1),
    270: ((4, 29, 53, 4), 0.25, 0.1),
    350: ((4, 36, 72, 4), 0.4, 0.1),
    420: ((4, 44, 87, 4), 0.4, 0.1),
}
# Weights were published for several sizes of pictures.
_HASHES = {
    50: {
        160: ("69d9d925319f00a8bdd4af23c04e4102", "90daa68cd26c95aa6c5d25451e095529"),
    },
    101: {
        160: ("544b3434d00efc199d66e9058c7f3379", "82d5b90c5ce9d710da639d6216d0f979"),
        192: ("eb285be29ab42cf4835ff20a5e3b5d23", "f9a0f6b85faa9c3db2b6e233c4eebb5b"),
    },
    152: {
        192: ("8d72a301ed8a6f11a47c4ced4396e338", "5fbf7ac2155cb4d5a6180ee9e3aa8704"),
        224: ("31a46a92ab21b84193d0d71dd8c3d03b", "dc8b2cba2005552eafa3167f00dc2133"),
        256: ("ba6271b99bdeb4e7a9b15c05964ef4ad", "fa79794252dbe47c89130f65349d654a"),
    },
    200: {
        256: ("a76930b741884e09ce90fa7450747d5f", "bbdb3994718dfc0d1cd45d7eff3f3d9c"),
    },
    270: {
        256: ("20d575825ba26176b03cb51012a367a8", "2c42ecb22e35f3e23d2f70babce0a2aa"),
    },
    350: {
        256: ("f4a039dc3c421321b7fc240494574a68", "6e44b55025bbdff8f51692a023143d66"),
        320: ("7ccb858cc738305e8ceb3c0140bee393", "ab0c1f9079d2f85a9facbd2c88aa6079"),
    },
    420: {
        320: ("ae0eb9bed39e64fc8d7e0db4018dc7e8", "fe6217c32be8305b1889657172b98884"),
    },
}


@dataclass(frozen=True)
class _Style:
    """What all blocks of a network have in common."""

    momentum: float
    epsilon: float
    activation: Any
    se_ratio: float

    def norm(self, x: Any, name: str) -> Any:
        axis = channel_axis()
        return layers.BatchNormalization(axis=axis, momentum=self.momentum, epsilon=self.epsilon, name=name)(x)

    def activate(self, x: Any, name: str) -> Any:
        return layers.Activation(self.activation, name=name)(x)


def _conv(x: Any, filters: int, size: int, stride: int, name: str) -> Any:
    """Convolution whose padding does not depend on the size of the picture."""
    if stride > 1:
        x = layers.ZeroPadding2D(size // 2)(x)
    padding = "same" if stride == 1 else "valid"
    common = {"use_bias": False, "kernel_initializer": CONV_INITIALIZER}
    return conv(x, filters, size, strides=stride, padding=padding, name=name, **common)


def _stem(x: Any, style: _Style) -> Any:
    """Four 3x3 convolutions, the first and the last of stride 2."""
    name = f"stem_{names.uid('stem_')}_stem"
    for number, (filters, stride) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), 1):
        x = style.norm(_conv(x, filters, 3, stride, f"{name}_conv_{number}"), f"{name}_batch_norm_{number}")
        x = style.activate(x, f"{name}_act_{number}")
    return x


def _shortcut(x: Any, filters: int, stride: int, style: _Style, name: str) -> Any:
    if stride == 2:
        x = layers.AveragePooling2D(2, strides=2, padding="same", name=f"{name}_projection_pooling")(x)
    return style.norm(_conv(x, filters, 1, 1, f"{name}_projection_conv"), f"{name}_projection_batch_norm")


def _block(x: Any, filters: int, stride: int, project: bool, drop: float, style: _Style, name: str) -> Any:
    shortcut = _shortcut(x, 4 * filters, stride, style, name) if project else x
    # The name of the first normalization lacks an underscore in the published files.
    x = style.norm(_conv(x, filters, 1, 1, f"{name}_conv_1"), f"{name}batch_norm_1")
    x = style.activate(x, f"{name}_act_1")
    x = style.norm(_conv(x, filters, 3, stride, f"{name}_conv_2"), f"{name}_batch_norm_2")
    x = style.activate(x, f"{name}_act_2")
    x = style.norm(_conv(x, 4 * filters, 1, 1, f"{name}_conv_3"), f"{name}_batch_norm_3")
    if 0 < style.se_ratio < 1:
        squeezed = max(1, int(4 * filters * style.se_ratio))
        x = squeeze_excite(x, 4 * filters, squeezed, f"{name}_se_", activation="relu")
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    return style.activate(layers.Add()([x, shortcut]), f"{name}_output_act")


def _prepare(x: Any, channels: int | None) -> Any:
    """From pixels of 0 to 255 to the range the weights were trained on."""
    x = layers.Rescaling(scale=1.0 / 255)(x)
    if channels != 3:
        return x
    variance = [0.229**2, 0.224**2, 0.225**2]
    return layers.Normalization(mean=[0.485, 0.456, 0.406], variance=variance, axis=channel_axis())(x)


def _body(groups: Sequence[tuple[int, int]], style: _Style, drop_rate: float) -> Body:
    """Stem and groups of blocks; ``groups`` are filters and number of blocks."""

    def run(x: Any) -> Any:
        x = _stem(x, style)
        for group, (filters, count) in enumerate(groups):
            drop = drop_rate * (group + 2) / (len(groups) + 1)
            for index in range(count):
                stride = 2 if group > 0 and index == 0 else 1
                x = _block(x, filters, stride, index == 0, drop, style, f"BlockGroup{group + 2}__block_{index}_")
        return x

    return run


def _head(dropout_rate: float) -> Callable[[Any, Request], Any]:
    def head(x: Any, request: Request) -> Any:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        if dropout_rate > 0:
            x = layers.Dropout(dropout_rate, name="top_dropout")(x)
        return layers.Dense(request.classes, activation=request.classifier_activation, name="predictions")(x)

    return head


def _published(owner: str, depth: int, weights: Any) -> Published | None:
    """The files of ``"imagenet"`` (the largest pictures) or ``"imagenet-i160"``; None for other requests."""
    if not isinstance(weights, str) or not (weights == "imagenet" or weights.startswith("imagenet-i")):
        return None
    sizes = {f"imagenet-i{size}": size for size in _HASHES[depth]}
    size = max(sizes.values()) if weights == "imagenet" else sizes.get(weights)
    if size is None:
        raise ValueError(
            explain(
                f"{owner}: no weights were published for pictures of this size.",
                expected=f"'imagenet' or one of {list(sizes)}",
                received=f"weights={weights!r}",
            )
        )
    return plain(f"resnet-rs-{depth}-i{size}", "tensorflow/keras-applications/resnet_rs", *_HASHES[depth][size])


def ResNetRS(
    depth: int,
    input_shape: Any = None,
    bn_momentum: float = 0.0,
    bn_epsilon: float = 1e-5,
    activation: Any = "relu",
    se_ratio: float = 0.25,
    dropout_rate: float = 0.25,
    drop_connect_rate: float = 0.2,
    include_top: bool = True,
    block_args: Sequence[dict[str, int]] | None = None,
    model_name: str = "resnet-rs",
    pooling: str | None = None,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Model:
    """A network of this family with settings of one's own.

    Args:
        depth: which variant: 50, 101, 152, 200, 270, 350 or 420.
        input_shape: shape of the pictures without the batch axis.
        bn_momentum: momentum of the normalizations.
        bn_epsilon: epsilon of the normalizations.
        activation: activation of all blocks.
        se_ratio: width of squeeze-and-excite, as a share of the block's filters; none unless between 0 and 1.
        dropout_rate: rate of the dropout before the classifier.
        drop_connect_rate: rate at which the last blocks leave out their branch while training; earlier ones less.
        include_top: with the classifier at the end.
        block_args: ``{"input_filters": ..., "num_repeats": ...}`` for each group of blocks, in place of the variant's.
        model_name: name of the model.
        pooling: without the classifier: None, ``"avg"`` or ``"max"``.
        weights: ``"imagenet"``, ``"imagenet-i224"`` for the weights trained on pictures of that size, None for random
            ones, or the path of a weights file.
        input_tensor: symbolic tensor to build on.
        classes: number of classes.
        classifier_activation: activation of the classifier, None for logits.
        include_preprocessing: begin with layers that bring pixels of 0 to 255 into the range of the weights.

    Raises:
        ValueError: an unknown depth, or arguments that do not go together.

    References: Bello et al. 2021, arXiv 2103.07579. Keras 2 ``applications.resnet_rs``.
    """
    if depth not in _VARIANTS:
        raise ValueError(explain("ResNetRS: unknown depth.", expected=f"one of {list(_VARIANTS)}", received=f"{depth}"))
    owner = f"ResNetRS{depth}"
    published = _published(owner, depth, weights)
    weights = "imagenet" if published else weights
    request = Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, model_name
    )
    request.check(owner)
    # The classifier stands behind a mean over the picture: its weights fit pictures of any size.
    shape = standard_input_shape(owner, replace(request, weights=None), 224, 32)
    if block_args is None:
        groups = [(64 * 2**group, count) for group, count in enumerate(_VARIANTS[depth][0])]
    else:
        groups = [(group["input_filters"], group["num_repeats"]) for group in block_args]
    blocks = _body(groups, _Style(bn_momentum, bn_epsilon, activation, se_ratio), drop_connect_rate)
    channels = shape[channel_axis() - 1]

    def body(x: Any) -> Any:
        return blocks(_prepare(x, channels) if include_preprocessing else x)

    return assemble(request, body, shape=shape, head=_head(dropout_rate), named_pools=True, published=published)


def _variant(depth: int) -> Callable[..., Model]:
    _, dropout_rate, drop_connect_rate = _VARIANTS[depth]

    def construct(
        include_top: bool = True,
        weights: Any = "imagenet",
        classes: int = 1000,
        input_shape: Any = None,
        input_tensor: Any = None,
        pooling: str | None = None,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
    ) -> Model:
        return ResNetRS(
            depth,
            input_shape,
            dropout_rate=dropout_rate,
            drop_connect_rate=drop_connect_rate,
            include_top=include_top,
            model_name=f"resnet-rs-{depth}",
            pooling=pooling,
            weights=weights,
            input_tensor=input_tensor,
            classes=classes,
            classifier_activation=classifier_activation,
            include_preprocessing=include_preprocessing,
        )

    return describe(
        construct,
        f"ResNetRS{depth}",
        __name__,
        about=f"residual network of {depth} layers with squeeze-and-excite and newer training",
        pixels="It expects pixels of 0 to 255, or normalized ones with ``include_preprocessing=False``.",
        paper="Bello et al. 2021, arXiv 2103.07579",
        name_argument=None,
        extra="""
        include_preprocessing: begin with layers that bring pixels of 0 to 255 into the range of the weights.
            ``weights="imagenet-i160"`` takes the weights trained on pictures of that size, where there are several.""",
    )


ResNetRS50, ResNetRS101, ResNetRS152 = _variant(50), _variant(101), _variant(152)
ResNetRS200, ResNetRS270 = _variant(200), _variant(270)
ResNetRS350, ResNetRS420 = _variant(350), _variant(420)
preprocess_input = no_preprocessing
