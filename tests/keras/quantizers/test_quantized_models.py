"""Quantised layers and models against Keras's: values, gradients, variables, files both ways."""

from __future__ import annotations

import warnings

import keras as oracle
import numpy as np
import pytest

from hornbeam import GradientTape, keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 10)).astype("float32")
SEQUENCES = RNG.normal(size=(2, 3, 10)).astype("float32")
HEADS = RNG.normal(size=(2, 3, 4, 5)).astype("float32")
NUMBERS = RNG.integers(0, 11, (3, 4))
ROWS = np.random.default_rng(3).normal(size=(3, 11)).astype("float32")


def config(library, name, **options):
    return getattr(library.quantizers, name)(**options)


MODES = {
    "int8": lambda library: "int8",
    "int8 floats in": lambda library: config(library, "Int8QuantizationConfig", activation_quantizer=None),
    "int8 narrow": lambda library: config(
        library,
        "Int8QuantizationConfig",
        activation_quantizer=library.quantizers.AbsMaxQuantizer(value_range=(-63, 63)),
    ),
    "int4": lambda library: "int4",
    "int4 blocks": lambda library: config(library, "Int4QuantizationConfig", block_size=4),
    "int4 channels": lambda library: config(library, "Int4QuantizationConfig", block_size=None),
    "int4 both": lambda library: config(
        library,
        "Int4QuantizationConfig",
        block_size=None,
        activation_quantizer=library.quantizers.AbsMaxQuantizer(),
    ),
}
LAYERS = {
    "dense": (lambda it: it.layers.Dense(7, activation="relu"), X),
    "dense 3D": (lambda it: it.layers.Dense(6, use_bias=False), SEQUENCES),
    "einsum heads": (lambda it: it.layers.EinsumDense("abc,cde->abde", (3, 4, 5), bias_axes="de"), SEQUENCES),
    "einsum out": (lambda it: it.layers.EinsumDense("abde,dec->abc", (3, 6), bias_axes="c"), HEADS),
    "einsum turned": (lambda it: it.layers.EinsumDense("abc,dc->abd", (3, 4)), SEQUENCES),
    "embedding": (lambda it: it.layers.Embedding(11, 6), NUMBERS),
    "reversible": (lambda it: it.layers.ReversibleEmbedding(11, 6), NUMBERS),
    "reversible untied": (lambda it: it.layers.ReversibleEmbedding(11, 7, tie_weights=False), NUMBERS),
}


def pair(name):
    make, data = LAYERS[name]
    mine, other = make(keras), make(oracle)
    mine(data), other(data)
    mine.set_weights([RNG.normal(size=w.shape).astype("float32") for w in mine.weights])
    other.set_weights(mine.get_weights())
    return mine, other, data


def quantize(library, layer, mode):
    found = MODES[mode](library) if mode in MODES else mode
    with warnings.catch_warnings():
        if library is oracle:  # It warns of each layer that has no weights.
            warnings.simplefilter("ignore")
        layer.quantize(found) if isinstance(found, str) else layer.quantize(config=found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_equal_those_of_keras(name, mode):
    mine, other, data = pair(name)
    quantize(keras, mine, mode)
    quantize(oracle, other, mode)
    assert mine.dtype_policy.name == other.dtype_policy.name
    assert [(w.name, w.shape) for w in mine.trainable_weights] == [(w.name, w.shape) for w in other.trainable_weights]
    stores = {}, {}
    mine.save_own_variables(stores[0])
    other.save_own_variables(stores[1])
    assert list(stores[0]) == list(stores[1])
    for key, value in stores[1].items():
        assert stores[0][key].dtype == np.asarray(value).dtype
        np.testing.assert_allclose(stores[0][key], np.asarray(value), rtol=1e-6)
    np.testing.assert_allclose(mine(data), other(data), rtol=2e-5, atol=2e-5)
    if "reversible" in name:
        back = RNG.normal(size=(2, 3, mine.output_dim)).astype("float32")
        np.testing.assert_allclose(mine(back, reverse=True), other(back, reverse=True), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("mode", ["int8", "int4 blocks", "int4 both"])
@pytest.mark.parametrize("name", ["dense", "einsum heads", "einsum turned"])
def test_gradients_of_the_inputs_are_those_of_the_rounded_kernel(name, mode):
    import jax

    mine, other, data = pair(name)
    quantize(keras, mine, mode)
    quantize(oracle, other, mode)
    inputs = keras.ops.convert_to_tensor(data)
    with GradientTape() as tape:
        tape.watch(inputs)
        loss = keras.ops.sum(mine(inputs) ** 2)
    expected = jax.grad(lambda x: oracle.ops.sum(other(x) ** 2))(data)
    np.testing.assert_allclose(tape.gradient(loss, inputs), expected, rtol=1e-4, atol=1e-4)


def build(library, dtype=None):
    numbers = library.Input((4,), dtype="int32")
    floats = library.Input((10,))
    x = library.layers.Embedding(11, 6, name="table", dtype=dtype)(numbers)
    x = library.layers.EinsumDense("abc,cd->abd", (4, 8), bias_axes="d", name="einsum", dtype=dtype)(x)
    x = library.layers.Flatten()(x)
    x = library.layers.Concatenate()([x, library.layers.Dense(5, "relu", name="first", dtype=dtype)(floats)])
    return library.Model([numbers, floats], library.layers.Dense(3, name="last", dtype=dtype)(x))


@pytest.mark.parametrize("dtype", [None, "mixed_bfloat16"])
@pytest.mark.parametrize("mode", ["int8", "int4", "int4 channels"])
def test_models_and_files_both_ways(mode, dtype, tmp_path):
    mine, other = build(keras, dtype), build(oracle, dtype)
    mine.set_weights([RNG.normal(size=w.shape).astype("float32") for w in mine.weights])
    other.set_weights(mine.get_weights())
    quantize(keras, mine, mode)
    quantize(oracle, other, mode)
    data = [NUMBERS, X[:3]]
    found, expected = mine.predict(data, verbose=0), other.predict(data, verbose=0)
    # Sums of bfloat16 are rounded at other places in another program.
    tolerance = 1e-5 if dtype is None else 0.04
    found, expected = np.asarray(found, "float32"), np.asarray(expected, "float32")
    np.testing.assert_allclose(found, expected, atol=tolerance * np.abs(expected).max())
    mine.save(tmp_path / "mine.keras")
    other.save(tmp_path / "other.keras")
    again = keras.models.load_model(tmp_path / "mine.keras")
    np.testing.assert_array_equal(np.asarray(again.predict(data, verbose=0), "float32"), found)
    assert again.get_layer("last").dtype_policy == mine.get_layer("last").dtype_policy
    theirs = keras.models.load_model(tmp_path / "other.keras")
    np.testing.assert_allclose(np.asarray(theirs.predict(data, verbose=0), "float32"), found, rtol=1e-5, atol=1e-5)
    back = oracle.models.load_model(tmp_path / "mine.keras")
    np.testing.assert_allclose(np.asarray(back.predict(data, verbose=0), "float32"), expected, rtol=1e-5, atol=1e-5)


def test_training_in_float8_equals_keras(tmp_path):
    def made(library):
        layers = [
            library.Input((10,)),
            library.layers.Dense(8, "relu"),
            library.layers.EinsumDense("ab,bc->ac", 4, bias_axes="c"),
        ]
        return library.Sequential(layers)

    mine, other = made(keras), made(oracle)
    other.set_weights(mine.get_weights())
    y = RNG.normal(size=(6, 4)).astype("float32")
    losses = []
    for library, model in ((keras, mine), (oracle, other)):
        quantize(library, model, "float8")
        model.compile(library.optimizers.SGD(0.1), "mse")
        losses.append(model.fit(X, y, epochs=6, batch_size=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert losses[0][-1] < losses[0][0]
    for found, expected in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-2, atol=2e-3)
    mine.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), mine.predict(X, verbose=0))


def test_training_goes_on_after_quantising():
    model = build(keras)
    model.compile("sgd", "mse")
    y = np.zeros((3, 3), "float32")
    model.fit([NUMBERS, X[:3]], y, verbose=0)
    model.quantize("int8", filters="last|einsum")
    assert [layer.quantization_mode for layer in model.layers if layer.weights].count("int8") == 2
    before = model.get_layer("last").get_weights()
    losses = model.fit([NUMBERS, X[:3]], y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    after = model.get_layer("last").get_weights()
    assert (before[0] != after[0]).all()
    np.testing.assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("mode", MODES)
def test_an_equation_with_dots_is_that_of_a_dense_layer(mode):
    dots, dense = keras.layers.EinsumDense("...c,cd->...d", 5, bias_axes="d"), keras.layers.Dense(5)
    dots.build((None, None, 10)), dense.build((None, None, 10))
    dots.set_weights(dense.get_weights())
    quantize(keras, dots, mode)
    quantize(keras, dense, mode)
    np.testing.assert_allclose(dots(SEQUENCES), dense(SEQUENCES), rtol=1e-5, atol=1e-5)


def test_policies_make_quantised_layers():
    layer = keras.layers.Dense(3, dtype="int8_from_float32")
    layer.build((None, 4))
    assert layer.kernel.dtype == "int8" and layer.quantization_mode == "int8"
    plain = keras.layers.Dense(3)
    plain.build((None, 4))
    plain.dtype_policy = "int4/2_from_float32"
    assert plain.quantization_mode == "int4"


def test_refusals():
    layer = keras.layers.Dense(3, name="d")
    with pytest.raises(ValueError, match="no weights yet"):
        layer.quantize("int8")
    layer.build((None, 4))
    for mode, error in ((None, ValueError), ("int5", ValueError), ("gptq", NotImplementedError)):
        with pytest.raises(error):
            layer.quantize(mode)
    layer.quantize("int8")
    with pytest.raises(ValueError, match="already"):
        layer.quantize("int8")

    class Own(keras.layers.Dense):
        pass

    own = Own(3)
    own.build((None, 4))
    with pytest.raises(NotImplementedError, match="filters"):
        own.quantize("int8")
    own.quantize("int8", type_check=False)
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
    with pytest.warns(UserWarning, match="quantised form"):
        model.quantize("int8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.1), keras.layers.Dense(1)]).quantize("int8")
    with pytest.raises(ValueError, match="filters"):
        model.quantize("int8", filters=3)


@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16"])
@pytest.mark.parametrize("mode", ["int8", "int4 blocks", "int4 channels"])
@pytest.mark.parametrize("name", ["Dense", "Embedding", "ReversibleEmbedding"])
def test_narrow_policies_give_the_same_integers_and_dtypes(name, mode, policy):
    weights = [np.random.default_rng(2).normal(size=(11, 8)).astype("float32")]
    found = []
    for library in (keras, oracle):
        options = {"use_bias": False} if name == "Dense" else {}
        layer = getattr(library.layers, name)(*((8,) if name == "Dense" else (11, 8)), dtype=policy, **options)
        layer.build((None, 11) if name == "Dense" else (None, 4))
        layer.set_weights(weights)
        wanted = MODES[mode](library)
        layer.quantize(wanted) if isinstance(wanted, str) else layer.quantize(config=wanted)
        outputs = [layer(ROWS if name == "Dense" else NUMBERS)]
        if name == "ReversibleEmbedding":
            outputs.append(layer(outputs[0], reverse=True))
        outputs = [library.ops.convert_to_numpy(one) for one in outputs]
        found.append(outputs + [library.ops.convert_to_numpy(weight.value) for weight in layer.weights])
    for mine, other in zip(*found, strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine.astype("float32"), other.astype("float32"))


def test_variables_of_an_untied_table_come_in_the_order_of_keras():
    found = []
    for library in (keras, oracle):
        layer = library.layers.ReversibleEmbedding(11, 8, tie_weights=False)
        layer.build((None, 4))
        layer.quantize(config=config(library, "Int4QuantizationConfig", block_size=4))
        found.append([(weight.name, tuple(weight.shape)) for weight in layer.weights])
    assert found[0] == found[1]
