"""``hornbeam verify``: whether a model file is whole: every array is read and compared with its checksum."""

from __future__ import annotations

import argparse
import json
import sys

from hornbeam.saving.report import examine

__all__ = ["main"]


def main(words: list[str]) -> int:
    """Print the verdict; return 0 if the file is whole, 1 if it is damaged, unsafe or missing."""
    parser = argparse.ArgumentParser(
        prog="hornbeam verify", description="Read every array of a model or weights file and check it. Nothing is run."
    )
    parser.add_argument("file", help="file or folder")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    options = parser.parse_args(words)
    try:
        found = examine(options.file, read_all=True)
    except OSError as error:
        if options.json:
            print(json.dumps({"path": options.file, "ok": False, "problems": [str(error)]}, indent=2))
        else:
            print(f"hornbeam verify: {error}", file=sys.stderr)
        return 1
    if options.json:
        keys = ("path", "format", "ok", "checked", "problems", "notes")
        print(json.dumps({**{key: found[key] for key in keys}, "arrays": len(found["arrays"])}, indent=2))
    elif found["ok"]:
        print(f"{options.file}: whole. {len(found['arrays'])} arrays read, {found['checked']} checked by checksum.")
        for note in found["notes"]:
            print(f"  note: {note}")
    else:
        print(f"{options.file}: NOT whole.")
        for problem in found["problems"]:
            print(f"  {problem}")
    return 0 if found["ok"] else 1
