"""Rules of form: length of files, no unfinished work, no empty bodies, nothing of one machine in tracked files."""

from __future__ import annotations

import ast
import re

import pytest

from tests.structure.source_tree import ROOT, parsed, python_files, tracked_files

HARD_LIMIT = 600
LIMIT = 400

# Files between the two limits, with the reason.
# Lists of names without code.
LISTS = frozenset({"hornbeam/ops/__init__.py", "hornbeam/keras/ops/numpy.py"})
LONG_FILES = {
    "hornbeam/data/dataset.py": "the public class: one short method per source, fact and way to read",
    "hornbeam/core/variable.py": "the class and the group operations share its slot, the lock and the rule of lending",
}

CODE = ("hornbeam", "tests", "benchmarks", "examples")
# Composed, so that this file does not name what it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
MACHINE_PATH = re.compile(
    r"(^|[^a-zA-Z0-9_.])/(" + "|".join(("work", "root", "farm", "tmp", "home", "Users")) + r")/[a-zA-Z.]"
)
PACKAGE_INDEX = re.compile(
    "|".join(("py" + r"pi\.org", "pythonhosted" + r"\.org", "extra-index" + "-url", "index" + "-url"))
)


def test_files_are_short():
    lengths = {
        file: (ROOT / file).read_text(encoding="utf-8").count("\n") for file in python_files(*CODE) if file not in LISTS
    }
    too_long = [f"{file}: {lines}" for file, lines in lengths.items() if lines > HARD_LIMIT]
    unexplained = [f"{file}: {lines}" for file, lines in lengths.items() if lines > LIMIT and file not in LONG_FILES]
    assert not too_long, f"Over {HARD_LIMIT} lines, must be split: {too_long}"
    assert not unexplained, f"Over {LIMIT} lines without an entry in LONG_FILES: {unexplained}"
    settled = [file for file in LONG_FILES if lengths.get(file, 0) <= LIMIT]
    assert not settled, f"No longer over {LIMIT} lines, take out of LONG_FILES: {settled}"


def test_no_unfinished_work():
    found = [hit for file in python_files(*CODE) for hit in lines_with(UNFINISHED, file)]
    assert not found, "\n".join(found)


def test_no_empty_function_bodies():
    found = [
        f"{file}:{node.lineno}: {node.name}"
        for file in python_files("hornbeam", "tests")
        for node in empty_functions(parsed(file))
    ]
    assert not found, "Functions that do nothing without saying why (a hook has a docstring):\n" + "\n".join(found)


def empty_functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of `pass` or `...` alone; with `...`, protocols, overloads and abstract methods are no such thing."""
    declared = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases):
            declared |= set(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = " ".join(map(ast.unparse, node.decorator_list))
            if "overload" in decorators or "abstract" in decorators:
                declared.add(node)
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node for node in functions if is_empty(node, may_declare=node in declared)]


def is_empty(node: ast.FunctionDef | ast.AsyncFunctionDef, may_declare: bool) -> bool:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if len(body) != 1:
        return False
    only = body[0]
    is_ellipsis = isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and only.value.value is Ellipsis
    return isinstance(only, ast.Pass) or (is_ellipsis and not may_declare)


def test_no_machine_paths_or_package_indexes():
    found = [hit for file in tracked_files() if is_text(file) for hit in lines_with(MACHINE_PATH, file)]
    found += [hit for file in tracked_files() if is_text(file) for hit in lines_with(PACKAGE_INDEX, file)]
    assert not found, "Places of one machine, or of a package index, in tracked files:\n" + "\n".join(found)


def is_text(file: str) -> bool:
    return b"\0" not in (ROOT / file).read_bytes()[:8192]


def lines_with(pattern: re.Pattern[str], file: str) -> list[str]:
    lines = (ROOT / file).read_text(encoding="utf-8", errors="replace").splitlines()
    return [f"{file}:{number}: {line.strip()[:120]}" for number, line in enumerate(lines, 1) if pattern.search(line)]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f():\n    pass", 1),
        ("def f():\n    '''Words.'''\n    pass", 1),
        ("def f():\n    '''A hook: nothing to do here.'''", 0),
        ("def f():\n    ...", 1),
        ("@overload\ndef f():\n    ...", 0),
        ("class P(Protocol):\n    def f(self): ...", 0),
        ("def f():\n    try:\n        g()\n    except OSError:\n        pass", 0),
    ],
)
def test_the_rule_for_empty_functions_sees_what_it_should(source, count):
    assert len(empty_functions(ast.parse(source))) == count


@pytest.mark.parametrize(
    ("line", "is_path"),
    [
        ('open("/ho' + 'me/me/data.npz")', True),
        ("see /tm" + "p/x", True),
        ("https://example.com/home/page", False),
        ("a/b/work/x", False),
        ("~/.keras", False),
    ],
)
def test_the_rule_for_machine_paths_sees_what_it_should(line, is_path):
    assert bool(MACHINE_PATH.search(line)) is is_path
