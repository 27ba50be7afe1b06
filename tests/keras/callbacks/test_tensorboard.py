"""The TensorBoard callback: which files, tags, steps and values.

Tags, steps and forms were compared once with Keras 3.15 on TensorFlow 2.21: equal, but that Keras leaves out the
results of epochs whose last batch is not recorded when `update_freq` is a number.
"""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras.callbacks.weight_pictures import as_pictures
from tests.keras.trainers.small import X, Y, model
from tests.summary.event_files import by_tag, entries, event_files, events

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def net():
    return model(metrics=["mae"])


def fit(net, folder, epochs=2, validation=True, **options):
    callback = keras.callbacks.TensorBoard(folder, **options)
    data = (X[:10], Y[:10]) if validation else None
    return net.fit(X, Y, batch_size=10, epochs=epochs, verbose=0, validation_data=data, callbacks=[callback])


def test_epochs(net, tmp_path):
    start = int(net.optimizer.iterations)
    history = fit(net, tmp_path / "logs", epochs=3).history
    assert sorted(os.listdir(tmp_path / "logs")) == ["train", "validation"]
    train, validation = by_tag(tmp_path / "logs/train"), by_tag(tmp_path / "logs/validation")
    for name in ("loss", "mae"):
        wanted = list(enumerate(np.float32(history[name]).tolist()))
        assert train[f"epoch_{name}"] == wanted
        assert validation[f"epoch_{name}"] == list(enumerate(np.float32(history[f"val_{name}"]).tolist()))
        steps = [step for step, _ in validation[f"evaluation_{name}_vs_iterations"]]
        assert steps == [start + 5, start + 10, start + 15]
    assert [value for _, value in train["epoch_learning_rate"]] == [np.float32(0.01)] * 3
    (graph,) = train["keras"]
    assert json.loads(graph[1][()])["class_name"] == "Sequential"
    assert any(4 in event for event in events(tmp_path / "logs/train"))
    assert not [tag for tag in train if tag.startswith("batch_") or "histogram" in tag]


def test_batches(net, tmp_path):
    fit(net, tmp_path / "3", update_freq=3, write_steps_per_second=True, write_graph=False)
    train = by_tag(tmp_path / "3/train")
    assert [step for step, _ in train["batch_loss"]] == [3, 6, 9]
    assert [step for step, _ in train["batch_steps_per_second"]] == [3, 6, 9]
    assert [step for step, _ in train["epoch_loss"]] == [0, 1]
    assert all(value > 0 for _, value in train["epoch_steps_per_second"])
    fit(net, tmp_path / "1", update_freq="batch", write_graph=False)
    train = by_tag(tmp_path / "1/train")
    assert [step for step, _ in train["batch_mae"]] == list(range(1, 11))
    assert "keras" not in train


def test_values_of_batches_are_those_that_other_callbacks_see(net, tmp_path):
    seen = []
    show = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    board = keras.callbacks.TensorBoard(tmp_path, update_freq="batch")
    net.fit(X, Y, batch_size=10, epochs=1, verbose=0, callbacks=[board, show])
    assert [value for _, value in by_tag(tmp_path / "train")["batch_loss"]] == seen
    assert not (tmp_path / "validation").exists()


def test_weights(net, tmp_path):
    fit(net, tmp_path, epochs=3, histogram_freq=2, write_images=True)
    train = by_tag(tmp_path / "train")
    for weight in net.weights:
        histograms = train[f"{weight.path}/histogram"]
        assert [step for step, _ in histograms] == [0, 2]
        assert histograms[-1][1][:, 2].sum() == np.prod(weight.shape)
        np.testing.assert_allclose(histograms[-1][1][0, 0], np.min(weight), rtol=1e-6)
        assert (f"{weight.path}/image" in train) == (np.prod(weight.shape) > 1)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((5,), (1, 5, 1, 1)),
        ((1,), None),
        ((3, 7), (1, 3, 7, 1)),
        ((7, 3), (1, 3, 7, 1)),
        ((3, 4, 5), (5, 3, 4, 1)),
        ((3, 3, 1, 8), (8, 3, 3, 1)),
        ((3, 4, 5, 3), (3, 4, 5, 3)),
        ((3, 4, 5, 6), None),
        ((2, 3, 4, 5, 6), None),
    ],
)
def test_weights_as_pictures(shape, wanted):
    weight = np.random.RandomState(0).rand(*shape).astype("float32")
    found = as_pictures(weight)
    assert (None if found is None else found.shape) == wanted
    if found is not None:
        assert sorted(found.ravel()) == sorted(weight.ravel())


def test_summaries_in_the_model_itself(tmp_path):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(1)

        def call(self, inputs):
            outputs = self.inner(inputs)
            tf.summary.histogram("outputs", outputs)
            return outputs

        def train_step(self, data):
            logs = super().train_step(data)
            tf.summary.scalar("seen", logs["loss"])
            return logs

    net = Net()
    net.compile("sgd", "mse")
    fit(net, tmp_path, update_freq=2)
    train, validation = by_tag(tmp_path / "train"), by_tag(tmp_path / "validation")
    seen = [tag for tag in train if tag.endswith("seen")]
    outputs = [tag for tag in train if tag.endswith("outputs")]
    assert len(seen) == len(outputs) == 1
    assert [step for step, _ in train[seen[0]]] == [2, 4, 6, 8, 10]
    assert [step for step, _ in train[outputs[0]]] == [2, 4, 6, 8, 10]
    assert [step for step, _ in validation[outputs[0]]] == [2]
    fit(net, tmp_path / "other")
    assert not [tag for tag in by_tag(tmp_path / "other/train") if tag.endswith("seen")]


def test_evaluate(net, tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path)
    loss, _ = net.evaluate(X, Y, verbose=0, callbacks=[callback])
    (point,) = by_tag(tmp_path / "validation")["evaluation_loss_vs_iterations"]
    assert point == (int(net.optimizer.iterations), np.float32(loss))


def test_embeddings(tmp_path):
    net = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2, name="words")])
    net.add(keras.layers.Flatten())
    net.compile("sgd", "mse")
    x, y = np.arange(12).reshape(4, 3) % 5, np.ones((4, 6))
    board = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "words.tsv"})
    net.fit(x, y, epochs=2, verbose=0, callbacks=[board])
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert config.splitlines()[1:] == [
        '  tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"',
        '  metadata_path: "words.tsv"',
        '  tensor_path: "train/embeddings-words.tsv"',
        "}",
    ]
    np.testing.assert_array_equal(
        np.loadtxt(tmp_path / "train/embeddings-words.tsv", dtype="float32"), np.asarray(net.layers[0].embeddings)
    )
    assert (tmp_path / "train/keras_embedding.ckpt-1.weights.h5").exists()
    wrong = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"wordz": "words.tsv"})
    with pytest.raises(ValueError, match="wordz"):
        net.fit(x, y, verbose=0, callbacks=[wrong])


def test_profile(net, tmp_path):
    fit(net, tmp_path, profile_batch=(2, 3), validation=False)
    assert list((tmp_path / "train/plugins/profile").glob("*/*.xplane.pb"))
    trace = [entry for entry in entries(tmp_path / "train") if entry.plugin == "graph_run_metadata_graph"]
    assert [(entry.step, entry.tag) for entry in trace] == [(3, "batch_3")]


@pytest.mark.parametrize("wrong", [{"profile_batch": -1}, {"profile_batch": (5, 2)}, {"profile_batch": "a"}])
def test_wrong_batches_to_profile(wrong):
    with pytest.raises(ValueError, match="profile_batch"):
        keras.callbacks.TensorBoard(**wrong)


def test_wrong_update_freq():
    for wrong in (0, "step", True, 1.5):
        with pytest.raises(ValueError, match="update_freq"):
            keras.callbacks.TensorBoard(update_freq=wrong)


def test_files_are_closed_after_a_failure(net, tmp_path):
    def fail(epoch, logs):
        raise RuntimeError("on purpose")

    board = keras.callbacks.TensorBoard(tmp_path, update_freq=1)
    with pytest.raises(RuntimeError, match="on purpose"):
        net.fit(X, Y, verbose=0, callbacks=[board, keras.callbacks.LambdaCallback(on_epoch_end=fail)])
    assert not bool(tf.summary.should_record_summaries())
    assert by_tag(tmp_path / "train")["epoch_loss"]
    assert len(event_files(tmp_path / "train")) == 1
