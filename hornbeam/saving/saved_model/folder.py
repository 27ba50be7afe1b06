"""The files of a SavedModel folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from hornbeam.base.errors import CorruptFileError, UnsafeFileError, UnsupportedFileError
from hornbeam.saving.folder_sums import check_folder
from hornbeam.saving.paths import local_path
from hornbeam.saving.protos import Message, decode
from hornbeam.saving.tf_checkpoint.bundle import Bundle, is_bundle

__all__ = ["Folder", "check_files", "is_saved_model", "open_folder"]

_MODEL, _TEXT_MODEL, _METADATA = "saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb"
_MOST_BYTES = 2 << 30
_OUR_MARK = b"hornbeam-"
"""Begins the version of the writer, within the graph."""


def is_saved_model(path: Any) -> bool:
    """Whether a path is a folder with a SavedModel."""
    folder = local_path(path)
    return any(os.path.isfile(os.path.join(folder, name)) for name in (_MODEL, _TEXT_MODEL))


class Folder(NamedTuple):
    """An open SavedModel.

    Attributes:
        path: the folder.
        graph: the graph with its functions, signatures and objects.
        bundle: values of the variables; None if it has none.
        metadata: Keras's description of its objects; empty if it was no Keras model.
    """

    path: str
    graph: Message
    bundle: Bundle | None
    metadata: list[Message]

    def asset(self, name: str) -> str:
        """Path of an asset file.

        Raises:
            UnsafeFileError: the name leads out of the folder.
        """
        return inside(self.path, "assets", name)


def inside(folder: str, *parts: str) -> str:
    """Path of a file in a folder, which it must not leave."""
    root = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(root, *parts))
    if os.path.commonpath([root, path]) != root:
        raise UnsafeFileError(f"{folder}: the name {os.path.join(*parts)!r} leads out of the folder, which is refused.")
    return path


def open_folder(path: Any, tags: Sequence[str] | str | None = None) -> Folder:
    """Read the description of a SavedModel; variables are read later.

    Args:
        path: the folder.
        tags: tags of the graph to take, if there are several; by default the one for serving.

    Raises:
        FileNotFoundError: there is no SavedModel.
        CorruptFileError: it is damaged.
        UnsupportedFileError: it is in text form, or no graph has the tags.
    """
    folder = local_path(path)
    file = os.path.join(folder, _MODEL)
    if not os.path.isfile(file):
        if os.path.isfile(os.path.join(folder, _TEXT_MODEL)):
            raise UnsupportedFileError(
                f"{folder} holds {_TEXT_MODEL}, the text form, which is not read; save the model in binary form."
            )
        raise FileNotFoundError(f"There is no SavedModel in {folder!r}: it has no file {_MODEL}.")
    content = _content(file)
    model = decode("SavedModel", content)
    graphs = model.meta_graphs
    if not graphs:
        raise CorruptFileError(f"{file} holds no graph: it is damaged or cut short.")
    prefix = os.path.join(folder, "variables", "variables")
    metadata = os.path.join(folder, _METADATA)
    return Folder(
        folder,
        _with_tags(graphs, tags, folder),
        Bundle(prefix) if is_bundle(prefix) else None,
        decode("SavedMetadata", _content(metadata)).nodes if os.path.isfile(metadata) else [],
    )


def check_files(folder: str) -> None:
    """Compare the files of a folder that was written here with their checksums; variables have some of their own.

    Readers look for what is unsafe first, and call this afterwards: a manipulated file shall be called so.

    Raises:
        CorruptFileError: one of them is damaged.
    """
    # Another program that saved into the folder has replaced the graph, and may have left our checksums behind.
    if _OUR_MARK not in _content(os.path.join(folder, _MODEL)):
        return
    path = os.path.join(folder, "fingerprint.pb")
    text = decode("FingerprintDef", _content(path)).file_checksums if os.path.isfile(path) else b""
    if text:
        check_folder(folder, text, path)


def _content(path: str) -> bytes:
    if os.path.getsize(path) > _MOST_BYTES:
        raise UnsupportedFileError(f"{path} has more than {_MOST_BYTES} bytes, which no such file can have.")
    with open(path, "rb") as file:
        return file.read()


def _with_tags(graphs: list[Message], tags: Sequence[str] | str | None, folder: str) -> Message:
    wanted = {tags} if isinstance(tags, str) else set(tags) if tags is not None else None
    known = [set(graph.meta_info_def.tags) for graph in graphs]
    for graph, own in zip(graphs, known, strict=True):
        if own == wanted or (wanted is None and (own == {"serve"} or len(graphs) == 1)):
            return graph
    if wanted is None:
        return graphs[0]
    raise UnsupportedFileError(
        f"{folder} has no graph with the tags {sorted(wanted)}; it has graphs with {[sorted(own) for own in known]}."
    )
