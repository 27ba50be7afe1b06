"""Transfer learning: cut the top, freeze, train a new one, fine-tune the last blocks."""

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

pytestmark = pytest.mark.train
RNG = np.random.default_rng(0)
X = RNG.random((16, 16, 16, 3)).astype("float32")
Y = np.arange(16) % 3


def pretrained(library=keras):
    """Two blocks and a classifier for ten classes, with weights as if it had learned something."""
    make = library.layers
    model = library.Sequential(
        [
            library.Input((16, 16, 3)),
            make.Conv2D(4, 3, name="block1_conv"),
            make.BatchNormalization(name="block1_bn"),
            make.ReLU(name="block1_relu"),
            make.MaxPooling2D(name="block1_pool"),
            make.Conv2D(6, 3, name="block2_conv"),
            make.BatchNormalization(name="block2_bn"),
            make.ReLU(name="block2_relu"),
            make.GlobalAveragePooling2D(name="features"),
            make.Dense(10, activation="softmax", name="predictions"),
        ]
    )
    rng = np.random.default_rng(1)

    def draw(shape):
        # Vectors are biases and statistics, of which variances must be positive.
        return rng.uniform(0.5, 1.5, shape) if len(shape) == 1 else rng.normal(0, 0.2, shape)

    model.set_weights([draw(weight.shape).astype("float32") for weight in model.get_weights()])
    return model


def with_top(base, output, rate=1e-2, library=keras, optimizer="Adam"):
    top = library.layers.Dense(3, activation="softmax", name="top")
    model = library.Model(base.input if library is keras else base.inputs, top(output))
    model.compile(getattr(library.optimizers, optimizer)(rate), "sparse_categorical_crossentropy")
    return model


def snapshot(model):
    return {weight.path: np.array(weight) for weight in model.weights}


def changed_layers(model, before):
    """Names of layers that have a weight which is not bit for bit what it was."""
    return {path.split("/")[-2] for path, value in snapshot(model).items() if not np.array_equal(value, before[path])}


# --- three ways to cut the top -------------------------------------------------------------------
def test_pop_takes_layers_off_the_end():
    base = pretrained()
    kept = base.get_layer("block1_conv").get_weights()
    for _ in range(5):
        base.pop()
    assert [layer.name for layer in base.layers] == ["block1_conv", "block1_bn", "block1_relu", "block1_pool"]
    assert tuple(base.output_shape) == (None, 7, 7, 4)
    model = with_top(base, layers.Flatten()(base.output))
    for old, new in zip(kept, model.get_layer("block1_conv").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.predict(X, verbose=0).shape == (16, 3)


def test_the_output_of_a_named_layer_ends_a_model_that_shares_the_layers():
    base = pretrained()
    extractor = keras.Model(base.input, base.get_layer("features").output)
    assert extractor.get_layer("block2_conv") is base.get_layer("block2_conv")
    assert tuple(extractor.output_shape) == (None, 6)
    features = extractor.predict(X, verbose=0)
    by_hand = X
    for layer in base.layers[:-1]:
        by_hand = layer(by_hand, training=False) if "bn" in layer.name else layer(by_hand)
    np.testing.assert_allclose(features, np.asarray(by_hand), rtol=1e-5, atol=1e-6)
    # Several outputs at once, as a segmentation network takes them.
    names = ["block1_relu", "block2_relu"]
    pyramid = keras.Model(base.input, [base.get_layer(name).output for name in names])
    assert [tuple(one.shape) for one in pyramid(X)] == [(16, 14, 14, 4), (16, 5, 5, 6)]


def test_an_application_without_its_top():
    base = keras.applications.MobileNet((32, 32, 3), alpha=0.25, include_top=False, weights=None, pooling="avg")
    assert tuple(base.output_shape) == (None, 256)
    base.trainable = False
    model = keras.Sequential([base, layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    before = snapshot(base)
    model.fit(RNG.random((8, 32, 32, 3)), Y[:8], batch_size=4, verbose=0)
    assert not changed_layers(base, before)
    assert len(model.trainable_weights) == 2 and len(model.optimizer.variables) == 2 * 2 + 2


# --- freezing ------------------------------------------------------------------------------------
def test_frozen_layer_by_layer_or_by_name_or_as_a_whole():
    base = pretrained()
    base.get_layer("block1_conv").trainable = False
    assert len(base.trainable_weights) == 14 - 4 - 2
    assert {weight.path.split("/")[-2] for weight in base.non_trainable_weights} == {
        "block1_conv",
        "block1_bn",
        "block2_bn",
    }
    base.trainable = True
    for layer in base.layers:
        layer.trainable = not layer.name.startswith("block1")
    assert {w.path.split("/")[-2] for w in base.trainable_weights} == {"block2_conv", "block2_bn", "predictions"}
    base.trainable = False
    assert base.trainable_weights == [] and not base.get_layer("predictions").trainable
    assert len(base.non_trainable_weights) == len(base.weights)
    base.trainable = True
    assert len(base.trainable_weights) == 10 and all(layer.trainable for layer in base.layers)


@pytest.mark.parametrize("how", ["layers", "whole"])
def test_frozen_weights_stay_bit_identical_and_take_no_slots(how):
    base = pretrained()
    extractor = keras.Model(base.input, base.get_layer("features").output)
    if how == "whole":
        extractor.trainable = False
    else:
        for layer in extractor.layers:
            layer.trainable = False
    model = with_top(base, extractor.output)
    before = snapshot(model)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert changed_layers(model, before) == {"top"}
    # Two moments for kernel and bias of the top, the step counter and the rate.
    assert len(model.optimizer.variables) == 2 * 2 + 2
    np.testing.assert_array_equal(extractor.predict(X, verbose=0), extractor.predict(X, verbose=0))


def test_frozen_normalization_uses_its_moving_statistics_even_in_training():
    layer = layers.BatchNormalization()
    x = RNG.normal(3, 2, (32, 5)).astype("float32")
    layer(x, training=True)
    moving = [np.array(layer.moving_mean), np.array(layer.moving_variance)]
    layer.trainable = False
    frozen = np.asarray(layer(x, training=True))
    np.testing.assert_array_equal(frozen, np.asarray(layer(x, training=False)))
    np.testing.assert_array_equal(moving[0], np.array(layer.moving_mean))
    np.testing.assert_array_equal(moving[1], np.array(layer.moving_variance))
    expected = (x - moving[0]) / np.sqrt(moving[1] + 1e-3)
    np.testing.assert_allclose(frozen, expected, rtol=1e-5, atol=1e-5)
    layer.trainable = True
    assert np.abs(np.asarray(layer(x, training=True)) - frozen).max() > 0.1


def test_a_base_called_for_inference_keeps_its_statistics_while_its_weights_learn():
    base = pretrained()
    base.pop()
    inputs = keras.Input((16, 16, 3))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="top")(base(inputs, training=False)))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    norm = base.get_layer("block1_bn")
    gamma, *_, mean, variance = norm.get_weights()
    model.fit(X, Y, batch_size=4, verbose=0)
    after = norm.get_weights()
    np.testing.assert_array_equal(after[2], mean)
    np.testing.assert_array_equal(after[3], variance)
    assert not np.array_equal(after[0], gamma)


def test_freezing_counts_from_the_next_compile():
    base = pretrained()
    model = with_top(base, base.get_layer("features").output)
    model.train_on_batch(X, Y)
    base.get_layer("block1_conv").trainable = False
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    before = snapshot(model)
    model.train_on_batch(X, Y)
    assert "block1_conv" not in changed_layers(model, before)
    assert {"block2_conv", "top"} <= changed_layers(model, before)


# --- the four cases ------------------------------------------------------------------------------
CASES = {
    "few samples, like the old task: top only": ((), 1e-2, {"top"}),
    "many samples, like the old task: last block too": (("block2",), 1e-4, {"block2_conv", "block2_bn", "top"}),
    "many samples, another task: all": (
        ("block1", "block2"),
        1e-3,
        {"block1_conv", "block1_bn", "block2_conv", "block2_bn", "top"},
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.split(":")[1].strip())
def test_fine_tuning_changes_what_was_thawed(case):
    thawed, rate, expected = CASES[case]
    base = pretrained()
    for layer in base.layers:
        layer.trainable = layer.name.startswith(thawed) if thawed else False
    model = with_top(base, base.get_layer("features").output, rate)
    before = snapshot(model)
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    assert changed_layers(model, before) == expected
    learned = sum(weight.trainable for weight in model.weights)
    assert len(model.optimizer.variables) == 2 * learned + 2
    if thawed == ("block2",):
        kernel = base.get_layer("block2_conv").kernel
        moved = np.abs(np.array(kernel) - before[kernel.path]).max()
        assert 0 < moved < 4 * 1.5e-4  # four Adam steps, none longer than about the rate


def test_few_samples_of_another_task_cut_a_block_and_train_a_small_top():
    base = pretrained()
    for _ in range(5):
        base.pop()
    base.trainable = False
    model = with_top(base, layers.GlobalAveragePooling2D()(base.output))
    assert model.count_params() == (3 * 3 * 3 * 4 + 4) + 4 * 4 + (4 * 3 + 3)
    before = snapshot(model)
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert changed_layers(model, before) == {"top"} and len(history["loss"]) == 2


def test_two_phases_reach_the_same_numbers_as_keras():
    """Phase one with the base frozen, phase two with its last block thawed, each three SGD steps."""
    losses, final = [], []
    start = None
    for library in (keras, oracle):
        base = pretrained(library)
        base.trainable = False
        model = with_top(base, base.get_layer("features").output, 0.1, library, "SGD")
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        steps = [float(np.ravel(model.train_on_batch(X, Y))[0]) for _ in range(3)]
        base.trainable = True
        for layer in base.layers:
            layer.trainable = not layer.name.startswith("block1")
        model.compile(library.optimizers.SGD(1e-2), "sparse_categorical_crossentropy")
        steps += [float(np.ravel(model.train_on_batch(X, Y))[0]) for _ in range(3)]
        losses.append(steps)
        final.append(model.get_weights())
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-5)
    for ours, theirs in zip(*final, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
