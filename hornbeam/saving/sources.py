"""Stored weights by the path of the object that owns them, whatever kind of file holds them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.h5_file import open_h5, read_array, text_in
from hornbeam.saving.texts import parse_json, printable

__all__ = ["H5Source", "ShardedSource", "Source", "Stored", "StoredObject", "open_source", "shard_names"]


class Stored(NamedTuple):
    """One stored array, not read yet."""

    shape: tuple[int, ...]
    dtype: str
    dataset: Any
    path: str
    source: str

    def read(self) -> np.ndarray:
        """The array, checked."""
        return read_array(self.dataset, self.path, self.source)


class StoredObject(Mapping):
    """The arrays of one object by name; each is read when it is asked for."""

    def __init__(self, parts: dict[str, Stored]) -> None:
        self.parts = parts

    def __getitem__(self, name: str) -> np.ndarray:
        return self.parts[str(name)].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array."""
        return {name: part.shape for name, part in self.parts.items()}


class Source(Protocol):
    """What holds weights."""

    name: str

    def paths(self) -> list[str]:
        """Paths of the objects that have arrays."""
        ...

    def at(self, path: str) -> StoredObject:
        """Arrays of the object at a path; empty if there are none."""
        ...


class H5Source:
    """Weights in one open HDF5 file.

    Args:
        file: the file.
        name: how messages call it.
    """

    def __init__(self, file: h5py.File, name: str) -> None:
        self.name = name
        self._found: dict[str, dict[str, Stored]] = {}
        self.add(file)

    def add(self, file: h5py.File) -> None:
        """Take the arrays of one more file."""

        def visit(path: str, item: Any) -> None:
            if not isinstance(item, h5py.Dataset):
                return
            group, _, name = path.rpartition("/")
            owner = group.removesuffix("vars").removesuffix("/") if group.split("/")[-1] == "vars" else group
            kind = text_in(item, "dtype", self.name) or item.dtype.name
            self._found.setdefault(owner, {})[name] = Stored(tuple(item.shape), kind, item, path, self.name)

        file.visititems(visit)

    def paths(self) -> list[str]:
        return list(self._found)

    def at(self, path: str) -> StoredObject:
        found = self._found.get(path)
        if found is None and path:
            # Early files name the list of layers after the base class's own bookkeeping.
            found = self._found.get(_EARLY_LAYERS + path.removeprefix("layers")) if path.startswith("layers") else None
        found = found or {}
        names = sorted(found, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))
        return StoredObject({name: found[name] for name in names})


_EARLY_LAYERS = "_layer_checkpoint_dependencies"


class ShardedSource(H5Source):
    """Weights in several HDF5 files, which a JSON file lists. Use as a context.

    Args:
        path: the JSON file, ``*.weights.json``.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        self._found = {}
        self._stack: list[Any] = []
        with open(path, "rb") as file:
            index = parse_json(file.read(), path)
        folder = os.path.dirname(path)
        for name in shard_names(index, path):
            self._open(os.path.join(folder, name), path)

    def _open(self, shard: str, path: str) -> None:
        if os.path.islink(shard) or not os.path.isfile(shard):
            self.close()
            raise CorruptFileError(f"{path} names the part {printable(os.path.basename(shard))!r}, which is not there.")
        context = open_h5(shard, shard, os.path.getsize(shard))
        try:
            file = context.__enter__()
            self._stack.append(context)
            self.add(file)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all files."""
        while self._stack:
            self._stack.pop().__exit__(None, None, None)

    def __enter__(self) -> ShardedSource:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def shard_names(index: Any, path: str) -> list[str]:
    """Names of the parts, each a plain file name beside the index."""
    entries = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(entries, dict):
        raise CorruptFileError(f"{path} is no index of weights: it has no `weight_map`.")
    found: dict[str, None] = {}
    for names in entries.values():
        for name in names if isinstance(names, list) else [names]:
            plain = isinstance(name, str) and name == os.path.basename(name.replace("\\", "/")) and ":" not in name
            if not plain or name in ("", ".", ".."):
                raise CorruptFileError(f"{path} names the part {printable(name)!r}, which is no plain file name.")
            found[name] = None
    return list(found)


def open_source(path: str) -> Any:
    """Context that gives the source of a ``.weights.h5`` or ``.weights.json`` file."""
    return ShardedSource(path) if path.endswith(".json") else _OneFile(path)


class _OneFile:
    def __init__(self, path: str) -> None:
        self._path = path
        self._context = open_h5(path, path, os.path.getsize(path))

    def __enter__(self) -> H5Source:
        return H5Source(self._context.__enter__(), self._path)

    def __exit__(self, *error: Any) -> Any:
        return self._context.__exit__(*error)
