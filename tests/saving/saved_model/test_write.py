"""SavedModels written here: read back as Keras models and as functions."""

import os
import warnings

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError, UnsafeFileError, UnsupportedFileError
from hornbeam.saving.protos import decode, encode, message

layers = keras.layers
pytestmark = pytest.mark.format
X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 12)


def classifier():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two_in_two_out():
    image, side = keras.Input((6, 6, 2), name="image"), keras.Input((4,), name="side")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3, activation="relu", padding="same")(image))
    x = layers.Concatenate()([x, layers.Dense(2)(side)])
    return keras.Model({"image": image, "side": side}, [layers.Dense(2, name="z")(x), layers.Dense(1, name="a")(x)])


def test_files_and_training(tmp_path):
    model = classifier()
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / "model")
    names = set(os.listdir(tmp_path / "model"))
    assert names == {"assets", "variables", "saved_model.pb", "keras_metadata.pb", "fingerprint.pb"}
    again = keras.models.load_model(tmp_path / "model")
    assert again.evaluate(X, Y, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)
    for each in (model, again):
        each.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(again.optimizer.iterations) == 4
    bare = keras.models.load_model(tmp_path / "model", compile=False)
    assert not bare.compiled


def test_no_machine_path_in_the_file(tmp_path):
    classifier().save(tmp_path / "model")
    content = (tmp_path / "model" / "saved_model.pb").read_bytes()
    assert b"site-packages" not in content and os.fsencode(os.getcwd()) not in content


def test_any_batch_size(tmp_path):
    model = classifier()
    model.save(tmp_path / "model")
    loaded = tf.saved_model.load(tmp_path / "model")
    for count in (1, 5, 12):
        expected = model.predict(X[:count], verbose=0)
        np.testing.assert_allclose(np.asarray(loaded(X[:count])), expected, atol=1e-6)
        served = loaded.signatures["serving_default"](tf.constant(X[:count]))
        np.testing.assert_allclose(np.asarray(next(iter(served.values()))), expected, atol=1e-6)
    assert len(loaded.trainable_variables) == 6


OPEN_SIZES = {
    "recurrent": ((None, 4), [layers.Bidirectional(layers.LSTM(3))], [(2, 5, 4), (3, 1, 4)]),
    "masked": ((None,), [layers.Embedding(9, 4, mask_zero=True), layers.GRU(3)], [(2, 5), (3, 7)]),
    "resized": ((None, None, 3), [layers.Resizing(8, 7), layers.Conv2D(2, 3)], [(2, 9, 6, 3), (1, 16, 12, 3)]),
    "penalty": ((4,), [layers.Dense(3, activity_regularizer="l2")], [(2, 4), (5, 4)]),
    "strided": (
        (None, None, 3),
        [layers.Conv2D(4, 3, 2, "same"), layers.DepthwiseConv2D(3, 2, "same"), layers.Conv2D(2, 1, 2, "same")],
        [(2, 9, 7, 3), (1, 8, 8, 3), (2, 1, 2, 3), (3, 11, 30, 3)],
    ),
    "wide steps": ((None, None, 3), [layers.Conv2D(2, 2, 3, "same")], [(2, 9, 7, 3), (1, 8, 10, 3), (2, 1, 2, 3)]),
    "means": (
        (None, None, 3),
        [layers.AveragePooling2D(3, 2, "same"), layers.AveragePooling2D(2, 1, "same"), layers.AveragePooling2D(1, 2)],
        [(2, 9, 7, 3), (1, 8, 8, 3), (2, 3, 2, 3)],
    ),
    "maxima": (
        (None, 3),
        [layers.MaxPooling1D(3, 2, "same"), layers.MaxPooling1D(1, 3, "same")],
        [(2, 9, 3), (1, 2, 3)],
    ),
    "volumes": ((None, None, None, 2), [layers.AveragePooling3D(2, 2, "same")], [(2, 3, 4, 5, 2), (1, 1, 2, 1, 2)]),
}


@pytest.mark.parametrize("name", OPEN_SIZES)
def test_any_size_of_other_axes(tmp_path, name):
    shape, parts, sizes = OPEN_SIZES[name]
    model = keras.Sequential([keras.Input(shape), *parts])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    for size in sizes:
        x = np.random.default_rng(0).uniform(0, 9, size).astype("float32")
        # Places between pixels are rounded otherwise where sizes are open; neighbours differ by up to 9.
        np.testing.assert_allclose(loaded.serve(x), model(x, training=False), rtol=1e-5, atol=9e-6)


@pytest.mark.parametrize(
    ("parts", "word", "size"),
    [
        ([layers.CenterCrop(4, 4)], "4 and more", 7),
        ([layers.MaxPooling2D(), layers.UpSampling2D()], "2 and more", 5),
        ([layers.AveragePooling2D(3, 2)], "3 and more", 3),
    ],
    ids=["crop", "pool", "mean"],
)
def test_sizes_are_limited_as_little_as_can_be(tmp_path, parts, word, size):
    model = keras.Sequential([keras.Input((None, None, 2)), *parts])
    with pytest.warns(UserWarning, match=f"sizes of {word}"):
        model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    x = np.random.default_rng(0).random((3, size, size + 1, 2), "float32")
    np.testing.assert_allclose(loaded.serve(x), model(x, training=False), rtol=1e-6)
    with pytest.raises(ValueError, match=r"size|shape|dimension"):
        loaded.serve(x[:, :1, :1])


def test_branches_of_equal_strides_meet_at_any_size(tmp_path):
    """A residual block that halves: windows of 3 and of 1, both padded, have results of the same size."""
    x = keras.Input((None, None, 2))
    way = layers.Conv2D(4, 3, padding="same")(layers.Conv2D(4, 3, 2, "same")(x))
    parts = [way, layers.Conv2D(4, 1, 2, "same")(x), layers.MaxPooling2D(3, 2, "same")(layers.Conv2D(4, 1)(x))]
    model = keras.Model(x, layers.AveragePooling2D(2, padding="same")(layers.Add()(parts)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    for height, width in ((1, 1), (6, 9), (7, 4), (13, 10)):
        x = np.random.default_rng(0).random((2, height, width, 2), "float32")
        np.testing.assert_allclose(loaded.serve(x), model(x, training=False), rtol=1e-5, atol=1e-6)


def test_halves_that_are_doubled_again_need_even_sizes(tmp_path):
    x = keras.Input((None, None, 2))
    model = keras.Model(x, layers.Add()([x, layers.UpSampling2D()(layers.MaxPooling2D()(x))]))
    with pytest.warns(UserWarning, match="multiples of 2"):
        model.export(tmp_path / "model", verbose=False)
    x = np.random.default_rng(0).random((3, 6, 8, 2), "float32")
    served = tf.saved_model.load(tmp_path / "model").serve(x)
    np.testing.assert_allclose(served, model(x, training=False), rtol=1e-6)


def test_errors_that_are_not_about_sizes_are_not_met_for_every_limit(tmp_path):
    unknown = []

    class Counted(layers.Layer):
        def call(self, inputs):
            if not all(isinstance(size, int) for size in inputs._value.shape):
                unknown.append(inputs)
                raise RuntimeError("only plain numbers here")
            return inputs

    x = keras.Input((None, None, 2))
    model = keras.Model(x, Counted()(x))
    with pytest.warns(UserWarning, match="only plain numbers here"):
        model.export(tmp_path / "model", verbose=False)
    assert len(unknown) == 2  # for all sizes, and for equal sizes of equal axes


def test_names_of_inputs_and_outputs(tmp_path):
    model = two_in_two_out()
    rng = np.random.default_rng(0)
    inputs = {"image": rng.random((3, 6, 6, 2), "float32"), "side": rng.random((3, 4), "float32")}
    model.save(tmp_path / "model")
    expected = model.predict(inputs, verbose=0)
    serving = tf.saved_model.load(tmp_path / "model").signatures["serving_default"]
    found = serving(**inputs)
    assert set(found) == {"a", "z"}
    np.testing.assert_allclose(np.asarray(found["z"]), expected[0], atol=1e-6)
    np.testing.assert_allclose(np.asarray(found["a"]), expected[1], atol=1e-6)
    with pytest.raises(TypeError, match="side"):
        serving(image=inputs["image"])
    again = keras.models.load_model(tmp_path / "model")
    np.testing.assert_allclose(again.predict(inputs, verbose=0)[1], expected[1], atol=1e-6)


LAYERS = {
    "conv": ((7, 7, 2), lambda: layers.Conv2D(3, 3, strides=2, padding="same")),
    "transpose": ((4, 4, 2), lambda: layers.Conv2DTranspose(3, 3, strides=2)),
    "pool": ((6, 6, 2), lambda: layers.AveragePooling2D(3, 2, padding="same")),
    "crop": ((6, 6, 2), lambda: layers.Cropping2D(1)),
    "upsample": ((3, 3, 2), lambda: layers.UpSampling2D(2, interpolation="bilinear")),
    "lstm": ((5, 3), lambda: layers.LSTM(4, return_sequences=True)),
    "gru": ((5, 3), lambda: layers.Bidirectional(layers.GRU(2))),
    "norm": ((5, 3), lambda: layers.LayerNormalization()),
    "reshape": ((6,), lambda: layers.Reshape((3, -1))),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_for_any_batch_size(tmp_path, name):
    shape, make = LAYERS[name]
    inputs = keras.Input(shape)
    model = keras.Model(inputs, make()(inputs))
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    for count in (1, 3):
        x = np.random.default_rng(count).random((count, *shape), "float32")
        np.testing.assert_allclose(np.asarray(loaded.serve(x)), model.predict(x, verbose=0), atol=1e-5)


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        self.count = tf.Variable(0)
        self.parts = [tf.Variable(1.0)]

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def run(self, x):
        self.count.assign_add(1)
        return x @ self.w + self.parts[0]

    @tf.function
    def scaled(self, x, factor=2):
        return {"a": x * factor, "b": x + self.w}


def test_modules(tmp_path):
    net = Net()
    net.scaled(tf.ones((2, 2)))
    net.scaled(tf.ones((2, 2)), 3)
    tf.saved_model.save(net, tmp_path / "m", signatures=net.run)
    assert tf.saved_model.contains_saved_model(tmp_path / "m")
    loaded = tf.saved_model.load(tmp_path / "m")
    assert loaded.run([[1.0, 1.0]]).numpy().tolist() == [[5, 7]]
    assert loaded.run(tf.ones((3, 2))).shape == (3, 2) and int(loaded.count) == 2
    assert loaded.scaled(tf.ones((2, 2)))["a"].numpy().tolist() == [[2, 2], [2, 2]]
    assert loaded.scaled(tf.ones((2, 2)), factor=3)["a"].numpy()[0, 0] == 3
    assert loaded.signatures["serving_default"](x=tf.ones((1, 2)))["output_0"].shape == (1, 2)
    with pytest.raises(ValueError, match="not compiled for"):
        loaded.scaled(tf.ones((2, 2)), 4)
    loaded.w.assign([[0.0, 0.0], [0.0, 0.0]])
    assert loaded.run([[1.0, 1.0]]).numpy().tolist() == [[1, 1]]


def test_export_archive(tmp_path):
    model = classifier()
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda x: model(x), input_signature=[tf.TensorSpec([None, 6], tf.float32)])
    archive.add_endpoint("double", lambda x: 2 * model(x), input_signature=[keras.layers.InputSpec(shape=(None, 6))])
    archive.add_variable_collection("first", model.variables[:1])
    archive.write_out(tmp_path / "m", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "m")
    np.testing.assert_allclose(np.asarray(loaded.double(X)), 2 * np.asarray(loaded.serve(X)), rtol=1e-6)
    assert len(loaded.first) == 1
    with pytest.raises(ValueError):
        archive.add_endpoint("serve", lambda x: x, input_signature=[tf.TensorSpec([None, 6])])
    with pytest.raises(NotSupportedError):
        model.export(tmp_path / "o", format="onnx")


def test_layer_of_a_saved_model(tmp_path):
    model = classifier()
    model.export(tmp_path / "m", verbose=False)
    layer = keras.layers.TFSMLayer(tmp_path / "m", call_endpoint="serve")
    np.testing.assert_allclose(np.asarray(layer(X)), model.predict(X, verbose=0), atol=1e-6)
    inputs = keras.Input((6,))
    outer = keras.Model(inputs, layer(inputs) * 2.0)
    np.testing.assert_allclose(outer.predict(X, verbose=0), 2 * model.predict(X, verbose=0), atol=1e-6)
    with pytest.raises(ValueError, match="no endpoint"):
        keras.layers.TFSMLayer(tmp_path / "m", call_endpoint="other")
    outer.save(tmp_path / "outer.keras")
    with pytest.raises(UnsafeFileError):
        keras.models.load_model(tmp_path / "outer.keras")


def test_hub_layer(tmp_path):
    from hornbeam import hub

    model = classifier()
    model.save(tmp_path / "m")
    frozen = hub.KerasLayer(str(tmp_path / "m"))
    np.testing.assert_allclose(np.asarray(frozen(X)), model.predict(X, verbose=0), atol=1e-6)
    assert not frozen.trainable_weights
    assert len(hub.KerasLayer(str(tmp_path / "m"), trainable=True).trainable_weights) == 6
    with pytest.raises(NotSupportedError, match="address"):
        hub.KerasLayer("https://example.org/model/1")


def rewritten(folder, change):
    """The folder with its graph changed by a function."""
    path = folder / "saved_model.pb"
    model = decode("SavedModel", path.read_bytes())
    change(model.meta_graphs[0])
    path.write_bytes(encode(message("SavedModel", saved_model_schema_version=1, meta_graphs=model.meta_graphs)))


def test_unknown_operations_are_named_and_never_run(tmp_path):
    net = Net()
    tf.saved_model.save(net, tmp_path / "m", signatures=net.run)

    def change(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "XlaCallModule":
                    node.op = "PyFunc"

    rewritten(tmp_path / "m", change)
    loaded = tf.saved_model.load(tmp_path / "m")
    with pytest.raises(UnsupportedFileError, match="PyFunc"):
        loaded.run([[1.0, 1.0]])


def test_assets_stay_inside(tmp_path):
    net = Net()
    tf.saved_model.save(net, tmp_path / "m")

    def change(graph):
        graph.asset_file_def = [message("AssetFileDef", filename="../../secret")]
        graph.object_graph_def.nodes[0].children = [
            *graph.object_graph_def.nodes[0].children,
            message("ObjectReference", node_id=len(graph.object_graph_def.nodes), local_name="file"),
        ]
        graph.object_graph_def.nodes = [
            *graph.object_graph_def.nodes,
            message("SavedObject", asset=message("SavedAsset", asset_file_def_index=0)),
        ]

    rewritten(tmp_path / "m", change)
    with pytest.raises(UnsafeFileError, match="leads out"):
        tf.saved_model.load(tmp_path / "m")


def test_programs_must_not_call_outside_code(tmp_path):
    import jax
    from jax import export

    foreign = jax.ffi.ffi_call("some_native_code", jax.ShapeDtypeStruct((2,), "float32"))
    allowed = [export.DisabledSafetyCheck.custom_call("some_native_code")]
    exported = export.export(jax.jit(foreign), disabled_checks=allowed)(jax.ShapeDtypeStruct((2,), "float32"))
    net = Net()
    tf.saved_model.save(net, tmp_path / "m", signatures=net.run)

    def change(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "XlaCallModule":
                    node.attr["module"].s = exported.mlir_module_serialized

    rewritten(tmp_path / "m", change)
    with pytest.raises(UnsafeFileError, match="some_native_code"):
        tf.saved_model.load(tmp_path / "m").run([[1.0, 1.0]])


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="input shape"):
        keras.Sequential([layers.Dense(2)]).save(tmp_path / "m")
    with pytest.raises(ValueError, match="input_signature"):
        tf.saved_model.save(Net(), tmp_path / "m", signatures=tf.function(lambda x: x))
    with pytest.raises(NotSupportedError):
        tf.saved_model.SaveOptions(save_debug_info=True)
    with pytest.raises(NotSupportedError):
        tf.saved_model.LoadOptions(allow_partial_checkpoint=True)
    assert not os.path.exists(tmp_path / "m")


def test_what_was_there_stays_if_saving_fails(tmp_path):
    classifier().save(tmp_path / "m")
    before = (tmp_path / "m" / "saved_model.pb").read_bytes()

    class Strings(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def run(self, x):
            return x

    with pytest.raises(NotSupportedError, match="strings"):
        tf.saved_model.save(Strings(), tmp_path / "m", signatures=Strings().run)
    assert (tmp_path / "m" / "saved_model.pb").read_bytes() == before


def test_tracked_calls_as_endpoints(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    archive = keras.export.ExportArchive()
    archive.track_and_add_endpoint("run", model)
    archive.write_out(tmp_path / "m", verbose=False)
    data = np.ones((2, 3), "float32")
    loaded = tf.saved_model.load(str(tmp_path / "m"))
    np.testing.assert_allclose(np.asarray(loaded.run(data)), np.asarray(model(data)), atol=1e-6)
    assert len(archive.trainable_variables) == 2
