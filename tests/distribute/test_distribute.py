"""``tf.distribute`` on one device."""

from __future__ import annotations

import json

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError

X = np.random.default_rng(0).random((16, 3)).astype("float32")


@pytest.mark.parametrize(
    "make",
    [
        tf.distribute.MirroredStrategy,
        lambda: tf.distribute.MirroredStrategy(["/cpu:0"], tf.distribute.HierarchicalCopyAllReduce()),
        lambda: tf.distribute.OneDeviceStrategy("/cpu:0"),
        tf.distribute.MultiWorkerMirroredStrategy,
        tf.distribute.experimental.CentralStorageStrategy,
    ],
)
def test_strategies_train_as_without_one(make):
    def trained(strategy=None):
        tf.random.set_seed(1)
        with strategy.scope() if strategy else tf.name_scope("plain"):
            model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
            model.compile(tf.keras.optimizers.SGD(0.1), "mse")
        model.fit(X, X[:, :1], epochs=2, batch_size=8, shuffle=False, verbose=0)
        return model.get_weights()

    strategy = make()
    assert isinstance(strategy, tf.distribute.Strategy) and strategy.num_replicas_in_sync == 1
    for first, second in zip(trained(), trained(strategy), strict=True):
        np.testing.assert_array_equal(first, second)


def test_loops_of_ones_own():
    strategy = tf.distribute.MirroredStrategy()
    dataset = tf.data.Dataset.from_tensor_slices(X).batch(4)
    batches = strategy.experimental_distribute_dataset(dataset)
    assert len(batches) == 4

    def step(batch):
        context = tf.distribute.get_replica_context()
        assert context.replica_id_in_sync_group == 0 and not tf.distribute.in_cross_replica_context()
        return context.all_reduce("sum", tf.reduce_sum(batch))

    total = 0.0
    for batch in batches:
        total += float(strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(step, args=(batch,)), axis=None))
    np.testing.assert_allclose(total, X.sum(), rtol=1e-5)
    np.testing.assert_allclose(strategy.reduce("mean", X, axis=0), X.mean(axis=0), rtol=1e-5)
    assert strategy.experimental_local_results(3) == (3,)
    made = strategy.distribute_datasets_from_function(lambda context: dataset.take(context.num_replicas_in_sync))
    assert len(list(made)) == 1
    with pytest.raises(ValueError, match="SUM"):
        strategy.reduce("max", X, axis=None)


def test_which_strategy_is_in_force():
    assert not tf.distribute.has_strategy() and tf.distribute.get_strategy().num_replicas_in_sync == 1
    first, second = tf.distribute.MirroredStrategy(), tf.distribute.OneDeviceStrategy("/cpu:0")
    with first.scope(), first.scope():
        assert tf.distribute.get_strategy() is first and tf.distribute.in_cross_replica_context()
        with pytest.raises(RuntimeError, match="Leave that one first"), second.scope():
            pass
    assert not tf.distribute.has_strategy()
    tf.distribute.experimental_set_strategy(second)
    assert tf.distribute.get_strategy() is second
    tf.distribute.experimental_set_strategy(None)
    assert tf.distribute.get_replica_context().num_replicas_in_sync == 1


def test_devices_and_workers_that_are_not_there(monkeypatch):
    with pytest.raises(ValueError, match="is not there"):
        tf.distribute.MirroredStrategy(["/cpu:0", "/gpu:77"])
    with pytest.raises(ValueError, match="named twice"):
        tf.distribute.MirroredStrategy(["/cpu:0", "CPU:0"])
    with pytest.raises(NotSupportedError, match="one device"):
        tf.distribute.experimental.CentralStorageStrategy(["/gpu:0", "/gpu:1"])
    with pytest.raises(TypeError):
        tf.distribute.experimental.ParameterServerStrategy()
    with pytest.raises(NotSupportedError, match="MirroredStrategy"):
        tf.distribute.ParameterServerStrategy(object())
    with pytest.raises((RuntimeError, ValueError), match="TPU"):
        tf.distribute.TPUStrategy()
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}})
    )
    with pytest.raises(NotSupportedError, match="2 workers"):
        tf.distribute.MultiWorkerMirroredStrategy()
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(ValueError, match="JSON"):
        tf.distribute.MultiWorkerMirroredStrategy()


def test_resolvers(monkeypatch):
    resolvers = tf.distribute.cluster_resolver
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}})
    )
    found = resolvers.TFConfigClusterResolver()
    assert found.task_type == "worker" and found.task_id == 1 and found.master() == "grpc://b:1"
    assert found.cluster_spec().as_dict() == {"worker": ["a:1", "b:1"]}
    with pytest.raises(NotSupportedError, match="2 processes"):
        tf.config.experimental_connect_to_cluster(found)
    simple = resolvers.SimpleClusterResolver(tf.train.ClusterSpec({"worker": ["a:1"]}), master="a:1", task_id=0)
    assert simple.master() == "a:1" and simple.master("worker", 0) == "a:1"
    tf.config.experimental_connect_to_cluster(simple)
    with pytest.raises(ValueError, match="TPU"):
        resolvers.TPUClusterResolver(tpu="")
    with pytest.raises(RuntimeError, match="TPU"):
        tf.tpu.experimental.initialize_tpu_system()


def test_batch_sizes_of_replicas():
    context = tf.distribute.InputContext(num_replicas_in_sync=4)
    assert context.get_per_replica_batch_size(64) == 16
    with pytest.raises(ValueError, match="4 replicas"):
        context.get_per_replica_batch_size(6)


def test_models_made_outside_of_the_scope_are_refused_inside():
    strategy = tf.distribute.MirroredStrategy()
    outside = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
    with strategy.scope():
        with pytest.raises(ValueError, match="outside of that scope"):
            outside.compile("sgd", "mse")
        inside = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
    with strategy.scope():
        inside.compile("sgd", "mse")
    outside.compile("sgd", "mse")
    assert inside.compiled and outside.compiled
