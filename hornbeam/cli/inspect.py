"""``hornbeam inspect``: what is in a model file, without loading it: nothing of it runs, and JAX is not needed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from hornbeam.saving.report import examine

__all__ = ["as_text", "main"]

FORMATS = {
    "keras": "Keras model (.keras)",
    "keras-folder": "Keras model (folder)",
    "h5-model": "Keras model (HDF5)",
    "h5-layers": "weights by layer name (HDF5)",
    "h5-numbered": "weights by layer number (HDF5)",
    "weights-h5": "weights by object (HDF5)",
    "sharded": "weights in several parts",
    "npz": "arrays (npz)",
    "safetensors": "arrays (safetensors)",
    "json": "architecture (JSON)",
    "yaml": "architecture (YAML)",
    "saved_model": "SavedModel",
    "tf_checkpoint": "TensorFlow checkpoint",
}


def main(words: list[str]) -> int:
    """Print what is in the file; return 0, or 1 if it is damaged or would be refused."""
    parser = argparse.ArgumentParser(
        prog="hornbeam inspect", description="Show what is in a model or weights file. Nothing in the file is run."
    )
    parser.add_argument("file", help="file or folder")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--arrays", action="store_true", help="list every array")
    parser.add_argument(
        "--isolated",
        action="store_true",
        help="read in a process of its own, for files that may crash the HDF5 library",
    )
    options = parser.parse_args(words)
    if options.isolated:
        return _in_child(words)
    try:
        found = examine(options.file)
    except OSError as error:
        if options.json:
            print(json.dumps({"path": options.file, "ok": False, "problems": [str(error)]}, indent=2))
        else:
            print(f"hornbeam inspect: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2) if options.json else as_text(found, every_array=options.arrays))
    return 0 if found["ok"] else 1


def _in_child(words: list[str]) -> int:
    rest = [word for word in words if word != "--isolated"]
    result = subprocess.run([sys.executable, "-m", "hornbeam", "inspect", *rest], check=False)
    if result.returncode not in (0, 1, 2):
        print(f"hornbeam inspect: the file crashed its reader (status {result.returncode}); do not load it.")
        return 1
    return result.returncode


def as_text(found: dict[str, Any], *, every_array: bool = False) -> str:
    """The report for people."""
    lines = [
        f"{found['path']}: {FORMATS.get(found['format'], 'unknown format')}, {found['bytes']:,} bytes",
        *([f"  written by  {found['producer']}"] if found["producer"] else []),
        f"  parameters  {found['parameters']:,} in {sum(not one['optimizer'] for one in found['arrays'])} arrays",
    ]
    state = [one for one in found["arrays"] if one["optimizer"]]
    if found["compiled"] or state:
        lines.append(f"  training    compiled, {len(state)} arrays of state")
    if found["layers"]:
        lines.append(f"  layers      {len(found['layers'])}")
        width = max(len(one["class"]) for one in found["layers"])
        lines += [f"    {'  ' * one['depth']}{one['class']:<{width}}  {one['name']}" for one in found["layers"][:200]]
    if every_array or not found["layers"]:
        shown = found["arrays"] if every_array else found["arrays"][:50]
        lines += [f"    {one['name']}  {tuple(one['shape'])}  {one['dtype']}" for one in shown]
    lines += [f"  note: {note}" for note in found["notes"]]
    lines += [f"  PROBLEM: {problem}" for problem in found["problems"]]
    return "\n".join(lines)
