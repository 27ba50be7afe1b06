"""Every name that a module of the package promises in `__all__` exists, once, and its file says what it is for."""

from __future__ import annotations

import ast
import importlib

import pytest

from tests.structure.source_tree import modules, parsed


def promises(file: str) -> bool:
    return any(
        isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        and any(
            isinstance(target, ast.Name) and target.id == "__all__"
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
        for node in parsed(file).body
    )


PROMISING = sorted(name for name, file in modules().items() if promises(file))


@pytest.mark.parametrize("name", PROMISING)
def test_names_in_all_exist(name):
    module = importlib.import_module(name)
    missing = [public for public in module.__all__ if not hasattr(module, public)]
    assert not missing, f"{name}.__all__ promises what is not there: {missing}"
    twice = {public for public in module.__all__ if list(module.__all__).count(public) > 1}
    assert not twice, f"{name}.__all__ lists twice: {sorted(twice)}"


def test_every_file_says_what_it_is_for():
    silent = [file for file in modules().values() if not ast.get_docstring(parsed(file))]
    assert not silent, f"No module docstring: {silent}"
