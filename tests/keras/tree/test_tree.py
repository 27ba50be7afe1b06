"""`keras.tree` behaves as Keras's, structure by structure."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import keras
import numpy as np
import pytest

from hornbeam.base.shapes import TensorShape
from hornbeam.keras import tree

Point = namedtuple("Point", "x y")
STRUCTURES = [
    1,
    None,
    "text",
    [],
    {},
    (),
    [1, [2, (3, None)]],
    {"b": 1, "a": [2, {"z": 3, "y": 4}]},
    OrderedDict([("b", 1), ("a", 2)]),
    defaultdict(int, {"b": 1, "a": (2,)}),
    Point(1, [2, 3]),
    deque([1, [2]], maxlen=4),
    [[]],
    {1: 2, 0: 3},
    np.arange(3),
    {1, 2},
]


def same(ours, theirs):
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_walks(structure):
    same(tree.is_nested(structure), keras.tree.is_nested(structure))
    same(tree.flatten(structure), keras.tree.flatten(structure))
    same(tree.flatten_with_path(structure), keras.tree.flatten_with_path(structure))
    same(tree.lists_to_tuples(structure), keras.tree.lists_to_tuples(structure))
    count = len(tree.flatten(structure))
    same(tree.pack_sequence_as(structure, range(count)), keras.tree.pack_sequence_as(structure, range(count)))
    for none_is_leaf in (True, False):
        ours = tree.map_structure(lambda leaf: [leaf], structure, none_is_leaf=none_is_leaf)
        same(ours, keras.tree.map_structure(lambda leaf: [leaf], structure, none_is_leaf=none_is_leaf))
    same(tree.map_shape_structure(str, structure), keras.tree.map_shape_structure(str, structure))


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
@pytest.mark.parametrize("top_down", [True, False])
def test_traverse(structure, top_down):
    def run(package):
        seen = []

        def visit(part):
            seen.append(repr(part))
            if type(part) is not int:
                return None
            return {3: package.MAP_TO_NONE, 2: "two"}.get(part)

        return seen, repr(package.traverse(visit, structure, top_down=top_down))

    assert run(tree) == run(keras.tree)


PAIRS = [
    ([1, 2], [3, 4]),
    ([1, 2], (3, 4)),
    ([1], [1, 2]),
    ([1], 1),
    (1, [1]),
    ({"a": 1, "b": 2}, {"b": 3, "a": 4}),
    ({"a": 1}, {"b": 1}),
    ({"a": 1}, OrderedDict(a=2)),
    (OrderedDict([("b", 1), ("a", 2)]), {"a": 3, "b": 4}),
    ({"a": 1}, defaultdict(int, a=2)),
    ([1, [2]], [1, [[2]]]),
    ([None, 1], [None, 2]),
    ([None, 1], [3, 2]),
    (Point(1, 2), Point(3, 4)),
    (Point(1, 2), (3, 4)),
    ([[1, 2]], [[[3], {"k": 4}]]),
]


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=repr)
@pytest.mark.parametrize(
    "name", ["map_structure", "map_none", "map_structure_up_to", "assert_same_structure", "assert_same_paths"]
)
def test_pairs(name, a, b):
    def run(package):
        try:
            if name == "map_structure":
                return repr(package.map_structure(lambda *leaves: leaves, a, b))
            if name == "map_none":
                return repr(package.map_structure(lambda *leaves: leaves, a, b, none_is_leaf=False))
            if name == "map_structure_up_to":
                return repr(package.map_structure_up_to(a, lambda *leaves: leaves, b))
            return getattr(package, name)(a, b)
        except ValueError:
            return "ValueError"

    if name == "map_structure_up_to" and a == [None, 1]:
        # Keras fails on None in the shallow structure, although it is a leaf everywhere else.
        assert run(keras.tree) == "ValueError"
        assert run(tree) == repr([(leaf,) for leaf in b])
    else:
        assert run(tree) == run(keras.tree)


def test_a_shape_is_one_leaf():
    assert tree.flatten([TensorShape((2, 3))]) == [(2, 3)]


def test_errors():
    with pytest.raises(ValueError, match="2 leaves, but 1"):
        tree.pack_sequence_as([1, 2], [3])
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(len)
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure_up_to([1], len)
    with pytest.raises(TypeError, match="callable"):
        tree.map_structure(3, [1])
    with pytest.warns(DeprecationWarning, match="check_types"):
        tree.assert_same_structure([1], [2], check_types=True)


def test_public_names_are_those_of_keras():
    assert set(tree.__all__) == {name for name in vars(keras.tree) if not name.startswith("_")}
