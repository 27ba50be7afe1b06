"""Old methods and attributes of optimizers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat import decay
from hornbeam.compat.loading import load
from hornbeam.compat.methods import own_optimizers
from hornbeam.compat.methods.gone import GoneError
from hornbeam.compat.methods.layers import NAME, track_trackable
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import wrap
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.schedules import InverseTimeDecay
from hornbeam.keras.saving import serialization


def get_weights(self: Any) -> list[np.ndarray]:
    """Values of the optimizer's variables."""
    return [np.asarray(variable) for variable in self.variables]


class Step:
    """One step of an optimizer, to be made by ``K.function(..., updates=[...])``.

    Args:
        optimizer: the optimizer.
        variables: what it changes.
        tensors: symbolic gradients.
    """

    def __init__(self, optimizer: Any, variables: list[Any], tensors: list[Any]) -> None:
        self.optimizer, self.variables, self.tensors = optimizer, variables, tensors

    def make(self, values: list[Any]) -> None:
        """Make the step, given the gradients."""
        self.optimizer.apply_gradients(zip(values, self.variables, strict=True))


def get_updates(self: Any, *args: Any, **kwargs: Any) -> list[Step]:
    """The step that lowers a symbolic loss, for ``K.function``.

    Args:
        self: the optimizer.
        *args: ``loss, params`` in this or the other order, or ``params, constraints, loss``.
        **kwargs: the same by name.
    """
    given = dict(kwargs)
    if len(args) == 3:
        given.update(params=args[0], loss=args[2])
    else:
        for one in args:
            given["params" if isinstance(one, (list, tuple)) else "loss"] = one
    params: list[Variable] = list(given.get("params") or ())
    if isinstance(given.get("loss"), own_optimizers.Loss):
        return own_optimizers.inner_updates(self, given["loss"], params, _plain_step)
    return [Step(self, params, get_gradients(self, given.get("loss"), params))]


def _plain_step(optimizer: Any, gradients: list, variables: list[Variable]) -> None:
    """A step of Hornbeam's own rule, also for a class that describes more around it."""
    rule = next(kind for kind in type(optimizer).__mro__ if kind.__module__.startswith("hornbeam."))
    if type(optimizer) is rule:
        optimizer.apply(gradients, variables)
        return
    for gradient, variable in zip(gradients, variables, strict=True):
        rule.update_step(optimizer, wrap(gradient), variable, optimizer._rate())


def get_gradients(self: Any, loss: Any, params: Any) -> list[Any]:
    """Gradients of a symbolic loss, or of the one that ``get_updates`` is given."""
    if isinstance(loss, own_optimizers.Loss):
        return loss.gradients_of(params)
    return load("keras.backend:gradients")(loss, params)


def _get_hyper(self: Any, name: str, dtype: Any = None) -> Any:
    value = getattr(self, name)
    value = value() if callable(value) and not hasattr(value, "dtype") else value
    return value if dtype is None else ops.cast(value, dtype)


def _set_hyper(self: Any, name: str, value: Any) -> None:
    setattr(self, name, value)


def _decay(self: Any) -> Any:
    if "_own_decay" in vars(self):
        return vars(self)["_own_decay"]
    rate = vars(self).get("_learning_rate")
    return float(rate.decay_rate) if isinstance(rate, decay.SettableInverseTimeDecay) else 0.0


def compute_gradients(self: Any, loss: Any, var_list: Any, tape: Any = None) -> list[tuple[Any, Any]]:
    """Gradients of a loss, paired with the variables.

    Args:
        loss: a function without arguments, or a tensor (then ``tape`` is needed).
        var_list: the variables, or a function that gives them.
        tape: the tape that recorded ``loss``.
    """
    if callable(loss):
        tape = tape or GradientTape()
        with tape:
            loss = loss()
    elif tape is None:
        raise ValueError(f"{self.name}.compute_gradients(): a loss that is a tensor needs its `tape`.")
    given: Any = var_list() if callable(var_list) else var_list
    variables = list(given)
    return list(zip(tape.gradient(loss, variables), variables, strict=True))


def _set_decay(self: Any, value: Any) -> None:
    vars(self)["_own_decay"] = value
    if isinstance(value, Variable):
        self._track_variable(value)


def _updates(self: Any) -> Any:
    if "_own_updates" not in vars(self):
        raise GoneError("Optimizer.updates is not offered: call `apply_gradients`.")
    return vars(self)["_own_updates"]


def _set_updates(self: Any, value: Any) -> None:
    vars(self)["_own_updates"] = value


def _set_weights(self: Any, value: Any) -> None:
    for variable in value:
        self._track_variable(variable)


OPTIMIZER: dict[str, Any] = {
    **own_optimizers.SLOTS,
    "compute_gradients": compute_gradients,
    "get_weights": get_weights,
    "get_updates": get_updates,
    "get_gradients": get_gradients,
    "weights": property(lambda self: self.variables, _set_weights, doc="The optimizer's variables."),
    "decay": property(_decay, _set_decay, doc="What the constructor's `decay` was, or what a class has set."),
    "updates": property(_updates, _set_updates, doc="What a class's own `get_updates` has kept."),
    "_get_hyper": _get_hyper,
    "_name": NAME,
    "_track_trackable": track_trackable,
    "_set_hyper": _set_hyper,
}


def get_scaled_loss(self: Any, loss: Any) -> Any:
    """The loss multiplied by the loss scale; a function is wrapped."""
    if callable(loss):
        return lambda: self.scale_loss(loss())
    return self.scale_loss(loss)


def get_unscaled_gradients(self: Any, grads: Any) -> list[Any]:
    """Gradients of the scaled loss divided by the loss scale; the next update does not divide them again."""
    vars(self)["_program_unscales"] = True
    return [None if gradient is None else gradient / _scale_for(self, gradient) for gradient in grads]


def _scale_for(self: Any, gradient: Any) -> Any:
    return ops.cast(self.scale_loss(1.0), gradient.dtype)


def _without_dividing_twice(apply: Callable) -> Callable:
    @functools.wraps(apply)
    def applied(self: Any, grads: Any, trainable_variables: Any = None) -> None:
        if vars(self).pop("_program_unscales", False):
            grads = [None if gradient is None else gradient * _scale_for(self, gradient) for gradient in grads]
        apply(self, grads, trainable_variables)

    return applied


AROUND_LOSS_SCALE: dict[str, Callable] = {"apply": _without_dividing_twice}


LOSS_SCALE_OPTIMIZER: dict[str, Any] = {
    "loss_scale": property(lambda self: self.scale_loss(1.0), doc="The number that losses are multiplied by."),
    "get_scaled_loss": get_scaled_loss,
    "get_unscaled_gradients": get_unscaled_gradients,
}


def _settable_count(count: property) -> property:
    """Classes of former times make the step count themselves; it keeps being the optimizer's own variable."""
    read = count.fget
    assert read is not None

    def assign(self: Any, value: Any) -> None:
        self._iterations.assign(value)

    return property(read, assign, doc=count.__doc__)


def _plain_schedule(rate_config: Callable) -> Callable:
    @functools.wraps(rate_config)
    def config(self: Any) -> Any:
        if decay.start_rate(self) is None:
            return rate_config(self)
        plain = InverseTimeDecay(**self._learning_rate.get_config())
        return serialization.serialize_keras_object(plain)

    return config


def _settable_rate(rate: property) -> property:
    """Let programs set the first rate of an optimizer that was made with ``decay``."""
    read, write = rate.fget, rate.fset
    assert read is not None and write is not None

    def assign(self: Any, value: Any) -> None:
        start = decay.start_rate(self)
        if start is None or (callable(value) and not hasattr(value, "dtype")):
            write(self, value)
        else:
            start.assign(value)

    return property(read, assign, doc=rate.__doc__)


def _start_or_rate(short: property) -> property:
    """``lr`` of such an optimizer is its first rate, a variable."""
    read, write = short.fget, short.fset
    assert read is not None

    def start_or_rate(self: Any) -> Any:
        start = decay.start_rate(self)
        return read(self) if start is None else start

    def assign(self: Any, value: Any) -> None:
        self.learning_rate = value

    return property(start_or_rate, write if write is None else assign, doc=short.__doc__)


def _without_hints(method: Callable) -> Callable:
    """Take arguments that only told a strategy how to sum gradients."""

    @functools.wraps(method)
    def taking(self: Any, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        for name in ("name", "experimental_aggregate_gradients", "skip_gradients_aggregation"):
            kwargs.pop(name, None)
        return method(self, grads_and_vars, *args, **kwargs)

    return taking


def _variables_behind(loss: KerasTensor) -> list[Any]:
    """Trainable variables that a symbolic tensor was computed from, in the order of use."""
    found: dict[int, Any] = {}
    seen: set[int] = set()

    def visit(tensor: KerasTensor) -> None:
        node = tensor.node
        if node is None or id(node) in seen:
            return
        seen.add(id(node))
        for before in node.inputs:
            visit(before)
        own = getattr(node.operation, "trainable_variables", ())
        given = [leaf for leaf in trees.flatten((node.args, node.kwargs)) if isinstance(leaf, Variable)]
        found.update((id(one), one) for one in (*own, *given) if one.trainable)

    visit(loss)
    return list(found.values())


def _minimize(method: Callable) -> Callable:
    """Take a symbolic loss, as programs with sessions do: the step is made by ``Session.run``."""

    @functools.wraps(method)
    def minimize(self: Any, loss: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(loss, KerasTensor):
            kwargs.pop("name", None)
            return method(self, loss, *args, **kwargs)
        if kwargs.get("global_step") is not None:
            raise NotSupportedError(
                f"{self.name}.minimize(): `global_step` is not offered. Read "
                "`optimizer.iterations` for the number of steps."
            )
        params = list(kwargs.get("var_list") or _variables_behind(loss))
        return Step(self, params, get_gradients(self, loss, params))

    return minimize


class _Variables(list):
    """The variables, also for programs that call ``optimizer.variables()``."""

    def __call__(self) -> list[Any]:
        return list(self)


def _callable_variables(variables: property) -> property:
    read = variables.fget
    assert read is not None
    return property(lambda self: _Variables(read(self)), doc=variables.__doc__)


AROUND_STATE: dict[str, Callable] = {"_learning_rate_config": _plain_schedule, "variables": _callable_variables}
AROUND_WRAPPER: dict[str, Callable] = {"variables": _callable_variables}
AROUND_OPTIMIZER: dict[str, Callable] = {
    **own_optimizers.AROUND,
    "iterations": _settable_count,
    "learning_rate": _settable_rate,
    "lr": _start_or_rate,
    "apply_gradients": _without_hints,
    "minimize": _minimize,
}
