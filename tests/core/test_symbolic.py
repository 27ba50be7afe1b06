"""Symbolic tensors and shape inference with unknown sizes."""

import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import ops
from hornbeam.base.errors import SymbolicError, TraceError
from hornbeam.core.symbolic import KerasTensor, infer


@pytest.mark.parametrize(
    "build, shape",
    [
        (lambda x: x * 2 + 1, (None, None, 3)),
        (lambda x: ops.sum(x, axis=-1), (None, None)),
        (lambda x: ops.reshape(x, (-1, 3)), (None, 3)),
        (lambda x: ops.transpose(x, (0, 2, 1)), (None, 3, None)),
        (lambda x: ops.concatenate([x, x], axis=1), (None, None, 3)),
        (lambda x: ops.concatenate([x, x], axis=2), (None, None, 6)),
        (lambda x: ops.matmul(x, np.ones((3, 5), "float32")), (None, None, 5)),
        (lambda x: x[:, 0], (None, 3)),
        (lambda x: ops.mean(x), ()),
        (lambda x: ops.expand_dims(x, 0), (1, None, None, 3)),
    ],
)
def test_unknown_sizes_stay_unknown_and_known_ones_known(build, shape):
    out = build(KerasTensor((None, None, 3)))
    assert isinstance(out, KerasTensor)
    assert out.shape.as_list() == list(shape)


def test_dtype_and_structure():
    out = ops.top_k(KerasTensor((None, 8)), 3)
    assert [o.dtype for o in out] == ["float32", "int32"]
    assert [o.shape.as_list() for o in out] == [[None, 3], [None, 3]]
    both = infer(lambda t: {"a": t, "b": (ops.cast(t, "int64"),)}, KerasTensor((2, 2)))
    assert both["b"][0].dtype == "int64" and both["a"].shape == (2, 2)


def test_a_symbolic_tensor_has_no_value():
    x = KerasTensor((None, 3), name="x")
    for use in (float, bool, np.asarray, len, lambda t: t.numpy()):
        with pytest.raises((TraceError, TypeError)):
            use(x)


def test_calls_are_recorded():
    x = KerasTensor((None, 3))
    y = ops.add(x, 1.0)
    node = y.node
    assert node.operation.function is ops.add and node.inputs == [x] and node.parent_nodes == []


def test_a_batch_size_that_the_function_holds():
    """Critics of old scripts mix samples by numbers drawn for one batch size; the output has that size then."""
    mixed = infer(lambda x: ops.ones((8, 1, 1)) * x, KerasTensor((None, 4, None)))
    assert mixed.shape == (8, 4, None)
    assert infer(lambda x: ops.reshape(x, (32, 6)), KerasTensor((None, 6))).shape == (32, 6)
    with pytest.raises((TypeError, ValueError), match=r"reshape.*\(7, 5\)"):
        infer(lambda x: ops.reshape(x, (7, 5)), KerasTensor((None, 6)))


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        # Unknown sizes that must equal known ones, at places where sizes drawn blindly clash.
        (ops.add, [(None, None), (3,)], (None, 3)),
        (ops.add, [(None, 3), (None,)], (None, 3)),
        (ops.multiply, [(None, None, None, 3), (None,)], (None, None, None, 3)),
        (ops.maximum, [(None, 4), (1, None, None)], (1, None, 4)),
        (ops.logical_and, [(None, 4, None, 3), (4, None)], (None, 4, 4, 3)),
        (ops.subtract, [(None, None), (None, None, 1, 5)], (None, None, None, 5)),
        (ops.where, [(None, 3), (None,), (None, 1)], (None, 3)),
        (ops.matmul, [(None, None), (3, 1)], (None, 1)),
        (ops.matmul, [(2, None, 5), (None, 4)], (2, None, 4)),
        (ops.cdist, [(None, 2), (4, None)], (None, 4)),
        (ops.det, [(None, None)], ()),
        (lambda *parts: ops.concatenate(parts, axis=0), [(3, 3, 4), (None, 3, 4), (1, None, 4)], (None, 3, 4)),
    ],
)
def test_unknown_sizes_that_must_equal_others(function, shapes, expected):
    assert function(*map(KerasTensor, shapes)).shape.as_list() == list(expected)
    arrays = [KerasTensor(shape) if None in shape else np.ones(shape, "float32") for shape in shapes]
    assert function(*arrays).shape.as_list() == list(expected)


def test_known_sizes_that_differ_are_refused():
    for function, shapes in ((ops.add, [(None, 4), (None, 3)]), (ops.matmul, [(None, 4), (None, 3, 2)])):
        with pytest.raises((TypeError, ValueError), match=r"4.*3|3.*4"):
            function(*map(KerasTensor, shapes))


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (jnp.sum, "keras.ops.sum"),
        (jnp.mean, "keras.ops.mean"),
        (jnp.exp, "keras.ops"),
        (lambda x: jnp.concatenate([x, x]), "keras.ops.concatenate"),
        (lambda x: jnp.matmul(x, x), "keras.ops"),
    ],
)
def test_jax_functions_name_the_op_to_use_instead(function, named):
    with pytest.raises(SymbolicError, match=named):
        function(KerasTensor((None, 3), "float32"))
