"""`tf.Variable`, `tf.Module`, name scopes and devices."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras


def test_entries_can_be_assigned():
    v = tf.Variable(tf.zeros((2, 3)))
    v[0, 1].assign(5.0)
    v[1].assign([1.0, 2.0, 3.0])
    v[:, 2].assign(tf.constant([7.0, 8.0]))
    np.testing.assert_array_equal(v.numpy(), [[0, 5, 7], [1, 2, 8]])
    assert float(v[0, 1] * 2) == 10 and isinstance(v[0], tf.Tensor)
    with tf.GradientTape() as tape:
        y = v[0, 1] ** 2
    np.testing.assert_array_equal(tape.gradient(y, v).numpy(), [[0, 10, 0], [0, 0, 0]])

    @tf.function
    def step():
        v[0].assign(v[1] + 1)
        return tf.reduce_sum(v)

    assert float(step()) == 25


def test_names_and_instances():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    assert isinstance(layer.kernel, tf.Variable)
    assert not isinstance(tf.ones(1), tf.Variable)
    assert not issubclass(keras.Variable, tf.Variable)
    with tf.name_scope("outer") as scope:
        assert scope == "outer/"
        assert tf.Variable(1.0, name="w").name == "outer/w:0"
    assert tf.Variable(1.0).name == "Variable:0"
    assert isinstance(tf.Variable(1.0), keras.Variable)
    assert repr(tf.Variable([1, 2], name="v")).startswith(
        "<tf.Variable 'v:0' shape=(2,) dtype=int32, numpy=array([1, 2]"
    )


def test_dtypes_and_shapes():
    assert tf.Variable(1).dtype == tf.int32
    assert tf.Variable(np.zeros(2)).dtype == tf.float64
    assert tf.Variable([1, 2], dtype=tf.float32).dtype == tf.float32
    assert tf.Variable(lambda: tf.ones((2, 2)), shape=(2, 2)).shape == (2, 2)
    with pytest.raises(ValueError, match="initial_value"):
        tf.Variable()
    with pytest.raises(ValueError, match="does not fit `shape`"):
        tf.Variable([1.0], shape=(2,))
    with pytest.raises(NotImplementedError, match="other sizes"):
        tf.Variable([1.0], shape=(None,))
    with pytest.raises(NotImplementedError, match="strings"):
        tf.Variable("a")
    with pytest.raises(NotImplementedError, match="caching_device"):
        tf.Variable(1.0, caching_device="/CPU:0")


def test_copies_keep_the_name():
    v = tf.Variable([1.0, 2.0], name="w")
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert (twin.name, twin.numpy().tolist()) == ("w:0", [1.0, 2.0])
        twin.assign_add([1.0, 1.0])
    assert v.numpy().tolist() == [1.0, 2.0]


def test_training_by_hand():
    w = tf.Variable(0.0)
    x, y = tf.constant([1.0, 2.0]), tf.constant([2.0, 4.0])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((w * x - y) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    losses = [float(step()) for _ in range(30)]
    assert losses[0] == 10.0
    assert abs(float(w) - 2.0) < 1e-4


def test_variable_creator_scope():
    made = []

    def creator(following, **kwargs):
        made.append(kwargs.get("name"))
        kwargs["trainable"] = False
        return following(**kwargs)

    with tf.variable_creator_scope(creator):
        v = tf.Variable(1.0, name="inside")
    assert (made, v.trainable, tf.Variable(1.0).trainable) == (["inside"], False, True)


class _Dense(tf.Module):
    def __init__(self, width, units, name=None):
        super().__init__(name)
        self.w = tf.Variable(tf.ones((width, units)), name="w")
        self.b = tf.Variable(tf.zeros((units,)), name="b", trainable=False)

    @tf.Module.with_name_scope
    def __call__(self, x):
        self.late = getattr(self, "late", None) or tf.Variable(0.0, name="late")
        return tf.matmul(x, self.w) + self.b


def test_module_finds_its_variables():
    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.parts = [_Dense(2, 3), {"head": _Dense(3, 1, name="head")}]
            self.keras_part = keras.layers.Dense(4)
            self.keras_part.build((None, 1))
            self.scale = tf.Variable(1.0, name="scale")

    net = Net()
    assert net.name == "net"
    assert len(net.variables) == 7
    assert {v.name for v in net.variables} >= {"scale:0", "w:0", "b:0"}
    assert len(net.trainable_variables) == 5
    assert len(net.non_trainable_variables) == 2
    assert len(net.submodules) == 3
    dense = _Dense(2, 3)
    assert (dense.name, dense(tf.ones((1, 2))).numpy().tolist()) == ("__dense", [[2.0, 2.0, 2.0]])
    assert dense.late.name == "__dense/late:0"
    with pytest.raises(ValueError, match="identifier"):
        tf.Module("not a name")


def test_module_names_are_snake_case():
    assert type("MyDenseNet", (tf.Module,), {})().name == "my_dense_net"
    assert type("DCGAN", (tf.Module,), {})().name == "dcgan"


def test_devices():
    with tf.device("/CPU:0"):
        assert tf.ones(2).device.endswith("device:CPU:0")
        assert tf.Variable(tf.ones(2)).device.endswith("device:CPU:0")
    with tf.device("cpu:0"), tf.device(None):
        assert tf.constant([1.0]).device.endswith("CPU:0")
    with pytest.raises(ValueError, match="device name"), tf.device("somewhere"):
        raise AssertionError("the block must not run")


def test_rows_are_given_as_slices():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    v.scatter_update(tf.IndexedSlices([[9.0, 9.0]], [1]))
    v.scatter_add(tf.IndexedSlices([[1.0, 1.0], [2.0, 2.0]], [0, 0]))
    v.scatter_sub(tf.IndexedSlices([[4.0, 5.0]], [1]))
    np.testing.assert_array_equal(v, [[4, 5], [5, 4]])
    with pytest.raises(TypeError, match="IndexedSlices"):
        v.scatter_add([[1.0, 1.0]])


def test_choices_may_be_members_of_enums():
    layer = tf.keras.layers.Layer()
    weight = layer.add_weight(
        shape=(), aggregation=tf.VariableAggregation.MEAN, synchronization=tf.VariableSynchronization.ON_READ
    )
    assert (weight.aggregation, weight.synchronization) == ("mean", "on_read")
