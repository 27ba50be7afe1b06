"""Both directions with the real TensorFlow, in an interpreter of its own (it and this package need not share one).

``HORNBEAM_TF_PYTHON`` names that interpreter; without it the running one is taken if TensorFlow is installed there.
"""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

layers = keras.layers
PYTHON = os.environ.get("HORNBEAM_TF_PYTHON") or (
    sys.executable if importlib.util.find_spec("tensorflow") is not None else None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.format,
    pytest.mark.skipif(PYTHON is None, reason="TensorFlow is not installed; HORNBEAM_TF_PYTHON may name where it is"),
]
X = np.random.default_rng(0).normal(size=(10, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 10)
IMAGES = np.random.default_rng(2).random((5, 8, 8, 3), "float32")

SCRIPT = """
import json, os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
import tensorflow as tf
import tf_keras

folder = sys.argv[1]
data = np.load(folder + "/data.npz")
report = {}

def distance(a, b):
    return float(np.abs(np.asarray(a) - b).max())

loaded = tf.saved_model.load(folder + "/model")
serving = loaded.signatures["serving_default"]
report["signature"] = distance(list(serving(tf.constant(data["x"])).values())[0], data["y"])
report["batch of one"] = distance(loaded(data["x"][:1]), data["y"][:1])
report["variables"] = len(loaded.trainable_variables)
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], folder + "/model")
    signature = graph.signature_def["serving_default"]
    (given,), (wanted,) = signature.inputs.values(), signature.outputs.values()
    report["servers' loader"] = distance(session.run(wanted.name, {given.name: data["x"]}), data["y"])
exported = tf.saved_model.load(folder + "/exported")
report["export"] = distance(exported.serve(data["images"]), data["features"])
steps = tf.saved_model.load(folder + "/steps")
report["any length"] = max(distance(steps.serve(data["long"]), data["long_y"]),
    distance(steps.serve(data["long"][:1, :3]), data["short_y"]))
sized = tf.saved_model.load(folder + "/sized")
report["any size"] = distance(sized.serve(data["images"]), data["sized_y"])
strided = tf.saved_model.load(folder + "/strided")
report["any strides"] = max(distance(strided.serve(data["images"]), data["strided_y"]),
    distance(strided.serve(data["images"][:2, :7, 1:6]), data["strided_small_y"]))
module = tf.saved_model.load(folder + "/module")
report["module"] = distance(module.run(tf.constant([[1.0, 1.0]])), np.array([[5.0, 7.0]]))
report["count"] = int(module.count.numpy())

model = tf_keras.models.load_model(folder + "/model")
report["keras"] = distance(model.predict(data["x"], verbose=0), data["y"])
report["trains"] = len(model.fit(data["x"], data["labels"], verbose=0).history)
vision = tf_keras.models.load_model(folder + "/vision")
report["keras functional"] = distance(vision.predict(data["images"], verbose=0), data["features"])

fresh = tf_keras.Sequential([tf_keras.Input((6,)), tf_keras.layers.Dense(5, "relu"),
    tf_keras.layers.BatchNormalization(), tf_keras.layers.Dense(3, "softmax")])
fresh.compile(tf_keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
fresh.load_weights(folder + "/weights/cp.ckpt").expect_partial()
report["weights"] = distance(fresh.predict(data["x"], verbose=0), data["y"])
fresh.fit(data["x"], data["labels"], epochs=1, verbose=0, shuffle=False)
report["iterations"] = int(fresh.optimizer.iterations.numpy())
np.savez(folder + "/resumed.npz", *fresh.get_weights())

checkpoint = tf.train.Checkpoint(step=tf.Variable(0, dtype=tf.int64), net=tf.Module())
checkpoint.net.w = tf.Variable([0.0, 0.0])
checkpoint.restore(tf.train.latest_checkpoint(folder + "/train")).assert_consumed()
report["step"], report["w"] = int(checkpoint.step.numpy()), checkpoint.net.w.numpy().tolist()

fresh.save(folder + "/back")
fresh.save_weights(folder + "/back_weights/cp")
np.save(folder + "/back.npy", fresh.predict(data["x"], verbose=0))
print(json.dumps(report))
"""


def classifier():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def vision():
    inputs = keras.Input((8, 8, 3))
    x = layers.MaxPooling2D()(layers.Conv2D(4, 3, padding="same", activation="relu")(inputs))
    x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same")(x)])
    x = layers.LeakyReLU(0.1)(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Dropout(0.2)(x))))


def of_any_length():
    return keras.Sequential([keras.Input((None, 4)), layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)])


def of_any_size():
    parts = [layers.Resizing(12, 10), layers.CenterCrop(6, 6), layers.Conv2D(2, 3), layers.MaxPooling2D()]
    return keras.Sequential([keras.Input((None, None, 3)), *parts])


def of_any_strides():
    x = keras.Input((None, None, 3))
    way = layers.DepthwiseConv2D(3, padding="same")(layers.Conv2D(4, 3, 2, "same")(x))
    parts = [way, layers.Conv2D(4, 1, 2, "same")(x), layers.AveragePooling2D(3, 2, "same")(layers.Conv2D(4, 1)(x))]
    return keras.Model(x, layers.MaxPooling2D(2, padding="same")(layers.Add()(parts)))


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        self.count = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def run(self, x):
        self.count.assign_add(1)
        return x @ self.w + 1.0


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    model, pictures = classifier(), vision()
    model.fit(X, Y, epochs=3, verbose=0, shuffle=False)
    outputs, features = model.predict(X, verbose=0), pictures.predict(IMAGES, verbose=0)
    model.save(folder / "model")
    model.save_weights(folder / "weights" / "cp.ckpt")
    pictures.save(folder / "vision")
    pictures.export(folder / "exported", verbose=False)
    steps, sized = of_any_length(), of_any_size()
    long = np.random.default_rng(3).random((3, 7, 4), "float32")
    steps.export(folder / "steps", verbose=False)
    sized.export(folder / "sized", verbose=False)
    lengths = {"long": long, "long_y": steps(long).numpy(), "short_y": steps(long[:1, :3]).numpy()}
    lengths["sized_y"] = sized(IMAGES, training=False).numpy()
    strided = of_any_strides()
    strided.export(folder / "strided", verbose=False)
    lengths["strided_y"] = strided(IMAGES, training=False).numpy()
    lengths["strided_small_y"] = strided(IMAGES[:2, :7, 1:6], training=False).numpy()
    tf.saved_model.save(Net(), folder / "module")
    net = tf.Module()
    net.w = tf.Variable([1.5, 2.5])
    tf.train.Checkpoint(step=tf.Variable(4, dtype="int64"), net=net).save(folder / "train" / "ckpt")
    np.savez(folder / "data.npz", x=X, y=outputs, labels=Y, images=IMAGES, features=features, **lengths)
    model.fit(X, Y, epochs=1, verbose=0, shuffle=False)
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [PYTHON, str(folder / "script.py"), str(folder)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""},
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
    assert done.returncode == 0, "\n".join(lines)[-3000:]
    return folder, model, json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(
    "what",
    [
        "signature",
        "batch of one",
        "servers' loader",
        "export",
        "any length",
        "any size",
        "any strides",
        "module",
        "keras",
        "keras functional",
        "weights",
    ],
)
def test_tensorflow_computes_the_same(both, what):
    assert both[2][what] < 1e-5


def test_tensorflow_takes_the_rest(both):
    folder, model, report = both
    assert report["variables"] == 6 and report["count"] == 1 and report["trains"] >= 1
    assert report["step"] == 4 and report["w"] == [1.5, 2.5]
    assert report["iterations"] == 4
    with np.load(folder / "resumed.npz") as stored:
        for mine, name in zip(model.get_weights(), stored.files, strict=True):
            np.testing.assert_allclose(mine, stored[name], atol=2e-5)


def test_what_it_writes_is_read(both):
    folder, _, _ = both
    expected = np.load(folder / "back.npy")
    model = keras.models.load_model(folder / "back")
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-5)
    assert int(model.optimizer.iterations) == 4
    again = classifier()
    again.load_weights(folder / "back_weights" / "cp").assert_consumed()
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, atol=1e-5)
    loaded = tf.saved_model.load(folder / "back")
    np.testing.assert_allclose(np.asarray(loaded(X)), expected, atol=1e-5)
