"""What the contract does not cover, layer by layer: masks, random numbers, errors, arguments of several forms."""

import warnings

import keras
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError, UnsafeFileError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.keras import layers, saving
from hornbeam.keras.layers.base import calling

pytestmark = pytest.mark.numeric


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def masked_pair(array, mask):
    ours, theirs = from_host(array), keras.ops.convert_to_tensor(array)
    if mask is not None:
        ours._keras_mask = from_host(mask)
        keras.src.backend.set_keras_mask(theirs, keras.ops.convert_to_tensor(mask))
    return ours, theirs


def mask_of(tensor):
    mask = getattr(tensor, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)


# --- masks ---------------------------------------------------------------------------------------
FIRST = np.array([[True, True, False, False], [True, False, True, False], [False] * 4])
SECOND = np.array([[True, False, True, False], [False, False, True, True], [True] * 4])


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


def test_layers_without_masks_warn():
    with pytest.warns(UserWarning, match="does not support masking"):
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
    with pytest.raises(ValueError, match="must not have more dimensions"):
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
    with pytest.raises(ValueError, match="one dimension less"):
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


# --- errors --------------------------------------------------------------------------------------
def symbols(*shapes):
    return [KerasTensor((None, *shape)) for shape in shapes]


def test_shapes_that_do_not_fit():
    """Rows of the errors that users see most: the text is what they search for."""
    with pytest.raises(
        ValueError, match=r"Inputs have incompatible shapes. Received shapes \(26, 26, 30\) and \(28, 28, 10\)"
    ):
        layers.Add()(symbols((26, 26, 30), (28, 28, 10)))
    with pytest.raises(ValueError, match="matching shapes except for the concatenation axis"):
        layers.Concatenate()(symbols((2, 3), (4, 3)))
    with pytest.raises(ValueError, match="different batch sizes"):
        layers.Multiply()([draw(3, 2), draw(4, 2)])
    with pytest.raises(ValueError, match="Incompatible input shapes: axis values 3"):
        layers.Dot(axes=1)([draw(2, 3), draw(2, 4)])
    with pytest.raises(ValueError, match="exactly 2 inputs"):
        layers.Subtract()([draw(2, 3)] * 3)
    with pytest.raises(ValueError, match="should be called on a list"):
        layers.Add()(draw(2, 3))
    with pytest.raises(ValueError, match="total size of the tensor must be unchanged"):
        layers.Reshape((5,))(draw(2, 3))
    with pytest.raises(ValueError, match="smaller than the corresponding spatial dimension"):
        layers.Cropping2D(3)(draw(2, 6, 8, 1))
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        layers.TimeDistributed(layers.Dense(2))(draw(2, 3))
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layers.ZeroPadding1D()(draw(2, 3))
    with pytest.raises(ValueError, match="multiple of the number of channels"):
        layers.GroupNormalization(4)(draw(2, 6))
    with pytest.raises(ValueError, match="cannot be more than"):
        layers.GroupNormalization()(draw(2, 6))
    with pytest.raises(ValueError, match="out of bounds"):
        layers.LayerNormalization(axis=3).compute_output_shape((2, 3))


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("Embedding", {"input_dim": 0, "output_dim": 2}, ValueError),
        ("Embedding", {"input_dim": 2, "output_dim": True}, ValueError),
        ("Permute", {"dims": (2, 3)}, ValueError),
        ("RepeatVector", {"n": 1.5}, TypeError),
        ("UpSampling1D", {"size": 0}, ValueError),
        ("Reshape", {"target_shape": (-1, -1)}, ValueError),
        ("Cropping2D", {"cropping": (1, 2, 3)}, ValueError),
        ("Cropping3D", {"cropping": -1}, ValueError),
        ("ZeroPadding2D", {"padding": ((1, -1), (0, 0))}, ValueError),
        ("ZeroPadding1D", {"padding": "ab"}, ValueError),
        ("ReLU", {"max_value": -1.0}, ValueError),
        ("ReLU", {"threshold": None}, ValueError),
        ("LeakyReLU", {"negative_slope": None}, ValueError),
        ("Dot", {"axes": "a"}, TypeError),
        ("Dot", {"axes": (1, 2, 3)}, ValueError),
        ("GroupNormalization", {"groups": 0}, ValueError),
        ("LayerNormalization", {"axis": "last"}, TypeError),
        ("UnitNormalization", {"axis": 1.5}, TypeError),
        ("TimeDistributed", {"layer": "dense"}, ValueError),
        ("Wrapper", {"layer": None}, ValueError),
    ],
)
def test_wrong_arguments(name, arguments, error):
    """The same types of errors as the oracle's."""
    with pytest.raises(error):
        getattr(keras.layers, name)(**arguments)
    with pytest.raises(error):
        getattr(layers, name)(**arguments)


@pytest.mark.parametrize("option", [{"lora_rank": 2}, {"quantization_config": {"a": 1}}])
def test_altered_weights_are_refused(option):
    for make in (lambda **o: layers.Embedding(3, 2, **o), lambda **o: layers.EinsumDense("ab,bc->ac", 2, **o)):
        with pytest.raises(NotSupportedError):
            make(**option)


@pytest.mark.parametrize("equation", ["ab,bc", "ab,bd->ac", "ab,bcx->ac", "abc,cd->abe"])
def test_einsum_equations_are_checked(equation):
    with pytest.raises(ValueError):
        layers.EinsumDense(equation, 3)(draw(2, 4))


# --- single layers -------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32"])
def test_embedding_takes_any_integers(dtype):
    layer = layers.Embedding(5, 3)
    ids = np.array([[0, 4], [2, 2]], dtype)
    np.testing.assert_array_equal(np.asarray(layer(ids)), np.asarray(layer.embeddings)[ids.astype(int)])


def test_embedding_arguments():
    table = draw(5, 3)
    for weights in (table, [table]):
        np.testing.assert_array_equal(np.asarray(layers.Embedding(5, 3, weights=weights).embeddings), table)
    with pytest.warns(UserWarning, match="input_length"):
        assert "input_length" not in layers.Embedding(5, 3, input_length=4).get_config()


def test_embedding_outside_of_the_table():
    """Numbers that are no row's give NaN instead of another row."""
    ours, theirs = layers.Embedding(5, 3), keras.layers.Embedding(5, 3)
    ids = np.array([5, 1, -1])
    ours(ids), theirs(ids)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(np.asarray(ours(ids)), np.asarray(theirs(ids)))


def test_thresholded_relu():
    layer = layers.ThresholdedReLU(0.5)
    np.testing.assert_array_equal(np.asarray(layer(np.array([-1.0, 0.5, 0.6]))), np.float32([0, 0, 0.6]))
    assert layer.get_config()["theta"] == 0.5
    assert tuple(layer(KerasTensor((None, 3))).shape) == (None, 3)
    with pytest.raises(ValueError, match="should be >=0"):
        layers.ThresholdedReLU(-1)


def test_old_argument_names():
    with pytest.warns(UserWarning, match="negative_slope"):
        assert layers.LeakyReLU(alpha=0.2).negative_slope == 0.2
    with pytest.warns(UserWarning, match="rms_scaling"):
        ours = layers.LayerNormalization(rms_scaling=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = keras.layers.LayerNormalization(rms_scaling=True)
        x = draw(3, 4)
        np.testing.assert_allclose(np.asarray(ours(x)), np.asarray(theirs(x)), rtol=1e-5)
    assert len(ours.weights) == len(theirs.weights) == 1


def test_lambda():
    layer = layers.Lambda(lambda x, mask, training: (x + 1, mask, training))
    with pytest.warns(UserWarning, match="does not support masking"):
        outputs, mask, training = layer(masked_pair(draw(3, 4, 5), FIRST)[0], training=True)
    np.testing.assert_array_equal(np.asarray(mask), FIRST)
    assert training is True
    np.testing.assert_allclose(np.asarray(outputs), draw(3, 4, 5) + 1)
    assert tuple(layers.Lambda(lambda x: x[:, 0])(KerasTensor((None, 4, 5))).shape) == (None, 5)
    assert tuple(layers.Lambda(lambda x: x, output_shape=(7,))(KerasTensor((None, 4))).shape) == (None, 7)
    with pytest.raises(NotImplementedError, match="output_shape"):
        layers.Lambda(lambda x: x.no_such_method())(KerasTensor((None, 4)))


def test_lambda_code_is_refused_in_safe_mode():
    config = layers.Lambda(lambda x: x * 3).get_config()
    assert config["function"].keys() == {"class_name", "config"}
    with pytest.raises(UnsafeFileError):
        layers.Lambda.from_config(config)
    read = layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_allclose(np.asarray(read(draw(2, 3))), draw(2, 3) * 3)
    theirs = keras.layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_allclose(np.asarray(theirs(draw(2, 3))), draw(2, 3) * 3)


def test_functions_of_layers():
    x, y = draw(2, 3, 4), draw(2, 3, 4, seed=1)
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"):
        ours, theirs = getattr(layers, name)([x, y]), getattr(keras.layers, name)([x, y])
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-6)
    ours, theirs = layers.dot([x, y], axes=(2, 2)), keras.layers.dot([x, y], axes=(2, 2))
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-5, atol=1e-6)
    assert layers.concatenate([x, y], axis=1).shape == (2, 6, 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Reshape((4, 2)),
        layers.Flatten,
        lambda: layers.Permute((2, 1)),
        layers.ZeroPadding1D,
        layers.Cropping1D,
        layers.UpSampling1D,
        layers.Identity,
    ],
)
def test_integers_stay_integers(make):
    layer = make()
    x = np.arange(16, dtype="int32").reshape(2, 4, 2)
    assert layer(x).dtype == "int32"
    assert make()(KerasTensor((None, 4, 2), "int32")).dtype == "int32"


# --- TimeDistributed and Wrapper -----------------------------------------------------------------
def test_time_distributed_folds_or_loops(monkeypatch):
    """One call for all steps where samples are independent, one per step where a call moves statistics."""
    calls = []
    x = draw(4, 3, 5)

    def counted(kind):
        original = kind.call
        monkeypatch.setattr(kind, "call", lambda self, *a, **k: calls.append(1) or original(self, *a, **k))

    counted(layers.Dense)
    layers.TimeDistributed(layers.Dense(2))(x)
    assert len(calls) == 1
    calls.clear()
    counted(layers.BatchNormalization)
    layer = layers.TimeDistributed(layers.BatchNormalization())
    layer(x)
    assert len(calls) == 1
    calls.clear()
    layer(x, training=True)
    assert len(calls) == 3


def test_time_distributed_mask():
    layer = layers.TimeDistributed(layers.Dense(2))
    with pytest.raises(ValueError, match="incompatible with the input"):
        layer(draw(2, 3, 4), mask=np.ones((2, 5), bool))
    ours, theirs = layers.TimeDistributed(layers.Softmax()), keras.layers.TimeDistributed(keras.layers.Softmax())
    mask = draw(2, 3, 4, seed=1) > 0
    expected = np.asarray(theirs(draw(2, 3, 4), mask=mask))
    np.testing.assert_allclose(np.asarray(ours(draw(2, 3, 4), mask=mask)), expected, rtol=1e-6, atol=1e-7)


class Twice(layers.Wrapper):
    def call(self, inputs):
        return self.layer(self.layer(inputs))


def test_wrapper():
    layer = Twice(layers.Dense(4, name="inner"), name="outer")
    assert layer(draw(2, 4)).shape == (2, 4)
    assert [weight.path for weight in layer.weights] == ["outer/inner/kernel", "outer/inner/bias"]
    config = layer.get_config()
    assert config["layer"]["class_name"] == "Dense"
    assert isinstance(Twice.from_config(config).layer, layers.Dense)


# --- user layers ---------------------------------------------------------------------------------
@saving.register_keras_serializable(package="tests")
class Scale(layers.Layer):
    def __init__(self, factor, start="ones", **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.start = start

    def build(self, input_shape):
        self.weight = self.add_weight(name="weight", shape=(input_shape[-1],), initializer=self.start)

    def call(self, inputs):
        return inputs * self.weight * self.factor


def test_user_layer_round_trip():
    """A layer without `get_config` is stored with the arguments it was made with."""
    layer = Scale(3.0, start="zeros", name="mine")
    layer(draw(2, 4))
    config = saving.serialize_keras_object(layer)
    assert config["registered_name"] == "tests>Scale"
    assert config["config"]["factor"] == 3.0
    read = saving.deserialize_keras_object(config)
    assert type(read) is Scale and read.name == "mine" and read.start == "zeros"
    assert read.built and tuple(read.weight.shape) == (4,)


def test_building_by_hand_builds_once():
    layer = Scale(2.0, name="mine")
    layer.build((None, 4))
    assert layer.built and layer.get_build_config() == {"input_shape": (None, 4)}
    layer(draw(2, 4))
    assert len(layer.weights) == 1 and layer.weights[0].path == "mine/weight"


def test_activity_regularizers_count_per_sample():
    layer = layers.Dense(3, activity_regularizer="l2", kernel_initializer="ones")
    x = np.ones((4, 2), "float32")
    layer(x)
    # Each output is 2: the l2 penalty of a sample is 0.01 * 3 * 4.
    np.testing.assert_allclose([float(loss) for loss in layer.losses], [0.12], rtol=1e-6)


def test_one_program_for_masked_inputs(monkeypatch):
    made = []
    plan = calling.Plan
    monkeypatch.setattr(calling, "Plan", lambda *args: made.append(1) or plan(*args))
    layer = layers.Maximum()
    for seed in range(3):
        layer([masked_pair(draw(3, 4, 5, seed=seed), FIRST)[0], masked_pair(draw(3, 4, 5), SECOND)[0]])
    assert len(made) == 1
