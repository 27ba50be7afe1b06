"""``tf.train``: checkpoints of any objects, and the manager of a folder of them."""

import os

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError

pytestmark = pytest.mark.format


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable([1.0, 2.0])
        self.parts = [tf.Variable(3.0), {"deep": tf.Variable([[4]])}]


def test_objects_of_all_kinds(tmp_path):
    net, step = Net(), tf.Variable(7, dtype="int64")
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    checkpoint = tf.train.Checkpoint(
        net=net, step=step, layer=layer, extra=[tf.Variable(1.5)], table={"a": tf.Variable(2)}
    )
    path = checkpoint.save(tmp_path / "ckpt")
    assert path.endswith("ckpt-1") and int(checkpoint.save_counter) == 1
    kernel = layer.kernel.numpy()
    net.w.assign([0.0, 0.0])
    net.parts[1]["deep"].assign([[0]])
    step.assign(0)
    layer.kernel.assign(kernel * 0)
    checkpoint.restore(path).assert_consumed()
    assert net.w.numpy().tolist() == [1, 2] and net.parts[1]["deep"].numpy().tolist() == [[4]] and int(step) == 7
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)
    assert tf.train.latest_checkpoint(tmp_path) == path


def test_statuses(tmp_path):
    path = tf.train.Checkpoint(a=tf.Variable(1.0), b=tf.Variable(2.0)).write(tmp_path / "w")
    only_a = tf.train.Checkpoint(a=tf.Variable(0.0))
    status = only_a.read(path).expect_partial()
    assert float(only_a.a) == 1
    status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="b/"):
        status.assert_consumed()
    more = tf.train.Checkpoint(a=tf.Variable(0.0), c=tf.Variable(5.0))
    with pytest.raises(AssertionError):
        more.read(path).assert_existing_objects_matched()
    with pytest.raises(AssertionError):
        tf.train.Checkpoint(z=tf.Variable(0.0)).read(path).assert_nontrivial_match()
    assert float(more.c) == 5
    with pytest.raises(AssertionError):
        more.restore(None).assert_consumed()
    with pytest.raises(ValueError, match="another shape"):
        tf.train.Checkpoint(a=tf.Variable([0.0])).read(path)


def test_root(tmp_path):
    net = Net()
    path = tf.train.Checkpoint(net).write(tmp_path / "w")
    assert "w/.ATTRIBUTES/VARIABLE_VALUE" in dict(tf.train.list_variables(path))
    net.w.assign([9.0, 9.0])
    tf.train.Checkpoint(net).read(path).assert_consumed()
    assert net.w.numpy().tolist() == [1, 2]


def test_model_and_optimizer_in_a_loop_of_ones_own(tmp_path):
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")

    def make():
        model = keras.Sequential([keras.layers.Dense(2, "tanh"), keras.layers.Dense(1)])
        optimizer = keras.optimizers.Adam(0.1)
        return model, optimizer, tf.train.Checkpoint(model=model, optimizer=optimizer)

    def train(model, optimizer, steps):
        for _ in range(steps):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x) - y) ** 2)
            optimizer.apply_gradients(
                zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
            )

    model, optimizer, checkpoint = make()
    train(model, optimizer, 3)
    path = checkpoint.save(tmp_path / "ckpt")
    train(model, optimizer, 2)
    again, its_optimizer, its_checkpoint = make()
    status = its_checkpoint.restore(path)
    train(again, its_optimizer, 2)
    status.assert_consumed()
    assert int(its_optimizer.iterations) == 5
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_manager(tmp_path):
    value = tf.Variable(0)
    checkpoint = tf.train.Checkpoint(value=value)
    manager = tf.train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2)
    assert manager.restore_or_initialize() is None and manager.latest_checkpoint is None
    for number in range(1, 5):
        value.assign(number)
        assert manager.save().endswith(f"ckpt-{number}")
    assert [os.path.basename(path) for path in manager.checkpoints] == ["ckpt-3", "ckpt-4"]
    assert sorted(name for name in os.listdir(tmp_path) if name.endswith(".index")) == ["ckpt-3.index", "ckpt-4.index"]
    value.assign(0)
    fresh = tf.train.CheckpointManager(tf.train.Checkpoint(value=value), tmp_path, max_to_keep=2)
    assert fresh.restore_or_initialize() == manager.latest_checkpoint and int(value) == 4
    fresh.save()
    assert [os.path.basename(path) for path in fresh.checkpoints] == ["ckpt-4", "ckpt-5"]
    assert tf.train.get_checkpoint_state(tmp_path).model_checkpoint_path == fresh.latest_checkpoint


def test_manager_intervals_and_kept_ones(tmp_path):
    step = tf.Variable(0)
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(step=step), tmp_path, 1, step_counter=step, checkpoint_interval=5
    )
    saved = []
    for number in range(12):
        step.assign(number)
        saved.append(manager.save() is not None)
    assert [number for number, was in enumerate(saved) if was] == [0, 5, 10]
    keeping = tf.train.CheckpointManager(
        tf.train.Checkpoint(step=step), tmp_path / "k", 1, keep_checkpoint_every_n_hours=0
    )
    for _ in range(3):
        keeping.save()
    assert len([name for name in os.listdir(tmp_path / "k") if name.endswith(".index")]) == 3
    with pytest.raises(ValueError):
        tf.train.CheckpointManager(tf.train.Checkpoint(step=step), tmp_path, 0)


def test_readers(tmp_path):
    path = tf.train.Checkpoint(a=tf.Variable([1.0, 2.0])).save(tmp_path / "ckpt")
    reader = tf.train.load_checkpoint(tmp_path)
    name = "a/.ATTRIBUTES/VARIABLE_VALUE"
    assert reader.has_tensor(name) and reader.get_variable_to_shape_map()[name] == [2]
    assert reader.get_variable_to_dtype_map()[name] == tf.float32
    assert tf.train.load_variable(path, name).tolist() == [1, 2]
    with pytest.raises(ValueError):
        reader.get_tensor("nothing")
    with pytest.raises(ValueError, match="find a checkpoint"):
        tf.train.load_checkpoint(_empty(tmp_path))
    assert next(tf.train.checkpoints_iterator(tmp_path, timeout=0)) == path


def _empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_refusals():
    with pytest.raises(ValueError):
        tf.train.Checkpoint(number=3)
    with pytest.raises(NotSupportedError):
        tf.train.CheckpointOptions(enable_async=True)


def test_moving_average():
    v = tf.Variable(1.0)
    average = tf.train.ExponentialMovingAverage(0.9)
    average.apply([v])
    v.assign(2.0)
    average.apply([v])
    assert float(average.average(v)) == pytest.approx(1.1)


def test_cluster():
    spec = tf.train.ClusterSpec({"worker": ["a:1", "b:2"], "ps": {3: "c:4"}})
    assert spec.num_tasks("worker") == 2 and spec.task_address("ps", 3) == "c:4" and spec.job_tasks("ps")[0] is None
    assert tf.train.ClusterSpec(spec.as_dict()) == spec


def test_generators_of_random_numbers_go_on(tmp_path):
    generator = tf.random.Generator.from_seed(7)
    generator.normal((3,))
    path = tf.train.Checkpoint(generator=generator).write(tmp_path / "g")
    wanted = generator.normal((2,)).numpy()
    other = tf.random.Generator.from_seed(1)
    tf.train.Checkpoint(generator=other).read(path).assert_consumed()
    np.testing.assert_array_equal(other.normal((2,)).numpy(), wanted)
