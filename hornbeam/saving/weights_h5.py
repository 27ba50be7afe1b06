"""Weights in HDF5, in the layout of Keras's ``.weights.h5`` files."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import h5py
import ml_dtypes
import numpy as np

from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.saving.walk import walk

_CHECKSUM = "crc32"
_OPTIMIZER_COUNTERS = 2
"""Variables of an optimizer that has not trained: its step counter and its learning rate."""


# --- writing -------------------------------------------------------------------------------------
def write_weights(model: Any, file: h5py.File, *, with_optimizer: bool = True) -> None:
    """Put the variables of a model and of all objects in it into an open file."""
    for path, item in walk(model):
        if not with_optimizer and path.split("/")[0] == "optimizer":
            continue
        store: dict[str, np.ndarray] = {}
        if hasattr(item, "save_own_variables"):
            item.save_own_variables(store)
        group = file.create_group(f"{path}/vars" if path else "vars")
        if getattr(item, "name", None):
            group.attrs["name"] = item.name
        for name, array in store.items():
            _write_array(group, name, np.asarray(array, order="C"))


def _write_array(group: h5py.Group, name: str, array: np.ndarray) -> None:
    kind = array.dtype.name
    # HDF5 knows no bfloat16 or float8: raw bytes with the name of the type beside them.
    raw = array.view(f"V{array.dtype.itemsize}") if kind.startswith(("bfloat16", "float8")) else array
    dataset = group.create_dataset(name, data=raw.reshape(array.shape))
    if raw is not array:
        dataset.attrs["dtype"] = kind
    # Readers that do not know the attribute pass it over; ours finds any flipped bit by it.
    dataset.attrs[_CHECKSUM] = np.uint32(zlib.crc32(array.tobytes()))


# --- reading -------------------------------------------------------------------------------------
class StoredWeights:
    """The arrays of a weights file, by path of the object that owns them.

    Args:
        file: open file.
        source: how messages call it.

    Raises:
        UnsafeFileError: the file links to something, or keeps data outside itself.
    """

    def __init__(self, file: h5py.File, source: str) -> None:
        self._source = source
        self._datasets: dict[str, dict[str, h5py.Dataset]] = {}
        self._walk(file, "", 0)

    def _walk(self, group: h5py.Group, path: str, depth: int) -> None:
        if depth > 64:
            raise CorruptFileError(f"{self._source}: groups are nested more than 64 deep at {path!r}.")
        for name in map(str, group):
            inner = f"{path}/{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise UnsafeFileError(
                    f"{self._source}: member {inner!r} is a link to another place, which is refused. A weights "
                    "file holds "
                    "its arrays itself; save the model again with a program you trust."
                )
            item = group[name]
            if isinstance(item, h5py.Group):
                self._walk(item, inner, depth + 1)
            elif isinstance(item, h5py.Dataset):
                self._check(item, inner)
                owner = path.removesuffix("vars").removesuffix("/") if path.endswith("vars") else path
                self._datasets.setdefault(owner, {})[name] = item

    def _check(self, dataset: h5py.Dataset, path: str) -> None:
        if dataset.external or dataset.is_virtual:
            raise UnsafeFileError(f"{self._source}: dataset {path!r} keeps its data in another file, which is refused.")
        stored = dataset.id.get_storage_size()
        if dataset.nbytes > max(64 << 20, 20 * stored):
            raise UnsafeFileError(
                f"{self._source}: dataset {path!r} claims {dataset.nbytes} bytes but holds {stored}, which is refused."
            )

    def paths(self) -> list[str]:
        """Paths of objects that have arrays."""
        return list(self._datasets)

    def arrays(self, path: str) -> dict[str, np.ndarray]:
        """Arrays of one object by name, checked against their checksums."""
        found = self._datasets.get(path, {})
        names = sorted(found, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))
        return {name: self._read(found[name], f"{path}/vars/{name}") for name in names}

    def _read(self, dataset: h5py.Dataset, path: str) -> np.ndarray:
        array = dataset[()]
        kind = dataset.attrs.get("dtype")
        if kind is not None:
            kind = kind.decode() if isinstance(kind, bytes) else str(kind)
            array = np.asarray(array).view(getattr(ml_dtypes, kind)).reshape(dataset.shape)
        array = np.asarray(array)
        if array.dtype.kind == "O":
            raise UnsafeFileError(f"{self._source}: dataset {path!r} holds objects, not numbers.")
        expected = dataset.attrs.get(_CHECKSUM)
        if expected is not None and zlib.crc32(array.tobytes()) != int(expected):
            raise CorruptFileError(
                f"{self._source}: the array {path!r} is damaged (its checksum does not match). Use another copy "
                "of the file."
            )
        return array


def read_weights(
    model: Any, stored: StoredWeights, *, skip_mismatch: bool = False, with_optimizer: bool = True
) -> None:
    """Give all objects of a model their stored variables; the model changes only if everything fits.

    Raises:
        ValueError: listing every object whose variables do not fit.
    """
    problems: list[str] = []
    pending: list[tuple[Any, dict[str, np.ndarray]]] = []
    for path, item in _objects(model, with_optimizer):
        arrays = stored.arrays(path)
        problem = _mismatch(item, arrays, path)
        if problem is not None and path == "optimizer" and len(arrays) <= _OPTIMIZER_COUNTERS:
            # Saved before the first training step, when the optimizer had no slots yet: it starts anew.
            continue
        if problem is None:
            pending.append((item, arrays))
        elif not skip_mismatch:
            problems.append(problem)
    if problems:
        listing = "\n  ".join(problems)
        raise ValueError(
            f"A total of {len(problems)} objects could not be loaded. The stored weights do not fit the "
            f"model:\n  {listing}"
        )
    for item, arrays in pending:
        item.load_own_variables(arrays)


def _objects(model: Any, with_optimizer: bool) -> Iterator[tuple[str, Any]]:
    for path, item in walk(model):
        if not hasattr(item, "load_own_variables"):
            continue
        if path.split("/")[0] == "optimizer" and not with_optimizer:
            continue
        yield path, item


def _mismatch(item: Any, arrays: dict[str, np.ndarray], path: str) -> str | None:
    """What is wrong with an object's arrays, or None; found out before anything is changed."""
    own: dict[str, np.ndarray] = {}
    probe = getattr(item, "stored_shapes", None)
    shapes = probe() if probe is not None else _shapes_of(item, own)
    if shapes is None:
        return None
    if not shapes and not arrays:
        return None
    if len(shapes) != len(arrays):
        names = ", ".join(shapes)
        owner = f"{path or 'model'} ({getattr(item, 'name', '')})"
        return f"{owner}: expected {len(shapes)} variables ({names}), received {len(arrays)}"
    for (name, shape), array in zip(shapes.items(), arrays.values(), strict=True):
        if tuple(shape) != tuple(array.shape):
            return f"{path or 'model'}: variable {name} has shape {tuple(shape)}, the stored one {tuple(array.shape)}"
    return None


def _shapes_of(item: Any, own: dict[str, np.ndarray]) -> dict[str, tuple] | None:
    if type(item).load_own_variables is not _plain_loader(item):
        return None
    item.save_own_variables(own)
    return {name: array.shape for name, array in own.items()}


def _plain_loader(item: Any) -> Any:
    """The standard loader of the object's family: objects with a loader of their own check for themselves."""
    for base in reversed(type(item).__mro__):
        found = vars(base).get("load_own_variables")
        if found is not None:
            return found
    return None
