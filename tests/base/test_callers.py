"""Whose line an error names: the user's, in folders of any name."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.base import trees
from hornbeam.base.callers import user_line

pytestmark = pytest.mark.unit


def _caught(function):
    """The error that a function raises when Hornbeam calls it, with the frames from there on."""
    with pytest.raises(ZeroDivisionError) as caught:
        trees.map_structure(function, 0)
    return caught.value


@pytest.mark.parametrize("folder", ["hornbeam", "jax", "numpy", "mine"])
def test_users_folders_may_have_the_names_of_libraries(folder, tmp_path):
    script = tmp_path / folder / "script.py"
    script.parent.mkdir()
    script.write_text("def f(x):\n    y = x\n    return 1 / y\n")
    names = {"__name__": "__main__"}
    exec(compile(script.read_text(), str(script), "exec"), names)
    assert user_line(_caught(names["f"])) == "script.py, line 3: return 1 / y"


def test_last_line_of_the_user_is_named():
    def outer(x):
        return trees.map_structure(inner, x)

    def inner(x):
        return 1 // x  # here

    line = user_line(_caught(outer))
    assert line is not None
    assert line.endswith("return 1 // x  # here")


def test_errors_of_libraries_alone_name_no_line():
    with pytest.raises(TypeError) as caught:
        trees.map_structure(np.linalg.norm, object())
    assert user_line(caught.value.with_traceback(caught.value.__traceback__.tb_next)) is None


def test_code_without_a_name_is_the_users():
    names = {"__name__": None}
    exec(compile("def f(x):\n    return 1 / x\n", "cell", "exec"), names)
    assert user_line(_caught(names["f"])) == "cell, line 2: "
