"""The losses given to ``compile``, by output, as one function."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras import losses as losses_module
from hornbeam.keras.losses import Loss
from hornbeam.keras.metrics import Mean
from hornbeam.keras.trainers.outputs import Outputs


class CompiledLoss:
    """Weighted sum of the losses of all outputs.

    Args:
        loss: name, function, ``Loss`` or None; or a list or dict of them by output.
        loss_weights: number, or list or dict of numbers by output.
        output_names: names of the outputs, if known.

    Attributes:
        metrics: for several outputs, running means of each output's own loss.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None) -> None:
        self.loss, self.loss_weights, self.output_names = loss, loss_weights, output_names
        self.metrics: list[Mean] = []
        self._functions: list[Any] | None = None
        self._weights: list[Any] = []
        _check(loss)

    def build(self, outputs: Outputs) -> None:
        """Resolve names, once the outputs are known."""
        given = outputs.match(self.loss, "loss", broadcast=not isinstance(self.loss, (list, tuple)))
        self._functions = [_as_loss(one) for one in given]
        self._weights = outputs.match(self.loss_weights, "loss_weights")
        used = [name for name, function in zip(outputs.names, self._functions, strict=True) if function is not None]
        if len(outputs) > 1:
            self.metrics = [Mean(name=f"{name}_loss") for name in used]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Total loss, a scalar tensor; None if no output has a loss."""
        outputs = Outputs(y_pred, self.output_names)
        if self._functions is None:
            self.build(outputs)
        targets = outputs.match(y_true, "y")
        weights = outputs.match(sample_weight, "sample_weight", broadcast=True)
        total = None
        trackers = iter(self.metrics)
        for function, target, pred, weight, factor in zip(
            self._functions or (), targets, outputs.values, weights, self._weights, strict=True
        ):
            if function is None:
                continue
            value = ops.cast(function(target, pred, weight), "float32")
            tracker = next(trackers, None)
            if tracker is not None:
                tracker.update_state(value, sample_weight=batch_size_of(pred))
            if factor is not None:
                value = value * float(factor) if isinstance(factor, (int, float)) else value * factor
            total = value if total is None else total + value
        return total


def batch_size_of(tensor: Any) -> Any:
    """Rows in a batch."""
    return tensor.shape[0] if len(tensor.shape) else 1


def _as_loss(given: Any) -> Any:
    if given is None:
        return None
    found = losses_module.get(given)
    if isinstance(found, Loss):
        return found
    name = getattr(found, "__name__", None) or type(found).__name__
    return losses_module.LossFunctionWrapper(found, name=name)


def _check(loss: Any) -> None:
    """Unknown names fail in ``compile``, not in ``fit``."""
    if isinstance(loss, str):
        losses_module.get(loss)
    elif isinstance(loss, dict):
        for one in loss.values():
            _check(one)
    elif isinstance(loss, (list, tuple)):
        for one in loss:
            _check(one)
    elif loss is not None and not callable(loss):
        raise ValueError(f"`loss` must be a name, a function or a Loss. Received: loss={loss!r} of type {type(loss)}.")
