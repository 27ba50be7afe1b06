"""Configs in the form before Keras 3, against Keras's own."""

import keras as real
import pytest
from keras.src.legacy.saving import serialization as reference

from hornbeam import keras

OBJECTS = [
    lambda k: k.initializers.Constant(0.5),
    lambda k: k.regularizers.L1L2(0.5, 0.25),
    lambda k: k.optimizers.SGD(0.5, momentum=0.25, name="s"),
    lambda k: k.constraints.MaxNorm(2),
    lambda k: None,
]


@pytest.mark.parametrize("make", OBJECTS)
def test_configs_are_those_of_keras(make):
    assert keras.legacy.saving.serialize_keras_object(make(keras)) == reference.serialize_keras_object(make(real))


def test_round_trip_by_a_table():
    legacy = keras.legacy.saving
    stored = legacy.serialize_keras_object(keras.regularizers.L2(0.5))
    back = legacy.deserialize_keras_object(stored, module_objects=vars(keras.regularizers))
    assert isinstance(back, keras.regularizers.L2) and float(back.l2) == 0.5

    def twice(x):
        return x * 2

    assert legacy.deserialize_keras_object("twice", custom_objects={"twice": twice}) is twice
    assert isinstance(
        legacy.deserialize_keras_object("Zeros", {"Zeros": keras.initializers.Zeros}), keras.initializers.Zeros
    )


@pytest.mark.parametrize("wrong", ["Nothing", {"class_name": "Nothing", "config": {}}, {"config": {}}])
def test_what_is_unknown_is_refused(wrong):
    with pytest.raises(ValueError, match=r"Nothing|class_name"):
        keras.legacy.saving.deserialize_keras_object(wrong, module_objects={})
