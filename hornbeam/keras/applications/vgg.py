"""The body and classifier of VGG16 and VGG19."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import Body, Request
from hornbeam.keras.applications.blocks import conv

PAPER = "Simonyan and Zisserman 2014, arXiv 1409.1556"
_FILTERS = (64, 128, 256, 512, 512)


def body(repeats: tuple[int, ...]) -> Callable[[Request], Body]:
    """Blocks of 3x3 convolutions, each followed by a pooling layer."""

    def run(x: Any) -> Any:
        for block, (filters, count) in enumerate(zip(_FILTERS, repeats, strict=True), 1):
            for index in range(1, count + 1):
                x = conv(x, filters, 3, activation="relu", padding="same", name=f"block{block}_conv{index}")
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    return lambda _request: run


def head(x: Any, request: Request) -> Any:
    """Two wide Dense layers and the predictions."""
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return layers.Dense(request.classes, activation=request.classifier_activation, name="predictions")(x)
