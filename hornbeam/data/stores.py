"""Data sets on disk: ``save``, ``load``, ``snapshot``, and ``cache`` with a file name.

A folder holds ``dataset.json`` (structure, specs, number of elements) and numbered chunks in NumPy's ``.npz`` form, in
one folder per shard. Texts are stored as bytes and lengths: nothing in the files can be executed when they are read.
``dataset.json`` is written last, so a folder without it is an unfinished one.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import CorruptFileError, NotSupportedError, explain
from hornbeam.data.blocks import Block, RaggedRows, stacked
from hornbeam.data.composite_store import composite_from, encode_composite, is_composite, spec_from, spec_parts
from hornbeam.data.plan import Cursor, Node, Scope
from hornbeam.data.structure import RowSpec
from hornbeam.errors import NotFoundError

INDEX = "dataset.json"
_FORMAT = "hornbeam dataset 1"
_CHUNK_BYTES = 16 << 20
_CHUNK_ROWS = 65536
_COMPRESSIONS = {None: False, "": False, "NONE": False, "AUTO": False, "GZIP": True, "ZLIB": True}


def compressed(compression: Any, where: str) -> bool:
    """Whether chunks are compressed.

    Raises:
        NotSupportedError: it asks for a way that is not offered.
    """
    if compression not in _COMPRESSIONS:
        raise NotSupportedError(
            explain(
                f"{where}: unknown compression.", expected="None, 'NONE', 'AUTO' or 'GZIP'", received=repr(compression)
            )
        )
    return _COMPRESSIONS[compression]


# --- structure -----------------------------------------------------------------------------------
def _plain(skeleton: Any) -> Any:
    if isinstance(skeleton, dict):
        if not all(isinstance(key, str) for key in skeleton):
            raise NotSupportedError("Data sets on disk need texts as keys of dicts.")
        return {"dict": {key: _plain(item) for key, item in skeleton.items()}}
    if isinstance(skeleton, (tuple, list)):
        return {"tuple": [_plain(item) for item in skeleton]}
    return 0


def _from_plain(plain: Any) -> Any:
    if plain == 0:
        return 0
    if "dict" in plain:
        return {key: _from_plain(item) for key, item in plain["dict"].items()}
    return tuple(_from_plain(item) for item in plain["tuple"])


# --- columns -------------------------------------------------------------------------------------
def _encode(column: Any) -> dict[str, np.ndarray]:
    whole = stacked(column)
    if whole is not None and whole.dtype.kind != "O":
        return {"rows": _storable(whole), "dtype": np.array(dtypes.from_numpy(whole.dtype).name)}
    if whole is None and is_composite(column):
        return encode_composite(column, _encode)
    items = [
        np.asarray(item, object) if isinstance(item, bytes) else item for item in (column if whole is None else whole)
    ]
    items = [item if isinstance(item, (np.ndarray, np.generic)) else None for item in items]
    if any(item is None for item in items):
        raise NotSupportedError(
            "A data set on disk holds numbers, texts, sparse tensors, and ragged tensors of one rank.\n"
            "  fix:      give all elements the same kind of tensor first, in a map()"
        )
    shapes = np.array([np.shape(item) for item in items], np.int64).reshape(len(items), -1)
    flat = np.concatenate([np.asarray(item).reshape(-1) for item in items])
    if flat.dtype.kind != "O":
        return {"flat": _storable(flat), "shapes": shapes, "dtype": np.array(dtypes.from_numpy(flat.dtype).name)}
    lengths = np.array([len(text) for text in flat], np.int64)
    return {"text": np.frombuffer(b"".join(flat.tolist()), np.uint8), "lengths": lengths, "shapes": shapes}


def _storable(array: np.ndarray) -> np.ndarray:
    # NumPy's file format knows no bfloat16 and its like: their bits are stored.
    return array if array.dtype.kind in "biufc" else array.view(f"u{array.dtype.itemsize}")


def _decode(parts: dict[str, np.ndarray]) -> Any:
    if (composite := composite_from(parts, _decode)) is not None:
        return composite
    if "text" in parts:
        ends = np.cumsum(parts["lengths"])
        raw = parts["text"].tobytes()
        flat = np.empty(len(ends), object)
        flat[:] = [raw[end - size : end] for end, size in zip(ends.tolist(), parts["lengths"].tolist(), strict=True)]
    else:
        dtype = dtypes.as_dtype(str(parts["dtype"])).as_numpy_dtype
        flat = parts["rows"] if "rows" in parts else parts["flat"]
        flat = flat if flat.dtype == dtype else flat.view(dtype)
        if "rows" in parts:
            return flat
    sizes = parts["shapes"].prod(axis=1)
    starts = np.cumsum(sizes) - sizes
    return [
        flat[start : start + size].reshape(shape)[()]
        for start, size, shape in zip(starts.tolist(), sizes.tolist(), parts["shapes"].tolist(), strict=True)
    ]


# --- writing -------------------------------------------------------------------------------------
class Writer:
    """Writes elements into a folder.

    Args:
        path: the folder; one that holds a data set is replaced.
        compress: compress the chunks.
        spec: structure and specs of the elements.
    """

    def __init__(self, path: str, compress: bool, spec: Any) -> None:
        self._path, self._compress = path, compress
        self._structure = _plain(trees.map_structure(lambda _: 0, spec))
        self._specs = [spec_parts(one) for one in trees.flatten(spec)]
        if os.path.exists(path):
            _clear(path)
        os.makedirs(path, exist_ok=True)
        self._shards: dict[int, list[int]] = {}
        self._open: dict[int, list[Block]] = {}

    def add(self, block: Block, shard: int = 0) -> None:
        """Write elements."""
        parts = self._open.setdefault(shard, [])
        parts.append(block)
        if sum(part.nbytes for part in parts) >= _CHUNK_BYTES or sum(part.count for part in parts) >= _CHUNK_ROWS:
            self._flush(shard)

    def _flush(self, shard: int) -> None:
        parts = self._open.pop(shard, [])
        if not parts:
            return
        chunks = self._shards.setdefault(shard, [])
        folder = os.path.join(self._path, f"shard-{shard:05d}")
        os.makedirs(folder, exist_ok=True)
        columns = [[item for part in parts for item in part.columns[n]] for n in range(len(parts[0].columns))]
        if len(parts) == 1:
            columns = parts[0].columns
        arrays = {f"{n}.{name}": array for n, column in enumerate(columns) for name, array in _encode(column).items()}
        save: Any = np.savez_compressed if self._compress else np.savez
        save(os.path.join(folder, f"{len(chunks):06d}.npz"), **arrays)
        chunks.append(sum(part.count for part in parts))

    def finish(self) -> None:
        """Write what is left, and the index."""
        for shard in list(self._open):
            self._flush(shard)
        index = {
            "format": _FORMAT,
            "structure": self._structure,
            "specs": self._specs,
            "shards": {str(shard): counts for shard, counts in sorted(self._shards.items())},
        }
        partial = os.path.join(self._path, f"{INDEX}.part")
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(index, file, indent=1)
        os.replace(partial, os.path.join(self._path, INDEX))


def _clear(path: str) -> None:
    """Remove what this module wrote in a folder, and nothing else."""
    for name in os.listdir(path) if os.path.isdir(path) else ():
        inner = os.path.join(path, name)
        if name in (INDEX, f"{INDEX}.part"):
            os.remove(inner)
        elif name.startswith("shard-") and os.path.isdir(inner):
            shutil.rmtree(inner)


# --- reading -------------------------------------------------------------------------------------
def is_complete(path: str) -> bool:
    """True if the folder holds a whole data set."""
    return os.path.isfile(os.path.join(path, INDEX))


class Stored:
    """A data set in a folder.

    Args:
        path: the folder.
        wait: wait for it to be finished.

    Raises:
        NotFoundError: there is none.
        CorruptFileError: it is damaged, or of another kind.
    """

    def __init__(self, path: str, wait: bool = False) -> None:
        self.path = path
        while wait and not is_complete(path):
            time.sleep(0.2)
        if not is_complete(path):
            raise NotFoundError(
                None,
                None,
                explain(
                    f"There is no saved data set in {path!r}.",
                    expected=f"a folder with {INDEX}, as Dataset.save() makes",
                ),
            )
        try:
            with open(os.path.join(path, INDEX), encoding="utf-8") as file:
                index = json.load(file)
            if index["format"] != _FORMAT:
                raise ValueError(f"format {index['format']!r}")
            self.skeleton = _from_plain(index["structure"])
            specs = [spec_from(parts) for parts in index["specs"]]
            self.spec = trees.pack(self.skeleton, specs)
            self.shards: dict[int, list[int]] = {int(shard): list(counts) for shard, counts in index["shards"].items()}
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptFileError(f"{os.path.join(path, INDEX)} is damaged or of another kind: {error}") from error

    def nodes(self) -> list[StoredShard]:
        """The shards, in order."""
        return [StoredShard(self, shard) for shard in sorted(self.shards)]


class StoredShard(Node):
    """Elements of one shard."""

    def __init__(self, store: Stored, shard: int) -> None:
        super().__init__()
        self._store, self._shard = store, shard

    def make_spec(self) -> Any:
        """As it was written down."""
        return self._store.spec

    def size(self) -> int:
        """As it was written down."""
        return sum(self._store.shards.get(self._shard, ()))

    def stream(self, scope: Scope) -> Cursor:
        """Elements in order."""
        folder = os.path.join(self._store.path, f"shard-{self._shard:05d}")
        return _StoreCursor(self._store, folder, self._store.shards.get(self._shard, []))


class _StoreCursor(Cursor):
    def __init__(self, store: Stored, folder: str, counts: list[int]) -> None:
        self._store, self._folder, self._counts = store, folder, counts
        self._chunk = 0
        self._block: Block | None = None

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        if self._block is None:
            if self._chunk >= len(self._counts):
                return None
            self._block = self._read()
        block = self._block
        cut = min(limit, block.count)
        self._block = block.cut(cut, block.count) if cut < block.count else None
        return block.cut(0, cut)

    def _read(self) -> Block:
        file = os.path.join(self._folder, f"{self._chunk:06d}.npz")
        count = self._counts[self._chunk]
        self._chunk += 1
        try:
            with open(file, "rb") as raw, np.load(raw, allow_pickle=False) as arrays:
                parts: dict[int, dict[str, np.ndarray]] = {}
                for key in arrays.files:
                    number, _, name = key.partition(".")
                    parts.setdefault(int(number), {})[name] = arrays[key]
            columns = [_decode(parts[number]) for number in sorted(parts)]
            leaves = trees.flatten(self._store.spec)
            columns = [
                RaggedRows(column) if isinstance(leaf, RowSpec) else column
                for column, leaf in zip(columns, leaves, strict=True)
            ]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise CorruptFileError(f"The saved data set is damaged: {file} cannot be read ({error}).") from error
        return Block(self._store.skeleton, columns, count)

    def skip(self, count: int) -> int:
        """Pass over whole chunks without reading them."""
        done = 0
        while done < count:
            if self._block is None:
                if self._chunk >= len(self._counts):
                    break
                if self._counts[self._chunk] <= count - done:
                    done += self._counts[self._chunk]
                    self._chunk += 1
                    continue
            found = self.block(count - done)
            assert found is not None
            done += found.count
        return done


class Snapshot(Node):
    """``snapshot`` and ``cache(filename)``: written on the first whole pass, read on later ones.

    Args:
        child: elements.
        path: the folder.
        compress: compress the chunks.
        shard: function of an element's skeleton, leaves and number; gives its shard. None for one shard.
        reader: function of the nodes of the shards; gives the node to read. None to read them one after another.
    """

    def __init__(
        self, child: Node, path: str, compress: bool, shard: Callable | None, reader: Callable[[list[Node]], Node]
    ) -> None:
        super().__init__(child)
        self._path, self._compress, self._shard, self._reader = path, compress, shard, reader

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def stream(self, scope: Scope) -> Cursor:
        """Read, or write on the way."""
        if is_complete(self._path):
            return self._reader(list(Stored(self._path).nodes())).open(scope.at("read"))
        writer = Writer(self._path, self._compress, self.spec)
        return _WritingCursor(self.children[0].open(scope.at(0)), writer, self._shard)


class _WritingCursor(Cursor):
    def __init__(self, child: Cursor, writer: Writer, shard: Callable | None) -> None:
        self._child, self._writer, self._shard = child, writer, shard
        self._first = 0

    def block(self, limit: int) -> Block | None:
        """The next elements, written on the way; at the end the folder is finished."""
        found = self._child.block(limit)
        if found is None:
            if self._first:
                self._writer.finish()
                self._first = 0
            return None
        write(self._writer, found, self._shard, self._first)
        self._first += found.count
        return found

    def close(self) -> None:
        """Close the child; what was not finished is not read later."""
        self._child.close()


def write(writer: Writer, block: Block, shard: Callable | None, first: int) -> None:
    """Write the elements of a block, each into its shard."""
    if shard is None:
        writer.add(block)
        return
    for place in range(block.count):
        writer.add(block.cut(place, place + 1), shard(block.skeleton, block.leaves(place), first + place))
