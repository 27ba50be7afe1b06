"""``KerasFileEditor``: look into a weights file, change what is in it, and write it anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from rich.console import Console
from rich.markup import escape

from hornbeam.base import check
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.keras.layers import Layer
from hornbeam.keras.layers.base import tracking
from hornbeam.saving.archive import open_archive
from hornbeam.saving.h5_file import atomic_h5, open_h5, read_array, write_array
from hornbeam.saving.keras_file import CONFIG, METADATA, WEIGHTS
from hornbeam.saving.paths import local_path
from hornbeam.saving.sniff import identify
from hornbeam.saving.texts import parse_json, printable
from hornbeam.saving.walk import walk
from hornbeam.saving.weights_h5 import own_arrays

__all__ = ["KerasFileEditor"]

Tree = dict[str, Any]
_VARS = "vars"


class KerasFileEditor:
    """The weights in a ``.keras`` or ``.weights.h5`` file, to be shown, compared with a model, changed and saved.

    Args:
        filepath: the file. It is read as strictly as by ``load_model``; nothing in it is run.

    Attributes:
        weights_dict: arrays by name, nested as the objects are: ``{"layers": {"dense": {"0": ..., "1": ...}}}``.
        object_metadata: attributes of objects by path, such as the names of layers.
        config: the stored architecture (``.keras`` files).
        metadata: version and date of the writer (``.keras`` files).

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: damaged, unsafe, or of another format.

    Example:
        >>> editor = KerasFileEditor("old.weights.h5")
        >>> editor.rename_object("layers/dense_2", "dense_5")
        >>> editor.save("new.weights.h5")

    References: Keras ``keras.saving.KerasFileEditor``.
    """

    def __init__(self, filepath: Any) -> None:
        path = local_path(filepath)
        kind = identify(path)
        self.filepath = filepath
        self.metadata: Any = None
        self.config: Any = None
        self.model = None
        self.console = Console(highlight=False)
        self.weights_dict: Tree = {}
        self.object_metadata: dict[str, Tree] = {}
        if kind in ("keras", "keras-folder"):
            with open_archive(path) as archive:
                self.config = parse_json(archive.read(CONFIG), f"{path}:{CONFIG}")
                self.metadata = parse_json(archive.read(METADATA), f"{path}:{METADATA}")
                source = f"{path}:{WEIGHTS}"
                with open_h5(archive.open(WEIGHTS), source, archive.size(WEIGHTS)) as file:
                    self.weights_dict = self._read(file, source, "")
        elif kind == "weights-h5":
            with open_h5(path, path, os.path.getsize(path)) as file:
                self.weights_dict = self._read(file, path, "")
        else:
            raise UnsupportedFileError(
                f"KerasFileEditor: expected a `.keras` or `.weights.h5` file, received {path}, which is of the format "
                f"{kind!r}. Convert it first: `hornbeam convert {path} new.weights.h5`."
            )
        self._say(f"File '{path}'")
        if isinstance(self.metadata, dict):
            version, date = (self.metadata.get(key) for key in ("keras_version", "date_saved"))
            self._say(f"Written by Keras {version} on {date}")

    def _read(self, group: h5py.Group, source: str, path: str) -> Tree:
        """Arrays of an object and of the objects below it."""
        if path:
            described = {str(name): value for name, value in group.attrs.items()}
            if described:
                self.object_metadata[path] = described
        found: Tree = {}
        for name in map(str, group):
            item, inner = group[name], f"{path}/{name}"
            if isinstance(item, h5py.Dataset):
                found[name] = read_array(item, inner, source)
            elif isinstance(item, h5py.Group) and name == _VARS:
                # The arrays of an object stand beside the objects that it holds.
                own = self._read(item, source, "")
                named = {str(key): value for key, value in item.attrs.items()}
                if named and path:
                    self.object_metadata.setdefault(path, {}).update(named)
                found.update(own)
            elif isinstance(item, h5py.Group) and (below := self._read(item, source, inner)):
                found[name] = below
        return found

    # --- showing ---------------------------------------------------------------------------------
    def _say(self, text: str) -> None:
        self.console.print(escape(printable(text)), soft_wrap=True)

    def summary(self) -> None:
        """Print all objects and arrays as a tree."""
        self._say("Weights structure")
        for line in self._lines(self.weights_dict, "", "  "):
            self._say(line)

    def _lines(self, tree: Tree, path: str, margin: str) -> Iterator[str]:
        for place, (name, value) in enumerate(tree.items()):
            last = place == len(tree) - 1
            inner = f"{path}/{name}"
            corner = "└─ " if last else "├─ "
            if isinstance(value, dict):
                known = self.object_metadata.get(inner, {}).get("name")
                yield f"{margin}{corner}{name}" + (f" ('{known}')" if known is not None else "")
                yield from self._lines(value, inner, margin + ("    " if last else "│   "))
            else:
                array = np.asarray(value)
                yield f"{margin}{corner}{name}: shape={array.shape}, dtype={array.dtype}"

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print where the file and a model differ.

        Args:
            reference_model: a built model.

        Returns:
            ``status`` (``"success"`` or ``"error"``), ``error_count``, ``match_count`` (arrays that fit).
        """
        self._say("Comparison of the file with the model")
        own = _flat(self.weights_dict)
        wanted = _shapes_of(reference_model)
        matches = 0
        problems: dict[str, None] = {}
        for path in own.keys() | wanted.keys():
            if path in own and path in wanted:
                if tuple(np.shape(own[path])) == wanted[path]:
                    matches += 1
                else:
                    shapes = f"{tuple(np.shape(own[path]))} in the file, {wanted[path]} in the model"
                    problems[f"{path}: shapes differ: {shapes}"] = None
            else:
                # A whole object that one side lacks is one difference, not one per array.
                where, other = ("file", wanted) if path in own else ("model", own)
                lacking = _highest_missing(path, other)
                problems[f"{lacking}: only in the {where}"] = None
        for problem in sorted(problems):
            self._say(f"  {problem}")
        status = "error" if problems else "success"
        verdict = f"{len(problems)} differences" if problems else "the file fits the model"
        self._say(f"{verdict}; {matches} arrays match")
        return {"status": status, "error_count": len(problems), "match_count": matches}

    # --- changing --------------------------------------------------------------------------------
    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name.

        Args:
            object_name: its name, if there is one of that name only, or its path (``"layers/dense_2"``).
            new_name: the last part of its new path.
        """
        if "/" in new_name:
            raise ValueError(
                f"rename_object(): `new_name` must be a name without slashes, received {new_name!r}; objects keep "
                "their place. To move one, use `add_object` and `delete_object`."
            )
        holder, name = self._find(object_name)
        holder[new_name] = holder.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Remove an object and all that is in it; it is given by its name or path."""
        holder, name = self._find(object_name)
        del holder[name]

    def add_object(self, object_path: str, weights: Tree) -> None:
        """Add an object.

        Args:
            object_path: its whole path, such as ``"layers/dense_2"``; all but the last part must exist.
            weights: arrays by name, ``{"0": kernel, "1": bias}``.
        """
        _check_weights(weights, "add_object")
        *above, name = object_path.split("/")
        holder = self.weights_dict
        for part in above:
            if not isinstance(holder.get(part), dict):
                raise ValueError(
                    f"add_object(): there is no object {'/'.join(above)!r} to add {name!r} to.{self._near(part)}"
                )
            holder = holder[part]
        holder[name] = dict(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove one array of an object.

        Args:
            object_name: name or path of the object.
            weight_name: name of the array, such as ``"0"``.
        """
        holder, name = self._find(object_name)
        if weight_name not in holder[name]:
            raise ValueError(
                f"delete_weight(): object {object_name!r} has no array {weight_name!r}, but {list(holder[name])}."
            )
        del holder[name][weight_name]

    def add_weights(self, object_name: str, weights: Tree) -> None:
        """Add arrays to an object, or replace those of the same names.

        Args:
            object_name: name or path of the object.
            weights: arrays by name.
        """
        _check_weights(weights, "add_weights")
        holder, name = self._find(object_name)
        holder[name].update(weights)

    def _find(self, name: str) -> tuple[Tree, str]:
        """The dict that holds an object, and the object's key there."""
        if "/" in name:
            *above, last = name.split("/")
            holder: Any = self.weights_dict
            for part in above:
                holder = holder.get(part) if isinstance(holder, dict) else None
            if not isinstance(holder, dict) or last not in holder:
                raise ValueError(f"The file has no object with the path {name!r}; `summary()` shows all of them.")
            return holder, last
        found = [holder for holder in _holders(self.weights_dict) if name in holder]
        if len(found) > 1:
            raise ValueError(f"{len(found)} objects are named {name!r}; give the whole path of the one that is meant.")
        if not found:
            raise ValueError(f"The file has no object named {name!r}; `summary()` shows all of them.{self._near(name)}")
        return found[0], name

    def _near(self, name: str) -> str:
        return check.closest(name, [key for holder in _holders(self.weights_dict) for key in holder])

    # --- writing ---------------------------------------------------------------------------------
    def save(self, filepath: Any) -> None:
        """Write the weights to a file, whose name must end in ``.weights.h5``."""
        path = local_path(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(f"save(): the name must end in `.weights.h5`, received {path!r}.")
        with atomic_h5(path) as file:
            _write(file, self.weights_dict, "", self.object_metadata)

    def resave_weights(self, filepath: Any) -> None:
        """The same as ``save``."""
        self.save(filepath)


def _write(group: Any, tree: Tree, path: str, metadata: dict[str, Tree]) -> None:
    arrays = {name: value for name, value in tree.items() if not isinstance(value, dict)}
    if arrays:
        # Other readers pass over an object whose group of arrays is empty, with all that is below it.
        own = group.create_group(_VARS)
        for name, value in metadata.get(path, {}).items():
            own.attrs[name] = value
        for name, value in arrays.items():
            write_array(own, name, np.asarray(value))
    for name, value in tree.items():
        if isinstance(value, dict):
            _write(group.create_group(name), value, f"{path}/{name}", metadata)


def _check_weights(weights: Any, where: str) -> None:
    if not isinstance(weights, dict):
        raise ValueError(
            f"{where}(): `weights` must be a dict of arrays by name, such as {{'0': kernel, '1': bias}}; received "
            f"{type(weights).__name__}."
        )


def _holders(tree: Tree) -> Iterator[Tree]:
    yield tree
    for value in tree.values():
        if isinstance(value, dict):
            yield from _holders(value)


def _flat(tree: Tree, path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found.update(_flat(value, f"{path}/{name}") if isinstance(value, dict) else {f"{path}/{name}": value})
    return found


def _highest_missing(path: str, other: dict[str, Any]) -> str:
    """The shortest beginning of a path that the other side does not have."""
    parts = path.split("/")
    known = {"/".join(name.split("/")[:count]) for name in other for count in range(2, name.count("/") + 2)}
    starts = ("/".join(parts[:count]) for count in range(2, len(parts) + 1))
    return next((start for start in starts if start not in known), path)


def _shapes_of(model: Any) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for path, item in walk(model):
        if isinstance(item, Layer) and type(item).save_own_variables is Layer.save_own_variables:
            shapes = {str(index): tuple(one.shape) for index, one in enumerate(tracking.own_variables(item))}
        else:
            shapes = {name: tuple(array.shape) for name, array in own_arrays(item).items()}
        found.update({f"/{path}/{name}" if path else f"/{name}": shape for name, shape in shapes.items()})
    return found
