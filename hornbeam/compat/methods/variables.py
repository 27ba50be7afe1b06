"""Names of variables: once they held the names of the layers around."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class VariableName(str):
    """A variable's name in which the names of the layers around it are found too.

    It prints and compares as the short name (``kernel``); ``"dense" in name``, ``startswith`` and ``endswith`` look at
    the long one (``dense/kernel:0``) too.
    """

    _variable: Any

    @classmethod
    def of(cls, variable: Any) -> VariableName:
        """The name of a variable."""
        made = cls(variable.name)
        made._variable = variable
        return made

    def _long(self) -> str:
        return f"{self._variable.path}:0"

    def __contains__(self, part: object) -> bool:
        return str.__contains__(self, part) or part in self._long()  # type: ignore[arg-type]

    def startswith(self, *args: Any) -> bool:
        """Whether the short name, or the long one from some layer on, begins so."""
        starts = args[0] if isinstance(args[0], tuple) else (args[0],)
        return str.startswith(self, *args) or any(f"/{start}" in f"/{self._long()}" for start in starts)

    def endswith(self, *args: Any) -> bool:
        """Whether the short or the long name ends so."""
        return str.endswith(self, *args) or self._long().endswith(*args)

    def __reduce__(self) -> Any:
        return (str, (str(self),))

    def __deepcopy__(self, memo: Any) -> str:
        return str(self)


def _long_names(constructor: Callable) -> Callable:
    @functools.wraps(constructor)
    def constructed(self: Any, *args: Any, **kwargs: Any) -> None:
        # A variable that is named after another one takes its short name; scopes in a name were allowed.
        args = tuple(str(one) if isinstance(one, VariableName) else one for one in args)
        if isinstance(name := kwargs.get("name"), str):
            kwargs["name"] = str(name).replace("/", "_")
        constructor(self, *args, **kwargs)
        self.name = VariableName.of(self)

    return constructed


AROUND_VARIABLE: dict[str, Callable] = {"__init__": _long_names}
