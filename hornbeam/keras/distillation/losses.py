"""How far a student's outputs or features are from its teacher's."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import ArgumentError, explain
from hornbeam.keras import losses, ops
from hornbeam.keras.saving import serialization

__all__ = ["DistillationLoss", "FeatureDistillation", "LogitsDistillation"]


class DistillationLoss:
    """Base of losses between a teacher and its student: override ``compute_loss``.

    References: Keras ``distillation.DistillationLoss``.
    """

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, a scalar tensor.

        Args:
            teacher_outputs: what the teacher gives: a tensor or a nesting of tensors.
            student_outputs: what the student gives, in the same nesting.
            **kwargs: for losses of one's own.
        """
        raise NotImplementedError(f"{type(self).__name__} must override compute_loss().")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raise ``ValueError`` if the outputs are not nested alike."""
        _same_nesting("student_outputs", teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raise ``ValueError`` if the loss cannot work on these models; most can work on any."""
        return


class _OfLosses(DistillationLoss):
    """A distillation loss made of losses, one for each output.

    Args:
        loss: name, loss, function, or a nesting of these as the outputs; None for outputs that do not count.
    """

    def __init__(self, loss: Any) -> None:
        self.loss = trees.map_structure(lambda one: losses.get(one) if isinstance(one, str) else one, loss)
        if all(one is None for one in trees.flatten(self.loss)):
            raise ValueError(f"{type(self).__name__}: `loss` must name a loss for one output at least; all are None.")

    def _total(self, teacher: Any, student: Any, compare: Any) -> Any:
        pairs = zip(trees.flatten(self.loss), trees.flatten(teacher), trees.flatten(student), strict=True)
        values = [compare(loss, first, second) for loss, first, second in pairs if loss is not None]
        return ops.sum(ops.stack(values))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"loss": serialization.serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Loss of a config."""
        loss = config["loss"]
        plain = isinstance(loss, str) or loss is None
        return cls(**{**config, "loss": loss if plain else serialization.deserialize_keras_object(loss)})


class LogitsDistillation(_OfLosses):
    """Compares the final outputs, both divided by a temperature.

    A ``losses.KLDivergence`` object compares the softmax of both, and is multiplied with the square of the
    temperature; all other losses, functions by name too, get the divided outputs as they are.

    Args:
        temperature: above 0; the higher, the more the small outputs count.
        loss: name, loss, or a nesting of these as the outputs; None for outputs that do not count.

    Raises:
        ValueError: the temperature is no number above 0, or there is no loss.

    References: Keras ``distillation.LogitsDistillation``; Hinton et al. 2015.
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        super().__init__(loss)
        if not isinstance(temperature, (int, float)) or temperature <= 0:
            raise ValueError(f"LogitsDistillation: `temperature` must be a number above 0. Received: {temperature!r}")
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """Sum of the losses of all outputs, each a mean over the batch."""

        def compare(loss: Any, teacher: Any, student: Any) -> Any:
            teacher, student = ops.divide(teacher, self.temperature), ops.divide(student, self.temperature)
            if not isinstance(loss, losses.KLDivergence):
                return ops.mean(loss(teacher, student))
            value = loss(ops.softmax(teacher, axis=-1), ops.softmax(student, axis=-1))
            return ops.mean(value) * self.temperature**2

        return self._total(teacher_outputs, student_outputs, compare)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"temperature": self.temperature, **super().get_config()}


class FeatureDistillation(_OfLosses):
    """Compares what two layers give, or the final outputs.

    Args:
        loss: name, loss, or a nesting of these as the outputs of the layers; None for outputs that do not count.
        teacher_layer_name: layer of the teacher; default its outputs.
        student_layer_name: layer of the student; default its outputs.

    Raises:
        ValueError: there is no loss.

    References: Keras ``distillation.FeatureDistillation``.
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None
    ) -> None:
        super().__init__(loss)
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raise ``ValueError`` if a layer is not there, or a model has no graph to take it from."""
        named = (("teacher", teacher, self.teacher_layer_name), ("student", student, self.student_layer_name))
        if not any(name for _, _, name in named):
            return
        for role, model, name in named:
            if getattr(model, "inputs", None) is None:
                raise ValueError(
                    explain(
                        f"FeatureDistillation takes layers by name from models with a graph; the {role} has none.",
                        expected="Functional or Sequential models",
                        received=f"{type(model).__name__} '{model.name}'",
                        fix="leave out the names of layers, which compares the final outputs",
                    )
                )
            if name is not None:
                model.get_layer(name)

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raise ``ValueError`` if outputs and losses are not nested alike."""
        super().validate_outputs(teacher_outputs, student_outputs)
        _same_nesting("loss", teacher_outputs, self.loss)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """Sum of the losses of all outputs, each a mean over the batch."""
        return self._total(teacher_outputs, student_outputs, lambda loss, a, b: ops.mean(loss(a, b)))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }


def _same_nesting(what: str, teacher: Any, other: Any) -> None:
    found = [[path for path, _ in trees.flatten_with_path(value)] for value in (teacher, other)]
    if found[0] != found[1]:
        raise ArgumentError(
            explain(
                f"Distillation: `{what}` is not nested as the teacher's outputs.",
                expected=f"{len(found[0])} values at {found[0]}",
                received=f"{len(found[1])} values at {found[1]}",
            )
        )
