"""ConvNeXtTiny, Small, Base, Large and XLarge. References: Keras ``applications.convnext``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.keras import initializers, layers
from hornbeam.keras import random as keras_random
from hornbeam.keras.applications.assembly import Request, assemble, refuse_channels_first, standard_input_shape
from hornbeam.keras.applications.blocks import conv
from hornbeam.keras.applications.imagenet_utils import decode_predictions, no_preprocessing
from hornbeam.keras.applications.variants import describe
from hornbeam.keras.applications.weight_files import plain
from hornbeam.keras.models.model import Model
from hornbeam.keras.models.sequential import Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

# Blocks per stage, filters of the first stage (each stage has twice those of the one before), hashes.
_VARIANTS = {
    "tiny": (
        (3, 3, 9, 3),
        96,
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "small": (
        (3, 3, 27, 3),
        96,
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "base": (
        (3, 3, 27, 3),
        128,
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "large": (
        (3, 3, 27, 3),
        192,
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "xlarge": (
        (3, 3, 27, 3),
        256,
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_NAMES = {"xlarge": "XLarge"}


class StochasticDepth(layers.Layer):
    """While training, leaves out whole samples of a residual branch; the others are divided by ``1 - rate``.

    Args:
        drop_path_rate: probability of leaving out, 0 to 1.

    Input shape: any, batch first.
    Output shape: that of the inputs.

    References: Huang et al. 2016, arXiv 1603.09382. Keras ``applications.convnext``.
    """

    pure = True

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = drop_path_rate
        self.seed_generator = keras_random.SeedGenerator()

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Inputs with some samples zero, or the inputs."""
        if not training:
            return inputs
        keep = 1 - self.drop_path_rate
        shape = (inputs.shape[0],) + (1,) * (len(inputs.shape) - 1)
        chosen = ops.floor(keep + keras_random.uniform(shape, dtype=inputs.dtype, seed=self.seed_generator))
        return inputs / keep * chosen

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "drop_path_rate": self.drop_path_rate}


class LayerScale(layers.Layer):
    """Multiplies each channel by a weight that starts small.

    Args:
        init_values: initial value of the weights.
        projection_dim: number of channels.

    Input shape: ``(..., projection_dim)``.
    Output shape: that of the inputs.

    References: Touvron et al. 2021, arXiv 2103.17239. Keras ``applications.convnext``.
    """

    pure = True

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any = None) -> None:
        """Create the weights."""
        self.gamma = self.add_weight(
            shape=(self.projection_dim,), initializer=initializers.Constant(self.init_values), trainable=True
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The product."""
        return inputs * self.gamma

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "init_values": self.init_values, "projection_dim": self.projection_dim}


def _norm(name: str | None = None) -> Any:
    return layers.LayerNormalization(epsilon=1e-6, name=name)


def _block(x: Any, filters: int, name: str) -> Any:
    branch = conv(x, filters, 7, padding="same", groups=filters, name=f"{name}_depthwise_conv")
    branch = _norm(f"{name}_layernorm")(branch)
    branch = layers.Dense(4 * filters, name=f"{name}_pointwise_conv_1")(branch)
    branch = layers.Activation("gelu", name=f"{name}_gelu")(branch)
    branch = layers.Dense(filters, name=f"{name}_pointwise_conv_2")(branch)
    branch = LayerScale(1e-6, filters, name=f"{name}_layer_scale")(branch)
    # The published models train with all paths; this is where StochasticDepth would stand.
    return x + layers.Activation("linear", name=f"{name}_identity")(branch)


def _normalization(name: str) -> Any:
    return layers.Normalization(
        mean=[mean * 255 for mean in _MEAN],
        variance=[(std * 255) ** 2 for std in _STD],
        name=f"{name}_prestem_normalization",
    )


def _entries(filters: list[int], name: str) -> list[Any]:
    """What stands before each stage: the stem, then layers that halve the picture."""
    stem = layers.Conv2D(filters[0], 4, strides=4, name=f"{name}_stem_conv")
    entries: list[Any] = [Sequential([stem, _norm(f"{name}_stem_layernorm")], name=f"{name}_stem")]
    for index in range(3):
        norm = _norm(f"{name}_downsampling_layernorm_{index}")
        halve = layers.Conv2D(filters[index + 1], 2, strides=2, name=f"{name}_downsampling_conv_{index}")
        entries.append(Sequential([norm, halve], name=f"{name}_downsampling_block_{index}"))
    return entries


def _body(variant: str, name: str, normalize: bool) -> Callable[[Any], Any]:
    depths, first = _VARIANTS[variant][:2]
    filters = [first * 2**stage for stage in range(4)]

    def run(x: Any) -> Any:
        if normalize:
            x = _normalization(name)(x)
        for stage, entry in enumerate(_entries(filters, name)):
            x = entry(x)
            for index in range(depths[stage]):
                x = _block(x, filters[stage], f"{name}_stage_{stage}_block_{index}")
        return x

    return run


def _head(x: Any, request: Request) -> Any:
    x = layers.GlobalAveragePooling2D(name=f"{request.name}_head_gap")(x)
    x = _norm(f"{request.name}_head_layernorm")(x)
    activation = request.classifier_activation
    return layers.Dense(request.classes, activation=activation, name=f"{request.name}_head_dense")(x)


def _variant(variant: str) -> Callable[..., Model]:
    owner, default_name = f"ConvNeXt{_NAMES.get(variant, variant.capitalize())}", f"convnext_{variant}"
    published = plain(default_name, "tensorflow/keras-applications/convnext", *_VARIANTS[variant][2:])

    def construct(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = default_name,
    ) -> Model:
        refuse_channels_first(owner)
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        request.check(owner)
        shape = standard_input_shape(owner, request, 224, 32)
        return assemble(
            request,
            _body(variant, name, include_preprocessing and shape[-1] == 3),
            shape=shape,
            head=_head,
            published=published,
            finish=lambda x: _norm()(x),
        )

    return describe(
        construct,
        owner,
        __name__,
        about="convolutions in the manner of transformers: large windows, few normalizations",
        pixels="It expects pixels of 0 to 255, or normalized ones with ``include_preprocessing=False``.",
        paper="Liu et al. 2022, arXiv 2201.03545",
        extra="""
        include_preprocessing: begin with a layer that normalizes pixels of 0 to 255.""",
    )


ConvNeXtTiny, ConvNeXtSmall, ConvNeXtBase = _variant("tiny"), _variant("small"), _variant("base")
ConvNeXtLarge, ConvNeXtXLarge = _variant("large"), _variant("xlarge")
preprocess_input = no_preprocessing
