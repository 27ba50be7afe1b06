"""The package as the structural tests see it: its files, parsed once, and the imports they make."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "hornbeam"
GENERATED = ("hornbeam/saving/protos/",)
"""Folders of generated code, exempt from rules of form."""


@dataclass(frozen=True)
class Import:
    """One imported module: who imports it, where, whether inside a function (`late`) or a `__getattr__` (`lazy`)."""

    importer: str
    target: str
    file: str
    line: int
    late: bool
    lazy: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.importer} imports {self.target}"


@functools.cache
def tracked_files() -> tuple[str, ...]:
    """Paths below the root of all files that are, or would be, tracked; without git all that are not hidden."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode == 0:
        names = listing.stdout.splitlines()
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = [
            str(path.as_posix()) for path in found if not any(part.startswith((".", "__pyc")) for part in path.parts)
        ]
    return tuple(sorted({name for name in names if (ROOT / name).is_file()}))


def python_files(*folders: str) -> list[str]:
    """Tracked Python files below the given folders, generated ones left out."""
    below = tuple(f"{folder}/" for folder in folders)
    return [n for n in tracked_files() if n.endswith(".py") and n.startswith(below) and not n.startswith(GENERATED)]


@functools.cache
def parsed(file: str) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), filename=file)


@functools.cache
def modules() -> dict[str, str]:
    """Module name -> file, for the whole package."""
    return {module_name(file): file for file in python_files("hornbeam")}


def module_name(file: str) -> str:
    """`hornbeam/keras/__init__.py` -> `hornbeam.keras`."""
    parts = file.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports() -> tuple[Import, ...]:
    """All imports of the package that run; those under `if TYPE_CHECKING:` do not."""
    return tuple(found for name, file in modules().items() for found in imports_of(parsed(file), name, file))


def imports_of(tree: ast.Module, importer: str, file: str) -> Iterator[Import]:
    """The imports of one syntax tree."""
    package = importer if file.endswith("__init__.py") else importer.rpartition(".")[0]

    def walk(node: ast.AST, late: bool, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and _is_type_checking(child.test):
                for other in child.orelse:
                    yield from walk(ast.Module([other], []), late, lazy)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                is_lazy = lazy or (isinstance(node, ast.Module) and getattr(child, "name", "") == "__getattr__")
                yield from walk(child, True, is_lazy)
            elif isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(importer, alias.name, file, child.lineno, late, lazy)
            elif isinstance(child, ast.ImportFrom):
                base = _absolute(child, package)
                for alias in child.names:
                    below = f"{base}.{alias.name}"
                    # What is imported from a package may be a module of it: then the package itself is not the target.
                    is_module = below in modules() or (ROOT / below.replace(".", "/")).is_dir()
                    target = below if is_module else base
                    yield Import(importer, target, file, child.lineno, late, lazy)
            else:
                yield from walk(child, late, lazy)

    yield from walk(tree, False, False)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
