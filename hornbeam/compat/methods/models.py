"""``fit_generator`` and its kin, ``predict_classes``, and attributes that belonged to graphs and sessions."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import registry, trees
from hornbeam.compat.methods.gone import gone
from hornbeam.compat.methods.results import known_after_compile
from hornbeam.compat.notes import note


def _samples(batch: Any) -> int:
    x = batch[0] if isinstance(batch, (list, tuple)) else batch
    return int(np.shape(trees.flatten(x)[0])[0])


def _steps(source: Any, samples: int) -> tuple[Any, int]:
    """A number of samples as a number of batches; the batch that was looked at is put back."""
    size = getattr(source, "batch_size", None)
    if not isinstance(size, int):
        if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
            size = _samples(source[0])
        else:
            iterator = iter(source)
            first = next(iterator)
            size, source = _samples(first), itertools.chain([first], iterator)
    return source, math.ceil(samples / size)


def _loader_arguments(method: str, kwargs: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """Arguments of the first generation under today's names; all others are refused."""
    found = {}
    for name, value in kwargs.items():
        if name not in renamed:
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}. It takes {sorted(renamed)} too.")
        found[renamed[name]] = value
    return found


_LOADER = {"max_q_size": "max_queue_size", "nb_worker": "workers", "pickle_safe": "use_multiprocessing"}


def fit_generator(
    self: Any,
    generator: Any,
    steps_per_epoch: int | None = None,
    epochs: int = 1,
    verbose: Any = 1,
    callbacks: Any = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    validation_freq: Any = 1,
    class_weight: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    shuffle: Any = True,
    initial_epoch: int = 0,
    **kwargs: Any,
) -> Any:
    """Train on batches of a generator or sequence; today ``fit`` does this.

    Args:
        generator: gives ``(x, y)`` or ``(x, y, sample_weight)``.
        steps_per_epoch: batches in an epoch; default all.
        epochs: number of the epoch to stop at.
        verbose: as in ``fit``.
        callbacks: as in ``fit``.
        validation_data: as in ``fit``.
        validation_steps: batches in a validation.
        validation_freq: epochs between validations.
        class_weight: as in ``fit``.
        max_queue_size: batches prepared ahead.
        workers: threads or processes that prepare them.
        use_multiprocessing: processes instead of threads.
        shuffle: a new order of a sequence's batches in each epoch.
        initial_epoch: number of the first epoch.
        **kwargs: ``samples_per_epoch``, ``nb_epoch``, ``nb_val_samples``, ``max_q_size``, ``nb_worker`` and
            ``pickle_safe`` of the first generation; numbers of samples become numbers of batches.
    """
    note("Model.fit_generator: `fit` takes generators and sequences now.")
    renamed = {"samples_per_epoch": "samples", "nb_epoch": "epochs", "nb_val_samples": "val_samples", **_LOADER}
    old = _loader_arguments("fit_generator", kwargs, renamed)
    if "samples" in old:
        generator, steps_per_epoch = _steps(generator, old["samples"])
    if "val_samples" in old and validation_data is not None and not isinstance(validation_data, tuple):
        validation_data, validation_steps = _steps(validation_data, old["val_samples"])
    return self.fit(
        generator,
        steps_per_epoch=steps_per_epoch,
        epochs=old.get("epochs", epochs),
        verbose=verbose,
        callbacks=callbacks,
        validation_data=validation_data,
        validation_steps=validation_steps,
        validation_freq=validation_freq,
        class_weight=class_weight,
        max_queue_size=old.get("max_queue_size", max_queue_size),
        workers=old.get("workers", workers),
        use_multiprocessing=old.get("use_multiprocessing", use_multiprocessing),
        shuffle=shuffle,
        initial_epoch=initial_epoch,
    )


def evaluate_generator(
    self: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    verbose: Any = 0,
    **kwargs: Any,
) -> Any:
    """Evaluate on batches of a generator or sequence; today ``evaluate`` does this.

    Args:
        generator: gives ``(x, y)`` or ``(x, y, sample_weight)``.
        steps: number of batches; default all.
        callbacks: as in ``evaluate``.
        max_queue_size: batches prepared ahead.
        workers: threads or processes that prepare them.
        use_multiprocessing: processes instead of threads.
        verbose: as in ``evaluate``.
        **kwargs: ``val_samples``, ``max_q_size``, ``nb_worker`` and ``pickle_safe`` of the first generation.
    """
    note("Model.evaluate_generator: `evaluate` takes generators and sequences now.")
    old = _loader_arguments("evaluate_generator", kwargs, {"val_samples": "samples", **_LOADER})
    if "samples" in old:
        generator, steps = _steps(generator, old["samples"])
    return self.evaluate(
        generator,
        steps=steps,
        callbacks=callbacks,
        verbose=verbose,
        max_queue_size=old.get("max_queue_size", max_queue_size),
        workers=old.get("workers", workers),
        use_multiprocessing=old.get("use_multiprocessing", use_multiprocessing),
    )


def predict_generator(
    self: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    verbose: Any = 0,
    **kwargs: Any,
) -> Any:
    """Predict for batches of a generator or sequence; today ``predict`` does this.

    Args:
        generator: gives inputs, or tuples that begin with them.
        steps: number of batches; default all.
        callbacks: as in ``predict``.
        max_queue_size: batches prepared ahead.
        workers: threads or processes that prepare them.
        use_multiprocessing: processes instead of threads.
        verbose: as in ``predict``.
        **kwargs: ``val_samples``, ``max_q_size``, ``nb_worker`` and ``pickle_safe`` of the first generation.
    """
    note("Model.predict_generator: `predict` takes generators and sequences now.")
    old = _loader_arguments("predict_generator", kwargs, {"val_samples": "samples", **_LOADER})
    if "samples" in old:
        generator, steps = _steps(generator, old["samples"])
    return self.predict(
        generator,
        steps=steps,
        callbacks=callbacks,
        verbose=verbose,
        max_queue_size=old.get("max_queue_size", max_queue_size),
        workers=old.get("workers", workers),
        use_multiprocessing=old.get("use_multiprocessing", use_multiprocessing),
    )


def predict_classes(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
    """Number of the most likely class of each sample; for a single output, 1 where it is above 0.5, else 0."""
    note("Sequential.predict_classes: take `argmax(axis=-1)` of `predict`, or compare it with 0.5.")
    found = self.predict(x, batch_size=batch_size, verbose=verbose)
    return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
    """Probabilities of the classes: what ``predict`` gives."""
    note("Sequential.predict_proba: `predict` gives the same.")
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def reset_states(self: Any) -> None:
    """Set the states of all stateful layers to their start."""
    for layer in self._flatten_layers(include_self=False):
        if getattr(layer, "stateful", False):
            reset = getattr(layer, "reset_state", None) or layer.reset_states
            reset()


def run_internal_graph(self: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    """Outputs for inputs, as a call of the model gives them."""
    return self(inputs, training=training, mask=mask)


def _is_stateful(self: Any) -> bool:
    return any(getattr(layer, "stateful", False) for layer in self._flatten_layers(include_self=False))


def get_weight_paths(self: Any) -> dict[str, Any]:
    """Path of each weight below the model to the weight."""
    return {variable.path: variable for variable in self.weights}


MODEL: dict[str, Any] = {
    "fit_generator": fit_generator,
    "evaluate_generator": evaluate_generator,
    "predict_generator": predict_generator,
    "get_weight_paths": get_weight_paths,
    "reset_states": reset_states,
    "run_internal_graph": run_internal_graph,
    "state_updates": property(lambda self: [], doc="Nothing: layers update their state when they are called."),
    "stateful": property(_is_stateful, doc="Whether a layer keeps its state from batch to batch."),
    "uses_learning_phase": property(lambda self: True, doc="True: a call takes `training`."),
    "targets": gone("Model.targets", "targets are arrays given to `fit`; there is no symbolic one"),
    "sample_weights": gone("Model.sample_weights", "weights are arrays given to `fit`; there is no symbolic one"),
    "total_loss": gone("Model.total_loss", "compute the loss under `tf.GradientTape`, or with `model.compute_loss`"),
}
SEQUENTIAL: dict[str, Any] = {
    "predict_classes": predict_classes,
    "predict_proba": predict_proba,
    "model": property(lambda self: self, doc="The model itself."),
    "training_data": gone("Sequential.training_data", "keep the arrays that you give to `fit`"),
    "validation_data": gone("Sequential.validation_data", "give the arrays to the callback's constructor"),
}


def _resetting(method: Callable) -> Callable:
    """Give a step on one batch the old argument ``reset_metrics``."""

    @functools.wraps(method)
    def resetting(self: Any, *args: Any, reset_metrics: bool | None = None, **kwargs: Any) -> Any:
        if reset_metrics:
            self.reset_metrics()
        return method(self, *args, **kwargs)

    return resetting


def _showing_accuracy(method: Callable) -> Callable:
    """Give ``fit`` and ``evaluate`` the old argument ``show_accuracy``: the model is compiled anew with the metric."""

    @functools.wraps(method)
    def shown(self: Any, *args: Any, show_accuracy: bool = False, **kwargs: Any) -> Any:
        if show_accuracy and self.compiled:
            note("show_accuracy: give `metrics=['accuracy']` to `compile`.")
            compiled = dict(vars(self)["_trainer"].arguments)
            if not compiled.get("metrics"):
                self.compile(**{**compiled, "optimizer": self.optimizer, "metrics": ["accuracy"]})
        return method(self, *args, **kwargs)

    return shown


AROUND_TRAINER: dict[str, Callable] = {
    "train_on_batch": _resetting,
    "test_on_batch": _resetting,
    "fit": _showing_accuracy,
    "evaluate": _showing_accuracy,
    "metrics_names": known_after_compile,
}


def _taking_merged_models(append: Callable) -> Callable:
    """Let `Merge([left, right])` stand first: a model of the branches takes its place."""

    @functools.wraps(append)
    def appended(self: Any, layer: Any) -> None:
        if getattr(layer, "layers_to_merge", None) and not self.layers:
            inputs, output = layer.inputs_of_branches()
            layer = registry.find("keras", "functional model")(inputs, output, name=layer.name)
        append(self, layer)

    return appended


def _start(self: Any) -> None:
    """Build a model that starts with an embedding and was not told the length of its inputs: any length will do.

    Layers that must know the length cannot be built so; then the model stays as it is.
    """
    first = self.layers[0] if self.layers else None
    if self.built or type(first).__name__ != "Embedding":
        return
    with contextlib.suppress(ValueError, TypeError):
        self.build((None, None))


def _started(method: Callable) -> Callable:
    @functools.wraps(method)
    def started(self: Any, *args: Any, **kwargs: Any) -> Any:
        _start(self)
        return method(self, *args, **kwargs)

    return started


def _started_property(found: property) -> property:
    read = found.fget
    assert read is not None
    return property(_started(read), found.fset, doc=found.__doc__)


AROUND_SEQUENTIAL: dict[str, Callable] = {
    "_append": _taking_merged_models,
    "summary": _started,
    "count_params": _started,
    "weights": _started_property,
    "input_shape": _started_property,
    "output_shape": _started_property,
}
