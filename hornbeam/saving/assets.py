"""Assets of layers, such as vocabularies: small files kept beside the weights."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.texts import printable
from hornbeam.saving.walk import walk

__all__ = ["assets_of", "load_assets"]

ROOT = "assets"


def assets_of(model: Any) -> list[tuple[str, bytes]]:
    """Pairs of member name (``assets/...``) and content, of all layers that have assets."""
    found: list[tuple[str, bytes]] = []
    owners = [(path, item) for path, item in walk(model) if hasattr(item, "save_assets")]
    if not owners:
        return found
    with tempfile.TemporaryDirectory() as place:
        for number, (path, item) in enumerate(owners):
            folder = os.path.join(place, str(number))
            os.mkdir(folder)
            item.save_assets(folder)
            for inner, _, files in os.walk(folder):
                for file in sorted(files):
                    full = os.path.join(inner, file)
                    relative = os.path.relpath(full, folder).replace(os.sep, "/")
                    with open(full, "rb") as content:
                        found.append(("/".join(part for part in (ROOT, path, relative) if part), content.read()))
    return found


def load_assets(model: Any, archive: Any) -> None:
    """Let all layers that have assets read them.

    Layers with ``load_asset_contents(contents)`` get the files as bytes by name; others, the user's own, get a
    temporary folder that holds copies of exactly the files of their path.

    Raises:
        CorruptFileError: there are assets of an object that the model does not have.
    """
    names = [name for name in archive.names if name.startswith(ROOT + "/")]
    if not names:
        return
    owners = {path: item for path, item in walk(model) if hasattr(item, "load_assets")}
    taken: set[str] = set()
    for path, item in owners.items():
        prefix = f"{ROOT}/{path}/" if path else f"{ROOT}/"
        inner = {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}
        # A file in a folder below may belong to another object there.
        below = [
            other.removeprefix(path).lstrip("/") + "/" for other in owners if other != path and _inside(other, path)
        ]
        own = {short: name for short, name in inner.items() if not any(short.startswith(one) for one in below)}
        if own:
            taken.update(own.values())
            _hand_over(item, {short: archive.read(name) for short, name in own.items()})
    lost = sorted(set(names) - taken)
    if lost:
        raise CorruptFileError(
            f"{archive.path}: the model has no object for the assets {[printable(name) for name in lost[:5]]}."
        )


def _inside(path: str, outer: str) -> bool:
    return path.startswith(f"{outer}/") or not outer


def _hand_over(item: Any, contents: dict[str, bytes]) -> None:
    if hasattr(item, "load_asset_contents"):
        item.load_asset_contents(contents)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            target = os.path.join(folder, *name.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)
        item.load_assets(folder)
