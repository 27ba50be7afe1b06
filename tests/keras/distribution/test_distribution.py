"""Meshes, layouts and training on several devices; the numbers are those of one device."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import jax
import numpy as np
import pytest

from hornbeam import keras

distribution = keras.distribution

PROGRAM = """
    import os
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
    import jax
    import numpy as np
    from hornbeam import keras
    from hornbeam.keras import distribution as d
    from jax.sharding import PartitionSpec as P

    rng = np.random.RandomState(0)
    x, y = rng.randn(70, 6).astype("float32"), rng.randn(70, 8).astype("float32")

    def trained(steps=1):
        keras.utils.set_random_seed(1)
        layers = [keras.Input((6,)), keras.layers.Dense(16, "relu", name="first"), keras.layers.BatchNormalization(),
                  keras.layers.Dropout(0.2), keras.layers.Dense(8, name="last")]
        model = keras.Sequential(layers, name="model")
        model.compile(keras.optimizers.Adam(0.01), "mse", steps_per_execution=steps)
        losses = model.fit(x, y, batch_size=16, epochs=3, verbose=0).history["loss"]
        return model, losses + [model.evaluate(x, y, batch_size=16, verbose=0)], model.predict(x, verbose=0)

    assert d.get_device_count() == 4 and d.list_devices("cpu") == ["cpu:0", "cpu:1", "cpu:2", "cpu:3"]
    _, expected, predicted = trained()

    def same(found):
        model, losses, outputs = found
        np.testing.assert_allclose(losses, expected, rtol=2e-5)
        np.testing.assert_allclose(outputs, predicted, rtol=1e-4, atol=1e-5)
        return model

    d.set_distribution(d.DataParallel())
    assert d.distribution().num_model_replicas == 4
    model = same(trained())
    for variable in [*model.weights, *model.optimizer.variables]:
        sharding = variable.read_array().sharding
        assert sharding.is_fully_replicated and len(sharding.device_set) == 4, variable.path
    same(trained(steps=3))
    model.save(FOLDER + "/model.keras")
    for place in (jax.devices()[2], d.distribution().get_data_layout((70, 6)).backend_layout):
        there = jax.device_put(x[:68], place)  # Somebody has put the data on devices of his choice.
        for outputs in (model.predict(there, batch_size=16, verbose=0), model.predict_on_batch(there)):
            np.testing.assert_allclose(outputs, model.predict(x[:68], verbose=0), rtol=1e-4, atol=1e-5)
    model.fit(jax.device_put(x, jax.devices()[2]), y, batch_size=16, verbose=0)
    d.set_distribution(None)
    again = keras.models.load_model(FOLDER + "/model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), predicted, rtol=1e-4, atol=1e-5)

    mesh = d.DeviceMesh((2, 2), ("batch", "model"))
    layouts = d.LayoutMap(mesh)
    layouts[".*first/kernel"] = (None, "model")
    layouts[".*last/kernel"] = ("model", None)
    layouts[".*first/output"] = ("batch", "model")
    with d.ModelParallel(layout_map=layouts).scope():
        model = same(trained())
        first, last = model.get_layer("first").kernel, model.get_layer("last").kernel
        assert first.read_array().sharding.spec == P(None, "model"), first.read_array().sharding
        assert last.read_array().sharding.spec[0] == "model"
        assert first.read_array().addressable_shards[0].data.shape == (6, 8)
        slots = [v for v in model.optimizer.variables if "first_kernel" in v.name]
        assert len(slots) == 2 and all(v.read_array().addressable_shards[0].data.shape == (6, 8) for v in slots)
        assert model.get_layer("first").bias.read_array().sharding.is_fully_replicated
        eager = model(x[:5])
        np.testing.assert_allclose(eager, predicted[:5], rtol=1e-4, atol=1e-5)
        model.set_weights(model.get_weights())
        model.fit(x, y, batch_size=16, verbose=0)
        assert model.get_layer("first").kernel.read_array().sharding.spec == P(None, "model")
    assert d.distribution() is None
    tensor = d.distribute_tensor(np.ones((4, 2), "float32"), d.TensorLayout(("batch", None), mesh))
    assert tensor.sharding.shard_shape((4, 2)) == (2, 2)
    print("all the same")
"""


def test_training_on_four_devices_gives_the_numbers_of_one(tmp_path):
    code = f"FOLDER = {str(tmp_path)!r}\n" + textwrap.dedent(PROGRAM)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280)
    assert "all the same" in done.stdout, done.stderr[-3000:]


def mesh(shape=(1, 1), names=("batch", "model")):
    return distribution.DeviceMesh(shape, names, ["cpu:0"])


def test_meshes():
    found = mesh()
    assert (found.shape, found.axis_names) == ((1, 1), ("batch", "model"))
    assert found.backend_mesh.axis_names == ("batch", "model")
    assert found.backend_mesh.devices.shape == (1, 1)
    for shape, names in (((), ()), ((1,), ("a", "b")), ((5, 5), ("a", "b"))):
        with pytest.raises(ValueError):
            mesh(shape, names)
    with pytest.raises(ValueError, match="no device"):
        distribution.DeviceMesh((1,), ["a"], ["cpu:99"]).backend_mesh  # noqa: B018 - reading is the test


def test_layouts_and_maps():
    layout = distribution.TensorLayout((None, "model"))
    with pytest.raises(ValueError, match="no mesh"):
        layout.backend_layout  # noqa: B018 - reading is the test
    layout.device_mesh = mesh()
    assert layout.backend_layout.spec == jax.sharding.PartitionSpec(None, "model")
    with pytest.raises(ValueError, match="once"):
        layout.device_mesh = mesh()
    with pytest.raises(ValueError, match="axes of the mesh"):
        distribution.TensorLayout(("other",), mesh())
    layouts = distribution.LayoutMap(mesh())
    layouts["dense.*kernel"] = (None, "model")
    layouts["dense/bias"] = layout
    assert layouts["dense_1/kernel"].axes == (None, "model")
    assert layouts["dense/bias"] is layout and layouts["conv/kernel"] is None
    assert len(layouts) == 2 and list(layouts) == ["dense.*kernel", "dense/bias"]
    layouts["dense_1.*"] = (None,)
    for wrong in (
        lambda: layouts["dense_1/kernel"],
        lambda: layouts.update({"a": 3}),
        lambda: layouts.update({"dense/bias": layout}),
    ):
        with pytest.raises(ValueError):
            wrong()
    del layouts["dense_1.*"]
    assert len(layouts) == 2


def test_distributions_describe_layouts():
    data = distribution.DataParallel(devices=["cpu:0"])
    assert (data.batch_dim_name, data.num_model_replicas, data.num_processes, data.data_shard_id) == ("batch", 1, 1, 0)
    assert data.get_data_layout((8, 3, 2)).axes == ("batch", None, None)
    assert data.get_variable_layout(keras.Variable(np.zeros((2, 2)))).axes == (None, None)
    assert data.get_tensor_layout("a/output") is None
    with pytest.warns(UserWarning, match="first axis"):
        distribution.DataParallel(mesh())
    layouts = distribution.LayoutMap(mesh())
    layouts[".*kernel"] = (None, "model")
    model = distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")
    with model.scope():
        assert distribution.distribution() is model
        layer = keras.layers.Dense(3)
        layer.build((None, 2))
    assert distribution.distribution() is None
    assert layer.kernel.read_array().sharding.spec == jax.sharding.PartitionSpec(None, "model")
    for wrong in (lambda: distribution.ModelParallel(), lambda: distribution.DataParallel(device_mesh=[1])):
        with pytest.raises(ValueError):
            wrong()


def test_variables_with_a_layout_of_their_own():
    layout = distribution.TensorLayout(("model", None), mesh())
    variable = keras.Variable(np.ones((4, 2), "float32"), layout=layout)
    assert variable.read_array().sharding.spec == jax.sharding.PartitionSpec("model", None)
    with pytest.raises(ValueError, match="layout"):
        keras.Variable(np.ones((4, 2)), layout="model")
    symbolic = keras.Input((3,))
    assert distribution.distribute_tensor(symbolic, layout) is symbolic
