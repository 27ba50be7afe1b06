"""Which generation of Keras wrote a config, found from its version or from its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hornbeam.keras.saving.registration import builtin, get_registered_object

__all__ = ["Context", "context_of", "has_older_form", "is_flat", "version_tuple"]

_FIRST_WORDS = frozenset(
    {"nb_filter", "border_mode", "subsample", "dim_ordering", "inner_activation", "W_regularizer", "W_constraint"}
)


class Context(NamedTuple):
    """What is known about the program that wrote a config.

    Attributes:
        generation: 0 to 3.
        version: its version as numbers, empty if unknown.
        separate: whether it was Keras with several backends, not the one inside TensorFlow.
        custom: the user's objects by name.
        channels_first: whether layers of the first generations that do not say their ordering put channels first.
    """

    generation: int
    version: tuple[int, ...]
    separate: bool
    custom: dict[str, Any]
    channels_first: bool = False

    def knows(self, name: str) -> bool:
        """Whether a class name means one of the user's own classes."""
        return name in self.custom or get_registered_object(name) is not None

    def is_builtin(self, name: str) -> bool:
        """Whether a class name means one of Hornbeam's own classes, and not one of the user's."""
        return not self.knows(name) and builtin(None, name) is not None


def version_tuple(version: str | None) -> tuple[int, ...]:
    """``"2.3.0-tf"`` as ``(2, 3, 0)``."""
    found: list[int] = []
    for part in (version or "").split("-")[0].split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)


def is_flat(config: Any) -> bool:
    """Whether it is of the first form, where class, arguments and layers stand on one level."""
    return isinstance(config, dict) and "class_name" not in config and config.get("name") in ("Sequential", "Graph")


def context_of(config: Any, version: str | None, custom_objects: Any) -> Context:
    """What is known from the version that the file gives, or else from the config."""
    text = version or (config.get("keras_version") if isinstance(config, dict) else None)
    numbers = version_tuple(text if isinstance(text, str) else None)
    generation = _from_shape(config) if not numbers else min(numbers[0], 3)
    if is_flat(config):
        generation = 0
    elif generation == 2 and not numbers and _has_first_words(config):
        generation = 1
    separate = generation < 2 or (generation == 2 and numbers < (2, 4) and "-tf" not in str(text))
    # Some layers did not store it; a program used one ordering throughout.
    first = generation < 2 and any(part.get("dim_ordering") == "th" for part in _dicts(config))
    return Context(generation, numbers, separate, dict(custom_objects or {}), first)


def _from_shape(config: Any) -> int:
    if is_flat(config):
        return 0
    for part in _dicts(config):
        inner = part.get("config")
        if isinstance(inner, dict) and ("batch_shape" in inner or isinstance(inner.get("dtype"), dict)):
            return 3
        if _FIRST_WORDS & part.keys():
            return 1
        if "batch_input_shape" in part:
            return 2
        nodes = part.get("inbound_nodes")
        if isinstance(nodes, list) and nodes:
            return 3 if isinstance(nodes[0], dict) and "args" in nodes[0] else 2
    return 3


def _has_first_words(config: Any) -> bool:
    return any(_FIRST_WORDS & part.keys() for part in _dicts(config))


def has_older_form(config: Any) -> bool:
    """Whether shapes of inputs, or calls of layers, are written as before Keras 3, whoever wrote it."""
    for part in _dicts(config):
        nodes = part.get("inbound_nodes")
        if "batch_input_shape" in part or (isinstance(nodes, list) and nodes and not isinstance(nodes[0], dict)):
            return True
    return False


def _dicts(config: Any) -> Iterator[dict[str, Any]]:
    stack = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield part
            stack += part.values()
        elif isinstance(part, (list, tuple)):
            stack += part
