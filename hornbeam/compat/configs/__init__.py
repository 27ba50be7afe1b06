"""Configs, stored weights and optimizer states of all generations of Keras, as today's.

``saving`` finds these functions by name in ``base.registry``, under ``"configs"``.
"""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import CorruptFileError
from hornbeam.compat.configs.flat import flat_entry
from hornbeam.compat.configs.generation import context_of, has_older_form, is_flat
from hornbeam.compat.configs.models import convert_entry
from hornbeam.compat.configs.operations import with_operations
from hornbeam.compat.configs.optimizer_state import optimizer_state
from hornbeam.compat.configs.sharing import with_shared_numbers
from hornbeam.compat.configs.stored_weights import layer_weights
from hornbeam.compat.configs.tf_functions import tf_function
from hornbeam.compat.configs.training import compile_config

__all__ = ["compile_config", "layer_weights", "modernize", "optimizer_state", "tf_function"]


def modernize(config: Any, version: str | None = None, backend: str | None = None, custom_objects: Any = None) -> Any:
    """The config of a model, or of one layer, as Keras 3 would write it.

    Args:
        config: what the file holds: class name and config, or the flat form of the first versions.
        version: version of Keras that wrote it; found from the config's shape if not given.
        backend: its backend; configs do not depend on it.
        custom_objects: the user's own classes and functions by name.

    Raises:
        CorruptFileError: it is no config of a model.
        UnsupportedFileError: it uses something that no layer does today.
    """
    if not isinstance(config, dict) or not ("class_name" in config or is_flat(config)):
        raise CorruptFileError(
            "The stored architecture is no config of a model. Expected a JSON object with `class_name` and `config`, "
            f"received {str(config)[:80]!r}."
        )
    config = with_shared_numbers(config)
    context = context_of(config, version, custom_objects)
    if context.generation >= 3 and not has_older_form(config):
        return with_operations(config, context)
    entry = flat_entry(config) if is_flat(config) else config
    try:
        converted = convert_entry(entry, context)
    except (KeyError, AttributeError, TypeError, IndexError) as error:
        raise CorruptFileError(
            f"The stored architecture lacks a part, or has one of a wrong kind: {error!r}."
        ) from error
    compiled = config.get("compile_config")
    if isinstance(compiled, dict):
        converted["compile_config"] = compile_config(compiled, version, custom_objects)
    return converted
