"""Small helpers of `keras.utils`."""

import copy
import pickle

import keras
import numpy as np
import pytest

from hornbeam.base import names, registry
from hornbeam.core.random_state import global_seed_generator
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras import utils
from hornbeam.keras.regularizers import L2
from hornbeam.ops.casting import cast


@pytest.mark.parametrize(
    ("labels", "count"),
    [([0, 2, 1], None), ([[1], [0]], 3), (np.array([[0, 1], [2, 0]]), 4), ([1.0, 2.0], None), (2, 4)],
)
def test_to_categorical(labels, count):
    ours, theirs = utils.to_categorical(labels, count), keras.utils.to_categorical(labels, count)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_to_categorical_of_tensors():
    labels = np.array([[1], [0], [2]])
    ours = utils.to_categorical(from_host(labels), 3)
    assert isinstance(ours, Tensor)
    np.testing.assert_array_equal(ours, keras.utils.to_categorical(keras.ops.convert_to_tensor(labels), 3))
    with pytest.raises(ValueError, match="needs `num_classes`"):
        utils.to_categorical(from_host(labels))
    with pytest.raises(IndexError, match="between 0 and 1"):
        utils.to_categorical([0, 2], 2)


@pytest.mark.parametrize("order", [1, 2])
def test_normalize(order):
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    x[1] = 0
    np.testing.assert_array_equal(utils.normalize(x, order=order), keras.utils.normalize(x, order=order))
    np.testing.assert_allclose(
        utils.normalize(from_host(x), order=order),
        keras.utils.normalize(keras.ops.convert_to_tensor(x), order=order),
        rtol=1e-6,
    )
    # Keras divides by the wrong norms (or fails) here.
    np.testing.assert_allclose(np.linalg.norm(utils.normalize(x, axis=0), axis=0), np.ones(5), rtol=1e-6)


@pytest.mark.parametrize("dtype", [None, "float16", np.float32, np.dtype("int8"), int, float, bool, "bfloat16"])
def test_standardize_dtype(dtype):
    assert utils.standardize_dtype(dtype) == keras.utils.standardize_dtype(dtype)


def test_standardize_dtype_refuses():
    with pytest.raises(ValueError, match="Invalid dtype: floot"):
        utils.standardize_dtype("floot")


def test_batches():
    for data in ((1,), (1, 2), (1, 2, 3), [1, 2], 5):
        assert utils.unpack_x_y_sample_weight(data) == keras.utils.unpack_x_y_sample_weight(data)
    for arguments in ((1,), ((1, 2),), (1, 2), (1, 2, 3)):
        assert utils.pack_x_y_sample_weight(*arguments) == keras.utils.pack_x_y_sample_weight(*arguments)
    with pytest.raises(ValueError, match="A batch is `x` alone"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_symbolic_tensors():
    x = KerasTensor((None, 3))
    assert utils.is_keras_tensor(x)
    assert not utils.is_keras_tensor(np.zeros(3))
    assert utils.get_source_inputs(x) == [x]
    assert utils.get_source_inputs(L2()(cast(x, "float16"))) == [x]


def test_clear_session():
    names.unique_name("thing")
    assert names.unique_name("thing") == "thing_1"
    called = []
    registry.provide("clear-session", "test", lambda: called.append(1))
    utils.set_random_seed(3)
    first = global_seed_generator()
    utils.clear_session()
    assert global_seed_generator() is not first
    registry.provide("clear-session", "test", called.clear)
    assert names.unique_name("thing") == "thing"
    assert called == [1]


def test_config():
    ours, theirs = utils.Config(rate=0.1), keras.utils.Config(rate=0.1)
    for config in (ours, theirs):
        config.momentum = 0.9
        config["seed"] = 3
        config.update(a=1)
        assert config.pop("a") == 1
        assert (config.rate, config.get("nothing", 5)) == (0.1, 5)
        del config["seed"]
    assert ours.to_json() == theirs.to_json()
    assert repr(ours) == repr(theirs)
    assert list(ours) == list(theirs) == ["momentum", "rate"]
    assert (len(ours), "rate" in ours, dict(ours.items())) == (2, True, ours.as_dict())
    assert list(ours.keys()) == list(theirs.keys())
    assert list(ours.values()) == list(theirs.values())
    with pytest.raises(AttributeError, match="did you mean 'momentum'"):
        ours.momentun  # noqa: B018
    ours.freeze()
    for change in (lambda: setattr(ours, "x", 1), lambda: ours.pop("rate"), lambda: ours.update(x=1)):
        with pytest.raises(ValueError, match="frozen"):
            change()
    assert ours.frozen
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert twin.rate == 0.1
        assert twin.frozen
    ours.unfreeze()
    ours.x = 1
    assert ours.x == 1


def test_registration_is_offered_here_too():
    config = utils.serialize_keras_object(L2(0.5))
    assert utils.deserialize_keras_object(config).l2 == 0.5
    with utils.CustomObjectScope({"Mine": L2}):
        assert utils.get_registered_object("Mine") is L2
    assert utils.get_registered_object("Mine") is None
    assert "Mine" not in utils.get_custom_objects()
