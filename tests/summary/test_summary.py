"""`tf.summary`: what is written, when, and in which form.

The forms were compared once with the files that TensorFlow 2.21 writes for the same calls: equal, field by field.
"""

from __future__ import annotations

import io
import json
import sys
import wave

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError
from hornbeam.io.wire import fields
from tests.summary.event_files import by_number, by_tag, entries, event_files, events

pytestmark = pytest.mark.format


@pytest.fixture
def writer(tmp_path):
    made = tf.summary.create_file_writer(str(tmp_path))
    yield made
    made.close()
    tf.summary.experimental.set_step(None)


def test_scalar(writer, tmp_path):
    with writer.as_default():
        assert bool(tf.summary.scalar("a", 1.5, step=3, description="in *words*"))
        tf.summary.scalar("a", np.float64(2.5), step=tf.constant(4, "int64"))
        with tf.name_scope("outer"):
            tf.summary.scalar("b", tf.Variable(7), step=5)
        with pytest.raises(ValueError, match="takes one number"):
            tf.summary.scalar("c", [1.0, 2.0], step=1)
    writer.flush()
    assert [tuple(entry) for entry in entries(tmp_path)] == [
        (3, "a", "scalars", 1.5, "in *words*"),
        (4, "a", "scalars", 2.5, ""),
        (5, "outer/b", "scalars", 7.0, ""),
    ]
    assert next(iter(events(tmp_path)))[3] == [b"brain.Event:2"]


@pytest.mark.parametrize("buckets", [None, 5, 1, 0])
def test_histogram(writer, tmp_path, buckets):
    values = np.random.RandomState(0).randn(300).astype("float32").reshape(20, 15)
    with writer.as_default(step=1):
        tf.summary.histogram("h", values, buckets=buckets)
    writer.flush()
    found = by_tag(tmp_path)["h"][0][1]
    count = 30 if buckets is None else buckets
    assert found.shape == (count, 3)
    if count:
        wanted, edges = np.histogram(values.astype("float64"), count)
        np.testing.assert_allclose(found[:, 0], edges[:-1], atol=1e-12)
        np.testing.assert_allclose(found[:, 1], edges[1:], atol=1e-12)
        np.testing.assert_array_equal(found[:, 2], wanted)


def test_histograms_of_nothing_of_equal_values_and_of_nan(writer, tmp_path):
    with writer.as_default(step=1):
        tf.summary.histogram("none", np.zeros(0), buckets=4)
        tf.summary.histogram("equal", np.full(7, 2.0), buckets=4)
        tf.summary.histogram("nan", [1.0, float("nan"), 3.0, float("inf")], buckets=2)
    writer.flush()
    found = by_tag(tmp_path)
    np.testing.assert_array_equal(found["none"][0][1], np.zeros((4, 3)))
    np.testing.assert_array_equal(found["equal"][0][1], [[2, 2, 0]] * 3 + [[2, 2, 7]])
    np.testing.assert_array_equal(found["nan"][0][1], [[1, 2, 1], [2, 3, 1]])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_image(writer, tmp_path, channels):
    image = pytest.importorskip("PIL.Image")
    pictures = np.random.RandomState(0).rand(3, 4, 5, channels).astype("float32") * 1.2 - 0.1
    whole = (np.random.RandomState(1).rand(1, 4, 5, channels) * 255).astype("uint8")
    with writer.as_default(step=1):
        tf.summary.image("floats", pictures, max_outputs=2)
        tf.summary.image("bytes", whole)
    writer.flush()
    found = by_tag(tmp_path)
    width, height, *files = found["floats"][0][1]
    assert (width, height, len(files)) == (b"5", b"4", 2)
    for file, picture in zip(files, pictures, strict=False):
        decoded = np.asarray(image.open(io.BytesIO(file))).reshape(4, 5, channels)
        np.testing.assert_array_equal(decoded, np.clip(np.floor(picture * np.float32(255.5)), 0, 255))
    np.testing.assert_array_equal(
        np.asarray(image.open(io.BytesIO(found["bytes"][0][1][2]))).reshape(4, 5, channels), whole[0]
    )


def test_text_and_audio(writer, tmp_path):
    clip = np.array([[[-2.0], [-1.0], [-0.25], [0.0], [0.25], [1.0], [2.0]]], "float32")
    with writer.as_default(step=1):
        tf.summary.text("note", "plain *words*")
        tf.summary.text("table", [["a", "b"], ["c", "d"]])
        tf.summary.audio("sound", clip, 8000)
        with pytest.raises(ValueError, match="takes strings"):
            tf.summary.text("number", 3.0)
        with pytest.raises(ValueError, match="WAV"):
            tf.summary.audio("mp3", clip, 8000, encoding="mp3")
    writer.flush()
    found = by_tag(tmp_path)
    assert found["note"][0][1][()] == b"plain *words*"
    assert found["table"][0][1].tolist() == [[b"a", b"b"], [b"c", b"d"]]
    ((file, label),) = found["sound"][0][1]
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth(), label) == (8000, 1, 2, b"")
        samples = np.frombuffer(sound.readframes(9), "<i2")
    np.testing.assert_array_equal(samples, [-32768, -32768, -8192, 0, 8192, 32767, 32767])


def test_who_writes_and_when(tmp_path):
    first, second = (tf.summary.create_file_writer(tmp_path / name) for name in "ab")
    assert not bool(tf.summary.scalar("lost", 1.0))
    assert not bool(tf.summary.should_record_summaries())
    with first.as_default(step=1):
        tf.summary.scalar("x", 1)
        with second.as_default(step=9):
            tf.summary.scalar("x", 2)
        tf.summary.scalar("x", 3)
        with tf.summary.record_if(False):
            assert not bool(tf.summary.scalar("x", 4))
        with tf.summary.create_noop_writer().as_default():
            tf.summary.scalar("x", 5)
    first.close(), second.close()
    assert by_tag(tmp_path / "a")["x"] == [(1, 1.0), (1, 3.0)]
    assert by_tag(tmp_path / "b")["x"] == [(9, 2.0)]
    with pytest.raises(RuntimeError, match="closed"):
        first.as_default()
    first.flush()


def test_a_step_is_needed(writer, tmp_path):
    with writer.as_default():
        with pytest.raises(ValueError, match="no step"):
            tf.summary.scalar("x", 1.0)
        step = tf.Variable(2, dtype="int64")
        tf.summary.experimental.set_step(step)
        tf.summary.scalar("x", 1.0)
        step.assign(5)
        tf.summary.scalar("x", 2.0)
        assert tf.summary.experimental.get_step() is step
        with pytest.raises(TypeError):
            tf.summary.scalar("x", 1.0, stpe=3)
    writer.flush()
    assert by_tag(tmp_path)["x"] == [(2, 1.0), (5, 2.0)]


def test_inside_a_compiled_function(writer, tmp_path):
    step = tf.Variable(0, dtype="int64")

    @tf.function
    def train(x):
        with writer.as_default():
            tf.summary.scalar("own", tf.reduce_sum(x), step=step)
        tf.summary.scalar("outer", tf.reduce_max(x), step=step)
        tf.summary.histogram("spread", x, step=step, buckets=2)
        tf.summary.text("said", "hello", step=step)
        step.assign_add(1)
        return x * 2

    train(tf.constant([1.0, 2.0]))
    with writer.as_default():
        for number in range(1, 4):
            with tf.summary.record_if(number != 2):
                train(tf.constant([1.0, 2.0]) * number)
    assert train.experimental_get_tracing_count() == 1
    writer.flush()
    found = by_tag(tmp_path)
    # The first call had no other writer than the one of its own.
    assert found["outer"] == [(1, 2.0), (3, 6.0)]
    assert found["own"] == [(0, 3.0), (1, 3.0), (3, 9.0)]
    assert found["said"][0][1][()] == b"hello"


def test_a_condition_on_a_variable_in_a_compiled_function(writer, tmp_path):
    step = tf.Variable(0, dtype="int64")

    @tf.function
    def count():
        tf.summary.scalar("x", step * 10, step=step)
        step.assign_add(1)

    with writer.as_default(), tf.summary.record_if(lambda: step % 2 == 0):
        for _ in range(4):
            count()
    writer.flush()
    assert by_tag(tmp_path)["x"] == [(0, 0.0), (2, 20.0)]


def test_gradients_go_past_summaries(writer, tmp_path):
    weight = tf.Variable(3.0)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            loss = weight * weight
            tf.summary.scalar("loss", loss)
        return tape.gradient(loss, weight)

    with writer.as_default(step=1):
        assert float(gradient()) == 6.0
    writer.flush()
    assert by_tag(tmp_path)["loss"] == [(1, 9.0)]


def test_own_kinds(writer, tmp_path):
    content = b"\n\n\n\x03one\x15\x00\x00\x80?"
    with writer.as_default(step=4):
        tf.summary.write("raw", tf.constant([1, 2, 3]), metadata=b"\n\x06\n\x04mine")
        with tf.summary.experimental.summary_scope("deep") as (tag, scope):
            assert (tag, scope) == ("deep", "")
        writer.flush()
        (entry,) = entries(tmp_path)
        assert (entry.step, entry.tag, entry.plugin, entry.value.tolist()) == (4, "raw", "mine", [1, 2, 3])
        tf.summary.experimental.write_raw_pb(content)
    assert list(events(tmp_path))[-1][5] == [content]


def test_graph_and_trace(writer, tmp_path):
    @tf.function
    def net(x):
        return tf.nn.relu(tf.matmul(x, tf.ones((3, 2))) + 1.0)

    with writer.as_default(step=2):
        tf.summary.trace_on()
        net(tf.ones((4, 3)))
        tf.summary.trace_export("trace")
        tf.summary.graph(net)
        with pytest.raises(ValueError, match="nothing to export"):
            tf.summary.trace_export("again")
        with pytest.raises(TypeError, match="takes a GraphDef"):
            tf.summary.graph(3)
    writer.flush()
    (trace,) = entries(tmp_path)
    assert (trace.step, trace.tag, trace.plugin) == (2, "trace", "graph_run_metadata_graph")
    (graph,) = (event[4][0] for event in events(tmp_path) if 4 in event)
    nodes = [by_number(value) for number, _, value in fields(graph) if number == 1]
    names = {node[1][0] for node in nodes}
    assert b"dot_general" in {node[2][0] for node in nodes}
    assert all(name.split(b":")[0] in names for node in nodes for name in node.get(3, []))


def test_files(tmp_path):
    writer = tf.summary.create_file_writer(tmp_path / "new" / "folder", max_queue=2, filename_suffix=".mine")
    (path,) = event_files(tmp_path / "new" / "folder")
    assert path.name.endswith(".mine")
    with writer.as_default(step=0):
        for number in range(4):
            tf.summary.scalar("x", number)
        # Three events are one more than may wait.
        assert len(by_tag(path.parent)["x"]) == 3
    writer.close()
    assert len(by_tag(path.parent)["x"]) == 4
    with pytest.raises(NotSupportedError, match="experimental_mesh"):
        tf.summary.create_file_writer(tmp_path, experimental_mesh=object())


def test_read_back_by_tensorboard(writer, tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs the `tensorboard` extra"
    )
    with writer.as_default(step=3):
        tf.summary.scalar("a", 1.5)
        tf.summary.text("note", json.dumps(sys.version_info[:2]))
    writer.flush()
    found = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert set(found.Tags()["tensors"]) == {"a", "note"}
    assert found.Tensors("a")[0].step == 3
