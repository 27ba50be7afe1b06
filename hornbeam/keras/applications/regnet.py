"""RegNetX and RegNetY of 0.2 to 32 billion multiplications. References: Keras 2 ``applications.regnet``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam.base import names, notices
from hornbeam.base.errors import explain
from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Request, assemble, standard_input_shape
from hornbeam.keras.applications.blocks import channel_axis, conv
from hornbeam.keras.applications.imagenet_utils import decode_predictions, no_preprocessing
from hornbeam.keras.applications.variants import describe
from hornbeam.keras.applications.weight_files import Published, plain
from hornbeam.keras.models.model import Model
from hornbeam.keras.utils.graph import get_source_inputs, is_keras_tensor

__all__ = [
    "RegNet",
    "RegNetX002",
    "RegNetX004",
    "RegNetX006",
    "RegNetX008",
    "RegNetX016",
    "RegNetX032",
    "RegNetX040",
    "RegNetX064",
    "RegNetX080",
    "RegNetX120",
    "RegNetX160",
    "RegNetX320",
    "RegNetY002",
    "RegNetY004",
    "RegNetY006",
    "RegNetY008",
    "RegNetY016",
    "RegNetY032",
    "RegNetY040",
    "RegNetY064",
    "RegNetY080",
    "RegNetY120",
    "RegNetY160",
    "RegNetY320",
    "decode_predictions",
    "preprocess_input",
]

_Stages = tuple[tuple[int, ...], tuple[int, ...], int]
# Blocks per stage, filters per stage, filters per group; the first letter is the kind of the blocks.
_VARIANTS: dict[str, _Stages] = {
    "x002": ((1, 1, 4, 7), (24, 56, 152, 368), 8),
    "x004": ((1, 2, 7, 12), (32, 64, 160, 384), 16),
    "x006": ((1, 3, 5, 7), (48, 96, 240, 528), 24),
    "x008": ((1, 3, 7, 5), (64, 128, 288, 672), 16),
    "x016": ((2, 4, 10, 2), (72, 168, 408, 912), 24),
    "x032": ((2, 6, 15, 2), (96, 192, 432, 1008), 48),
    "x040": ((2, 5, 14, 2), (80, 240, 560, 1360), 40),
    "x064": ((2, 4, 10, 1), (168, 392, 784, 1624), 56),
    "x080": ((2, 5, 15, 1), (80, 240, 720, 1920), 120),
    "x120": ((2, 5, 11, 1), (224, 448, 896, 2240), 112),
    "x160": ((2, 6, 13, 1), (256, 512, 896, 2048), 128),
    "x320": ((2, 7, 13, 1), (336, 672, 1344, 2520), 168),
    "y002": ((1, 1, 4, 7), (24, 56, 152, 368), 8),
    "y004": ((1, 3, 6, 6), (48, 104, 208, 440), 8),
    "y006": ((1, 3, 7, 4), (48, 112, 256, 608), 16),
    "y008": ((1, 3, 8, 2), (64, 128, 320, 768), 16),
    "y016": ((2, 6, 17, 2), (48, 120, 336, 888), 24),
    "y032": ((2, 5, 13, 1), (72, 216, 576, 1512), 24),
    "y040": ((2, 6, 12, 2), (128, 192, 512, 1088), 64),
    "y064": ((2, 7, 14, 2), (144, 288, 576, 1296), 72),
    "y080": ((2, 4, 10, 1), (168, 448, 896, 2016), 56),
    "y120": ((2, 5, 11, 1), (224, 448, 896, 2240), 112),
    "y160": ((2, 4, 11, 1), (224, 448, 1232, 3024), 112),
    "y320": ((2, 5, 12, 1), (232, 696, 1392, 3712), 232),
}
_HASHES = {
    "x002": (
        "49fb46e56cde07fdaf57bffd851461a86548f6a3a4baef234dd37290b826c0b8",
        "5445b66cd50445eb7ecab094c1e78d4d3d29375439d1a7798861c4af15ffff21",
    ),
    "x004": (
        "3523c7f5ac0dbbcc2fd6d83b3570e7540f7449d3301cc22c29547302114e4088",
        "de139bf07a66c9256f2277bf5c1b6dd2d5a3a891a5f8a925a10c8a0a113fd6f3",
    ),
    "x006": (
        "340216ef334a7bae30daac9f414e693c136fac9ab868704bbfcc9ce6a5ec74bb",
        "a43ec97ad62f86b2a96a783bfdc63a5a54de02eef54f26379ea05e1bf90a9505",
    ),
    "x008": (
        "8f145d6a5fae6da62677bb8d26eb92d0b9dfe143ec1ebf68b24a57ae50a2763d",
        "3c7e4b0917359304dc18e644475c5c1f5e88d795542b676439c4a3acd63b7207",
    ),
    "x016": (
        "31c386f4c7bfef4c021a583099aa79c1b3928057ba1b7d182f174674c5ef3510",
        "1b8e3d545d190271204a7b2165936a227d26b79bb7922bac5ee4d303091bf17a",
    ),
    "x032": (
        "6c025df1409e5ea846375bc9dfa240956cca87ef57384d93fef7d6fa90ca8c7f",
        "9cd4522806c0fcca01b37874188b2bd394d7c419956d77472a4e072b01d99041",
    ),
    "x040": (
        "ba128046c588a26dbd3b3a011b26cb7fa3cf8f269c184c132372cb20b6eb54c1",
        "b4ed0ca0b9a98e789e05000e830403a7ade4d8afa01c73491c44610195198afe",
    ),
    "x064": (
        "0f4489c3cd3ad979bd6b0324213998bcb36dc861d178f977997ebfe53c3ba564",
        "3e706fa416a18dfda14c713423eba8041ae2509db3e0a611d5f599b5268a46c4",
    ),
    "x080": (
        "76320e43272719df648db37271a247c22eb6e810fe469c37a5db7e2cb696d162",
        "7b1ce8e29ceefec10a6569640ee329dba7fbc98b5d0f6346aabade058b66cf29",
    ),
    "x120": (
        "5cafc461b78897d5e4f24e68cb406d18e75f31105ef620e7682b611bb355eb3a",
        "36174ddd0299db04a42631d028abcb1cc7afec2b705e42bd28fcd325e5d596bf",
    ),
    "x160": (
        "8093f57a5824b181fb734ea21ae34b1f7ee42c5298e63cf6d587c290973195d2",
        "9d1485050bdf19531ffa1ed7827c75850e0f2972118a996b91aa9264b088fd43",
    ),
    "x320": (
        "91fb3e6f4e9e44b3687e80977f7f4412ee9937c0c704232664fc83e4322ea01e",
        "9db7eacc37b85c98184070e1a172e6104c00846f44bcd4e727da9e50d9692398",
    ),
    "y002": (
        "1e8091c674532b1a61c04f6393a9c570113e0197f22bd1b98cc4c4fe800c6465",
        "f63221f63d625b8e201221499682587bfe29d33f50a4c4f4d53be00f66c0f12c",
    ),
    "y004": (
        "752fdbad21c78911bf1dcb8c513e5a0e14697b068e5d9e73525dbaa416d18d8e",
        "45e6ba8309a17a77e67afc05228454b2e0ee6be0dae65edc0f31f1da10cc066b",
    ),
    "y006": (
        "98942e07b273da500ff9699a1f88aca78dfad4375faabb0bab784bb0dace80a9",
        "b70261cba4e60013c99d130cc098d2fce629ff978a445663b6fa4f8fc099a2be",
    ),
    "y008": (
        "1b099377cc9a4fb183159a6f9b24bc998e5659d25a449f40c90cbffcbcfdcae4",
        "b11f5432a216ee640fe9be6e32939defa8d08b8d136349bf3690715a98752ca1",
    ),
    "y016": (
        "b7ce1f5e223f0941c960602de922bcf846288ce7a4c33b2a4f2e4ac4b480045b",
        "d7404f50205e82d793e219afb9eb2bfeb781b6b2d316a6128c6d7d7dacab7f57",
    ),
    "y032": (
        "6a6a545cf3549973554c9b94f0cd40e25f229fffb1e7f7ac779a59dcbee612bd",
        "eb3ac1c45ec60f4f031c3f5180573422b1cf7bebc26c004637517372f68f8937",
    ),
    "y040": (
        "98d00118b335162bbffe8f1329e54e5c8e75ee09b2a5414f97b0ddfc56e796f6",
        "b5be2a5e5f072ecdd9c0b8a437cd896df0efa1f6a1f77e41caa8719b7dfcb05d",
    ),
    "y064": (
        "65c948c7a18aaecaad2d1bd4fd978987425604ba6669ef55a1faa0069a2804b7",
        "885c4b7ed7ea339daca7dafa1a62cb7d41b1068897ef90a5a3d71b4a2e2db31a",
    ),
    "y080": (
        "7a2c62da2982e369a4984d3c7c3b32d6f8d3748a71cb37a31156c436c37f3e95",
        "3d119577e1e3bf8d153b895e8ea9e4ec150ff2d92abdca711b6e949c3fd7115d",
    ),
    "y120": (
        "a96ab0d27d3ae35a422ee7df0d789069b3e3217a99334e0ce861a96595bc5986",
        "4a6fa387108380b730b71feea2ad80b5224b5ea9dc21dc156c93fe3c6186485c",
    ),
    "y160": (
        "45067240ffbc7ca2591313fee2f80dbdda6d66ec1a7451446f9a6d00d8f7ac6e",
        "ead1e6b568be8f34447ec8941299a9df4368736ba9a8205de5427fa20a1fb316",
    ),
    "y320": (
        "b05e173e4ae635cfa22d06392ee3741284d17dadfee68f2aa6fd8cb2b7561112",
        "cad78f74a586e24c61d38be17f3ae53bb9674380174d2585da1a526b8c20e1fd",
    ),
}


def _conv(x: Any, filters: int, name: str, size: int = 1, **options: Any) -> Any:
    return conv(x, filters, size, use_bias=False, kernel_initializer="he_normal", name=name, **options)


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(-1), momentum=0.9, epsilon=1e-5, name=name)(x)


def _conv_norm_relu(x: Any, filters: int, name: str, size: int = 1, **options: Any) -> Any:
    x = _norm(_conv(x, filters, name, size, **options), f"{name}_bn")
    return layers.ReLU(name=f"{name}_relu")(x)


def _stem(x: Any, name: str) -> Any:
    x = _norm(_conv(x, 32, f"{name}_stem_conv", 3, strides=2, padding="same"), f"{name}_stem_bn")
    return layers.ReLU(name=f"{name}_stem_relu")(x)


def _squeeze_excite(x: Any, filters: int, squeezed: int, name: str) -> Any:
    name = f"{name}_squeeze_and_excite"
    common = {"kernel_initializer": "he_normal"}
    se = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_gap")(x)
    se = conv(se, squeezed, activation="relu", name=f"{name}_squeeze", **common)
    se = conv(se, filters, activation="sigmoid", name=f"{name}_excite", **common)
    return layers.Multiply()([se, x])


def _block(x: Any, filters: int, group_width: int, squeezed: int | None, stride: int, name: str) -> Any:
    """One residual block; ``squeezed`` filters of squeeze-and-excite make an X block a Y block."""
    shortcut = x
    if stride != 1:
        shortcut = _norm(_conv(x, filters, f"{name}_skip_1x1", strides=stride), f"{name}_skip_bn")
    x = _conv_norm_relu(x, filters, f"{name}_conv_1x1_1")
    groups = max(1, filters // group_width)  # the first stage of RegNetX080 is narrower than its groups
    x = _conv_norm_relu(x, filters, f"{name}_conv_3x3", 3, strides=stride, groups=groups, padding="same")
    if squeezed is not None:
        x = _squeeze_excite(x, filters, squeezed, name)
    x = _norm(_conv(x, filters, f"{name}_conv_1x1_2"), f"{name}_conv_1x1_2_bn")
    return layers.ReLU(name=f"{name}_exit_relu")(layers.Add()([x, shortcut]))


def _body(stages: _Stages, kind: str, name: str, rescale: bool) -> Callable[[Any], Any]:
    depths, widths, group_width = stages

    def run(x: Any) -> Any:
        if rescale:
            x = layers.Rescaling(scale=1.0 / 255.0, name=f"{name}_prestem_rescaling")(x)
        x, before = _stem(x, name), 32
        for stage, (depth, filters) in enumerate(zip(depths, widths, strict=True)):
            for index in range(depth):
                squeezed = int(before * 0.25) if kind == "Y" else None
                label = f"{name}_Stage_{stage}_{kind}Block_{index}"
                x = _block(x, filters, group_width, squeezed, 1 if index else 2, label)
                before = filters
        return x

    return run


def _head(x: Any, request: Request) -> Any:
    # The published networks end with logits, whatever activation is asked for.
    number = names.uid("head")
    x = layers.GlobalAveragePooling2D(name=f"{number}_head_gap")(x)
    return layers.Dense(request.classes, name=f"{number}head_dense")(x)


def _start_at_the_source(owner: str, request: Request) -> None:
    """The body stands on the input that a given tensor comes from, without what lies between the two."""
    tensor = request.input_tensor
    if is_keras_tensor(tensor) and (source := get_source_inputs(tensor)[0]) is not tensor:
        notices.warn(
            f"{owner} begins at the input {source.name!r} that input_tensor comes from; the layers between them are "
            "left out. To keep them, build the model without input_tensor and call it on the tensor."
        )
        request.input_tensor = source


def _published(owner: str, stages: _Stages, kind: str) -> Published:
    for variant, known in _VARIANTS.items():
        if known == stages and variant[0].upper() == kind:
            return plain(f"regnet{variant}", "tensorflow/keras-applications/regnet", *_HASHES[variant])
    raise ValueError(
        explain(
            f"{owner}: no weights were published for this network.",
            expected="the depths, widths and group_width of a variant such as RegNetX002",
            received=f"depths={stages[0]}, widths={stages[1]}, group_width={stages[2]}, block_type={kind!r}",
            fix="pass weights=None",
        )
    )


def _build(owner: str, request: Request, stages: _Stages, kind: str, size: int, rescale: bool) -> Model:
    request.check(owner)
    published = _published(owner, stages, kind) if request.pretrained else None
    shape = standard_input_shape(owner, request, size, 32)
    _start_at_the_source(owner, request)
    if request.include_top and request.classifier_activation not in (None, "softmax"):
        notices.warn(
            f"{owner} ends with logits: classifier_activation={request.classifier_activation!r} is not applied. "
            "Apply it to the outputs."
        )
    body = _body(stages, kind, str(request.name), rescale)
    return assemble(request, body, shape=shape, head=_head, published=published)


def RegNet(
    depths: Sequence[int],
    widths: Sequence[int],
    group_width: int,
    block_type: str,
    default_size: int,
    model_name: str = "regnet",
    include_preprocessing: bool = True,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
) -> Model:
    """A network of this family with sizes of one's own; ``RegNetX002`` and the others say what the arguments mean.

    Args:
        depths: number of blocks of each of the four stages.
        widths: filters of each stage, multiples of ``group_width``.
        group_width: filters per group of the grouped convolutions.
        block_type: ``"X"``, or ``"Y"`` for blocks with squeeze-and-excite.
        default_size: usual height and width of the pictures.
        model_name: name of the model, and the first part of the layers' names.
        include_preprocessing: begin with a layer that maps pixels of 0 to 255 to 0 to 1.
        include_top: with the classifier at the end.
        weights: None, the path of a weights file, or ``"imagenet"`` for sizes that weights were published for.
        input_tensor: symbolic input to build on.
        input_shape: shape of the pictures without the batch axis.
        pooling: without the classifier: None, ``"avg"`` or ``"max"``.
        classes: number of classes.
        classifier_activation: None or ``"softmax"``; the outputs are logits with both.

    Raises:
        ValueError: other numbers of stages, another block type, arguments that do not go together.

    References: Radosavovic et al. 2020, arXiv 2003.13678. Keras 2 ``applications.regnet``.
    """
    if block_type not in ("X", "Y") or len(depths) != 4 or len(widths) != 4:
        raise ValueError(
            explain(
                "RegNet cannot be built of these stages.",
                expected="four depths, four widths, block_type 'X' or 'Y'",
                received=f"depths={depths}, widths={widths}, block_type={block_type!r}",
            )
        )
    stages = (tuple(depths), tuple(widths), group_width)
    request = Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, model_name
    )
    return _build("RegNet", request, stages, block_type, default_size, include_preprocessing)


def _variant(variant: str) -> Callable[..., Model]:
    owner, default_name = f"RegNet{variant.upper()}", f"regnet{variant}"

    def construct(
        model_name: str = default_name,
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
    ) -> Model:
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, model_name
        )
        return _build(owner, request, _VARIANTS[variant], variant[0].upper(), 224, include_preprocessing)

    return describe(
        construct,
        owner,
        __name__,
        about=f"sizes from a design space, for {int(variant[1:]) / 10:g} billion multiplications a picture",
        pixels="It expects pixels of 0 to 255, or of 0 to 1 with ``include_preprocessing=False``. As in Keras,\n"
        "        the classifier gives logits, and the model begins at the input that ``input_tensor`` comes from.",
        paper="Radosavovic et al. 2020, arXiv 2003.13678",
        name_argument="model_name",
        extra="""
        include_preprocessing: begin with a layer that maps pixels of 0 to 255 to 0 to 1.""",
    )


RegNetX002, RegNetX004, RegNetX006 = _variant("x002"), _variant("x004"), _variant("x006")
RegNetX008, RegNetX016, RegNetX032 = _variant("x008"), _variant("x016"), _variant("x032")
RegNetX040, RegNetX064, RegNetX080 = _variant("x040"), _variant("x064"), _variant("x080")
RegNetX120, RegNetX160, RegNetX320 = _variant("x120"), _variant("x160"), _variant("x320")
RegNetY002, RegNetY004, RegNetY006 = _variant("y002"), _variant("y004"), _variant("y006")
RegNetY008, RegNetY016, RegNetY032 = _variant("y008"), _variant("y016"), _variant("y032")
RegNetY040, RegNetY064, RegNetY080 = _variant("y040"), _variant("y064"), _variant("y080")
RegNetY120, RegNetY160, RegNetY320 = _variant("y120"), _variant("y160"), _variant("y320")
preprocess_input = no_preprocessing
