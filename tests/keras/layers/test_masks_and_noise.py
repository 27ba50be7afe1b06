"""Masks, statistics of batches, and random numbers."""

import keras
import numpy as np
import pytest

from hornbeam import keras as hornbeam_keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.keras import layers
from tests.keras.layers.samples import FIRST, SECOND, draw, mask_of, masked_pair

pytestmark = pytest.mark.numeric


# --- masks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Subtract"])
@pytest.mark.parametrize("masks", [(FIRST, SECOND), (FIRST, None)], ids=["both", "one"])
def test_merging_with_masks(name, masks):
    """Values and masks, in a compiled and in an uncompiled call."""
    pairs = [masked_pair(draw(3, 4, 5, seed=seed), mask) for seed, mask in enumerate(masks)]
    theirs = getattr(keras.layers, name)()([pair[1] for pair in pairs])
    layer = getattr(layers, name)()
    for ours in (layer([pair[0] for pair in pairs]), type(f"{name}Twin", (type(layer),), {})()([p[0] for p in pairs])):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-6)
        expected = keras.src.backend.get_keras_mask(theirs)
        np.testing.assert_equal(mask_of(ours), None if expected is None else np.asarray(expected))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ReLU", {}),
        ("Dropout", {"rate": 0.5}),
        ("LayerNormalization", {}),
        ("Dense", {"units": 2}),
        ("TimeDistributed", None),
        ("PReLU", {}),
    ],
)
def test_masks_pass_through(name, options):
    options = {"layer": layers.Dense(2)} if options is None else options
    outputs = getattr(layers, name)(**options)(masked_pair(draw(3, 4, 5), FIRST)[0])
    np.testing.assert_array_equal(mask_of(outputs), FIRST)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("LSTM", {"units": 2, "return_sequences": True}, FIRST),
        ("SimpleRNN", {"units": 2}, None),
        ("BatchNormalization", {}, FIRST),
    ],
)
def test_masks_given_by_name_go_on(name, options, expected):
    """As those that came with the input do: eagerly, where nothing is compiled, and in a graph."""
    x = draw(3, 4, 5)
    theirs = getattr(keras.layers, name)(**options)(x, mask=FIRST)
    assert (keras.src.backend.get_keras_mask(theirs) is None) == (expected is None)
    kind = getattr(layers, name)
    for layer in (kind(**options), type(f"{name}Twin", (kind,), {})(**options)):
        np.testing.assert_equal(mask_of(layer(x, mask=FIRST)), expected)
        symbols = hornbeam_keras.Input((4, 5)), hornbeam_keras.Input((4,), dtype="bool")
        assert (layer(symbols[0], mask=symbols[1])._keras_mask is None) == (expected is None)


def test_layers_without_masks_warn():
    with pytest.warns(UserWarning, match="takes no mask"):
        outputs = layers.Flatten()(masked_pair(draw(3, 4, 5), FIRST)[0])
    assert mask_of(outputs) is None


def test_masks_are_made():
    ids = np.array([[1, 0, 2], [0, 0, 3]])
    np.testing.assert_array_equal(mask_of(layers.Embedding(4, 2, mask_zero=True)(ids)), ids != 0)
    np.testing.assert_array_equal(mask_of(layers.ReversibleEmbedding(4, 2, mask_zero=True)(ids)), ids != 0)
    assert mask_of(layers.Embedding(4, 2)(ids)) is None
    steps = np.array([[[0.0, 1.0], [2.0, 2.0]]], "float32")
    outputs = layers.Masking(2.0)(steps)
    np.testing.assert_array_equal(mask_of(outputs), [[True, False]])
    np.testing.assert_array_equal(np.asarray(outputs), [[[0.0, 1.0], [0.0, 0.0]]])


@pytest.mark.parametrize("axis", [-1, (1, 2)])
def test_softmax_mask(axis):
    x = draw(3, 4, 5)
    mask = (draw(3, 4, 5, seed=1) > 0).astype("float32")
    mask[0] = 0
    expected = np.asarray(keras.layers.Softmax(axis)(x, mask=mask))
    np.testing.assert_allclose(np.asarray(layers.Softmax(axis)(x, mask=mask)), expected, rtol=1e-6, atol=1e-7)
    with pytest.raises(ValueError, match="broadcastable"):
        layers.Softmax()(x, mask=np.ones((3, 4, 2)))
    with pytest.raises(ValueError, match="more axes than `inputs`"):
        layers.Softmax()(x, mask=np.ones((1, 3, 4, 5)))


# --- BatchNormalization --------------------------------------------------------------------------
def test_batch_normalization_with_mask():
    ours, theirs = layers.BatchNormalization(momentum=0.7), keras.layers.BatchNormalization(momentum=0.7)
    x = draw(3, 4, 5) * 3 + 1
    for mask in (FIRST, SECOND):
        one, other = ours(x, training=True, mask=mask), theirs(x, training=True, mask=mask)
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=2e-5, atol=2e-6)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    # One channel, at which the oracle fails, is like one among several.
    alone = layers.BatchNormalization()(x[..., :1], training=True, mask=FIRST)
    among = layers.BatchNormalization()(x, training=True, mask=FIRST)
    np.testing.assert_allclose(np.asarray(alone), np.asarray(among)[..., :1], rtol=2e-5, atol=2e-6)
    with pytest.raises(ValueError, match="axes of the inputs without the last one"):
        ours(x, training=True, mask=np.ones((3,), bool))


@pytest.mark.parametrize(("momentum", "steps"), [(0.9, 1), (0.9, 7), (0.0, 3)])
def test_moving_mean_follows_the_geometric_series(momentum, steps):
    """The moving mean starts at 0; after n equal batches it is (1 - m**n) times the mean of a batch."""
    x = draw(64, 5)
    layer = layers.BatchNormalization(momentum=momentum)
    for _ in range(steps):
        layer(x, training=True)
    expected = (1 - momentum**steps) * x.mean(axis=0, dtype="float64")
    np.testing.assert_allclose(np.asarray(layer.moving_mean), expected, rtol=1e-4, atol=1e-6)


def test_frozen_batch_normalization_keeps_its_statistics():
    layer = layers.BatchNormalization()
    x = draw(8, 3) + 5
    layer(x, training=True)
    layer.trainable = False
    before = layer.get_weights()
    outputs = np.asarray(layer(x, training=True))
    np.testing.assert_array_equal(outputs, np.asarray(layer(x, training=False)))
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    layer.trainable = True
    layer(x, training=True)
    assert np.abs(before[2] - layer.get_weights()[2]).max() > 0


def test_large_means_keep_their_digits():
    """The variance of numbers around 1000 with standard deviation 0.1, in float32."""
    x = (draw(4096, 2) * 0.1 + 1000).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    np.testing.assert_allclose(np.asarray(layer.moving_variance), x.astype("float64").var(axis=0), rtol=1e-3)


def test_batch_normalization_arguments():
    assert layers.BatchNormalization(synchronized=True).synchronized is True
    with pytest.raises(NotSupportedError, match="renorm=True"):
        layers.BatchNormalization(renorm=True)


# --- random layers -------------------------------------------------------------------------------
def test_dropout_statistics():
    x = np.ones((500, 400), "float32")
    outputs = np.asarray(layers.Dropout(0.3, seed=1)(x, training=True))
    assert set(np.unique(outputs)) == {np.float32(0), np.float32(1) / np.float32(0.7)}
    assert abs((outputs == 0).mean() - 0.3) < 0.004
    # Neighbours along both axes, and two draws, are independent.
    dropped = (outputs == 0) - 0.3
    assert abs((dropped[1:] * dropped[:-1]).mean()) < 0.003
    assert abs((dropped[:, 1:] * dropped[:, :-1]).mean()) < 0.003


def test_dropout_seeds():
    x = np.ones((20, 30), "float32")
    first, second = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    one, two = np.asarray(first(x, training=True)), np.asarray(first(x, training=True))
    assert (one != two).any()
    np.testing.assert_array_equal(one, np.asarray(second(x, training=True)))
    np.testing.assert_array_equal(two, np.asarray(second(x, training=True)))
    np.testing.assert_array_equal(np.asarray(first(x)), x)
    np.testing.assert_array_equal(np.asarray(first.seed_generator.state), [3, 2])
    assert (one != np.asarray(layers.Dropout(0.5, seed=4)(x, training=True))).any()


def test_dropout_limits():
    x = draw(4, 5)
    np.testing.assert_array_equal(np.asarray(layers.Dropout(1.0)(x, training=True)), np.zeros((4, 5)))
    np.testing.assert_array_equal(np.asarray(layers.Dropout(0)(x, training=True)), x)
    assert not hasattr(layers.Dropout(0), "seed_generator")
    outputs = np.asarray(layers.Dropout(0.5, noise_shape=(None, 1, None))(np.ones((20, 5, 10)), training=True))
    np.testing.assert_array_equal(outputs[:, 0], outputs[:, 4])


@pytest.mark.parametrize(("name", "shape", "axes"), [("1D", (20, 3, 30), 1), ("2D", (20, 3, 4, 30), (1, 2))])
def test_spatial_dropout(name, shape, axes):
    outputs = np.asarray(getattr(layers, f"SpatialDropout{name}")(0.5)(np.ones(shape), training=True))
    np.testing.assert_array_equal(outputs.min(axis=axes), outputs.max(axis=axes))
    assert 0.4 < (outputs == 0).mean() < 0.6


def test_noise_statistics():
    x = np.ones((500, 400), "float32")
    noise = np.asarray(layers.GaussianNoise(0.3, seed=1)(x, training=True))
    assert abs(noise.mean() - 1) < 0.004 and abs(noise.std() - 0.3) < 0.003
    factor = np.asarray(layers.GaussianDropout(0.3, seed=1)(x, training=True))
    assert abs(factor.mean() - 1) < 0.008 and abs(factor.std() - np.sqrt(0.3 / 0.7)) < 0.006
    z = (noise - 1) / 0.3
    assert abs((z**3).mean()) < 0.03 and abs((z**4).mean() - 3) < 0.08
    selu = np.asarray(layers.AlphaDropout(0.3, seed=1)(draw(500, 400), training=True))
    assert abs(selu.mean()) < 0.01 and abs(selu.std() - 1) < 0.01


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_random_layers_keep_the_compute_dtype(policy):
    for layer in (layers.Dropout, layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout):
        made = layer(0.3, dtype=policy)
        assert made(draw(4, 5), training=True).dtype == made.compute_dtype


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"])
def test_rates_are_checked(name):
    for rate in (-0.1, 1.5):
        with pytest.raises(ValueError, match="Expected a float value between 0 and 1"):
            getattr(layers, name)(rate)


@pytest.mark.parametrize("noise_shape", ["ab", 3, (1, 2.5), (1, 0), (-1, 2)])
def test_noise_shapes_are_checked(noise_shape):
    with pytest.raises(ValueError, match="noise_shape"):
        layers.Dropout(0.5, noise_shape=noise_shape)


def _with_own_mask(kit):
    class Numbers(kit.layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = kit.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="ones")

        def call(self, x):
            return self.table(x) * 2

        def compute_mask(self, x, mask=None):
            return self.table.compute_mask(x)

    class Passing(kit.layers.Layer):
        supports_masking = True

        def call(self, x):
            return x + 1

    return Numbers(), Passing()


@pytest.mark.parametrize("second", [False, True], ids=["compute_mask", "supports_masking"])
def test_masks_of_own_layers_reach_the_loss(second):
    """A `compute_mask` of its own, or `supports_masking` of the class, is enough."""
    x, y = np.array([[1, 0, 2], [3, 4, 0]]), np.arange(18, dtype="float32").reshape(2, 3, 3)
    losses = []
    for kit in (keras, hornbeam_keras):
        numbers, passing = _with_own_mask(kit)
        inputs = kit.Input((3,), dtype="int32")
        outputs = passing(numbers(inputs)) if second else numbers(inputs)
        model = kit.Model(inputs, outputs)
        model.compile("sgd", "mse")
        losses.append(model.evaluate(x, y, verbose=0))
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
