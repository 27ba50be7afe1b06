"""Functions made of several ops: one node under their own name, on symbolic tensors only."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops.composite import composite, has_symbolic, is_traced
from hornbeam.ops.numpy.join import concatenate, stack
from hornbeam.ops.numpy.shape import reshape, transpose


@composite
def folded(x, width=2):
    return transpose(reshape(x, (-1, width)))


@composite(rule=lambda x: KerasTensor((7,), "int8") if None in tuple(x.shape) else None)
def ruled(x):
    return reshape(x, -1)


@pytest.mark.unit
def test_one_node_with_the_arguments_as_given():
    x = KerasTensor((None, 6))
    out = folded(x, width=3)
    node = out.node
    assert tuple(out.shape) == (3, None)
    assert node.args == (x,) and node.kwargs == {"width": 3} and node.parent_nodes == []
    assert node.operation.name.startswith("folded") and node.operation.function is folded
    value = from_host(np.arange(12, dtype=np.float32).reshape(2, 6))
    np.testing.assert_array_equal(node.operation(value, width=3).numpy(), np.arange(12.0).reshape(4, 3).T)


@pytest.mark.unit
def test_rule_goes_before_inference_unless_it_gives_none():
    assert tuple(ruled(KerasTensor((None, 2))).shape) == (7,)
    assert tuple(ruled(KerasTensor((3, 2))).shape) == (6,)


@pytest.mark.unit
def test_symbolic_tensors_are_found_in_nestings():
    x = KerasTensor((2,))
    assert has_symbolic([1, [np.ones(2), {"a": (x,)}]]) and not has_symbolic([1, "a", [None], {"b": 2.0}])
    assert tuple(concatenate([x, np.ones(3, np.float32)]).shape) == (5,)
    assert tuple(stack([[x, x], [x, x]]).shape) == (2, 2, 2)


@pytest.mark.unit
def test_is_traced_of_plain_values():
    assert not any(is_traced(value) for value in (1, np.ones(2), from_host(np.ones(2)), [1]))
