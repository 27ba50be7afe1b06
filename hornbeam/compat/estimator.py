"""``tf.estimator``: a Keras model behind the calls ``train``, ``evaluate`` and ``predict`` of estimators."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.notes import note
from hornbeam.keras.models import load_model


class ModeKeys:
    """Names of what an estimator does."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


class RunConfig:
    """Configuration of an estimator; of it only the folder counts.

    Args:
        model_dir: folder of the estimator's files.
        **options: accepted, without effect.
    """

    def __init__(self, model_dir: Any = None, **options: Any) -> None:
        self.model_dir = model_dir
        self.options = options


class TrainSpec:
    """What ``train_and_evaluate`` trains on.

    Args:
        input_fn: gives the data.
        max_steps: steps after which training ends.
    """

    def __init__(self, input_fn: Callable, max_steps: int | None = None, **options: Any) -> None:
        self.input_fn, self.max_steps = input_fn, max_steps


class EvalSpec:
    """What ``train_and_evaluate`` evaluates on.

    Args:
        input_fn: gives the data.
        steps: number of batches.
    """

    def __init__(self, input_fn: Callable, steps: int | None = 100, **options: Any) -> None:
        self.input_fn, self.steps = input_fn, steps


class Estimator:
    """Training, evaluation and prediction by functions that give data.

    Args:
        model_fn: refused; estimators are made of Keras models, by ``model_to_estimator``.
        model_dir: folder of the estimator's files.

    References: TensorFlow 2.15 ``tf.estimator.Estimator``.
    """

    def __init__(self, model_fn: Any = None, model_dir: Any = None, config: Any = None, **options: Any) -> None:
        raise NotSupportedError(
            f"{type(self).__name__}(...) is not offered. Build and compile a `keras.Model`; `fit`, `evaluate` "
            "and `predict` "
            "take the place of an estimator, and `tf.keras.estimator.model_to_estimator(model)` gives its calls."
        )

    @classmethod
    def _of(cls, model: Any, model_dir: Any) -> Estimator:
        made = cls.__new__(cls)
        made._model = model
        made._folder = os.fspath(model_dir) if model_dir else tempfile.mkdtemp(prefix="estimator_")
        os.makedirs(made._folder, exist_ok=True)
        made._read()
        return made

    _model: Any
    _folder: str

    # --- files -----------------------------------------------------------------------------------
    @property
    def model_dir(self) -> str:
        """Folder of the estimator's files."""
        return self._folder

    def _file(self) -> str:
        return os.path.join(self._folder, "model.weights.h5")

    def _read(self) -> None:
        """Go on from the weights in the folder, if there are any."""
        self._steps_before = 0
        if os.path.exists(self._file()):
            self._model.load_weights(self._file())
            with open(os.path.join(self._folder, "step.json"), encoding="utf-8") as file:
                total = json.load(file)["global_step"]
            # The optimizer's own count comes back with the weights once the model was compiled.
            self._steps_before = total - int(np.asarray(self._model.optimizer.iterations))

    def _write(self) -> None:
        self._model.save_weights(self._file())
        with open(os.path.join(self._folder, "step.json"), "w", encoding="utf-8") as file:
            json.dump({"global_step": self._step()}, file)

    def _step(self) -> int:
        return self._steps_before + int(np.asarray(self._model.optimizer.iterations))

    # --- work ------------------------------------------------------------------------------------
    def train(
        self,
        input_fn: Callable,
        hooks: Any = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Any = None,
    ) -> Estimator:
        """Train on batches.

        Args:
            input_fn: gives a data set of (features, labels), or a pair of arrays (one batch).
            hooks: refused; use callbacks of ``fit``.
            steps: number of steps; default all.
            max_steps: number of steps in all, earlier ones included.
            saving_listeners: refused.
        """
        _refuse("train", hooks=hooks, saving_listeners=saving_listeners)
        if max_steps is not None:
            steps = max_steps - self._step()
            if steps <= 0:
                return self
        self._model.fit(_data(input_fn, ModeKeys.TRAIN), steps_per_epoch=steps, epochs=1, verbose=0)
        self._write()
        return self

    def evaluate(
        self,
        input_fn: Callable,
        steps: int | None = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Loss and metrics, and the number of steps trained.

        Args:
            input_fn: gives a data set of (features, labels).
            steps: number of batches; default all.
            hooks: refused.
            checkpoint_path: weights to be used in place of the newest ones.
            name: accepted; it named a folder of summaries.
        """
        _refuse("evaluate", hooks=hooks)
        if checkpoint_path is not None:
            self._model.load_weights(checkpoint_path)
        found = self._model.evaluate(_data(input_fn, ModeKeys.EVAL), steps=steps, verbose=0, return_dict=True)
        return {**{key: np.float32(value) for key, value in found.items()}, "global_step": self._step()}

    def predict(
        self,
        input_fn: Callable,
        predict_keys: Any = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        yield_single_examples: bool = True,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Outputs by name, sample by sample.

        Args:
            input_fn: gives a data set of features.
            predict_keys: names of the outputs wanted; default all.
            hooks: refused.
            checkpoint_path: weights to be used in place of the newest ones.
            yield_single_examples: False gives whole batches.
        """
        _refuse("predict", hooks=hooks)
        if checkpoint_path is not None:
            self._model.load_weights(checkpoint_path)
        names = self._model.output_names
        wanted = names if predict_keys is None else [key for key in names if key in predict_keys]
        for batch in _data(input_fn, ModeKeys.PREDICT):
            features = batch[0] if isinstance(batch, tuple) else batch
            outputs = self._model.predict_on_batch(features)
            flat = outputs if isinstance(outputs, dict) else dict(zip(names, trees.flatten(outputs), strict=True))
            chosen = {key: np.asarray(flat[key]) for key in wanted}
            if not yield_single_examples:
                yield chosen
                continue
            for place in range(len(next(iter(chosen.values())))):
                yield {key: value[place] for key, value in chosen.items()}

    def get_variable_names(self) -> list[str]:
        """Paths of the model's weights."""
        return [weight.path for weight in self._model.weights]

    def get_variable_value(self, name: str) -> np.ndarray:
        """Value of a weight by its path."""
        return next(weight.numpy() for weight in self._model.weights if weight.path == name)

    def latest_checkpoint(self) -> str | None:
        """Path of the newest weights; None before training."""
        return self._file() if os.path.exists(self._file()) else None

    def export_saved_model(self, export_dir_base: Any, serving_input_receiver_fn: Any = None, **options: Any) -> str:
        """Write the model for serving; returns the folder."""
        self._model.export(os.fspath(export_dir_base))
        return os.fspath(export_dir_base)


def _refuse(method: str, **given: Any) -> None:
    for name, value in given.items():
        if value:
            raise NotSupportedError(
                f"Estimator.{method}(): argument `{name}` is not offered. Train the Keras model with `fit` and "
                "callbacks."
            )


def _data(input_fn: Callable, mode: str) -> Any:
    """What a function of data gives, as a source of batches."""
    code = getattr(input_fn, "__code__", None)
    takes_mode = code is not None and "mode" in code.co_varnames[: code.co_argcount]
    found = input_fn(mode=mode) if takes_mode else input_fn()
    return [found] if isinstance(found, tuple) else found


def model_to_estimator(
    keras_model: Any = None,
    keras_model_path: Any = None,
    custom_objects: Any = None,
    model_dir: Any = None,
    config: Any = None,
    checkpoint_format: str = "checkpoint",
    metric_names_map: Any = None,
    export_outputs: Any = None,
) -> Estimator:
    """A compiled Keras model as an estimator.

    Args:
        keras_model: the model.
        keras_model_path: a file to read it from, instead.
        custom_objects: objects that the file names.
        model_dir: folder of the estimator's files; a temporary one by default.
        config: a ``RunConfig``, for its folder.
        checkpoint_format: accepted; weights are kept in one file.
        metric_names_map: must be None.
        export_outputs: must be None.

    Raises:
        ValueError: neither or both of model and path, or a model that is not compiled.

    References: Keras 2 ``estimator.model_to_estimator``.
    """
    note("tf.estimator: use the Keras model itself, `fit`, `evaluate` and `predict`.")
    if (keras_model is None) == (keras_model_path is None):
        raise ValueError("model_to_estimator takes either `keras_model` or `keras_model_path`.")
    if metric_names_map or export_outputs:
        raise NotSupportedError("model_to_estimator: `metric_names_map` and `export_outputs` are not offered.")
    if keras_model_path is not None:
        keras_model = load_model(keras_model_path, custom_objects=custom_objects)
    if not keras_model.compiled:
        raise ValueError(
            f"model_to_estimator: model '{keras_model.name}' is not compiled. Call `compile` with an optimizer "
            "and a loss."
        )
    return Estimator._of(keras_model, model_dir or getattr(config, "model_dir", None))


def train_and_evaluate(estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec) -> tuple[dict[str, Any], list]:
    """Train, then evaluate.

    Returns:
        Loss and metrics, and an empty list of exports.
    """
    estimator.train(train_spec.input_fn, max_steps=train_spec.max_steps)
    return estimator.evaluate(eval_spec.input_fn, steps=eval_spec.steps), []


_CANNED = (
    "BaselineClassifier BaselineRegressor BoostedTreesClassifier BoostedTreesRegressor DNNClassifier DNNEstimator "
    "DNNLinearCombinedClassifier DNNLinearCombinedRegressor DNNRegressor LinearClassifier LinearEstimator "
    "LinearRegressor EstimatorSpec"
)


def __getattr__(name: str) -> Any:
    if name not in _CANNED.split():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = type(name, (Estimator,), {"__doc__": "Not offered: build a Keras model.", "__module__": __name__})
    globals()[name] = made
    return made
