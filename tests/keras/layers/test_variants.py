"""Methods that would turn a layer into another kind of itself, and attributes that only built layers have."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras

layers = keras.layers


def test_weights_asked_for_before_build_say_what_to_do():
    layer = layers.Dense(2, name="d")
    assert not hasattr(layer, "kernel") and not hasattr(layers.Embedding(3, 2), "embeddings")
    with pytest.raises(AttributeError, match=r"'d' has no `kernel` yet.*build"):
        layer.kernel  # noqa: B018 - reading is the test
    layer(np.ones((1, 3)))
    assert layer.kernel.shape == (3, 2)


@pytest.mark.parametrize("layer", [layers.Dense(2), layers.Conv2D(2, 3), layers.Flatten()])
def test_forms_that_a_layer_does_not_have_are_refused_with_advice(layer):
    asks = (lambda: layer.quantize("int8"), lambda: layer.quantized_build((1, 2), "int8"), layer.quantized_call)
    for ask in asks if not isinstance(layer, keras.layers.Dense) else ():
        with pytest.raises(NotImplementedError, match="bfloat16"):
            ask()


def test_a_call_is_recomputed_only_in_a_scope():
    plain = layers.Dense(2)
    assert plain.rematerialized_call(plain.call) == plain.call
    with keras.RematScope():
        inside = layers.Dense(2)
    inside.build((None, 3))
    x = keras.ops.ones((1, 3))
    np.testing.assert_allclose(inside.rematerialized_call(inside.call)(x), inside.call(x))
