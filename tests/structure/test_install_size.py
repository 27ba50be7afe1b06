"""The core install stays small: at most 15 packages beside JAX's own, and 20 MB of our own files."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hornbeam.cli import doctor
from tests.structure.source_tree import PACKAGE, ROOT, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def closure(requirements: list[str]) -> set[str]:
    """All packages that the requirements bring, themselves included, by what is installed here."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in importlib.metadata.requires(name) or []]
    return found


def test_core_adds_at_most_15_packages_to_jax():
    added = closure(PROJECT["dependencies"]) - closure(["jax"])
    assert {"h5py", "rich", "pooch", "filelock"} <= added
    assert len(added) <= 15, sorted(added)


def test_core_packages_are_the_decided_ones():
    names = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert names == {"jax", "numpy", "ml_dtypes", "h5py", "rich", "pooch", "filelock"}
    assert set(doctor.CORE) == names | {"jaxlib"}


def test_package_folder_is_at_most_20_megabytes():
    sizes = {
        path: path.stat().st_size for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    largest = sorted(sizes, key=lambda path: -sizes[path])[:5]
    assert sum(sizes.values()) <= 20e6, [f"{path}: {sizes[path]}" for path in largest]


def test_doctor_knows_every_extra():
    extras = PROJECT["optional-dependencies"]
    named = {name: {Requirement(text).name for text in needs} for name, needs in extras.items()}
    for other in ("cuda", "tpu", "all", "test", "oracle"):
        named.pop(other)
    assert {name: set(needs) for name, (needs, _) in doctor.EXTRAS.items()} == named


def test_hints_name_extras_that_exist():
    extras = {*PROJECT["optional-dependencies"], "NAME"}  # "NAME" is the doctor's own placeholder
    hints = {
        (file, name.strip())
        for file in python_files("hornbeam")
        for names in re.findall(r"hornbeam\[([\w, ]+)\]", (ROOT / file).read_text(encoding="utf-8"))
        for name in names.split(",")
    }
    assert hints
    assert not {hint for hint in hints if hint[1] not in extras}


def test_all_means_every_extra_for_users():
    extras = PROJECT["optional-dependencies"]
    (everything,) = (Requirement(text) for text in extras["all"])
    assert everything.name == "hornbeam"
    assert everything.extras == set(extras) - {"cuda", "tpu", "onednn", "all", "test", "oracle"}
