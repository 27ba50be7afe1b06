"""The losses given to ``compile``, by output, as one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hornbeam import ops
from hornbeam.base import settings, trees
from hornbeam.base.names import to_snake_case
from hornbeam.keras import losses as losses_module
from hornbeam.keras.losses import Loss
from hornbeam.keras.metrics import Mean
from hornbeam.keras.trainers.fitness import check_fits, label_count
from hornbeam.keras.trainers.outputs import Outputs, match_targets, match_weights

_CROSSENTROPY = ("crossentropy", "ce")


@dataclass
class _Part:
    """One loss of one output."""

    output: int
    function: Any
    factor: Any
    name: str
    labels: int | None


class CompiledLoss:
    """Weighted sum of the losses of all outputs.

    Args:
        loss: name, function, ``Loss`` or None; or a list or dict of them by output.
        loss_weights: number, or list or dict of numbers by output.
        output_names: names of the outputs, if known.

    Attributes:
        metrics: if there are several losses, running means of each.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None) -> None:
        self.loss, self.loss_weights, self.output_names = loss, loss_weights, output_names
        self.metrics: list[Mean] = []
        self._skeleton: Outputs | None = None
        self._parts: list[_Part] | None = None
        _check(loss)
        _check_weights(loss_weights)

    @property
    def built(self) -> bool:
        """True once the outputs were seen."""
        return self._parts is not None

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolve names, once the outputs are known."""
        outputs = Outputs(y_pred, self.output_names)
        given = self._by_output(outputs)
        targets = match_targets(outputs, y_true, [bool(one) for one in given])
        factors = self._factors(outputs, given)
        parts = []
        for index in self._order(outputs):
            target, pred = targets[index], outputs.values[index]
            for one, factor in zip(given[index], factors[index], strict=True):
                function = _as_loss(one, target, pred)
                count = label_count(function, pred)
                parts.append(_Part(index, function, factor, _name(outputs, index, function), count))
        _number(parts)
        self._parts = parts
        self.metrics = [Mean(name=part.name) for part in parts] if len(parts) > 1 else []
        # Without the tensors, which are those of a trace.
        self._skeleton = Outputs(outputs.structure, self.output_names)

    def _by_output(self, outputs: Outputs) -> list[list[Any]]:
        """Losses of each output: one, none, or (for a model with one output) several."""
        loss = self.loss
        if not trees.is_nested(loss):
            return [[loss] for _ in outputs.values]
        if len(outputs) == 1 and isinstance(loss, (list, tuple)):
            return [[one for one in trees.flatten(loss) if one is not None]]
        return [[] if one is None else [one] for one in outputs.spread(loss, "loss")]

    def _factors(self, outputs: Outputs, given: list[list[Any]]) -> list[list[Any]]:
        weights = self.loss_weights
        if weights is None:
            return [[None] * len(one) for one in given]
        flat = trees.flatten(weights)
        if len(outputs) == 1:
            return [flat if len(flat) == len(given[0]) else [flat[0]] * len(given[0])]
        if not isinstance(weights, dict) and len(flat) == sum(map(len, given)) != len(outputs):
            queue = iter(flat)
            return [[next(queue) for _ in one] for one in given]
        return [[factor] * len(one) for factor, one in zip(outputs.spread(weights, "loss_weights"), given, strict=True)]

    def _order(self, outputs: Outputs) -> list[int]:
        """Outputs in the order in which the user's dicts (where there are any) name them."""
        if not isinstance(self.loss, dict) or not isinstance(outputs.structure, dict):
            return list(range(len(outputs)))
        return sorted(range(len(outputs)), key=lambda index: _rank(self.loss, outputs.paths[index]))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Total loss, a scalar tensor; None if no output has a loss."""
        if self._parts is None:
            self.build(y_true, y_pred)
        parts = self._parts or []
        outputs = Outputs(y_pred, self.output_names)
        wanted = [any(part.output == index for part in parts) for index in range(len(outputs))]
        targets = match_targets(outputs, y_true, wanted)
        weights = match_weights(outputs, sample_weight)
        total = None
        for number, part in enumerate(parts):
            target, pred, weight = targets[part.output], outputs.values[part.output], weights[part.output]
            check_fits(part.function, target, pred, weight, outputs.names[part.output] if len(outputs) > 1 else None)
            value = ops.cast(part.function(target, pred, weight), settings.floatx())
            if self.metrics:
                self.metrics[number].update_state(value, sample_weight=batch_size_of(pred))
            if part.factor is not None:
                value = value * part.factor
            total = value if total is None else total + value
        return total

    @property
    def takes_class_numbers(self) -> bool:
        """True if some output has a loss whose integer labels must lie below the number of classes."""
        return any(part.labels is not None for part in self._parts or ())

    def class_numbers(self, y_true: Any) -> list[tuple[str | None, Any, int]]:
        """Integer labels to be checked: name of the output, labels, number of classes."""
        parts, skeleton = self._parts or [], self._skeleton
        if skeleton is None or y_true is None:
            return []
        wanted = [any(part.output == index for part in parts) for index in range(len(skeleton))]
        targets = match_targets(skeleton, y_true, wanted)
        names = skeleton.names if len(skeleton) > 1 else [None]
        return [
            (names[part.output], targets[part.output], part.labels)
            for part in parts
            if part.labels is not None and targets[part.output] is not None
        ]

    def reset_build(self) -> None:
        """Forget the outputs seen."""
        self._parts, self.metrics, self._skeleton = None, [], None


def _rank(loss: Any, path: tuple) -> tuple[int, ...]:
    rank = []
    for key in path:
        if isinstance(loss, dict):
            rank.append(list(loss).index(key) if key in loss else len(loss))
            loss = loss.get(key)
        else:
            rank.append(key if isinstance(key, int) else 0)
            loss = loss[key] if isinstance(loss, (list, tuple)) else None
    return tuple(rank)


def batch_size_of(tensor: Any) -> Any:
    """Rows in a batch."""
    return tensor.shape[0] if len(tensor.shape) else 1


def _name(outputs: Outputs, index: int, function: Any) -> str:
    path = list(outputs.paths[index])
    if not path:
        return f"{function.name}_loss"
    known = outputs.layer_names[index] or function.name
    if isinstance(path[-1], int):
        path[-1] = known
    return "/".join(str(key) for key in path) + "_loss"


def _number(parts: list[_Part]) -> None:
    """Names made unique: ``mse_loss``, ``mse_loss_1`` ..."""
    seen: dict[str, int] = {}
    for part in parts:
        count = seen.get(part.name, 0)
        seen[part.name] = count + 1
        if count:
            part.name = f"{part.name}_{count}"


def _as_loss(given: Any, target: Any, pred: Any) -> Any:
    found = _by_shape(target, pred) if str(given).lower() in _CROSSENTROPY else losses_module.get(given)
    if isinstance(found, Loss):
        return found
    if isinstance(given, str):
        return losses_module.LossFunctionWrapper(found, name=given)
    return losses_module.LossFunctionWrapper(found, name=object_name(found))


def object_name(thing: Any) -> str:
    """Name of a loss or metric for logs: its ``name``, or that of its function or class."""
    name = getattr(thing, "name", None)
    if isinstance(name, str):
        return name
    return to_snake_case(getattr(thing, "__name__", None) or type(thing).__name__)


def family(target: Any, pred: Any) -> str:
    """Which kind of accuracy or cross-entropy fits labels and predictions, by their shapes."""
    true_shape, pred_shape = tuple(target.shape), tuple(pred.shape)
    if not pred_shape or pred_shape[-1] == 1:
        return "binary"
    if len(true_shape) < len(pred_shape) or true_shape[-1] == 1:
        return "sparse"
    return "categorical"


def _by_shape(target: Any, pred: Any) -> Any:
    prefix = {"binary": "binary", "sparse": "sparse_categorical", "categorical": "categorical"}[family(target, pred)]
    return losses_module.get(f"{prefix}_crossentropy")


def _check(loss: Any) -> None:
    """Unknown names fail in ``compile``, not in ``fit``."""
    if isinstance(loss, str):
        if loss.lower() not in _CROSSENTROPY:
            losses_module.get(loss)
    elif isinstance(loss, dict) and "class_name" not in loss:
        for one in loss.values():
            _check(one)
    elif isinstance(loss, (list, tuple)):
        for one in loss:
            _check(one)
    elif loss is not None and not callable(loss) and not isinstance(loss, dict):
        raise ValueError(f"`loss` must be a name, a function or a Loss. Received: loss={loss!r} of type {type(loss)}.")


def _check_weights(loss_weights: Any) -> None:
    given = loss_weights.values() if isinstance(loss_weights, dict) else loss_weights
    parts = list(given) if isinstance(given, (list, tuple)) or isinstance(loss_weights, dict) else [given]
    if any(isinstance(part, (str, bool)) or callable(part) for part in parts):
        raise ValueError(
            "`loss_weights` must be a number, or a list or dict of numbers by output. It is the third argument of "
            "`compile`: give metrics by name, `metrics=[...]`. "
            f"Received: loss_weights={loss_weights!r} of type {type(loss_weights)}"
        )
