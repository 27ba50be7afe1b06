"""``hornbeam.install()``: the names ``tensorflow``, ``keras`` and ``tf_keras`` mean Hornbeam in this process.

One meta path finder answers these names with Hornbeam's own modules: the very same objects, so every spelling gives the
same classes. Nothing is written to disk, no package metadata is made up, and other processes do not notice.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pkgutil
import sys
import types
from collections.abc import Sequence

from hornbeam.base.errors import StateError, explain
from hornbeam.compat import adapt, names, paths
from hornbeam.compat.loading import load

__all__ = ["install"]

GENERATION_VARIABLE = "HORNBEAM_GENERATION"
"""Environment variable: "tf1" for programs that expect TensorFlow 1 where it is a matter of choice."""


def install() -> None:
    """Make `tensorflow`, `keras` and `tf_keras` import Hornbeam, in this process only.

    Call it before the first import of one of these names; a second call changes nothing. `hornbeam run` calls it too.

    Raises:
        StateError: (a RuntimeError) the real TensorFlow or Keras is already imported; two of them cannot be mixed.

    Example:
        import hornbeam
        hornbeam.install()
        from tensorflow.keras.layers import Dense
    """
    foreign = [name for name in sorted(paths.ROOTS) if name in sys.modules and not _is_ours(sys.modules[name])]
    if foreign:
        where = getattr(sys.modules[foreign[0]], "__file__", None) or "an unknown place"
        raise StateError(
            explain(
                "hornbeam.install() came too late.",
                expected="none of " + ", ".join(sorted(paths.ROOTS)) + " imported yet",
                received=f"{', '.join(foreign)} already imported (from {where})",
                fix="call it before any such import, or start the program with `hornbeam run`.",
            )
        )
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    # In front: an installed TensorFlow or Keras must not be found first.
    sys.meta_path.insert(0, _Finder())
    for module in [module for module in sys.modules.values() if isinstance(module, types.ModuleType)]:
        _bind_former_places(module)
    adapt.apply()
    _choose_generation(os.environ.get(GENERATION_VARIABLE, ""))


def _choose_generation(name: str) -> None:
    """Let versions be those of TensorFlow 1 where the program asks for it; what it writes follows the same variable."""
    if name.lower() in ("tf1", "1"):
        sys.modules["hornbeam"].__version__ = "1.15.5"  # type: ignore[attr-defined]
    elif name.lower() not in ("", "tf2", "2", "keras3", "3"):
        raise ValueError(f"{GENERATION_VARIABLE} is 'tf1', 'tf2' or nothing. Received: {name!r}.")


def _is_ours(module: types.ModuleType) -> bool:
    return module.__name__.partition(".")[0] == "hornbeam"


class _Place(types.ModuleType):
    """A former place: a module without names of its own, which looks each one up where it is now.

    Its own object, not the module that took its names over: the import system binds what it loads to the package above
    by name, and `keras.layers.merging.add` as an alias would put a module over the function `keras.layers.add`.
    """

    def __init__(self, name: str) -> None:
        self.__homes__ = paths.moved(name)
        super().__init__(name, f"Former place; its names are in {' and '.join(self.__homes__)} now.")
        self.__path__: list[str] = []
        # `importlib.util.find_spec` refuses a loaded module without one.
        self.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)

    def __getattr__(self, name: str) -> object:
        below = f"{self.__name__}.{name}"
        if paths.spell(below) in paths.MOVED:
            return sys.modules.setdefault(below, _Place(below))
        homes = [importlib.import_module(home) for home in self.__homes__]
        if name == "__all__":
            return sorted({entry for home in homes for entry in getattr(home, "__all__", ())})
        for home in homes:
            if hasattr(home, name):
                return getattr(home, name)
        raise AttributeError(
            f"module {self.__name__!r} has no attribute {name!r}; looked in {', '.join(self.__homes__)}"
        )

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the function of the place's own name, where there once was one: `keras.layers.merge(...)`."""
        above, _, name = self.__name__.rpartition(".")
        home = names.MODULES.get(paths.home(above) or "", {}).get(name)
        if home is None:
            raise TypeError(f"{self.__name__} is a module, not a function.")
        return load(home)(*args, **kwargs)

    def __dir__(self) -> list[str]:
        return sorted({entry for home in self.__homes__ for entry in dir(importlib.import_module(home))})


def _bind_former_places(module: types.ModuleType) -> None:
    """Make the former places directly below a module its attributes, as they were: `keras.utils.np_utils.f()`."""
    if not (names := paths.former_files(module.__name__)):
        return
    ours = {entry.name for entry in pkgutil.iter_modules(getattr(module, "__path__", []))} | set(vars(module))
    ours |= set(getattr(module, "__all__", ()))  # given on demand, perhaps
    for name in names:
        if name not in ours:
            setattr(module, name, _Place(f"{paths.spelling_of(module.__name__)}.{name}"))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the names of `paths.ROOTS`, and former places below `hornbeam` (`from keras.utils import np_utils`)."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The import system's question: a spec for a name that is ours to answer, `None` for any other."""
        root = fullname.partition(".")[0]
        if root == "hornbeam":
            return self._below_hornbeam(fullname, path)
        if root not in paths.ROOTS:
            return None
        if (advice := paths.advice(fullname)) is not None:
            raise ModuleNotFoundError(f"No module named {fullname!r} in Hornbeam. {advice}", name=fullname)
        home = paths.home(fullname)
        former = bool(paths.moved(fullname))
        if former and not fullname.rpartition(".")[2].islower():
            # `from keras.layers.merge import Nothing`: the system asks for a module where the class was not found.
            raise ModuleNotFoundError(f"No module named {fullname!r}{_hint(fullname)}", name=fullname)
        if not former and (home is None or not _exists(home)):
            raise ModuleNotFoundError(f"No module named {fullname!r}{_hint(fullname)}", name=fullname)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _below_hornbeam(self, fullname: str, path: Sequence[str] | None) -> importlib.machinery.ModuleSpec | None:
        """Our own modules load as ever; after it they get the former places below them, and the old spellings."""
        if not paths.former_files(fullname) and not adapt.concerns(fullname):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                execute(module)
                _bind_former_places(module)
                adapt.adopt(module)

            # On this one loader, which serves this one module: everything else about it stays.
            spec.loader.exec_module = exec_module
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The Hornbeam module behind the name, imported if need be, or a stand-in for a former place."""
        if paths.moved(spec.name):
            return _Place(spec.name)
        module = _load(str(paths.home(spec.name)))
        # The import system is about to put the alias's spec on the module; its own one must come back.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Undo the one change of the import system, and make the former places below the module importable."""
        alias = module.__spec__
        assert alias is not None
        if isinstance(module, _Place):
            return
        module.__spec__ = alias.loader_state
        for name in paths.former_files(module.__name__):
            # What is in `sys.modules` already, the import system does not bind to the package above: a former file may
            # have the name of a folder of ours (`keras.layers.core`).
            sys.modules.setdefault(f"{alias.name}.{name}", _Place(f"{alias.name}.{name}"))


def _exists(home: str) -> bool:
    try:
        if importlib.util.find_spec(home) is not None:
            return True
    except ModuleNotFoundError as error:
        # Raised for a missing package on the way; anything else missing is a fault of that package.
        if error.name is None or not f"{home}.".startswith(f"{error.name}."):
            raise
    return _attribute(home) is not None


def _load(home: str) -> types.ModuleType:
    return _attribute(home) or importlib.import_module(home)


def _attribute(home: str) -> types.ModuleType | None:
    """A module that is only an attribute of the one above it, as `hornbeam.losses` could be of `hornbeam`."""
    parent, _, name = home.rpartition(".")
    if not parent or not _exists(parent):
        return None
    found = getattr(_load(parent), name, None)
    return found if isinstance(found, types.ModuleType) else None


def _hint(fullname: str) -> str:
    """`; did you mean ...?` with the nearest name in the same package, or nothing."""
    parent, _, name = fullname.rpartition(".")
    home = paths.home(parent)
    if home is None or not _exists(home):
        return ""
    module = _load(home)
    known = {entry.name for entry in pkgutil.iter_modules(getattr(module, "__path__", []))}
    known |= {entry for entry in getattr(module, "__all__", ()) if entry.islower()}
    known |= set(paths.former_files(home))
    known = {
        entry for entry in known if not entry.startswith("_") and (home != "hornbeam" or entry not in paths.PRIVATE)
    }
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {parent}.{near[0]}?" if near else ""
