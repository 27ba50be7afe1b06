"""Old spellings on Hornbeam's own classes and functions: put on as modules load, taken off again by `remove`.

The tables (`spellings`, `methods`, `names`) say what an old program may write; this module is the only one that touches
other rooms' objects. A constructor or function is replaced by a wrapper that translates its arguments and then
calls the original, so the rooms below never see an old spelling, and never know that there was one.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from hornbeam.base import registry
from hornbeam.compat import methods, names, spellings
from hornbeam.compat.loading import load

_KERAS = "hornbeam.keras."
_CORE = {f"hornbeam.core.{name}": "core" for name in ("symbolic", "tensor", "variable")}
"""Modules outside of ``keras`` whose classes are adapted too, and the name of their part in the tables."""
_undo: list[Callable[[], None]] = []
_adopted: set[str] = set()
_active = False


def apply() -> None:
    """Put the old spellings on all modules that are loaded, and on those that load from now on."""
    global _active
    _active = True
    for name, home in names.STORED.items():
        registry.provide("stored class", name, home)
    # Keras 2 gave metrics labels of shape (n,) as (n, 1) beside such predictions.
    registry.provide("labels", "columns", True)
    _undo.append(lambda: registry.withdraw("labels", "columns"))
    for module in [module for module in sys.modules.values() if isinstance(module, types.ModuleType)]:
        adopt(module)


def remove() -> None:
    """Take everything off again, as far as Hornbeam's own objects go (used by tests)."""
    global _active
    _active = False
    while _undo:
        _undo.pop()()
    _adopted.clear()


def concerns(module_name: str) -> bool:
    """Whether `adopt` would do anything for a module of that name."""
    return module_name.startswith(_KERAS) or module_name in names.MODULES or module_name in _CORE


def adopt(module: types.ModuleType) -> None:
    """Put the old spellings on what a freshly loaded module defines."""
    name = module.__name__
    if not _active or name in _adopted or not concerns(name):
        return
    _adopted.add(name)
    room = name.removeprefix(_KERAS).partition(".")[0] if name.startswith(_KERAS) else _CORE.get(name, "")
    for kind in [entry for entry in vars(module).values() if isinstance(entry, type) and entry.__module__ == name]:
        if (translate := spellings.CONSTRUCTORS.get((room, kind.__name__))) is not None:
            _wrap_method(kind, "__init__", translate)
        for method, translate in spellings.METHODS.get((room, kind.__name__), {}).items():
            _wrap_method(kind, method, translate)
        if (home := methods.ADDED.get((room, kind.__name__))) is not None:
            for attribute, value in load(home).items():
                if not hasattr(kind, attribute):
                    _set(kind, attribute, value)
        if (home := methods.AROUND.get((room, kind.__name__))) is not None:
            for attribute, around in load(home).items():
                original = vars(kind)[attribute] if attribute in vars(kind) else getattr(kind, attribute)
                _set(kind, attribute, around(original))
    if name in names.MODULES:
        _wrap_functions(module)
        _give_old_names(module)


def _set(owner: Any, attribute: str, value: Any) -> None:
    before = vars(owner).get(attribute, _undo)  # `_undo` stands for "not there"

    def undo() -> None:
        if before is _undo:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, before)

    setattr(owner, attribute, value)
    _undo.append(undo)


def _wrap_method(kind: type, method: str, translate: spellings.Translator) -> None:
    original = getattr(kind, method)

    @functools.wraps(original)
    def translated(self: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = translate(args, kwargs)
        return original(self, *args, **kwargs)

    _set(kind, method, translated)


def _translated(function: Callable, translate: spellings.Translator) -> Callable:
    @functools.wraps(function)
    def translated(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = translate(args, kwargs)
        return function(*args, **kwargs)

    return translated


def _wrap_functions(module: types.ModuleType) -> None:
    """Translate for public functions: of the module's own names at once, of those given on demand when asked for."""
    for name, translate in spellings.FUNCTIONS.get(module.__name__.removeprefix("hornbeam."), {}).items():
        if callable(function := vars(module).get(name)):
            _set(module, name, _translated(function, translate))


def _give_old_names(module: types.ModuleType) -> None:
    """Let the module answer for names that it had in former times."""
    old, first = names.MODULES[module.__name__], names.FIRST.get(module.__name__, {})
    functions = spellings.FUNCTIONS.get(module.__name__.removeprefix("hornbeam."), {})
    inner = vars(module).get("__getattr__")
    for name in first:
        if name in vars(module):
            _set(module, name, load(first[name]))

    def find(name: str) -> Any:
        if name in first:
            return load(first[name])
        if inner is not None:
            try:
                found = inner(name)
            except AttributeError:
                if name not in old:
                    raise
            else:
                return _translated(found, functions[name]) if name in functions else found
        if name in old:
            return load(old[name])
        raise registry.missing(module.__name__, name, [*getattr(module, "__all__", ()), *old])

    def module_getattr(name: str) -> Any:
        found = find(name)
        if name in first or name in functions:
            _set(module, name, found)
        return found

    _set(module, "__getattr__", module_getattr)
    if module.__name__ in names.STARRED and hasattr(module, "__all__"):
        shown = [name for name, home in old.items() if not home.startswith("compat.refused")]
        _set(module, "__all__", [*module.__all__, *(name for name in shown if name not in module.__all__)])
