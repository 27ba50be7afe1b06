"""Windows as columns, blocks as channels, and back, against Keras."""

import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.ops import patches as ops
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

IMAGE = numbers("float32", (2, 8, 6, 4))
FIRST = numbers("float32", (2, 3, 7, 8), seed=1)
CASES = [
    Case(ops.unfold, FIRST, 3),
    Case(ops.unfold, FIRST, (2, 3), dilation=2, padding=(1, 0), stride=(1, 2)),
    Case(ops.fold, numbers("float32", (2, 12, 42)), (7, 8), 2),
    Case(ops.fold, numbers("float32", (2, 18, 18)), (6, 8), (2, 3), dilation=(1, 2), padding=(0, 1), stride=(2, 1)),
    Case(ops.depth_to_space, IMAGE, 2),
    Case(ops.depth_to_space, numbers("float32", (2, 9, 4, 5)), 3, data_format="channels_first"),
    Case(ops.space_to_depth, IMAGE, 2),
    Case(ops.space_to_depth, numbers("float32", (2, 3, 4, 6)), block_size=2, data_format="channels_first"),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras_with_gradients_and_symbolic_shapes(case):
    same_as_keras(case, 2e-6)
    same_gradients(case)
    same_symbolic(case)


def test_fold_counts_how_often_windows_cover_a_pixel():
    ones = from_host(np.ones((1, 1, 4, 4), np.float32))
    counts = ops.fold(ops.unfold(ones, 2), 4, 2).numpy()[0, 0]
    np.testing.assert_array_equal(counts, np.outer([1, 2, 2, 1], [1, 2, 2, 1]))


def test_fold_gives_the_size_asked_for_where_windows_leave_a_rest():
    out = ops.fold(from_host(numbers("float32", (1, 4, 4))), 5, 2, stride=2)
    assert tuple(out.shape) == (1, 1, 5, 5) and (out.numpy()[..., 4] == 0).all()


def test_wrong_shapes_raise():
    x = from_host(IMAGE)
    with pytest.raises(ValueError, match=r"unfold.*channels, height, width"):
        ops.unfold(from_host(IMAGE[0].copy()), 2)
    with pytest.raises(ValueError, match=r"fold.*columns of windows"):
        ops.fold(x, 4, 2)
    with pytest.raises(ValueError, match="do not fit"):
        ops.unfold(x, 9)
    with pytest.raises(ValueError, match="fold: expected"):
        ops.fold(from_host(IMAGE[0].copy()), 4, 2)
    with pytest.raises(ValueError, match="2 pixels at least"):
        ops.depth_to_space(x, 1)
    with pytest.raises(ValueError, match="divisible"):
        ops.depth_to_space(x, 3)
    with pytest.raises(ValueError, match="divisible"):
        ops.space_to_depth(x, 5)
