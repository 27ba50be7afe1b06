"""Compiled functions for tensors of given specs, and as methods of objects."""

import copy
import gc
import weakref

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.core.function import function
from hornbeam.core.spec import TensorSpec
from hornbeam.core.variable import Variable


def test_a_concrete_function_keeps_python_arguments_and_casts():
    f = function(lambda x, flag: x * 2 if flag else x)
    concrete = f.get_concrete_function(TensorSpec((), "int64"), True)
    out = concrete(2)
    assert out.dtype == "int64" and int(out) == 4
    assert int(concrete(2, True)) == 4
    with pytest.raises(TypeError, match="traced with True at position 1"):
        concrete(2, 3)
    with pytest.raises(TypeError, match="3 arguments were given"):
        concrete(2, True, 3)


class Scaled:
    """A method that is compiled."""

    def __init__(self, factor):
        self.factor = Variable(factor)

    @function
    def apply(self, x, shift=1.0):
        return x * self.factor + shift


def test_methods_become_concrete_for_their_object():
    double, triple, x = Scaled(2.0), Scaled(3.0), ops.convert_to_tensor([1.0, 2.0])
    first = double.apply.get_concrete_function(TensorSpec((None,), "float32"))
    second = triple.apply.get_concrete_function(x, shift=0.5)
    assert [list(np.asarray(out)) for out in (first(x), first(x=x), second(x))] == [[3, 5], [3, 5], [3.5, 6.5]]
    assert first.structured_outputs.shape == (None,)
    assert double.apply == double.apply != triple.apply
    with pytest.raises(TypeError, match="position 0 is missing"):
        first()
    with pytest.raises(TypeError, match="takes 1 tensors, but 2"):
        second(x, x)
    kept = weakref.ref(double)
    del double, first
    gc.collect()
    assert kept() is None


class Counting:
    """A method that changes its object, kept as an attribute too."""

    def __init__(self):
        self.count = Variable(0.0)
        self.held = self.add

    @function
    def add(self, x):
        self.count.assign_add(1.0)
        return x + self.count


def test_asking_for_the_outputs_changes_nothing():
    item = Counting()
    for _ in range(2):
        outputs = item.add.get_concrete_function(TensorSpec((None, 3), "float32")).structured_outputs
    assert outputs == TensorSpec((None, 3), "float32")
    assert float(item.count) == 0.0
    assert len(item.add.concrete_signatures) == 1


def test_copies_of_objects_have_methods_of_their_own():
    item = Counting()
    item.add(ops.ones(()))
    twin = copy.deepcopy(item)
    assert float(twin.held(ops.ones(()))) == 3.0
    assert [float(one.count) for one in (item, twin)] == [1.0, 2.0]
