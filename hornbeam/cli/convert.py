"""``hornbeam convert``: a model or weights file in another format; the format is chosen by the new name's ending."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.base.errors import HornbeamError, UnsupportedFileError
from hornbeam.keras import models
from hornbeam.saving.array_formats import read_arrays, write_npz, write_safetensors
from hornbeam.saving.atomic import atomic_file
from hornbeam.saving.sniff import identify
from hornbeam.saving.sources import open_source
from hornbeam.saving.tf_checkpoint.bundle import Bundle
from hornbeam.saving.tf_checkpoint.state import checkpoint_prefix

__all__ = ["convert", "main"]

WEIGHTS = (".weights.h5", ".weights.json", ".npz", ".safetensors", ".ckpt")
ARRAYS = {".npz": write_npz, ".safetensors": write_safetensors}
TEXTS = (".json", ".yaml", ".yml")


def main(words: list[str]) -> int:
    """Convert; return 0, or 1 with the reason if it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="hornbeam convert",
        description="Read a model or weights file of any format, and write it in another one.",
        epilog="Endings: .keras .h5 (models), .weights.h5 .weights.json .npz .safetensors .ckpt (weights), .json .yaml "
        "(architectures), none (SavedModel folder).",
    )
    parser.add_argument("source", metavar="IN", help="file or folder to read")
    parser.add_argument("target", metavar="OUT", help="file to write")
    parser.add_argument("--architecture", metavar="FILE", help="model that weights belong to: .json, .yaml, or a model")
    parser.add_argument("--weights-only", action="store_true", help="write weights, also where OUT could hold a model")
    parser.add_argument("--unsafe", action="store_true", help="allow Python code in IN (lambdas) to be loaded")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    options = parser.parse_args(words)
    try:
        kind = convert(
            options.source,
            options.target,
            architecture=options.architecture,
            weights_only=options.weights_only,
            safe_mode=not options.unsafe,
        )
    except (HornbeamError, OSError, ValueError, TypeError, NotImplementedError) as error:
        if options.json:
            print(json.dumps({"ok": False, "problem": str(error)}))
        else:
            print(f"hornbeam convert: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"ok": True, "source": options.source, "target": options.target, "from": kind}))
    else:
        print(f"{options.source} ({kind}) -> {options.target}")
    return 0


def convert(
    source: str, target: str, *, architecture: str | None = None, weights_only: bool = False, safe_mode: bool = True
) -> str:
    """Read one file and write another; returns the format that was read.

    Args:
        source: file or folder to read.
        target: file or folder to write; its ending chooses the format.
        architecture: for weights: a file with the model they belong to.
        weights_only: write weights into an ``.h5`` file or checkpoint.
        safe_mode: refuse Python code in ``source``.

    Raises:
        UnsupportedFileError: the target cannot hold what the source has.
    """
    kind = identify(source)
    ending = next((one for one in (*WEIGHTS, *TEXTS) if target.endswith(one)), "")
    if kind in ("json", "yaml"):
        if ending not in TEXTS:
            raise UnsupportedFileError(f"{source} is an architecture without weights; write it as .json or .yaml.")
        _write_text(_from_text(source, kind), target)
        return kind
    is_model = kind in ("keras", "keras-folder", "h5-model", "saved_model")
    if (not is_model and architecture is None) or (kind == "saved_model" and ending in ARRAYS):
        if ending not in ARRAYS or kind == "h5-numbered":
            raise UnsupportedFileError(
                f"{source} holds weights only, and {target} needs to know their model: pass --architecture FILE."
            )
        ARRAYS[ending](_arrays(source, kind), target)
        return kind
    if is_model:
        model = models.load_model(source, safe_mode=safe_mode)
    else:
        model = _architecture(str(architecture), safe_mode)
        model.load_weights(source)
    if ending in TEXTS:
        _write_text(model, target)
    elif weights_only or ending in WEIGHTS:
        model.save_weights(target)
    else:
        model.save(target)
    return kind


def _architecture(path: str, safe_mode: bool) -> Any:
    kind = identify(path)
    return _from_text(path, kind) if kind in ("json", "yaml") else models.load_model(path, safe_mode=safe_mode)


def _from_text(path: str, kind: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return (models.model_from_json if kind == "json" else models.model_from_yaml)(file.read())


def _write_text(model: Any, target: str) -> None:
    text = model.to_json(indent=2) if target.endswith(".json") else model.to_yaml()
    with atomic_file(os.path.expanduser(target)) as file:
        file.write(text.encode("utf-8"))


def _arrays(source: str, kind: str) -> Iterator[tuple[str, np.ndarray]]:
    """Named arrays of a file, read one by one."""
    if kind in ("npz", "safetensors"):
        yield from read_arrays(source).items()
    elif kind in ("saved_model", "tf_checkpoint"):
        bundle = Bundle(checkpoint_prefix(source) or source)
        for name in bundle.names():
            if bundle.dtype(name) != "string":
                yield name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"), bundle.read(name)
    else:
        with open_source(source) as stored:
            for path in stored.paths():
                for name, part in stored.at(path).parts.items():
                    yield "/".join(one for one in (path, _between(kind), name) if one), part.read()


def _between(kind: str) -> str:
    return "" if kind == "h5-layers" else "vars"
