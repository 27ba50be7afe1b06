"""The file ``checkpoint`` of a folder: which checkpoints there are, and which is the newest."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.atomic import atomic_file
from hornbeam.saving.tf_checkpoint.bundle import is_bundle

__all__ = ["STATE_FILE", "CheckpointState", "checkpoint_prefix", "latest_checkpoint", "read_state", "write_state"]

STATE_FILE = "checkpoint"
_LINE = re.compile(r"""^\s*(\w+)\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([-+.\w]+))\s*$""")
_MOST_BYTES = 16 << 20


@dataclass
class CheckpointState:
    """Contents of the state file.

    Attributes:
        model_checkpoint_path: prefix of the newest checkpoint, absolute.
        all_model_checkpoint_paths: prefixes of all of them, oldest first.
        all_model_checkpoint_timestamps: when each was written, in seconds since 1970.
        last_preserved_timestamp: when a manager last kept one for good.
    """

    model_checkpoint_path: str = ""
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float = 0.0


def read_state(folder: Any, latest_filename: str | None = None) -> CheckpointState | None:
    """Contents of the state file of a folder, with absolute paths; None if there is no such file."""
    folder = os.fspath(folder)
    path = os.path.join(folder, latest_filename or STATE_FILE)
    if not os.path.isfile(path):
        return None
    if os.path.getsize(path) > _MOST_BYTES:
        raise CorruptFileError(f"{path}: a state file of more than {_MOST_BYTES} bytes is not read.")
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    state = CheckpointState()
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            if line.strip():
                raise CorruptFileError(f"{path}: the line {line!r} is not understood: the file is damaged.")
            continue
        name, quoted, number = match.groups()
        if name == "model_checkpoint_path":
            state.model_checkpoint_path = _absolute(folder, _unquoted(quoted, path))
        elif name == "all_model_checkpoint_paths":
            state.all_model_checkpoint_paths.append(_absolute(folder, _unquoted(quoted, path)))
        elif name == "all_model_checkpoint_timestamps":
            state.all_model_checkpoint_timestamps.append(float(number))
        elif name == "last_preserved_timestamp":
            state.last_preserved_timestamp = float(number)
    newest = state.model_checkpoint_path
    if newest and newest not in state.all_model_checkpoint_paths:
        state.all_model_checkpoint_paths.append(newest)
    return state


def _unquoted(text: str | None, path: str) -> str:
    try:
        return ast.literal_eval(f'b"{text}"').decode("utf-8") if text is not None and text.isascii() else text or ""
    except (SyntaxError, ValueError) as error:
        raise CorruptFileError(f"{path}: the name {text!r} is damaged.") from error


def _absolute(folder: str, path: str) -> str:
    return path if os.path.isabs(path) else os.path.join(folder, path)


def write_state(
    folder: Any,
    newest: str,
    paths: Sequence[str] | None = None,
    timestamps: Sequence[float] | None = None,
    last_preserved: float | None = None,
    latest_filename: str | None = None,
) -> None:
    """Write the state file of a folder; paths inside the folder are stored relative to it."""
    folder = os.fspath(folder) or "."
    lines = [f"model_checkpoint_path: {_quoted(_relative(folder, newest))}"]
    lines += [f"all_model_checkpoint_paths: {_quoted(_relative(folder, path))}" for path in paths or [newest]]
    lines += [f"all_model_checkpoint_timestamps: {stamp!r}" for stamp in timestamps or ()]
    if last_preserved is not None:
        lines.append(f"last_preserved_timestamp: {last_preserved!r}")
    with atomic_file(os.path.join(folder, latest_filename or STATE_FILE)) as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def _relative(folder: str, path: str) -> str:
    folder, whole = os.path.abspath(folder), os.path.abspath(path)
    return os.path.relpath(whole, folder) if os.path.dirname(whole) == folder else whole


def _quoted(text: str) -> str:
    out = "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
        for byte in text.encode("utf-8")
    )
    return f'"{out}"'


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """Prefix of the newest checkpoint of a folder, or None.

    Args:
        checkpoint_dir: the folder.
        latest_filename: name of the state file, if it is not ``checkpoint``.

    References: TensorFlow ``tf.train.latest_checkpoint``.
    """
    state = read_state(checkpoint_dir, latest_filename)
    if state is None or not state.model_checkpoint_path:
        return None
    return state.model_checkpoint_path if is_bundle(state.model_checkpoint_path) else None


def checkpoint_prefix(path: str) -> str | None:
    """Prefix of the checkpoint that a path means, or None if there is none.

    A path may be the prefix itself, its index file, a folder with a state file, or a SavedModel.
    """
    if is_bundle(path):
        return path
    if path.endswith(".index") and is_bundle(path.removesuffix(".index")):
        return path.removesuffix(".index")
    if os.path.isdir(path):
        inside = os.path.join(path, "variables", "variables")
        if is_bundle(inside):
            return inside
        state = read_state(path)
        if state is not None and is_bundle(state.model_checkpoint_path):
            return state.model_checkpoint_path
    return None
