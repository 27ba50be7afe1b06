"""What ``compile`` sets up: optimizer, losses, metrics, and steps in their compiled form."""

from __future__ import annotations

import inspect
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from hornbeam.base import settings
from hornbeam.base.check import closest
from hornbeam.base.errors import ArgumentError
from hornbeam.core import placement
from hornbeam.core.scopes import scopes
from hornbeam.core.variable import Variable
from hornbeam.keras import optimizers
from hornbeam.keras.layers.base import call_context, tracking
from hornbeam.keras.metrics import Mean, Metric
from hornbeam.keras.saving import serialization
from hornbeam.keras.trainers.checks import check_class_numbers
from hornbeam.keras.trainers.compiled_loss import CompiledLoss
from hornbeam.keras.trainers.compiled_metrics import CompiledMetrics
from hornbeam.keras.trainers.old_names import LossFace
from hornbeam.keras.trainers.preparation import checks_labels
from hornbeam.keras.trainers.program import Logs
from hornbeam.keras.trainers.runner import Runner
from hornbeam.keras.trainers.state import TrainerState
from hornbeam.keras.trainers.state_steps import step_of
from hornbeam.keras.trainers.steps import Steps


class Compilation(Steps):
    """``compile`` and what follows from it; mixed into ``Trainer``."""

    name: str

    def __init__(self) -> None:
        vars(self)["_trainer"] = TrainerState()

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
        self._refuse_unknown_compile_arguments(kwargs)
        self._refuse_variables_from_elsewhere()
        training = self._training
        chosen = optimizers.get(optimizer)
        needs_scaling = self.dtype_policy.name == "mixed_float16" and auto_scale_loss  # type: ignore[attr-defined]
        if needs_scaling and chosen is not None and not isinstance(chosen, optimizers.LossScaleOptimizer):
            chosen = optimizers.LossScaleOptimizer(chosen, name="loss_scale_optimizer")
        names = self._known_output_names()
        compiled_loss = CompiledLoss(loss, loss_weights, names) if loss is not None else None
        has_metrics = metrics is not None or weighted_metrics is not None
        compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names) if has_metrics else None
        # From here on nothing can fail: a bad call leaves the model compiled as it was.
        training.compiled_loss, training.compiled_metrics = compiled_loss, compiled_metrics
        training.loss_tracker = Mean(name="loss")
        training.run_eagerly = bool(run_eagerly)
        training.steps_per_execution = _check_steps_per_execution(steps_per_execution)
        training.jit_compile = False if run_eagerly else jit_compile
        training.runners, training.eager_kinds = {}, set()
        training.has_run = False
        training.strategy = scopes.strategy
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
        is_built = all(layer.built for layer in self._flatten_layers())  # type: ignore[attr-defined]
        training.frozen_variables = None
        training.compiled_variables = list(self.trainable_variables) if is_built else []  # type: ignore[attr-defined]

    def _spread(self) -> AbstractContextManager[Any]:
        """A ``with`` block in which batches are spread as the strategy of the model's scope wants it."""
        if not placement.any_kept() or placement.current() is not None:
            return nullcontext()
        number = self._training.strategy
        if number is None:
            variable = next(iter(self.variables), None)  # type: ignore[attr-defined]
            number = getattr(variable, "_strategy", None)
        found = placement.kept(number)
        return nullcontext() if found is None else placement.in_force(found)

    def _refuse_variables_from_elsewhere(self) -> None:
        """In the scope of a distribution strategy, a model's variables must have been made in it."""
        if scopes.strategy is None:
            return
        for variable in self.variables:  # type: ignore[attr-defined]
            if getattr(variable, "_strategy", None) != scopes.strategy:
                raise ValueError(
                    f"Model '{self.name}' is compiled in the scope of a distribution strategy, but its variable "
                    f"{variable.path} was made outside of that scope. Build the model inside `with "
                    "strategy.scope():` too."
                )

    def _refuse_unknown_compile_arguments(self, kwargs: dict[str, Any]) -> None:
        for legacy in ("sample_weight_mode", "target_tensors", "distribute", "experimental_run_tf_function"):
            self._refuse_if_set(legacy, kwargs.pop(legacy, None))
        if kwargs:
            first = next(iter(kwargs))
            known = [
                name for name in inspect.signature(Compilation.compile).parameters if name not in ("self", "kwargs")
            ]
            raise ArgumentError(f"compile() got unexpected keyword arguments {sorted(kwargs)}{closest(first, known)}.")

    def _all_built(self) -> bool:
        """True if layers, losses and metrics have seen data."""
        training = self._training
        compiled = (training.compiled_loss, training.compiled_metrics)
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        return all(layer.built for layer in layers) and all(one is None or one.built for one in compiled)

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
        """Whether steps are compiled: by default if no layer is against it."""
        wanted = self._training.jit_compile
        if wanted not in ("auto", None):
            return bool(wanted)
        return all(getattr(layer, "supports_jit", True) for layer in self._flatten_layers())  # type: ignore[attr-defined]

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
        """All metrics: the loss, those of ``compile`` as one, losses of outputs, those of the model and its layers."""
        training = self._training
        found: list[Metric] = [] if training.loss_tracker is None else [training.loss_tracker]
        if training.compiled_metrics is not None:
            found.append(training.compiled_metrics)
        if training.compiled_loss is not None:
            found += training.compiled_loss.metrics
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            # A model inside this one has a training of its own.
            if layer is self or not isinstance(layer, Compilation):
                found += [
                    metric for metric in tracking.members(layer, Metric) if not any(metric is one for one in found)
                ]
        return found

    @property
    def metrics_names(self) -> list[str]:
        """Names of the values that ``evaluate`` returns, in order; empty before the first batch."""
        training = self._training
        if not training.compiled or not training.has_run:
            return []
        return self._result_names(self._flat_results(self.get_metrics_result()))

    @property
    def metrics_variables(self) -> list[Variable]:
        """State of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def compiled_loss(self) -> LossFace:
        """The loss of ``compile`` for custom steps: ``self.compiled_loss(y, y_pred)``. See also ``compute_loss``."""
        return LossFace(self._training)

    @property
    def compiled_metrics(self) -> CompiledMetrics | None:
        """The metrics given to ``compile``, for custom steps; ``compute_metrics`` is the newer way."""
        training = self._training
        if training.compiled_metrics is None and training.compiled:
            training.compiled_metrics = CompiledMetrics(None)
        return training.compiled_metrics

    # --- running ---------------------------------------------------------------------------------
    def _runner(self, kind: str) -> Runner:
        training = self._training
        key = (kind, self.run_eagerly)
        runner = training.runners.get(key)
        if runner is None:
            with training.programs_lock:
                runner = training.runners.get(key)
                if runner is None:
                    runner = training.runners[key] = self._new_runner(kind)
        return runner

    def _new_runner(self, kind: str) -> Runner:
        training = self._training
        compiled = not self.run_eagerly and self.jit_compile and kind not in training.eager_kinds
        for part in (training.compiled_loss, training.compiled_metrics):
            if part is not None and not part.built:
                part.output_names = self._known_output_names()

        def traced(data: Any) -> Any:
            result = step_of(self, kind)(data)
            if scopes.frame is not None:
                call_context.clear_losses(self)
            return Logs(self._flat_results(result)) if kind != "predict" else result

        def check(batch: Any) -> None:
            if checks_labels(self, kind):
                check_class_numbers(training.compiled_loss, batch)

        return Runner(
            self,
            kind,
            traced,
            compiled,
            version=self._train_version if kind == "train" else self._graph_version,
            check=check if kind != "predict" else None,
        )

    def _graph_version(self) -> Any:
        """Changes with the layers of a model, with epsilon and floatx, and with the distribution."""
        return vars(self).get("_functional"), settings.numeric(), placement.current()

    def _train_version(self) -> tuple[Any, ...]:
        """Changes when an option of an optimizer (momentum, clipping ...) was set anew, too."""
        found = [self.optimizer]
        if self._overrides("train_step"):
            found += tracking.members(self, optimizers.Optimizer)
        inner = [one for optimizer in found for one in getattr(optimizer, "_inner_optimizers", ())]
        return (self._graph_version(), *(getattr(one, "_version", 0) for one in (*found, *inner)))

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
            raise ValueError(f"You must call `compile()` before calling `{method}()`: give it an optimizer and a loss.")

    # --- files -----------------------------------------------------------------------------------
    def get_compile_config(self) -> dict[str, Any] | None:
        """Arguments of ``compile`` as stored in model files; None if there are none or they cannot be stored."""
        training = self._training
        if not training.compiled:
            return None
        if isinstance(self.optimizer, optimizers.TransformationOptimizer):
            warnings.warn(
                f"Model '{self.name}': its optimizer is made of functions that no file can hold; the file will hold an "
                "uncompiled model. Call `compile()` again after loading.",
                stacklevel=2,
            )
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


def _check_steps_per_execution(steps: Any) -> Any:
    if steps is None or steps == "auto":
        return steps
    if isinstance(steps, bool) or not hasattr(steps, "__index__") or int(steps) < 1:
        raise ValueError(
            f"`steps_per_execution` must be an int of at least 1 or 'auto'. Received: steps_per_execution={steps!r}"
        )
    return int(steps)
