"""`MultiHeadAttention` and `GroupedQueryAttention`: masks, scores, gates and gradients, against the oracle."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core.tensor import from_host
from hornbeam.keras import Input, Model, layers
from tests.keras.layers.samples import draw

pytestmark = pytest.mark.numeric
QUERY, VALUE, KEY = draw(2, 5, 8), draw(2, 7, 8, seed=1), draw(2, 7, 8, seed=2)
QUERY_MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
VALUE_MASK = np.array([[1, 1, 1, 1, 0, 0, 0], [1, 0, 1, 1, 1, 1, 1]], bool)
ALLOWED = np.random.default_rng(0).random((2, 5, 7)) > 0.3
LAYERS = {
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 4},
    "GroupQueryAttention": {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2},
}
CALLS = [
    {},
    {"use_causal_mask": True},
    {"value_mask": VALUE_MASK, "key_mask": VALUE_MASK, "use_causal_mask": True},
    {"attention_mask": ALLOWED, "return_attention_scores": True},
]


def pair(name, **options):
    ours, theirs = (getattr(module, name)(**LAYERS[name], **options) for module in (layers, keras.layers))
    theirs(QUERY, VALUE)
    ours(QUERY, VALUE)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def close(ours, theirs):
    found, expected = (list(out) if isinstance(out, (list, tuple)) else [out] for out in (ours, theirs))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=2e-6)


@pytest.mark.parametrize("options", [{}, {"use_gate": True, "use_bias": False}, {"sliding_window": 2}], ids=str)
@pytest.mark.parametrize("name", LAYERS)
def test_equals_the_oracle(name, options):
    ours, theirs = pair(name, **options)
    assert {**ours.get_config(), "name": 0} == {**theirs.get_config(), "name": 0}
    for call in CALLS:
        close(ours(QUERY, VALUE, KEY, **call), theirs(QUERY, VALUE, KEY, **call))


def test_masks_that_the_tensors_carry():
    ours, theirs = pair("MultiHeadAttention")
    ours_in, theirs_in = from_host(QUERY), keras.ops.convert_to_tensor(QUERY)
    ours_in._keras_mask = from_host(QUERY_MASK)
    keras.src.backend.set_keras_mask(theirs_in, keras.ops.convert_to_tensor(QUERY_MASK))
    found = ours(ours_in, ours_in)
    close(found, theirs(theirs_in, theirs_in))
    np.testing.assert_array_equal(np.asarray(found._keras_mask), QUERY_MASK)


def test_axes_and_output_shape():
    images = draw(2, 3, 4, 8)
    for options in ({"attention_axes": (2,)}, {"attention_axes": (1, 2)}, {"output_shape": 6}):
        ours, theirs = (module.MultiHeadAttention(2, 4, **options) for module in (layers, keras.layers))
        expected = theirs(images, images)
        ours(images, images)
        ours.set_weights(theirs.get_weights())
        close(ours(images, images), expected)


def test_values_of_another_size():
    ours, theirs = (module.MultiHeadAttention(2, 4, value_dim=3) for module in (layers, keras.layers))
    expected, _ = theirs(QUERY, VALUE, return_attention_scores=True)
    ours(QUERY, VALUE)
    ours.set_weights(theirs.get_weights())
    close(ours(QUERY, VALUE), expected)


def test_training_in_a_model():
    inputs = Input((5, 8))
    model = Model(inputs, layers.Dense(1)(layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs)))
    oracle_in = keras.Input((5, 8))
    oracle_out = keras.layers.MultiHeadAttention(2, 4)(oracle_in, oracle_in)
    oracle = keras.Model(oracle_in, keras.layers.Dense(1)(oracle_out))
    plain = Model(inputs, layers.Dense(1)(layers.MultiHeadAttention(2, 4)(inputs, inputs)))
    plain.set_weights(oracle.get_weights())
    targets = draw(2, 5, 1, seed=3)
    for each in (model, plain):
        each.compile(tf.keras.optimizers.SGD(0.1), "mse")
    oracle.compile(keras.optimizers.SGD(0.1), "mse")
    found = [plain.train_on_batch(QUERY, targets) for _ in range(3)]
    np.testing.assert_allclose(found, [oracle.train_on_batch(QUERY, targets) for _ in range(3)], rtol=1e-5)
    assert np.isfinite(model.fit(QUERY, targets, verbose=0).history["loss"][0])


def test_refusals():
    with pytest.raises(ValueError, match="num_heads"):
        layers.MultiHeadAttention(0, 4)
    with pytest.raises(ValueError, match="multiple"):
        layers.GroupedQueryAttention(4, 3, 2)
    with pytest.raises(ValueError, match="sliding_window"):
        layers.MultiHeadAttention(2, 4, sliding_window=0)
    with pytest.raises(ValueError, match="dropout"):
        layers.MultiHeadAttention(2, 4, dropout=0.1, flash_attention=True)
    with pytest.raises(ValueError, match="list"):
        layers.Attention()(QUERY)
