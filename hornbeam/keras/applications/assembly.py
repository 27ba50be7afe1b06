"""From a request and a body to a model: checks, input, classifier, pooling, weights.

All architectures share these steps; a module of this folder adds the body and the sizes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hornbeam.base import notices, settings
from hornbeam.base.errors import explain
from hornbeam.keras import activations, layers
from hornbeam.keras.applications.weight_files import Published
from hornbeam.keras.models.functional import Functional
from hornbeam.keras.models.model import Model
from hornbeam.keras.utils.graph import get_source_inputs, is_keras_tensor

Body = Callable[[Any], Any]


@dataclass
class Request:
    """The arguments that every architecture takes."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any
    name: str | None

    @property
    def pretrained(self) -> bool:
        """True if the published weights are asked for."""
        return self.weights == "imagenet"

    def check(self, owner: str) -> None:
        """Raise ValueError for arguments that do not go together."""
        if not (self.weights is None or self.pretrained or os.path.exists(self.weights)):
            raise ValueError(
                explain(
                    f"{owner} finds no such weights.",
                    expected="None (random), 'imagenet', or the path of an existing weights file",
                    received=f"weights={self.weights!r}",
                    fix="check the path; relative paths start at the working directory",
                )
            )
        if self.pretrained and self.include_top and self.classes != 1000:
            raise ValueError(
                explain(
                    f"{owner}: the published classifier knows the 1000 classes of ImageNet.",
                    expected="classes=1000 with weights='imagenet' and include_top=True",
                    received=f"classes={self.classes}",
                    fix="pass include_top=False and add a Dense layer for your classes, or weights=None",
                )
            )
        if not self.include_top and self.pooling not in (None, "avg", "max"):
            raise ValueError(
                explain(f"{owner}: unknown pooling.", expected="None, 'avg' or 'max'", received=f"{self.pooling!r}")
            )
        if self.include_top and self.weights is not None:
            _check_activation(owner, self.classifier_activation)


def _check_activation(owner: str, activation: Any) -> None:
    if activations.get(activation) not in (activations.get("softmax"), activations.get(None)):
        raise ValueError(
            explain(
                f"{owner}: stored classifiers were trained with softmax.",
                expected="classifier_activation 'softmax' or None when weights are loaded",
                received=f"classifier_activation={activation!r}",
                fix="take the logits (None) and apply the activation yourself",
            )
        )


def channels_first() -> bool:
    """True if the global data format is ``"channels_first"``."""
    return settings.image_data_format() == "channels_first"


def refuse_channels_first(owner: str) -> None:
    """Raise ValueError if the global data format is ``"channels_first"``."""
    if channels_first():
        raise ValueError(
            explain(
                f"{owner} exists with channels last only.",
                expected="image_data_format 'channels_last'",
                received="'channels_first'",
                fix="keras.config.set_image_data_format('channels_last'), and transpose the pictures to (..., 3)",
            )
        )


def rows_and_columns(shape: Any) -> tuple[Any, Any]:
    """The two picture sizes of a shape without the batch axis."""
    return (shape[1], shape[2]) if channels_first() else (shape[0], shape[1])


def picture_shape(rows: Any, columns: Any, channels: int = 3) -> tuple:
    """Shape without the batch axis, in the global data format."""
    return (channels, rows, columns) if channels_first() else (rows, columns, channels)


def standard_input_shape(owner: str, request: Request, size: int, least: int) -> tuple:
    """The shape of the pictures: the requested one, checked, or the architecture's own.

    Args:
        owner: the architecture, for messages.
        request: what the user asked for.
        size: usual height and width.
        least: smallest height and width that the network can take.
    """
    wanted = tuple(request.input_shape) if request.input_shape else None
    channel = 0 if channels_first() else -1
    channels = 3
    if wanted is not None and len(wanted) == 3 and not request.pretrained:
        channels = wanted[channel]
        if channels not in (1, 3):
            notices.warn(
                f"{owner} was asked for pictures of {channels} channels: input_shape={wanted}. Pictures have 1 or 3; "
                f"is the channel axis the {'first' if channel == 0 else 'last'}?"
            )
    usual = picture_shape(size, size, channels)
    if request.pretrained and request.include_top:
        if wanted not in (None, usual):
            raise ValueError(
                explain(
                    f"{owner}: the published classifier fits one picture size.",
                    expected=f"input_shape={usual}",
                    received=f"input_shape={wanted}",
                    fix="pass include_top=False for other sizes",
                )
            )
        return usual
    if wanted is None:
        return usual if request.include_top else picture_shape(None, None)
    _check_shape(owner, request, wanted, wanted[channel], least)
    return wanted


def _check_shape(owner: str, request: Request, wanted: tuple, channels: Any, least: int) -> None:
    if len(wanted) != 3:
        problem = "three sizes, without the batch axis"
    elif request.pretrained and channels != 3:
        problem = "3 channels, as the published weights have"
    elif any(side is not None and side < least for side in rows_and_columns(wanted)):
        problem = f"height and width of at least {least}"
    elif request.include_top and None in wanted:
        problem = "known sizes, because include_top=True"
    else:
        return
    raise ValueError(
        explain(f"{owner} cannot take pictures of this shape.", expected=problem, received=f"input_shape={wanted}")
    )


def check_agreement(owner: str, request: Request) -> None:
    """Raise ValueError if both an input tensor and an input shape were given and differ."""
    if request.input_tensor is None:
        return
    if not is_keras_tensor(request.input_tensor):
        raise ValueError(
            explain(
                f"{owner}: the argument input_tensor is no symbolic tensor.",
                expected="the result of keras.Input() or of a layer called on one",
                received=f"{type(request.input_tensor).__name__}",
            )
        )
    if request.input_shape is None:
        return
    have, want = request.input_tensor.shape, request.input_shape
    position = 1 if channels_first() else 2
    if have[position] != want[1]:
        raise ValueError(
            explain(
                f"{owner}: input_tensor and input_shape differ.",
                expected=f"input_shape[1] == input_tensor.shape[{position}]",
                received=f"input_shape={tuple(want)}, input_tensor.shape={tuple(have)}",
                fix="pass only one of the two",
            )
        )


def average_head(pool_name: str | None = "avg_pool", **dense: Any) -> Callable[[Any, Request], Any]:
    """The usual classifier: mean over the picture, then one Dense layer."""

    def head(x: Any, request: Request) -> Any:
        x = layers.GlobalAveragePooling2D(name=pool_name)(x)
        activation = request.classifier_activation
        return layers.Dense(request.classes, activation=activation, name="predictions", **dense)(x)

    return head


def pool(x: Any, how: str | None, named: bool) -> Any:
    """Features without a classifier: as they are, or their mean or largest value over the picture."""
    if how == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool" if named else None)(x)
    if how == "max":
        return layers.GlobalMaxPooling2D(name="max_pool" if named else None)(x)
    return x


def assemble(
    request: Request,
    body: Body,
    *,
    shape: tuple,
    head: Callable[[Any, Request], Any],
    named_pools: bool = False,
    published: Published | None = None,
    finish: Body | None = None,
) -> Model:
    """Build the model and load its weights.

    Args:
        request: what the user asked for, already checked.
        body: from the input to the features.
        shape: shape of the pictures.
        head: from the features to the predictions.
        named_pools: the pooling layers of models without a head are called ``avg_pool`` and ``max_pool``.
        published: the files of ``weights="imagenet"``.
        finish: what follows the pooling in models without a head.
    """
    start = request.input_tensor
    if not is_keras_tensor(start):
        start = layers.Input(shape=shape, tensor=start)
    x = body(start)
    if request.include_top:
        x = head(x, request)
    else:
        x = pool(x, request.pooling, named_pools)
        x = x if finish is None else finish(x)
    # What lies before `input_tensor` becomes part of the model.
    inputs = start if request.input_tensor is None else get_source_inputs(request.input_tensor)
    model = Functional(inputs, x, name=request.name)
    if request.pretrained and published is not None:
        published.load_into(model, request.include_top)
    elif request.weights is not None:
        model.load_weights(request.weights)
    return model
