"""Optimizers that users wrote by former rules: with ``get_updates``, or with slots and ``_resource_apply_dense``.

``get_updates(loss, params)`` described a step as a list of updates, all computed from the values before it. Here it is
called while a step runs: what `K.update` and its like are given (`own_updates`) is kept until the method returns.
Variables that the method makes are made once, by a first call without effect, and handed out again by later calls.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import jax.numpy as jnp

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer

running: ContextVar[Description | None] = ContextVar("description", default=None)
"""The call of `get_updates` that is under way."""


class Update:
    """A variable's next value, computed from the values before the step."""

    def __init__(self, variable: Any, value: Any) -> None:
        self.variable, self.value = variable, value

    def make(self) -> None:
        """Set the variable."""
        self.variable.assign(self.value)


class InnerStep:
    """The step of an optimizer whose `get_updates` another one calls."""

    def __init__(self, optimizer: Any, gradients: list, variables: list[Variable], plain: Callable) -> None:
        self.optimizer, self.gradients, self.variables, self.plain = optimizer, gradients, variables, plain

    def make(self) -> None:
        """Make the step."""
        self.plain()


class Loss:
    """What `get_updates` is given in place of a symbolic loss: it knows the gradients."""

    def __init__(self, gradients: list, variables: list[Variable]) -> None:
        self.gradients = {id(variable): wrap(one) for one, variable in zip(gradients, variables, strict=True)}

    def gradients_of(self, variables: Any) -> list[Any]:
        """Gradients with respect to some of the trained variables."""
        return [self.gradients[id(variable)] for variable in variables]


class Description:
    """One call of `get_updates`.

    Args:
        made: variables that the first call made; None if this is the first.
    """

    def __init__(self, made: list[Variable] | None) -> None:
        self.made: list[Variable] = [] if made is None else made
        self._rest = None if made is None else iter(made)

    def variable(self, make: Callable[[], Variable]) -> Variable:
        """The next variable: a new one in the first call, later the same again."""
        if self._rest is None:
            self.made.append(make())
            return self.made[-1]
        found = next(self._rest, None)
        if found is None:
            raise NotSupportedError(
                "get_updates() makes more variables than in its first call; make them in `__init__`."
            )
        return found


# --- which optimizers ----------------------------------------------------------------------------
def _writes(kind: type, method: str) -> bool:
    """Whether a class outside of Hornbeam defines a method."""
    return any(method in vars(one) and not one.__module__.startswith("hornbeam.") for one in kind.__mro__)


def _describes(optimizer: Any) -> bool:
    return _writes(type(optimizer), "get_updates")


def _has_slots(optimizer: Any) -> bool:
    return _writes(type(optimizer), "_resource_apply_dense")


def _constructor(original: Callable) -> Callable:
    """Such a class may give no learning rate to the base class, or its name first."""

    @functools.wraps(original)
    def constructed(self: Any, *args: Any, **kwargs: Any) -> None:
        if not (_describes(self) or _has_slots(self)):
            original(self, *args, **kwargs)
            return
        if args and isinstance(args[0], str):
            kwargs["name"], args = args[0], args[1:]
        rate = kwargs.pop("lr", None)
        if not args:
            kwargs.setdefault("learning_rate", 0.001 if rate is None else rate)
        decay = kwargs.pop("decay", 0.0)
        original(self, *args, **kwargs)
        vars(self).update(_initial_decay=decay, _own_updates=[], _use_locking=False)

    return constructed


# --- get_updates ---------------------------------------------------------------------------------
def _call(optimizer: Any, gradients: list, variables: list[Variable], description: Description) -> list[Any]:
    given = {"loss": Loss(gradients, variables), "params": list(variables), "constraints": {}}
    wanted = inspect.signature(optimizer.get_updates).parameters
    token, version = running.set(description), optimizer._version
    try:
        return list(optimizer.get_updates(**{name: given[name] for name in wanted if name in given}))
    finally:
        running.reset(token)
        # What the method sets on the optimizer is the same in every call, and calls for no other program.
        vars(optimizer)["_version"] = version


def inner_updates(optimizer: Any, loss: Loss, variables: list[Variable], plain: Callable) -> list[Any]:
    """What the `get_updates` of Hornbeam's own optimizers gives to one of the user's around it."""
    gradients = [one._value for one in loss.gradients_of(variables)]
    return [InnerStep(optimizer, gradients, variables, lambda: plain(optimizer, gradients, variables))]


def _build(original: Callable) -> Callable:
    @functools.wraps(original)
    def built(self: Any, variables: Any) -> Any:
        result = original(self, variables)
        if _has_slots(self):
            if hasattr(self, "_create_slots"):
                self._create_slots(list(variables))
        elif _describes(self):
            description = Description(None)
            nothing = [jnp.zeros(one.shape, one.dtype.as_numpy_dtype) for one in variables]
            for one in _call(self, nothing, list(variables), description):
                if isinstance(one, InnerStep) and one.optimizer is not self:
                    one.optimizer.build(variables)
                    description.made.extend(one.optimizer.variables)
            for one in description.made:
                self._track_variable(one)
            vars(self)["_described"] = (list(variables), description.made)
        return result

    return built


def _update_all(original: Callable) -> Callable:
    @functools.wraps(original)
    def updated(self: Any, gradients: list, variables: list[Variable], learning_rate: Any) -> None:
        if not _describes(self):
            original(self, gradients, variables, learning_rate)
            return
        known, made = vars(self)["_described"]
        if len(known) != len(variables) or any(a is not b for a, b in zip(known, variables, strict=True)):
            raise ValueError(
                explain(
                    f"{self.name}: get_updates() describes a step of all variables.",
                    expected=f"gradients of {[one.path for one in known]}",
                    received=f"gradients of {[one.path for one in variables]}",
                    fix="set `trainable = False` on layers that the loss does not depend on",
                )
            )
        for one in _call(self, gradients, variables, Description(made)):
            _make(self, one)

    return updated


def _make(optimizer: Any, one: Any) -> None:
    if isinstance(one, (tuple, list)) and len(one) == 2:
        target, value = one
        if scopes.frame is not None and isinstance(value, Tensor) and not isinstance(value._value, Tracer):
            raise NotSupportedError(
                explain(
                    f"{optimizer.name}: a value for {getattr(target, 'path', target)} was computed before training.",
                    expected="a value that get_updates() computes",
                    received="a constant",
                    fix="compute it inside of get_updates(), or in a callback between the batches",
                )
            )
        one = Update(target, value)
    # The step count grows by itself.
    if isinstance(one, (Update, InnerStep)) and getattr(one, "variable", None) is not optimizer._iterations:
        one.make()


# --- slots ---------------------------------------------------------------------------------------
def _update_step(original: Callable) -> Callable:
    @functools.wraps(original)
    def update_step(self: Any, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        if not _has_slots(self):
            original(self, gradient, variable, learning_rate)
            return
        extra = {}
        if "apply_state" in inspect.signature(self._resource_apply_dense).parameters:
            extra["apply_state"] = {(variable.device, variable.dtype.base_dtype): _prepared(self, variable)}
        self._resource_apply_dense(gradient, variable, **extra)

    return update_step


def _prepared(self: Any, variable: Variable) -> dict[str, Any]:
    return self._fallback_apply_state(variable.device, variable.dtype.base_dtype)


def _prepare_local(self: Any, var_device: Any, var_dtype: Any, apply_state: dict) -> None:
    if "learning_rate" in dir(self):
        apply_state[(var_device, var_dtype)]["lr_t"] = self._decayed_lr(var_dtype)


def _fallback_apply_state(self: Any, var_device: Any, var_dtype: Any) -> dict[str, Any]:
    state: dict[Any, dict[str, Any]] = {(var_device, var_dtype): {}}
    self._prepare_local(var_device, var_dtype, state)
    return state[(var_device, var_dtype)]


def _decayed_lr(self: Any, var_dtype: Any) -> Any:
    rate = ops.cast(self._rate(), var_dtype)
    decay = vars(self).get("_own_decay", vars(self).get("_initial_decay", 0.0))
    if isinstance(decay, (int, float)) and not decay:
        return rate
    return rate / (1 + ops.cast(decay, var_dtype) * ops.cast(self.iterations, var_dtype))


def add_slot(self: Any, var: Variable, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
    """A variable beside a trained one, of its shape and dtype; made once."""
    slots = vars(self).setdefault("_slots", {})
    key = (id(var), slot_name)
    if key not in slots:
        if shape is None and getattr(initializer, "shape", None) is not None:
            # A tensor is the value itself, of its own shape.
            shape = tuple(initializer.shape)
        if shape is None:
            slots[key] = self.add_variable_from_reference(var, slot_name, initializer)
        else:
            slots[key] = self.add_variable(shape, initializer, var.dtype, name=f"{var.name}_{slot_name}")
    return slots[key]


_FORMER_SLOTS = {
    "SGD": {"momentum": "momentum"},
    "Adam": {"m": "momentum", "v": "velocity", "vhat": "velocity_hat"},
    "Adamax": {"m": "momentum", "v": "norm"},
    "Nadam": {"m": "momentum", "v": "velocity"},
    "RMSprop": {"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"},
    "Adagrad": {"accumulator": "accumulator"},
    "Adadelta": {"accum_grad": "accumulated_grad", "accum_var": "accumulated_delta_var"},
    "Ftrl": {"accumulator": "accumulator", "linear": "linear"},
}
"""Class to the names that its slots had, and those that they have."""


def _kept_slots(self: Any) -> dict[str, list]:
    """Former name (today's, where there is none) to the lists of Hornbeam's own slots, by number of the variable."""
    names = next((_FORMER_SLOTS[one.__name__] for one in type(self).__mro__ if one.__name__ in _FORMER_SLOTS), {})
    former: dict[str, str] = {today: old for old, today in names.items()}
    groups: Any = self.slot_groups() if hasattr(self, "slot_groups") else ()
    return {
        former.get(str(slot.name), str(slot.name)): vars(self)[slot.attribute]
        for group in groups
        for slot in group
        if slot.attribute in vars(self)
    }


def get_slot_names(self: Any) -> list[str]:
    """Names that ``get_slot`` takes."""
    return list(dict.fromkeys([*_kept_slots(self), *(name for _, name in vars(self).get("_slots", {}))]))


def get_slot(self: Any, var: Variable, slot_name: str) -> Variable:
    """A variable that the optimizer keeps beside a trained one.

    Raises:
        KeyError: there is none of that name.
    """
    found = vars(self).get("_slots", {}).get((id(var), slot_name))
    if found is None and var in self._indices and slot_name in (kept := _kept_slots(self)):
        found = kept[slot_name][self._get_variable_index(var)]
    if found is None:
        raise KeyError(
            f"{self.name} keeps no {slot_name!r} beside variable {getattr(var, 'path', var)!r}. "
            f"Its slots are {get_slot_names(self)}; they are made by the first step."
        )
    return found


SLOTS: dict[str, Any] = {
    "add_slot": add_slot,
    "get_slot": get_slot,
    "get_slot_names": get_slot_names,
    "_prepare_local": _prepare_local,
    "_fallback_apply_state": _fallback_apply_state,
    "_decayed_lr": _decayed_lr,
    "_serialize_hyperparameter": lambda self, name: _plain(getattr(self, name)),
}


def _plain(value: Any) -> Any:
    return value.numpy().item() if hasattr(value, "numpy") else value


AROUND: dict[str, Callable] = {
    "__init__": _constructor,
    "build": _build,
    "_update_all": _update_all,
    "update_step": _update_step,
}
