"""What the contract does not cover, layer by layer: errors, and arguments of several forms."""

import warnings

import keras
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError, UnsafeFileError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.keras import layers
from tests.keras.layers.samples import FIRST, draw, masked_pair

pytestmark = pytest.mark.numeric


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
    with pytest.raises(ValueError, match=r"differ in size: 3 \(axis 1 .* and 4 \(axis 1"):
        layers.Dot(axes=1)([draw(2, 3), draw(2, 4)])
    with pytest.raises(ValueError, match="exactly 2 inputs"):
        layers.Subtract()([draw(2, 3)] * 3)
    with pytest.raises(ValueError, match="Add takes a list of tensors"):
        layers.Add()(draw(2, 3))
    with pytest.raises(ValueError, match="has 3 elements, which do not fill"):
        layers.Reshape((5,))(draw(2, 3))
    with pytest.raises(ValueError, match="`cropping` leaves nothing of the input"):
        layers.Cropping2D(3)(draw(2, 6, 8, 1))
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        layers.TimeDistributed(layers.Dense(2))(draw(2, 3))
    with pytest.raises(ValueError, match=r"expected ndim=3, found ndim=2"):
        layers.ZeroPadding1D()(draw(2, 3))
    with pytest.raises(ValueError, match="6 channels do not split evenly into groups=4"):
        layers.GroupNormalization(4)(draw(2, 6))
    with pytest.raises(ValueError, match="6 channels are too few for groups=32"):
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


def test_altered_weights_are_refused():
    for make in (lambda **o: layers.Embedding(3, 2, **o), lambda **o: layers.EinsumDense("ab,bc->ac", 2, **o)):
        with pytest.raises(ValueError):
            make(quantization_config={"a": 1})
    with pytest.raises(NotSupportedError, match="gptq"):
        layers.EinsumDense("ab,bc->ac", 2, gptq_unpacked_column_size=3)


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
    """Numbers that are no row's are refused; in compiled programs they give NaN instead of another row."""
    ours, theirs = layers.Embedding(5, 3, name="words"), keras.layers.Embedding(5, 3)
    ids = np.array([5, 1, -1])
    theirs(ids), ours(ids[1:2])
    with pytest.raises(InvalidArgumentError, match=r"'words' has no row.*\n.*0 to 4.*\n.*-1 to 5"):
        ours(ids)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(np.asarray(tf.function(ours)(ids)), np.asarray(theirs(ids)))


def test_thresholded_relu():
    layer = layers.ThresholdedReLU(0.5)
    np.testing.assert_array_equal(np.asarray(layer(np.array([-1.0, 0.5, 0.6]))), np.float32([0, 0, 0.6]))
    assert layer.get_config()["theta"] == 0.5
    assert tuple(layer(KerasTensor((None, 3))).shape) == (None, 3)
    with pytest.raises(ValueError, match="`theta` is a number of at least 0"):
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
    with pytest.warns(UserWarning, match="takes no mask"):
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


# --- calls of the user's own ---------------------------------------------------------------------
def test_a_recurrent_layer_says_that_the_time_axis_is_missing():
    with pytest.raises(ValueError, match=r"expected ndim=3, found ndim=2.*return_sequences=True"):
        layers.LSTM(2)(layers.LSTM(3)(KerasTensor((None, 5, 2))))


def test_a_call_without_return_says_so():
    class Forgetful(layers.Layer):
        def call(self, x):
            x * 2

    with pytest.raises(ValueError, match=r"gave None\. Does it lack a `return`"):
        Forgetful()(KerasTensor((None, 4)))


def test_training_without_a_default_is_filled_in():
    class Noisy(layers.Layer):
        def call(self, x, training):
            return x + 1 if training else x

    inputs = tf.keras.Input((2,))
    model = tf.keras.Model(inputs, Noisy()(inputs))
    x = np.ones((1, 2), "float32")
    assert [float(model(x, training=flag)[0, 0]) for flag in (False, True)] == [1.0, 2.0]
    assert float(Noisy()(x)[0, 0]) == 1.0


def test_python_branches_on_values_in_a_functional_model():
    class Branching(layers.Layer):
        def call(self, x):
            if tf.reduce_sum(x) > 0:
                return x * 2
            return -x

    inputs = tf.keras.Input((3,))
    model = tf.keras.Model(inputs, Branching()(inputs))
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(model(np.ones((1, 3))), np.full((1, 3), 2.0))
    with pytest.warns(UserWarning, match="runs eagerly"):
        np.testing.assert_array_equal(model.predict(-np.ones((1, 3)), verbose=0), np.ones((1, 3)))
