"""``Trainer``: ``compile``, ``fit``, ``evaluate``, ``predict`` and their kin, mixed into ``Model``."""

from __future__ import annotations

from typing import Any

from hornbeam.base.check import closest
from hornbeam.base.errors import ArgumentError
from hornbeam.core.scopes import scopes
from hornbeam.core.variable import Variable
from hornbeam.keras import optimizers
from hornbeam.keras.layers.base import call_context, tracking
from hornbeam.keras.metrics import Mean, Metric
from hornbeam.keras.saving import serialization
from hornbeam.keras.trainers import fitting
from hornbeam.keras.trainers.compiled_loss import CompiledLoss
from hornbeam.keras.trainers.compiled_metrics import CompiledMetrics
from hornbeam.keras.trainers.fitting import FitOptions
from hornbeam.keras.trainers.program import Logs
from hornbeam.keras.trainers.runner import Runner
from hornbeam.keras.trainers.state import TrainerState
from hornbeam.keras.trainers.steps import Steps


class Trainer(Steps):
    """Training, evaluation and prediction of a model."""

    name: str

    def __init__(self) -> None:
        state = vars(self)
        state["_trainer"] = TrainerState()

    # --- compile ---------------------------------------------------------------------------------
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: Any = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Configure the model for training.

        Args:
            optimizer: name or object.
            loss: name, function or object; list or dict of them by output.
            loss_weights: number per output, by position or name.
            metrics: names, functions or objects, by output.
            weighted_metrics: metrics that are weighted by ``sample_weight`` and ``class_weight``.
            run_eagerly: run steps as Python code, for debugging.
            steps_per_execution: steps in one compiled call; 1 (the default) and "auto" let Hornbeam choose.
            jit_compile: False compiles nothing, like ``run_eagerly``; all else compiles.
            auto_scale_loss: under ``mixed_float16`` wrap the optimizer in a ``LossScaleOptimizer``.

        Raises:
            ValueError: an unknown name, with the closest known one.
        """
        for legacy in ("sample_weight_mode", "target_tensors", "distribute", "experimental_run_tf_function"):
            self._refuse_if_set(legacy, kwargs.pop(legacy, None))
        if kwargs:
            first = next(iter(kwargs))
            known = ("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics", "run_eagerly", "steps_per_execution")
            raise ArgumentError(f"compile() got unexpected keyword arguments {sorted(kwargs)}{closest(first, known)}.")
        training = self._training
        chosen = optimizers.get(optimizer)
        if auto_scale_loss and chosen is not None and self.dtype_policy.name == "mixed_float16":  # type: ignore[attr-defined]
            if not isinstance(chosen, optimizers.LossScaleOptimizer):
                chosen = optimizers.LossScaleOptimizer(chosen, name="loss_scale_optimizer")
        names = self._known_output_names()
        training.compiled_loss = CompiledLoss(loss, loss_weights, names) if loss is not None else None
        training.compiled_metrics = (
            CompiledMetrics(metrics, weighted_metrics, names) if metrics is not None or weighted_metrics is not None else None
        )
        training.loss_tracker = Mean(name="loss")
        training.run_eagerly = bool(run_eagerly)
        training.steps_per_execution = steps_per_execution
        training.jit_compile = jit_compile
        training.runners = {}
        training.frozen_variables = None
        training.arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        training.compiled = True
        self.optimizer = chosen
        self.loss = loss
        self.stop_training = False
        if self.built:  # type: ignore[attr-defined]
            training.frozen_variables = list(self.trainable_variables)  # type: ignore[attr-defined]

    def _refuse_if_set(self, name: str, value: Any) -> None:
        if value is None or (name == "sample_weight_mode" and value == "temporal"):
            # Weights per time step are recognised by their shape.
            return
        raise ArgumentError(f"compile(): argument `{name}` is not supported. Received: {name}={value!r}. Leave it out.")

    def _known_output_names(self) -> list[str] | None:
        if vars(self).get("_functional") is None:
            return None
        return self.output_names  # type: ignore[attr-defined]

    @property
    def compiled(self) -> bool:
        """True once ``compile`` was called."""
        return self._training.compiled

    @compiled.setter
    def compiled(self, value: bool) -> None:
        self._training.compiled = bool(value)

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as Python code."""
        return self._training.run_eagerly or scopes.eager_functions

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._training.run_eagerly = bool(value)
        self._training.runners = {}

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled."""
        return self._training.jit_compile is not False

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        self._training.jit_compile = value
        self._training.runners = {}

    @property
    def steps_per_execution(self) -> Any:
        """Steps in one compiled call, as asked for."""
        return self._training.steps_per_execution

    @property
    def metrics(self) -> list[Metric]:
        """All metrics: the loss, those of layers and the model, those given to ``compile``."""
        training = self._training
        found: list[Metric] = [] if training.loss_tracker is None else [training.loss_tracker]
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            found += [metric for metric in tracking.members(layer, Metric) if not any(metric is one for one in found)]
        if training.compiled_metrics is not None:
            found += training.compiled_metrics.metrics
        if training.compiled_loss is not None:
            found += training.compiled_loss.metrics
        return found

    @property
    def metrics_names(self) -> list[str]:
        """Names of the values that ``evaluate`` returns, in order; empty before the first batch."""
        training = self._training
        if not training.compiled or not training.has_run:
            return []
        return list(self.get_metrics_result())

    @property
    def metrics_variables(self) -> list[Variable]:
        """State of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    # --- running ---------------------------------------------------------------------------------
    def _runner(self, kind: str) -> Runner:
        training = self._training
        compiled = not self.run_eagerly and self.jit_compile
        key = (kind, compiled)
        runner = training.runners.get(key)
        if runner is None:
            step = {"train": self.train_step, "test": self.test_step, "predict": self.predict_step}[kind]

            def traced(data: Any) -> Any:
                result = step(data)
                if scopes.frame is not None:
                    call_context.clear_losses(self)
                return Logs(self._flat_results(result)) if kind != "predict" else result

            version = self._optimizer_version if kind == "train" else lambda: None
            runner = training.runners[key] = Runner(traced, compiled, donate=kind != "predict", version=version)
        return runner

    def _optimizer_version(self) -> tuple[int, ...]:
        """Changes when an option of the optimizer (momentum, clipping ...) was set anew."""
        optimizer = self.optimizer
        inner = getattr(optimizer, "_inner_optimizers", ())
        return tuple(getattr(one, "_version", 0) for one in (optimizer, *inner))

    def make_train_function(self, force: bool = False) -> Any:
        """Prepare the compiled training step; with ``force`` forget the one there is."""
        return self._make("train", force)

    def make_test_function(self, force: bool = False) -> Any:
        """Prepare the compiled evaluation step; with ``force`` forget the one there is."""
        return self._make("test", force)

    def make_predict_function(self, force: bool = False) -> Any:
        """Prepare the compiled prediction step; with ``force`` forget the one there is."""
        return self._make("predict", force)

    def _make(self, kind: str, force: bool) -> Any:
        if force:
            self._training.runners = {key: one for key, one in self._training.runners.items() if key[0] != kind}
        return self._runner(kind)

    def _need_compiled(self, method: str) -> None:
        if not self._training.compiled:
            raise ValueError(
                f"You must call `compile()` before calling `{method}()`: give it an optimizer and a loss."
            )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train the model.

        Args:
            x: inputs: arrays (samples along the first axis), a nesting of them, or a source of batches.
            y: targets; none for sources of batches, which give ``(x, y)``.
            batch_size: samples per step, 32 by default.
            epochs: number of the epoch to stop at (``epochs - initial_epoch`` passes are made).
            verbose: 0 silent, 1 progress bar, 2 one line an epoch, "auto" is 1.
            callbacks: callbacks, called in order.
            validation_split: share (0 to 1) of the last samples kept for validation, before shuffling.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or a source of batches; beats ``validation_split``.
            shuffle: a new order each epoch; ``"batch"`` shuffles batches only.
            class_weight: weight of the loss by class.
            sample_weight: weight of the loss by sample (or time step).
            initial_epoch: number of the first epoch, to continue training.
            steps_per_epoch: batches in an epoch; default one pass over the data.
            validation_steps: batches in a validation; default all.
            validation_batch_size: samples per validation step; default ``batch_size``.
            validation_freq: epochs between validations, or a list of epoch numbers (from 1).

        Returns:
            A ``History``: ``history.history`` holds a list of values per epoch by name.

        Raises:
            ValueError: not compiled, or data that do not fit (``DataError``).
        """
        options = FitOptions(
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            shuffle=shuffle,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )
        return fitting.fit(self, (x, y, sample_weight), validation_split, validation_data, options)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data.

        Args:
            x: inputs, as for ``fit``.
            y: targets.
            batch_size: samples per step, 32 by default.
            verbose: 0 silent, 1 progress bar, 2 one line.
            sample_weight: weight by sample.
            steps: batches to run; default all.
            callbacks: callbacks.
            return_dict: return a dict by name instead of a list.

        Returns:
            The loss if there are no metrics, else a list of the loss and the metrics, as Python floats.
        """
        fitting.refuse_unknown("evaluate", kwargs)
        return fitting.evaluate(
            self, (x, y, sample_weight), batch_size, verbose, steps, callbacks, return_dict
        )

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None, callbacks: Any = None
    ) -> Any:
        """Predictions as NumPy arrays.

        Args:
            x: inputs, as for ``fit``.
            batch_size: samples per step, 32 by default.
            verbose: 0 silent, 1 progress bar, 2 one line.
            steps: batches to run; default all.
            callbacks: callbacks.
        """
        return fitting.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
        reset_metrics: bool = False,
    ) -> Any:
        """One training step on one batch; returns running loss and metrics (a fresh start with ``reset_metrics``)."""
        self._need_compiled("train_on_batch")
        if class_weight is not None and sample_weight is not None:
            raise ValueError("Arguments `sample_weight` and `class_weight` cannot be specified at the same time.")
        if reset_metrics:
            self.reset_metrics()
        return fitting.on_batch(self, "train", (x, y, sample_weight), class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False, reset_metrics: bool = False
    ) -> Any:
        """One evaluation step on one batch; returns running loss and metrics."""
        self._need_compiled("test_on_batch")
        if reset_metrics:
            self.reset_metrics()
        return fitting.on_batch(self, "test", (x, y, sample_weight), None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Predictions for one batch, as NumPy arrays."""
        return fitting.predict_on_batch(self, x)

    # --- files -----------------------------------------------------------------------------------
    def get_compile_config(self) -> dict[str, Any] | None:
        """Arguments of ``compile`` as stored in model files."""
        training = self._training
        if not training.compiled:
            return None
        stored = {name: serialization.serialize_keras_object(value) for name, value in training.arguments.items()}
        stored["optimizer"] = serialization.serialize_keras_object(self.optimizer)
        return stored

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with arguments that ``get_compile_config`` gave, and make the optimizer's slots."""
        if not config:
            return
        arguments = serialization.deserialize_keras_object(config)
        self.compile(**arguments)
        if self.built and self.optimizer is not None:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]
