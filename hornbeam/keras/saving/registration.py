"""Names that a config may use: a closed table of Hornbeam's own objects, and what the user has registered.

Nothing that stands in a config is ever imported or looked up by attribute path. A built-in name is searched
in the ``__all__`` of the fixed folders below; everything else must have been registered or passed by the user.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import types
from collections.abc import Callable
from typing import Any, TypeVar

from hornbeam.base import registry
from hornbeam.keras.saving.scopes import state

__all__ = [
    "builtin",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "public_name",
    "register_keras_serializable",
]

T = TypeVar("T")

# Public folder in Keras (after "keras.") -> module whose `__all__` lists what may be built from a config.
# The order is that of searches by class name alone.
FOLDERS: dict[str, str] = {
    "layers": "hornbeam.keras.layers",
    "models": "hornbeam.keras.models",
    "initializers": "hornbeam.keras.initializers",
    "regularizers": "hornbeam.keras.regularizers",
    "constraints": "hornbeam.keras.constraints",
    "activations": "hornbeam.keras.activations",
    "optimizers": "hornbeam.keras.optimizers",
    "optimizers.schedules": "hornbeam.keras.optimizers.schedules",
    "optimizers.legacy": "hornbeam.keras.optimizers.legacy",
    "losses": "hornbeam.keras.losses",
    "metrics": "hornbeam.keras.metrics",
    "dtype_policies": "hornbeam.keras.dtype_policies",
    "random": "hornbeam.keras.random",
    "quantizers": "hornbeam.keras.quantizers",
    "distillation": "hornbeam.keras.distillation",
    "ops": "hornbeam.keras.ops",
}
# Folders of which functions may be named too. Of the others only classes with `from_config` are taken.
FUNCTION_FOLDERS = ("activations", "losses", "metrics", "ops")
# The folders searched for the function references that Keras writes with module "builtins".
BUILTIN_FUNCTION_FOLDERS = ("activations", "losses", "metrics")
# Functions of those folders that are not pure functions of tensors.
NOT_PURE = frozenset({"get", "serialize", "deserialize", "convert_to_numpy", "custom_gradient", "device_scope"})
# Classes of which "keras" itself is the canonical module, and the folder that holds them.
ROOT: dict[str, str] = {
    "Model": "models",
    "Sequential": "models",
    "Layer": "layers",
    "InputSpec": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Optimizer": "optimizers",
    "Initializer": "initializers",
    "Regularizer": "regularizers",
    "Quantizer": "quantizers",
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
}
# Classes that stand in no public folder: the folder they are searched under, and the module that Keras writes for them.
UNLISTED: dict[str, tuple[str, str, str]] = {
    "Functional": ("models", "keras.src.models.functional", "hornbeam.keras.models.functional"),
    "FeatureSpace": ("layers", "keras.utils", "hornbeam.keras.layers.preprocessing.feature_space"),
    **dict.fromkeys(
        ("Cross", "Feature", "TFDConcat", "TFDIdentity"),
        (
            "layers",
            "keras.src.layers.preprocessing.feature_space",
            "hornbeam.keras.layers.preprocessing.feature_parts",
        ),
    ),
}
# Classes defined below `keras`, and the public folder that offers them.
DEEPER: dict[str, str] = {"hornbeam.core.random_state": "random", "hornbeam.saving.saved_model.layers": "layers"}
# Classes that have a second public name, and the one that Keras writes.
WRITTEN_AS: dict[str, str] = {"GroupedQueryAttention": "GroupQueryAttention"}
# Old folder names, and where their classes live now.
MOVED: dict[str, tuple[str, ...]] = {
    "engine": ("layers", "models"),
    "mixed_precision": ("dtype_policies", "optimizers"),
    "utils": ("layers",),
    "applications": ("layers",),
}
_PREFIXES = ("tensorflow.python.keras", "tensorflow.keras", "tf_keras", "keras")
_INNER = frozenset({"src", "api", "_tf_keras", "keras", "v2", "_v2"})

_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}
_public: dict[type, tuple[str, str, bool] | None] = {}


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator that makes a class or function known to saving and loading as ``"package>name"``.

    Args:
        package: prefix that keeps equal names of different projects apart.
        name: name in the config; default: the object's own.

    Raises:
        ValueError: the class has no ``get_config`` method.

    Example:
        >>> @register_keras_serializable("my_project")
        ... class MyDense(Dense): ...

    References: Keras ``keras.saving.register_keras_serializable``.
    """

    def register(target: T) -> T:
        known_as = f"{package}>{name if name is not None else target.__name__}"  # type: ignore[attr-defined]
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(
                f"{target.__name__} has no get_config() method, so it cannot be registered: add a `get_config` "
                "that returns the constructor's arguments."
            )
        _objects[known_as] = target
        _names[target] = known_as
        return target

    return register


def get_custom_objects() -> dict[str, Any]:
    """The live dictionary of registered objects, by registered name.

    References: Keras ``keras.saving.get_custom_objects``.
    """
    return _objects


def get_registered_name(obj: Any) -> str:
    """Name under which a class or function is registered; its Python name if it is not.

    References: Keras ``keras.saving.get_registered_name``.
    """
    try:
        known = _names.get(obj)
    except TypeError:  # unhashable, so it was never registered
        known = None
    return known if known is not None else obj.__name__


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any:
    """The class or function known by a name, ``None`` if there is none.

    Args:
        name: registered name, such as ``"my_project>MyDense"``.
        custom_objects: searched after the open scopes and the registered objects.
        module_objects: searched last.

    References: Keras ``keras.saving.get_registered_object``.
    """
    for table in (state.custom_objects, _objects, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return registry.find(STORED, name) if name in registry.names(STORED) else None


STORED = "stored class"
"""Kind of the parts, noted in ``base.registry``, that are known by a registered name before their module is loaded."""


def builtin(module: str | None, name: str) -> Any:
    """The built-in class or pure function that a config means, ``None`` if there is none.

    Args:
        module: module as written in a config, in any spelling ("keras.layers", "keras.src.layers.core.dense",
            "tensorflow.keras.layers", "builtins" for functions); ``None`` to search by name alone.
        name: name of the class or function.
    """
    if isinstance(name, str) and isinstance(module, str) and "." in name:
        # "layers.Dense" of "keras" is "Dense" of "keras.layers".
        module, _, name = f"{module}.{name}".rpartition(".")
    if not isinstance(name, str) or not name.isidentifier():
        return None
    if module is None:
        return _search(FOLDERS, name, functions=False)
    if module == "builtins":
        return _search(BUILTIN_FUNCTION_FOLDERS, name, functions=True)
    return _search(_folders_of(module, name), name, functions=True)


def _folders_of(module: str, name: str) -> tuple[str, ...]:
    """Folders that a module string of a config may mean; none if it is not Keras's at all."""
    prefix = next((p for p in _PREFIXES if module == p or module.startswith(p + ".")), None)
    if prefix is None:
        return ()
    parts = module[len(prefix) :].strip(".").split(".")
    while parts and (parts[0] in _INNER or not parts[0]):
        parts = parts[1:]
    if not parts:
        return (ROOT[name],) if name in ROOT else ()
    if ".".join(parts[:2]) in FOLDERS:
        return (".".join(parts[:2]),)
    if parts[0] in MOVED:
        return MOVED[parts[0]]
    return (parts[0],) if parts[0] in FOLDERS else ()


def _search(folders: Any, name: str, *, functions: bool) -> Any:
    for folder in folders:
        found = _listed(folder, name)
        if isinstance(found, type) and hasattr(found, "from_config"):
            return found
        if functions and isinstance(found, types.FunctionType) and folder in FUNCTION_FOLDERS and name not in NOT_PURE:
            return found
    return None


def _listed(folder: str, name: str) -> Any:
    unlisted = UNLISTED.get(name)
    if unlisted is not None and unlisted[0] == folder:
        module = _module(unlisted[2])
        return getattr(module, name, None)
    module = _module(FOLDERS[folder])
    if name not in getattr(module, "__all__", ()):
        return None
    if folder not in FUNCTION_FOLDERS and name[:1].islower():
        # A function such as `load_model`, which is never taken: do not even load it, if the folder loads it late.
        return vars(module).get(name)
    return getattr(module, name, None)


@functools.cache
def _module(path: str) -> Any:
    """One of our own modules; ``None`` if this build of the package has no such folder."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and (path == error.name or path.startswith(error.name + ".")):
            return None
        raise


def public_name(kind: type) -> tuple[str, str, bool] | None:
    """How Keras writes one of Hornbeam's own classes: module, class name, and whether the class is public.

    Returns:
        ``None`` for classes that are not Hornbeam's own.
    """
    if kind not in _public:
        _public[kind] = _public_name(kind)
    return _public[kind]


def _public_name(kind: type) -> tuple[str, str, bool] | None:
    parts = kind.__module__.split(".")
    name = WRITTEN_AS.get(kind.__name__, kind.__name__)
    if kind.__module__ in DEEPER:
        folder = DEEPER[kind.__module__]
    elif parts[:2] == ["hornbeam", "keras"] and len(parts) > 2:
        inner = ".".join(parts[2:4])
        folder = inner if inner in FOLDERS else parts[2]
    else:
        return None
    if folder in FOLDERS and name not in UNLISTED:
        if _listed(folder, name) is not kind:
            # The public name may differ from the Python name of the class.
            names = getattr(_module(FOLDERS[folder]), "__all__", ())
            name = next((public for public in names if _listed(folder, public) is kind), "")
        if name:
            return ("keras" if ROOT.get(name) == folder else f"keras.{folder}", name, True)
    if name in UNLISTED and UNLISTED[name][2] == kind.__module__:
        return (UNLISTED[name][1], name, False)
    return None
