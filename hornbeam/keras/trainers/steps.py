"""The steps of training, evaluation and prediction, which users may override one by one."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.core.scopes import scopes
from hornbeam.core.tape import GradientTape
from hornbeam.core.variable import Variable
from hornbeam.keras.layers.base import tracking
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

    def train_step(self, data: Any) -> dict[str, Any]:
        """One training step; override it to train in a way of your own.

        Args:
            data: one batch, ``(x, y, sample_weight)`` or a part of it.

        Returns:
            Logs by name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self._predict_with(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            self._training.loss_tracker.update_state(  # type: ignore[union-attr]
                loss, sample_weight=batch_size_of(trees.flatten(x)[0])
            )
            scaled = self.optimizer.scale_loss(loss) if self.optimizer is not None else loss
        variables = self._variables_to_train()
        if variables:
            gradients = tape.gradient(scaled, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One evaluation step; see ``train_step``."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._predict_with(x, training=False)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        self._training.loss_tracker.update_state(loss, sample_weight=batch_size_of(trees.flatten(x)[0]))  # type: ignore[union-attr]
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

    def _variables_to_train(self) -> list[Variable]:
        """Variables that were trainable when ``compile`` was called (or when the model was first run after it)."""
        training = self._training
        if training.frozen_variables is None:
            training.frozen_variables = list(self.trainable_variables)  # type: ignore[attr-defined]
        return training.frozen_variables

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Total loss of a batch: that given to ``compile`` plus losses of layers."""
        total = None
        compiled = self._training.compiled_loss
        if compiled is not None:
            value = compiled(y, y_pred, sample_weight)
            total = value
        for extra in self.losses:  # type: ignore[attr-defined]
            extra = ops.sum(ops.cast(extra, "float32"))
            total = extra if total is None else total + extra
        if total is None:
            if compiled is None and not scopes.symbolic and self.optimizer is not None and training:
                raise ValueError(
                    "No loss to compute. Provide a `loss` argument in `compile()`, or add losses with `add_loss` in layers."
                )
            return ops.zeros(())
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the compiled metrics with a batch and return all results."""
        compiled = self._training.compiled_metrics
        if compiled is not None:
            compiled.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Current results of all metrics by name."""
        training = self._training
        results: dict[str, Any] = {}
        if training.loss_tracker is not None:
            results["loss"] = training.loss_tracker.result()
        compiled_ids = {id(metric) for metric in self._compiled_metric_objects()}
        for metric in self.metrics:
            if metric is training.loss_tracker or id(metric) in compiled_ids:
                continue
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        if training.compiled_metrics is not None and training.compiled_metrics.built:
            results.update(training.compiled_metrics.result())
        if training.compiled_loss is not None:
            results.update({metric.name: metric.result() for metric in training.compiled_loss.metrics})
        return results

    def _compiled_metric_objects(self) -> list[Metric]:
        training = self._training
        found = list(training.compiled_metrics.metrics) if training.compiled_metrics is not None else []
        return found + (list(training.compiled_loss.metrics) if training.compiled_loss is not None else [])

    def _flat_results(self, outputs: Any) -> dict[str, Any]:
        """Logs of a step as a flat dict; a step of the user's may also return a list or a single value."""
        if outputs is None:
            return {}
        if isinstance(outputs, dict):
            flat: dict[str, Any] = {}
            for name, value in outputs.items():
                flat.update(value if isinstance(value, dict) else {name: value})
            return flat
        values = trees.flatten(outputs)
        return {"loss" if index == 0 else f"output_{index}": value for index, value in enumerate(values)}
