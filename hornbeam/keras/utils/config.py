"""``Config``: named values, as attributes and as a dict, that can be frozen."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from hornbeam.base import check

__all__ = ["Config"]


class Config:
    """Named values, read and set as attributes or as items.

    Args:
        **kwargs: the first values.

    Raises:
        ValueError: a value is changed after ``freeze()``.

    Example:
        >>> config = Config(learning_rate=0.1)
        >>> config.momentum = 0.9
        >>> config["momentum"]
        0.9

    References: Keras ``keras.utils.Config``.
    """

    _own = frozenset({"_config", "_frozen"})

    def __init__(self, **kwargs: Any) -> None:
        self._config = kwargs
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """True if values cannot be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from now on."""
        self._frozen = True

    def unfreeze(self) -> None:
        """Allow changes again."""
        self._frozen = False

    def _changeable(self) -> dict[str, Any]:
        if self._frozen:
            raise ValueError("This config is frozen; call its `unfreeze()` before changing it.")
        return self._config

    def as_dict(self) -> dict[str, Any]:
        """A copy as a plain dict."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON text."""
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """Names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """Values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """Pairs of name and value."""
        return self._config.items()

    def pop(self, *args: Any) -> Any:
        """Remove a value and give it back."""
        return self._changeable().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values."""
        self._changeable().update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        """A value, or the one given if there is none of that name."""
        return self._config.get(keyname, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own or hasattr(type(self), name):
            object.__setattr__(self, name, value)
        else:
            self._changeable()[name] = value

    def __getattr__(self, name: str) -> Any:
        # Asked only for names that are no attribute of the object; `_config` is one while it is being unpickled.
        values = self.__dict__.get("_config", {})
        if name in values:
            return values[name]
        raise AttributeError(f"Unknown attribute: '{name}'{check.closest(name, values)}.")

    def __setitem__(self, key: str, item: Any) -> None:
        self._changeable()[key] = item

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __delitem__(self, key: str) -> None:
        del self._changeable()[key]

    def __contains__(self, item: object) -> bool:
        return item in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
