"""What a new user reads after the commonest slips: each message names the slip and the way out."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import layers

X, Y = np.zeros((8, 4), "float32"), np.zeros((8, 3), "float32")


@pytest.fixture(scope="module")
def model():
    made = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="out")])
    made.compile("sgd", "mse")
    return made


def test_layers_without_brackets():
    with pytest.raises(TypeError, match=r"Sequential\(\[first, second\]\)"):
        keras.Sequential(layers.Dense(3), layers.Dense(2))


def test_numpy_on_a_symbolic_tensor():
    with pytest.raises(TypeError, match=r"keras\.ops"):
        np.sum(keras.Input((4,)))


@pytest.mark.parametrize("given, meant", [("adma", "adam"), ("adamw2", "adamw"), ("rmspropp", "rmsprop")])
def test_the_name_of_an_optimizer_with_a_slip(given, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        keras.optimizers.get(given)


def test_labels_that_are_strings(model):
    with pytest.raises(ValueError, match=r"targets are strings(.|\n)*return_inverse"):
        model.fit(X, np.array(["cat", "dog"] * 4), verbose=0)


@pytest.mark.parametrize("data", [(X,), X], ids=["tuple", "array"])
def test_validation_data_without_targets(model, data):
    with pytest.raises(ValueError, match=r"no targets(.|\n)*validation_data=\(x_val, y_val\)"):
        model.fit(X, Y, validation_data=data, verbose=0)


def test_the_name_of_an_input_with_a_slip():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = keras.Model({"left": left, "right": right}, layers.Add()([left, right]))
    with pytest.raises(ValueError, match="did you mean 'lefft'"):
        both({"lefft": X, "right": X})


def test_the_name_of_a_layer_with_a_slip(model):
    with pytest.raises(ValueError, match="did you mean 'out'"):
        model.get_layer("outt")


@pytest.mark.parametrize("ids", [[[1, 7]], [[-9, 0]]])
def test_numbers_without_a_row_in_an_embedding(ids):
    layer = layers.Embedding(5, 2)
    for given in (np.array(ids), tf.constant(ids)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"no row(.|\n)*0 to 4(.|\n)*input_dim"):
            layer(given)
    assert layer(np.array([[4, 0]])).shape == (1, 2, 2)


def test_configs_with_two_layers_of_one_name_are_refused():
    x = keras.Input((3,))
    config = keras.Model(x, keras.layers.Dense(2, name="head")(x)).get_config()
    config["layers"].append(config["layers"][-1])
    with pytest.raises(ValueError, match="two layers named 'head'"):
        keras.Model.from_config(config)
