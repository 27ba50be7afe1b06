"""Keras models whose class is not at hand: they run through the functions of the file."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.core.variable import Variable
from hornbeam.keras.models import Model
from hornbeam.saving.saved_model.folder import Folder
from hornbeam.saving.saved_model.loader import LoadedObject, Objects
from hornbeam.saving.saved_model.metadata import KerasNode

__all__ = ["RevivedModel", "revive"]


class RevivedModel(Model):
    """A model made from the functions and variables of a SavedModel; it runs and trains, but has no layers.

    Args:
        loaded: what was read.
        name: name of the model.
    """

    def __init__(self, loaded: LoadedObject, name: str) -> None:
        super().__init__(name=name)
        self.__dict__["_loaded"] = loaded
        found = {id(v): v for v in _variables(loaded)}
        self._saved_variables = list(found.values())
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Run the saved call."""
        loaded = self.__dict__["_loaded"]
        functions = loaded._functions
        if "__call__" in functions:
            training = bool(training)
            for attempt in ({"training": training}, {}, {"training": None}, {"training": False}):
                try:
                    return functions["__call__"](inputs, **attempt)
                except ValueError:
                    continue
        if loaded.signatures:
            serving = loaded.signatures.get("serving_default") or next(iter(loaded.signatures.values()))
            outputs = serving(**inputs) if isinstance(inputs, dict) else serving(*trees.flatten(inputs))
            values = list(outputs.values())
            return values[0] if len(values) == 1 else outputs
        raise UnsupportedFileError(
            f"Model {self.name!r} was saved without the functions that run it. Load it with its class: "
            "`load_model(path, custom_objects={'ClassName': ClassName})`, or build the model and `load_weights(path)`."
        )

    def get_config(self) -> dict[str, Any]:
        """Not offered: the architecture is only known as compiled functions."""
        raise NotImplementedError(
            f"Model {self.name!r} comes from a SavedModel without its class, so it has no config; save its weights, or "
            "load it with its class in `custom_objects`."
        )


def _variables(loaded: LoadedObject) -> list[Variable]:
    listed = vars(loaded).get("variables")
    found = listed if isinstance(listed, list) else loaded.variables
    return [item for item in found if isinstance(item, Variable)]


def revive(folder: Folder, root: KerasNode, reason: str) -> Any:
    """A model that runs through the functions of a file.

    Args:
        folder: the open SavedModel.
        root: its description.
        reason: why it cannot be rebuilt.

    Raises:
        UnsupportedFileError: the file has no function that runs the model.
    """
    objects = Objects(folder)
    loaded = objects.root()
    if "__call__" not in loaded._functions and not loaded.signatures:
        raise UnsupportedFileError(
            f"{folder.path}: the model cannot be rebuilt ({reason}), and the file has no function that runs it. Pass "
            "its class in `custom_objects`, or build it and use `load_weights`."
        )
    model = RevivedModel(loaded, root.config.get("name") or "saved_model")
    model.__dict__["numbered"] = {n: v for n, v in objects.items.items() if isinstance(v, Variable)}
    return model
