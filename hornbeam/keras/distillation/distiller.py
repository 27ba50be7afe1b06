"""``Distiller``: a model that trains a student with the help of a teacher."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import ArgumentError, explain
from hornbeam.base.shapes import TensorShape
from hornbeam.keras import losses as keras_losses
from hornbeam.keras import ops
from hornbeam.keras.distillation.losses import DistillationLoss
from hornbeam.keras.metrics import Mean
from hornbeam.keras.models import Model
from hornbeam.keras.saving import serialization

__all__ = ["Distiller"]
_FINAL = "final_output"


class Distiller(Model):
    """Trains ``student`` on ``w * own loss + (1 - w) * sum of weighted distillation losses``.

    The teacher is frozen. Calling the distiller calls the student.

    Args:
        teacher: trained model.
        student: model to train, with inputs and outputs of the teacher's shapes and dtypes.
        distillation_losses: ``DistillationLoss`` or list of these.
        distillation_loss_weights: a number for each loss of a list; default 1.
        student_loss_weight: ``w``, 0 to 1.
        name: name of the model.
        **kwargs: as for ``Model``.

    Raises:
        ValueError: the models do not fit together, or a weight is wrong.

    References: Keras ``distillation.Distiller``.
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Any = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        if not isinstance(student_loss_weight, (int, float)) or not 0 <= student_loss_weight <= 1:
            raise ValueError(
                f"Distiller: `student_loss_weight` must be a number from 0 to 1. Received: {student_loss_weight!r}"
            )
        self.teacher, self.student = teacher, student
        self.student_loss_weight = student_loss_weight
        self.distillation_losses, self.distillation_loss_weights = _weighted(
            distillation_losses, distillation_loss_weights
        )
        for one in self.distillation_losses:
            one.validate_model_compatibility(teacher, student)
        self._teacher_feature_extractor = _extractor(teacher, self._names("teacher_layer_name"))
        self._student_feature_extractor = _extractor(student, self._names("student_layer_name"))
        self.teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")
        self._student_loss: Any = None

    def _names(self, attribute: str) -> list[str]:
        found = [getattr(one, attribute, None) for one in self.distillation_losses]
        return list(dict.fromkeys(name for name in found if name))

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """Set up training; ``loss`` is the student's own.

        Args:
            optimizer: optimizer of the student.
            loss: name, loss, or a nesting of these as the outputs.
            metrics: list of metrics of the student's outputs.
            **kwargs: as for ``Model.compile``.

        Raises:
            ValueError: there is no loss, or the metrics are no list.
        """
        if loss is None:
            raise ValueError("Distiller.compile() needs `loss`, the student's own one, e.g. loss='mse'.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ValueError(f"Distiller.compile(): `metrics` must be a list. Received: {type(metrics).__name__}")
        self._student_loss = trees.map_structure(
            lambda one: keras_losses.get(one) if isinstance(one, str) else one, loss
        )
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Arguments of ``compile``, with the student's loss."""
        config = super().get_compile_config()
        if config is None:
            return None
        return {**config, "loss": serialization.serialize_keras_object(self._student_loss)}

    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        """The student's outputs."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Both losses together; ``sample_weight`` weighs the student's own."""
        if y_pred is None:
            y_pred = self(x, training=training)
        own = self._own_loss(y, y_pred, sample_weight) if self.student_loss_weight > 0 and y is not None else 0.0
        learned = self._distillation(x, y_pred) if self.student_loss_weight < 1 else 0.0
        total = ops.add(
            ops.multiply(self.student_loss_weight, own), ops.multiply(1.0 - self.student_loss_weight, learned)
        )
        self.student_loss_tracker.update_state(own)
        self.distillation_loss_tracker.update_state(learned)
        self.total_loss_tracker.update_state(total)
        return total

    def _own_loss(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        triples = zip(trees.flatten(self._student_loss), trees.flatten(y), trees.flatten(y_pred), strict=True)
        values = [_one_loss(loss, truth, found, sample_weight) for loss, truth, found in triples]
        return values[0] if len(values) == 1 else ops.sum(ops.stack(values))

    def _distillation(self, x: Any, y_pred: Any) -> Any:
        teacher = self._features(self._teacher_feature_extractor, x, False, lambda: self.teacher(x, training=False))
        student = self._features(self._student_feature_extractor, x, True, lambda: y_pred)
        total = 0.0
        for one, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            first, second = teacher[_FINAL], y_pred
            name = getattr(one, "teacher_layer_name", None)
            if name is not None:
                first = teacher[name]
                second = student[getattr(one, "student_layer_name", None) or _FINAL]
            one.validate_outputs(first, second)
            value = one.compute_loss(first, second)
            if tuple(getattr(value, "shape", ())):
                raise ValueError(
                    f"{type(one).__name__}.compute_loss() must return a scalar. Received: shape {tuple(value.shape)}"
                )
            total = ops.add(total, ops.multiply(weight, value))
        return total

    @staticmethod
    def _features(extractor: Any, x: Any, training: bool, final: Any) -> dict[str, Any]:
        return {_FINAL: final()} if extractor is None else extractor(x, training=training)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        saved = serialization.serialize_keras_object
        return {
            **super().get_config(),
            "teacher": saved(self.teacher),
            "student": saved(self.student),
            "distillation_losses": [saved(one) for one in self.distillation_losses],
            "distillation_loss_weights": list(self.distillation_loss_weights),
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Distiller of a config."""
        made = dict(config)
        for key in ("teacher", "student"):
            made[key] = serialization.deserialize_keras_object(config[key], custom_objects)
        made["distillation_losses"] = [
            serialization.deserialize_keras_object(one, custom_objects) for one in config["distillation_losses"]
        ]
        return cls(**made)


def _one_loss(loss: Any, truth: Any, found: Any, sample_weight: Any) -> Any:
    if isinstance(loss, keras_losses.Loss):
        return loss(truth, found, sample_weight=sample_weight)
    value = loss(truth, found)
    if sample_weight is not None:
        value = ops.multiply(value, ops.cast(sample_weight, value.dtype))
    return ops.mean(value)


def _weighted(found: Any, weights: Any) -> tuple[list[DistillationLoss], list[float]]:
    if found is None:
        raise ValueError("Distiller: `distillation_losses` must name one at least, e.g. LogitsDistillation().")
    if not isinstance(found, (list, tuple)):
        return [found], [1.0] if weights is None else list(trees.flatten(weights))
    if weights is not None and len(weights) != len(found):
        raise ValueError(
            f"Distiller: {len(found)} distillation_losses need as many weights. Received: {len(weights)} "
            "distillation_loss_weights"
        )
    return list(found), [1.0] * len(found) if weights is None else list(weights)


def _check_models(teacher: Any, student: Any) -> None:
    for role, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"Distiller: the {role} must be a keras.Model. Received: {type(model).__name__}")
    for what in ("inputs", "outputs"):
        first, second = getattr(teacher, what, None), getattr(student, what, None)
        if first is None or second is None:
            continue
        fits = len(first) == len(second) and all(
            a.dtype == b.dtype and TensorShape(a.shape).is_compatible_with(b.shape)
            for a, b in zip(first, second, strict=True)
        )
        if not fits:
            raise ArgumentError(
                explain(
                    f"Distiller: teacher and student must have {what} of the same shapes and dtypes.",
                    expected=f"as the teacher: {[(tuple(one.shape), str(one.dtype)) for one in first]}",
                    received=f"the student: {[(tuple(one.shape), str(one.dtype)) for one in second]}",
                )
            )


def _extractor(model: Any, names: list[str]) -> Any:
    """A model of the final outputs and those of some layers; None if no layer is asked for."""
    if not names:
        return None
    final = model.outputs[0] if len(model.outputs) == 1 else model.output
    outputs = {_FINAL: final, **{name: model.get_layer(name).output for name in names}}
    return Model(model.inputs, outputs, name=f"{model.name}_multi_feature_extractor")
