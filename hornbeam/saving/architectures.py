"""Models from the texts of their architectures, and these texts: JSON and YAML, of any generation."""

from __future__ import annotations

import json
from typing import Any

from hornbeam.base import registry
from hornbeam.keras.saving import serialization
from hornbeam.keras.saving.scopes import ObjectSharingScope
from hornbeam.saving.keras_file import check_names, plain
from hornbeam.saving.texts import parse_json, parse_yaml, to_yaml
from hornbeam.version import KERAS_VERSION

__all__ = ["model_from_config", "model_from_json", "model_from_yaml", "model_to_json", "model_to_yaml"]


def model_from_json(json_string: Any, custom_objects: Any = None) -> Any:
    """A model (with new weights) from the text that ``to_json`` gave.

    Args:
        json_string: the text.
        custom_objects: names of your own classes and functions that the model uses.

    Raises:
        CorruptFileError: it is no JSON, or no model.
        UnsafeFileError: it holds code (lambdas).

    References: Keras ``models.model_from_json``.
    """
    return model_from_config(parse_json(json_string, "the JSON text"), custom_objects)


def model_from_yaml(yaml_string: Any, custom_objects: Any = None) -> Any:
    """A model (with new weights) from the text that ``to_yaml`` gave. YAML that asks for Python objects is refused.

    Args:
        yaml_string: the text, or an open file.
        custom_objects: names of your own classes and functions that the model uses.

    Raises:
        CorruptFileError: it is no YAML, or no model.
        UnsafeFileError: it asks for Python objects, or holds code.
    """
    text = yaml_string.read() if hasattr(yaml_string, "read") else yaml_string
    return model_from_config(parse_yaml(text, "the YAML text"), custom_objects)


def model_from_config(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """A model (with new weights) from a config with class name.

    References: Keras ``models.model_from_config``.
    """
    check_names(config)
    config = registry.find("configs", "modernize")(config, None, None, custom_objects)
    with ObjectSharingScope():
        return serialization.deserialize_keras_object(config, custom_objects=custom_objects)


def _described(model: Any) -> dict[str, Any]:
    # With marks for layers that several inner models share: weights of the model fit only one that shares them too.
    with ObjectSharingScope():
        config = serialization.serialize_keras_object(model)
    return {**config, "keras_version": KERAS_VERSION, "backend": "jax"}


def model_to_json(model: Any, **kwargs: Any) -> str:
    """The architecture as JSON text; ``kwargs`` go to ``json.dumps``."""
    return json.dumps(_described(model), **{"default": plain, **kwargs})


def model_to_yaml(model: Any, **kwargs: Any) -> str:
    """The architecture as YAML text without tags; ``kwargs`` go to PyYAML."""
    return to_yaml(json.loads(model_to_json(model)), **kwargs)
