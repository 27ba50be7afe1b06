"""``StatelessScope``: variables with other values for the length of a ``with`` block, and none of them changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.conversion import as_array
from hornbeam.core.frame import Frame
from hornbeam.core.scopes import override, scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable

__all__ = ["StatelessScope", "SymbolicScope"]


class _Stage(Frame):
    """A frame outside of any trace: what it was not given is read from the variables themselves."""

    def _first(self, variable: Variable) -> Any:
        if self.parent is not None:
            return super()._first(variable)
        variable._lent = True
        return variable._array


class StatelessScope:
    """Inside, variables read and write values that belong to the scope.

    Args:
        state_mapping: pairs of variable and value; other variables begin with their own values.
        collect_losses: gather what layers add with ``add_loss`` in ``losses``.
        initialize_variables: accepted for Keras's sake; variables have their values from the start either way.

    Raises:
        ValueError: a key is no variable, or a value has another shape than its variable.

    Example:
        >>> weight = Variable([1.0, 2.0])
        >>> with StatelessScope([(weight, [3.0, 4.0])]) as scope:
        ...     _ = weight.assign(weight * 2.0)
        >>> scope.get_current_value(weight).numpy().tolist(), weight.numpy().tolist()
        ([6.0, 8.0], [1.0, 2.0])

    References: Keras ``StatelessScope``.
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self._losses: list[Any] = []
        values = {}
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(
                    explain("StatelessScope: a key is no variable.", expected="keras.Variable", received=repr(variable))
                )
            array = as_array(value.read_array() if isinstance(value, Variable) else value, variable._dtype)
            if tuple(array.shape) != tuple(variable._shape):
                raise ShapeError(
                    explain(
                        f"StatelessScope: the value for variable {variable.path} does not fit.",
                        expected=f"shape {tuple(variable._shape)}",
                        received=f"shape {tuple(array.shape)}",
                    )
                )
            values[variable] = array
        self._frame = _Stage(values)

    def __enter__(self) -> StatelessScope:
        self._frame.parent = scopes.frame
        self._before = scopes.stateless
        scopes.stateless = self
        self._frame.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._frame.__exit__(*details)
        scopes.stateless = self._before

    @property
    def losses(self) -> list[Any]:
        """Losses added inside, if ``collect_losses``."""
        if not self.collect_losses:
            return []
        return self._losses + [loss for found in self._frame.notes.values() for _, loss in found]

    def add_loss(self, loss: Any) -> None:
        """Add to ``losses``."""
        self._losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Give a variable a new value inside the scope.

        Args:
            update: the variable and its value.
        """
        variable, value = update
        self._frame.write(variable, as_array(value, variable._dtype))

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """The value that a variable has in the scope, also after it; None if it was neither given nor written."""
        found = self._frame.values.get(variable)
        return None if found is None else wrap(found)


class SymbolicScope:
    """Inside, code runs for its shapes only: it must not have side effects.

    References: Keras ``SymbolicScope``.
    """

    def __enter__(self) -> SymbolicScope:
        self._context = override(symbolic=True)
        self._context.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._context.__exit__(*details)
