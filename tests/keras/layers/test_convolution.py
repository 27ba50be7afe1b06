"""What the contract does not cover: errors, interpolation, masks, and training small networks as Keras does."""

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.engine import conv, loops
from hornbeam.keras import layers

pytestmark = pytest.mark.numeric


def images(shape=(2, 5, 4, 3), seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_second_names():
    assert layers.Convolution2D is layers.Conv2D and layers.MaxPool1D is layers.MaxPooling1D
    ours = {name: getattr(layers, name).__name__ for name in layers.__all__ if "onv" in name or "Pool" in name}
    for name, kind in ours.items():
        assert getattr(oracle.layers, name).__name__ == kind


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3", "lanczos5", "nearest"])
def test_interpolation(interpolation):
    arguments = {"size": (2, 3), "interpolation": interpolation}
    expected = oracle.layers.UpSampling2D(**arguments)(images())
    np.testing.assert_allclose(layers.UpSampling2D(**arguments)(images()), expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match=r"interpolation.*bilinear"):
        layers.UpSampling2D(interpolation="linear")


def test_means_over_the_steps_that_a_mask_lets_through():
    x = images((3, 6, 4))
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 0, 1]], bool)
    for arguments in ({}, {"keepdims": True}):
        out = layers.GlobalAveragePooling1D(**arguments)(x, mask=mask)
        expected = oracle.layers.GlobalAveragePooling1D(**arguments)(x, mask=mask)
        np.testing.assert_allclose(out, expected, rtol=1e-6)
    masked = layers.Masking(0.0)(np.where(mask[..., None], x, 0).astype("float32"))
    out = layers.GlobalAveragePooling1D()(masked)
    np.testing.assert_allclose(out, layers.GlobalAveragePooling1D()(x, mask=mask), rtol=1e-6)
    assert getattr(out, "_keras_mask", None) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "filters"),
        (lambda: layers.Conv2D(3, (3, 0)), "kernel_size"),
        (lambda: layers.Conv2D(3, (3, 3, 3)), "kernel_size"),
        (lambda: layers.Conv2D(3, 3, strides=0), "strides"),
        (lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2), "dilation_rate"),
        (lambda: layers.Conv2D(3, 3, groups=2), "groups"),
        (lambda: layers.Conv2D(4, 3, groups=0), "groups"),
        (lambda: layers.Conv2D(3, 3, padding="causal"), "padding"),
        (lambda: layers.Conv2D(3, 3, data_format="channels_middle"), "data_format"),
        (lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=2), "output_padding"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
        (lambda: layers.SeparableConv2D(-1, 3), "filters"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), "pool_size"),
        (lambda: layers.AdaptiveMaxPooling1D((2, 3)), "output_size"),
        (lambda: layers.Conv2D(4, 3, groups=2)(images()), "input channels"),
        (lambda: layers.Conv2D(4, 3)(KerasTensor((None, 5, 5, None))), "axis -1"),
        (lambda: layers.Conv2D(4, 3)(images((2, 5, 4))), "expected min_ndim=4, found ndim=3"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("kind", ["Conv2D", "SeparableConv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D"])
def test_windows_larger_than_the_images_name_the_layer(kind):
    arguments = {"filters": 2, "kernel_size": 6} if "arable" in kind or kind == "Conv2D" else {"kernel_size": 6}
    layer = getattr(layers, kind)(**({"pool_size": 6} if "Pool" in kind else arguments), name="too_large")
    for inputs in (images(), KerasTensor((None, 5, 4, 3))):
        with pytest.raises(ValueError, match=r"(?s)too_large.*zero or negative"):
            layer(inputs)


def test_variants_are_refused():
    with pytest.raises(NotSupportedError, match="quantization_config"):
        layers.Conv2D(3, 3, quantization_config=2)
    config = layers.Conv2D(3, 3, lora_rank=None, name="one").get_config()
    assert config == oracle.layers.Conv2D(3, 3, name="one").get_config()


def test_a_subclass_may_change_the_kernel():
    class Normed(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel * 2.0)

    layer, plain = Normed(2, 3), layers.Conv2D(2, 3)
    layer(images())
    plain(images())
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(images()), 2 * np.asarray(plain(images())), rtol=1e-5, atol=1e-5)


def small_network(api):
    tools = api.layers
    return api.Sequential(
        [
            api.Input((12, 12, 1)),
            tools.Conv2D(4, 3, padding="same", activation="relu"),
            tools.MaxPooling2D(),
            tools.SeparableConv2D(6, 3, activation="relu"),
            tools.BatchNormalization(),
            tools.Conv2D(5, 2, strides=2),
            tools.AveragePooling2D(2, padding="same"),
            tools.Conv2DTranspose(3, 2, strides=2),
            tools.GlobalAveragePooling2D(),
            tools.Dense(3, activation="softmax"),
        ]
    )


def test_training_equals_keras():
    x, y = images((24, 12, 12, 1)), np.arange(24) % 3
    models = small_network(keras), small_network(oracle)
    models[0].set_weights(models[1].get_weights())
    for model, api in zip(models, (keras, oracle), strict=True):
        model.compile(api.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    histories = [model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history for model in models]
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-4)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(models[0].predict(x, verbose=0), models[1].predict(x, verbose=0), rtol=1e-3, atol=1e-5)


def lenet():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def test_many_steps_of_a_convolutional_network_go_into_one_program(monkeypatch):
    """Its convolutions are quick in loops, and the program in a loop gives what single steps give."""
    seen = []
    estimate = loops.steps_per_call

    def spy(closed, platform=None):
        steps = estimate(closed, platform)
        seen.append((steps, str(closed)))
        return steps

    x, y = images((40, 28, 28, 1)), np.arange(40) % 10
    first = lenet()
    weights = first.get_weights()
    losses = []
    for chunked in (True, False):
        monkeypatch.setattr(loops, "steps_per_call", spy if chunked else lambda *_: 1)
        model = lenet()
        model.set_weights(weights)
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses.append(model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"])
    steps, program = seen[0]
    assert steps > 1 and conv.CANONICAL in program and "conv_general_dilated" not in program
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_predictions_of_a_fully_convolutional_network_of_any_size():
    model = keras.Sequential([keras.Input((None, None, 2)), layers.Conv2D(3, 3, padding="same"), layers.MaxPooling2D()])
    assert model.output_shape == (None, None, None, 3)
    for size in (4, 7):
        x = from_host(images((2, size, size, 2)))
        assert model(x).shape == (2, size // 2, size // 2, 3)
