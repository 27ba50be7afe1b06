"""Functional, nested and sequential models against the real Keras: structure, numbers, configs, files."""

import json

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base import trees
from tests.keras.models.builders import BUILDERS, inputs_for


@pytest.fixture(params=list(BUILDERS))
def pair(request):
    """The same model twice, with equal weights."""
    oracle.utils.clear_session()
    keras.utils.clear_session()
    real, ours = BUILDERS[request.param](oracle), BUILDERS[request.param](keras)
    ours.set_weights(real.get_weights())
    return request.param, real, ours


def flat(outputs):
    return [np.asarray(leaf) for leaf in trees.flatten(outputs)]


def test_structure(pair):
    _, real, ours = pair
    assert [layer.name for layer in ours.layers] == [layer.name for layer in real.layers]
    assert [w.path for w in ours.weights] == [w.path for w in real.weights]
    assert ours.count_params() == real.count_params()
    assert ours.output_shape == real.output_shape and ours.input_shape == real.input_shape
    if hasattr(real, "operations"):
        assert [layer.name for layer in ours.operations] == [layer.name for layer in real.operations]


def test_outputs(pair):
    name, real, ours = pair
    x = inputs_for(name)
    for got, want in zip(flat(ours(x)), flat(real(x)), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)
    for got, want in zip(flat(ours.predict(x, verbose=0)), flat(real.predict(x, verbose=0)), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)


def test_one_program_for_the_whole_model(pair):
    name, _, ours = pair
    x = inputs_for(name)
    ours(x)
    plans = dict(ours._plans)
    ours(x)
    assert len(plans) == 1 and ours._plans == plans


def test_config_round_trip_and_names(pair):
    name, real, ours = pair
    twin = keras.models.model_from_json(ours.to_json())
    twin.set_weights(ours.get_weights())
    x = inputs_for(name)
    for got, want in zip(flat(twin(x)), flat(ours(x)), strict=True):
        np.testing.assert_array_equal(got, want)
    stored, theirs = json.loads(ours.to_json()), json.loads(real.to_json())
    assert stored["class_name"] == theirs["class_name"] and stored["module"] == theirs["module"]
    assert stored["config"]["name"] == theirs["config"]["name"]


def test_configs_of_keras_are_read(pair):
    name, real, _ = pair
    twin = keras.models.model_from_json(real.to_json())
    twin.set_weights(real.get_weights())
    x = inputs_for(name)
    for got, want in zip(flat(twin(x)), flat(real(x)), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)


def test_files_both_ways(pair, tmp_path):
    name, real, ours = pair
    x = inputs_for(name)
    real.save(tmp_path / "real.keras")
    ours.save(tmp_path / "ours.keras")
    read = keras.models.load_model(tmp_path / "real.keras")
    for got, want in zip(flat(read(x)), flat(real(x)), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)
    if name == "residual":
        # Keras stores ops between layers under private class names; those are its own to read.
        back = keras.models.load_model(tmp_path / "ours.keras")
    else:
        back = oracle.models.load_model(tmp_path / "ours.keras")
    for got, want in zip(flat(back(x)), flat(ours(x)), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)


def test_weight_files_both_ways(pair, tmp_path):
    _, real, ours = pair
    for variable in ours.trainable_variables:
        variable.assign(variable + 1.0)
    ours.save_weights(tmp_path / "w.weights.h5")
    real.load_weights(tmp_path / "w.weights.h5")
    for got, want in zip(real.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    real.save_weights(tmp_path / "r.weights.h5")
    ours.set_weights([np.zeros_like(w) for w in ours.get_weights()])
    ours.load_weights(tmp_path / "r.weights.h5")
    for got, want in zip(ours.get_weights(), real.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


def test_clone_is_new(pair):
    name, _, ours = pair
    clone = keras.models.clone_model(ours)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in ours.layers]
    clone.set_weights(ours.get_weights())
    x = inputs_for(name)
    for got, want in zip(flat(clone(x)), flat(ours(x)), strict=True):
        np.testing.assert_array_equal(got, want)
    clone.trainable_variables[0].assign(clone.trainable_variables[0] * 0)
    assert np.abs(ours.trainable_variables[0].numpy()).max() > 0
