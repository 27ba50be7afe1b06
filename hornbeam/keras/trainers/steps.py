"""The steps of training, evaluation and prediction, which users may override one by one."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from hornbeam import ops
from hornbeam.base import settings, trees
from hornbeam.base.errors import DataError
from hornbeam.core.scopes import scopes
from hornbeam.core.tape import GradientTape
from hornbeam.core.variable import Variable
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.metrics import Metric
from hornbeam.keras.trainers.compiled_loss import batch_size_of
from hornbeam.keras.trainers.state import TrainerState
from hornbeam.keras.utils.data_tuples import unpack_x_y_sample_weight


class Steps:
    """``train_step``, ``test_step``, ``predict_step`` and what they are made of; mixed into ``Trainer``."""

    optimizer: Any = None

    @property
    def _training(self) -> TrainerState:
        state = vars(self)
        if "_trainer" not in state:
            state["_trainer"] = TrainerState()
        return state["_trainer"]

    @property
    def metrics(self) -> list[Metric]:
        """All metrics: the loss, those given to ``compile`` as one, those of layers and the model."""
        raise NotImplementedError

    def _overrides(self, *names: str) -> bool:
        """True if a subclass (or the object) has a method of its own by one of these names."""
        return any(name in vars(self) or getattr(type(self), name) is not getattr(Steps, name) for name in names)

    # --- steps -----------------------------------------------------------------------------------
    def train_step(self, data: Any) -> Any:
        """One training step; override it to train in a way of your own.

        It runs in a compiled program: variables may be read and assigned and metrics updated, and gradients taken
        with ``GradientTape`` (or ``jax.grad``).

        Args:
            data: one batch of tensors: a tuple ``(x, y, sample_weight)``, a pair ``(x, y)``, or ``x`` alone.

        Returns:
            Logs by name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            # What is trained may have been frozen since (see `_variables_to_train`); a tape would not look at it.
            fixed = self._training.frozen_variables or self._training.compiled_variables
            tape.watch([one for one in fixed if not one.trainable])
            y_pred = self._predict_with(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss) if self.optimizer is not None else loss
        self._track_loss(loss, x)
        variables = self._variables_to_train()
        if variables:
            gradients = tape.gradient(scaled, variables)
            optimizer: Any = self.optimizer
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
        else:
            warnings.warn("The model does not have any trainable variables, so `fit` changes no weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> Any:
        """One evaluation step; see ``train_step``."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._predict_with(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Predictions for one batch; see ``train_step``."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._predict_with(x, training=False)

    def _predict_with(self, x: Any, training: bool) -> Any:
        spec = call_spec(self)
        if spec.has_training or spec.has_kwargs:
            return self(x, training=training)  # type: ignore[operator]
        return self(x)  # type: ignore[operator]

    def _warn_if_refrozen(self) -> None:
        """Warn if layers were frozen or thawed since the first step after ``compile``: that has no effect yet."""
        trained = self._training.frozen_variables
        current = self.trainable_variables if trained is not None else []  # type: ignore[attr-defined]
        if current and trained is not None and {id(one) for one in current} != {id(one) for one in trained}:
            warnings.warn(
                "The `trainable` flags have changed since the model was compiled, which has no effect on training yet. "
                "Call `compile()` again.",
                stacklevel=4,
            )

    def _variables_to_train(self) -> list[Variable]:
        """Variables that training changes until the next ``compile``; see ``TrainerState``."""
        training = self._training
        if training.frozen_variables is None:
            current = list(self.trainable_variables)  # type: ignore[attr-defined]
            training.frozen_variables = current or list(training.compiled_variables)
        return training.frozen_variables

    # --- loss ------------------------------------------------------------------------------------
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Total loss of a batch: that given to ``compile`` plus the losses of layers and regularizers.

        Args:
            x: inputs.
            y: targets.
            y_pred: predictions.
            sample_weight: weights by sample.
            training: whether the batch is trained on.

        Raises:
            DataError: there is nothing to train on: no loss, and no layer adds one.
        """
        found = []
        compiled = self._training.compiled_loss
        if compiled is not None:
            value = compiled(y, y_pred, sample_weight)
            if value is not None:
                found.append(value)
        found += [ops.sum(ops.cast(extra, settings.floatx())) for extra in self.losses]  # type: ignore[attr-defined]
        if not found:
            if training and not scopes.symbolic:
                raise DataError("No loss to compute: name one in `compile(loss=...)`, or let a layer call `add_loss`.")
            return ops.zeros(())
        total = found[0]
        for value in found[1:]:
            total = total + value
        return total

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """``compute_loss``, also of subclasses whose own one knows no ``training``."""
        if "training" in inspect.signature(self.compute_loss).parameters:
            return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

    def _track_loss(self, loss: Any, x: Any) -> None:
        tracker = self._training.loss_tracker
        first = next((leaf for leaf in trees.flatten(x) if leaf is not None), None)
        if tracker is not None:
            tracker.update_state(loss, sample_weight=1 if first is None else batch_size_of(first))

    # --- metrics ---------------------------------------------------------------------------------
    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the compiled metrics with a batch and return all results."""
        compiled = self._training.compiled_metrics
        if compiled is not None:
            compiled.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Current results of all metrics by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    # --- results ---------------------------------------------------------------------------------
    def _flat_results(self, outputs: Any) -> dict[str, Any]:
        """Logs of a step as a flat dict; a step of the user's may also return a list or a single value."""
        if outputs is None:
            return {}
        if isinstance(outputs, dict):
            flat: dict[str, Any] = {}
            for name, value in outputs.items():
                flat.update(self._flat_results(value) if isinstance(value, dict) else {name: value})
            return flat
        values = trees.flatten(outputs)
        return {"loss" if index == 0 else f"output_{index}": value for index, value in enumerate(values)}

    def _log_order(self, kind: str, logs: dict[str, Any]) -> list[str]:
        """Names of the logs of a step of this kind, or of an epoch with its validation, in the order shown to users."""
        return sorted(logs)

    def _listed_results(self, logs: dict[str, Any]) -> Any:
        """Logs as ``evaluate`` lists them: the loss, metrics, losses of outputs, then all others by name."""
        names = self._result_names(logs)
        values = [logs[name] for name in names]
        return values[0] if len(values) == 1 else values

    def _result_names(self, logs: dict[str, Any]) -> list[str]:
        listed: list[str] = []
        for metric in self.metrics:
            inner: Any = metric
            for one in inner.metrics if metric is self._training.compiled_metrics else [metric]:
                if one.name in logs and one.name not in listed:
                    listed.append(one.name)
        return listed + sorted(name for name in logs if name not in listed)
