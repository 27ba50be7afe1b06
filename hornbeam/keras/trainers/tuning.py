"""Transfer learning: freezing up to a layer, and training in two phases."""

from __future__ import annotations

from typing import Any

from hornbeam.base.check import closest
from hornbeam.base.errors import ArgumentError
from hornbeam.keras import optimizers
from hornbeam.keras.callbacks import History
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.normalization.batch_normalization import BatchNormalization


def leaf_layers(layer: Layer) -> list[Layer]:
    """The layers inside that hold no others, in the order of the model."""
    inner = list(getattr(layer, "layers", None) or layer._layers)
    if not inner:
        return [layer]
    found = [leaf for one in inner for leaf in leaf_layers(one)]
    return list({id(leaf): leaf for leaf in found}.values())


def find_layer(model: Any, layer: Any) -> Layer:
    """A layer of a model, at any depth, by itself, by name or by position in ``model.layers``.

    Raises:
        ValueError: there is none.
    """
    if isinstance(layer, int):
        return model.get_layer(index=layer)
    known = model._flatten_layers(include_self=False)
    for one in known:
        if one is layer or one.name == layer:
            return one
    names = [one.name for one in known]
    hint = closest(layer, names) if isinstance(layer, str) else ""
    raise ArgumentError(f"Model '{model.name}' has no layer {layer!r}{hint}. It has: {', '.join(names)}.")


def freeze_until(model: Any, layer: Any) -> None:
    """See ``Trainer.freeze_until``."""
    first = leaf_layers(find_layer(model, layer))[0]
    leaves = leaf_layers(model)
    position = next(number for number, leaf in enumerate(leaves) if leaf is first)
    model.trainable = True
    for leaf in leaves[:position]:
        leaf.trainable = False


def fine_tune(
    model: Any,
    data: tuple[Any, Any],
    epochs: int,
    head_epochs: int,
    head: Any,
    unfreeze_from: Any,
    learning_rate: float | None,
    backbone_factor: float,
    fit_arguments: dict[str, Any],
) -> Any:
    """See ``Trainer.fine_tune``."""
    model._need_compiled("fine_tune")
    if not model.built:
        raise ValueError(f"fine_tune(): model '{model.name}' is not built; call it on data or `build(shape)` first.")
    for given in ("epochs", "initial_epoch"):
        if given in fit_arguments:
            raise ArgumentError(f"fine_tune() counts the epochs itself; it does not take `{given}`.")
    history = History()
    callbacks = [history, *(fit_arguments.pop("callbacks", None) or ())]
    new = _head_layer(model, head)
    if head_epochs:
        freeze_until(model, new)
        _compile_anew(model, learning_rate)
        model.fit(*data, epochs=head_epochs, callbacks=callbacks, **fit_arguments)
    freeze_until(model, leaf_layers(model)[0] if unfreeze_from is None else unfreeze_from)
    old = _leaves_before(model, new)
    for leaf in old:
        # Their moving statistics fit the old data and many samples; a few new batches would spoil them.
        if isinstance(leaf, BatchNormalization):
            leaf.trainable = False
    _compile_anew(model, learning_rate)
    variables = [variable for leaf in old for variable in leaf.trainable_variables]
    if variables and backbone_factor != 1.0:
        model.optimizer.set_rate_multipliers(dict.fromkeys(variables, backbone_factor))
    if epochs:
        model.fit(*data, epochs=head_epochs + epochs, initial_epoch=head_epochs, callbacks=callbacks, **fit_arguments)
    history.epoch = list(history._epochs)
    model.history = history
    return history


def _leaves_before(model: Any, layer: Layer) -> list[Layer]:
    first = leaf_layers(layer)[0]
    leaves = leaf_layers(model)
    return leaves[: next(number for number, leaf in enumerate(leaves) if leaf is first)]


def _head_layer(model: Any, head: Any) -> Layer:
    """Where the new layers begin: behind the last inner model, else the last layer that has weights."""
    if head is not None:
        return find_layer(model, head)
    layers = list(model.layers)
    inner = [number for number, layer in enumerate(layers) if getattr(layer, "layers", None)]
    behind = [layer for layer in layers[inner[-1] + 1 :] if layer.weights] if inner else []
    found = behind[:1] or [layer for layer in layers if layer.weights][-1:]
    if not found:
        raise ArgumentError(f"fine_tune(): model '{model.name}' has no weights to train.")
    return found[0]


def _compile_anew(model: Any, learning_rate: float | None) -> None:
    """Compile as before with a new optimizer: it keeps slots for what is trained now only."""
    old = model.optimizer
    kind = type(old)
    new = kind(old.transformation) if kind is optimizers.TransformationOptimizer else kind.from_config(old.get_config())
    if learning_rate is not None:
        new.learning_rate = learning_rate
    model.compile(**{**model._training.arguments, "optimizer": new})
