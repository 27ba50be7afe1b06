"""Well-known image networks, with or without published weights, and what belongs to them.

References: Keras ``keras.applications``.
"""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry

_HOMES: dict[str, tuple[str, ...]] = {
    "convnext": ("ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge"),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{number}" for number in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "imagenet_utils": (),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "regnet": tuple(
        f"RegNet{kind}{size}"
        for kind in "XY"
        for size in ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
    ),
    "resnet": ("ResNet50", "ResNet101", "ResNet152"),
    "resnet50": (),
    "resnet_rs": tuple(f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}
_NAMES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOMES, *_NAMES])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        found = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = found
        return found
    raise registry.missing(__name__, name, __all__)


def __dir__() -> list[str]:
    return [*__all__]
