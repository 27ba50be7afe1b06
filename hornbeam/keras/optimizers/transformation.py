"""``TransformationOptimizer``: a gradient transformation of the optax library as an optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.optimizer import Optimizer


@dataclass
class _Group:
    """Variables that share one state of the transformation, and the leaves of that state."""

    variables: list[Variable]
    leaves: list[Variable]
    tree: Any


class TransformationOptimizer(Optimizer):
    """Steps made by a gradient transformation: an object with ``init(params)`` and ``update(grads, state, params)``.

    ``compile(optimizer=optax.adamw(1e-3))`` makes one by itself. The state of the transformation becomes variables of
    the optimizer, so that it is saved with the others. Variables without a gradient get zeros, as ``jax.grad`` would
    give. Variables that a later call adds get a state of their own.

    Args:
        transformation: an ``optax.GradientTransformation``, or anything with these two functions.
        name: name.
        **kwargs: clipping, moving averages, ``gradient_accumulation_steps``, ``loss_scale_factor``, as for
            ``Optimizer``.

    Raises:
        TypeError: the object has no ``init`` and ``update``.
    """

    pure = True
    transformation: Any
    _groups: list[_Group]

    def __init__(self, transformation: Any, name: str | None = None, **kwargs: Any) -> None:
        if not is_transformation(transformation):
            raise TypeError(
                explain(
                    "TransformationOptimizer needs a gradient transformation.",
                    expected="an object with the functions `init(params)` and `update(grads, state, params)`",
                    received=f"{transformation!r} ({type(transformation).__name__})",
                    fix="pass what optax gives, such as optax.adamw(1e-3)",
                )
            )
        super().__init__(0.0, name=name, **kwargs)
        # Its learning rate, if it has one that can be asked for, is part of the transformation's state.
        self._disown(self._learning_rate)
        self.__dict__["transformation"] = transformation
        self.__dict__["_groups"] = []

    # --- learning rate ---------------------------------------------------------------------------
    @property
    def learning_rate(self) -> Any:
        """The rate, if the transformation keeps it in its state (``optax.inject_hyperparams``).

        Raises:
            AttributeError: it does not.
        """
        return self._injected_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._injected_rate().assign(value)

    def _injected_rate(self) -> Variable:
        for group in self._groups:
            for path, leaf in zip(_paths(group), group.leaves, strict=True):
                if path.endswith(".hyperparams['learning_rate']"):
                    return leaf
        raise AttributeError(
            f"{self.name}: the gradient transformation holds its learning rate inside. Make it with "
            "optax.inject_hyperparams(optax.adam)(learning_rate=...) to read and set it (after the first step)."
        )

    def _rate(self) -> Any:
        return 0.0

    @property
    def _rate_is_known(self) -> bool:
        return True

    def set_rate_multipliers(self, multipliers: Mapping[Any, float]) -> None:
        """Not possible here: the transformation makes the steps (``optax.multi_transform`` does this)."""
        raise NotSupportedError(
            f"{self.name}: a gradient transformation makes its own steps; use optax.multi_transform for several rates."
        )

    # --- state -----------------------------------------------------------------------------------
    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._add_group(list(var_list))

    def _extend_common(self, variables: Sequence[Variable]) -> None:
        super()._extend_common(variables)
        self._add_group(list(variables))

    def _add_group(self, variables: list[Variable]) -> None:
        with jax.ensure_compile_time_eval():
            state = self.transformation.init([variable._array for variable in variables])
            named, tree = jax.tree_util.tree_flatten_with_path(state)
            leaves = [
                self._own(jax.numpy.asarray(leaf), "_".join(["state", *map(_word, path)]), aggregation="none")
                for path, leaf in named
            ]
        self._groups.append(_Group(variables, leaves, tree))

    # --- step ------------------------------------------------------------------------------------
    def _update_all(self, gradients: list, variables: list[Variable], learning_rate: Any) -> None:
        given = dict(zip(variables, gradients, strict=True))
        for group in self._groups:
            if any(variable in given for variable in group.variables):
                self._update_group(group, given)

    def _update_group(self, group: _Group, given: dict[Variable, Any]) -> None:
        params = [variable.read_array() for variable in group.variables]
        grads = [
            given[variable].astype(value.dtype) if variable in given else jax.numpy.zeros_like(value)
            for variable, value in zip(group.variables, params, strict=True)
        ]
        state = jax.tree_util.tree_unflatten(group.tree, [leaf.read_array() for leaf in group.leaves])
        updates, state = self.transformation.update(grads, state, params)
        for leaf, value in zip(group.leaves, jax.tree_util.tree_leaves(state), strict=True):
            leaf.assign(value)
        for variable, value, update in zip(group.variables, params, updates, strict=True):
            variable.assign(value + update.astype(value.dtype))

    def get_config(self) -> dict[str, Any]:
        """Not possible: a gradient transformation is made of functions.

        Raises:
            NotSupportedError: always.
        """
        raise NotSupportedError(
            f"{self.name}: a gradient transformation is made of functions, which no file can hold. Save the model "
            "without its optimizer (`model.save(path, include_optimizer=False)`), and compile it again after loading."
        )


def is_transformation(thing: Any) -> bool:
    """True for objects with the two functions of a gradient transformation."""
    return not isinstance(thing, type) and all(callable(getattr(thing, name, None)) for name in ("init", "update"))


def _paths(group: _Group) -> list[str]:
    example = jax.tree_util.tree_unflatten(group.tree, list(range(len(group.leaves))))
    return [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(example)[0]]


def _word(key: Any) -> str:
    """One step of the way to a leaf, as a part of a name."""
    for attribute in ("name", "key", "idx"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)
