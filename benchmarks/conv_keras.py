"""The convolutional networks of the comparisons in Keras; the same lines for Hornbeam, Keras 2 and Keras 3.

Imported by workers only. `conv_torch` writes the same networks, with as many parameters, in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """A network and the data it is trained on.

    Attributes:
        shape: of one image, channels last.
        classes: number of labels; of every pixel if `dense`.
        batch: images in a step.
        steps: steps in an epoch.
        dense: a label for every pixel.
    """

    shape: tuple[int, int, int]
    classes: int
    batch: int
    steps: int
    dense: bool = False


TASKS = {
    "LeNet-5": Task((28, 28, 1), 10, 32, 250),
    "CNN": Task((28, 28, 1), 10, 32, 250),
    "U-Net": Task((128, 128, 3), 4, 8, 8, dense=True),
    "MobileNetV2": Task((96, 96, 3), 10, 16, 24),
    "ResNet50": Task((224, 224, 3), 10, 8, 6),
    "EfficientNetB0": Task((224, 224, 3), 10, 8, 8),
}
RATE = 0.001


def _lenet(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(TASKS["LeNet-5"].shape),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10),
        ]
    )


def _cnn(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(TASKS["CNN"].shape),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def _unet(keras: Any) -> Any:
    layers = keras.layers

    def block(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        return x

    inputs = layers.Input(TASKS["U-Net"].shape)
    x, skips = inputs, []
    for filters in (32, 64, 128):
        x = block(x, filters)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = block(x, 256)
    for filters, skip in zip((128, 64, 32), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2, activation="relu")(x)
        x = block(layers.Concatenate()([x, skip]), filters)
    return keras.Model(inputs, layers.Conv2D(TASKS["U-Net"].classes, 1)(x))


def _application(name: str) -> Callable[[Any], Any]:
    task = TASKS[name]

    def build(keras: Any) -> Any:
        make = getattr(keras.applications, name)
        return make(weights=None, input_shape=task.shape, classes=task.classes, classifier_activation=None)

    return build


_BUILDERS: dict[str, Callable[[Any], Any]] = {
    "LeNet-5": _lenet,
    "CNN": _cnn,
    "U-Net": _unet,
    "MobileNetV2": _application("MobileNetV2"),
    "ResNet50": _application("ResNet50"),
    "EfficientNetB0": _application("EfficientNetB0"),
}


def model(keras: Any, name: str) -> Any:
    """A compiled network."""
    built = _BUILDERS[name](keras)
    built.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return built


def data(name: str, quick: bool) -> tuple[Any, Any]:
    """Images and labels; the labels can be told from the brightness, so that losses fall alike everywhere."""
    import numpy as np

    task = TASKS[name]
    count = task.batch * (2 if quick else task.steps)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, task.classes, count)
    images = generator.random((count, *task.shape), dtype=np.float32)
    images += labels[:, None, None, None].astype(np.float32) / task.classes
    if task.dense:
        labels = np.broadcast_to(labels[:, None, None], images.shape[:-1])
    return images, np.ascontiguousarray(labels, np.int32)
