"""``layers.serialize`` and ``layers.deserialize``."""

from __future__ import annotations

import pytest

from hornbeam import keras


def test_round_trip_and_short_configs():
    layer = keras.layers.Dense(3, activation="relu", name="first")
    config = keras.layers.serialize(layer)
    again = keras.layers.deserialize(config)
    assert type(again) is keras.layers.Dense and again.get_config() == layer.get_config()
    short = keras.layers.deserialize({"class_name": "Dropout", "config": {"rate": 0.25}})
    assert type(short) is keras.layers.Dropout and short.rate == 0.25


def test_own_layers_and_errors():
    class Own(keras.layers.Layer):
        pass

    made = keras.layers.deserialize({"class_name": "Own", "config": {"name": "mine"}}, custom_objects={"Own": Own})
    assert type(made) is Own and made.name == "mine"
    with pytest.raises(ValueError, match="class_name"):
        keras.layers.deserialize("Dense")
    with pytest.raises(ValueError, match="Nothing"):
        keras.layers.deserialize({"class_name": "Nothing", "config": {}})
