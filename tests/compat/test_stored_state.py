"""Old layouts of weights, old training configurations and optimizer states that no stored file here shows."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.compat.configs import compile_config, layer_weights, optimizer_state

pytestmark = pytest.mark.compat


def sequential(*layers, version="1.2.2"):
    """A Sequential config of the first generation, as a model."""
    config = {"class_name": "Sequential", "config": list(layers), "keras_version": version}
    return keras.models.model_from_config(config)


def entry(class_name, **config):
    return {"class_name": class_name, "config": config}


# --- weights -------------------------------------------------------------------------------------
def built(layer, *shape):
    layer.build((None, *shape))
    return layer


def test_kernels_of_true_convolution_are_turned_around():
    layer = built(keras.layers.Conv2D(2, 3), 6, 6, 1)
    kernel = np.arange(18, dtype="float32").reshape(3, 3, 1, 2)
    bias = np.zeros(2, "float32")
    turned, _ = layer_weights(layer, [kernel, bias], ["k:0", "b:0"], "2.1.0", "theano")
    np.testing.assert_array_equal(turned, kernel[::-1, ::-1])
    same, _ = layer_weights(layer, [kernel, bias], ["k:0", "b:0"], "2.1.0", "tensorflow")
    np.testing.assert_array_equal(same, kernel)
    first, _ = layer_weights(layer, [kernel, bias], ["conv_W", "conv_b"], "1.2.2", None)
    np.testing.assert_array_equal(first, kernel[::-1, ::-1])


@pytest.mark.parametrize(
    "layer, shape, stored, expected",
    [
        ("Conv1D", (9, 2), lambda k: k[:, None], lambda k: k),
        ("Conv1D", (9, 2), lambda k: k.transpose(2, 1, 0)[..., None], lambda k: k),
        ("Conv2D", (6, 6, 2), lambda k: k, lambda k: k),
        ("Conv2DTranspose", (6, 6, 2), lambda k: k.transpose(0, 1, 3, 2), lambda k: k),
    ],
)
def test_kernel_layouts_of_the_first_generation(layer, shape, stored, expected):
    made = built(getattr(keras.layers, layer)(4, 3), *shape)
    kernel = np.random.default_rng(0).normal(size=made.get_weights()[0].shape).astype("float32")
    found = layer_weights(made, [stored(kernel), np.zeros(4, "float32")], ["a_W:0", "a_b:0"], None, None)[0]
    np.testing.assert_array_equal(found, expected(kernel))


def test_channels_first_kernels_of_the_first_generation():
    for rank, shape in ((2, (2, 6, 6)), (3, (2, 5, 5, 5))):
        made = built(getattr(keras.layers, f"Conv{rank}D")(4, 3, data_format="channels_first"), *shape)
        kernel = np.random.default_rng(0).normal(size=made.get_weights()[0].shape).astype("float32")
        stored = kernel.transpose(rank + 1, rank, *range(rank))
        found = layer_weights(made, [stored, np.zeros(4, "float32")], ["a_W:0", "a_b:0"], "1.1.0", None)[0]
        np.testing.assert_array_equal(found, kernel)


def cudnn_reference(x, kernel, recurrent, bias, units, gates):
    """One layer of cuDNN's recurrent networks in NumPy: gates i, f, c, o of an LSTM; z, r, h of a GRU."""

    def sigmoid(value):
        return 1 / (1 + np.exp(-value))

    batch, steps, _ = x.shape
    h = c = np.zeros((batch, units))
    # cuDNN keeps the matrix of each gate transposed, with its memory read row by row.
    k = [one.T.reshape(one.shape, order="F") for one in np.split(kernel, gates, 1)]
    r = [one.T for one in np.split(recurrent, gates, 1)]
    b, rb = np.split(bias[: gates * units], gates), np.split(bias[gates * units :], gates)
    for t in range(steps):
        a = [x[:, t] @ k[g] + b[g] for g in range(gates)]
        u = [h @ r[g] + rb[g] for g in range(gates)]
        if gates == 4:
            i, f, o = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1]), sigmoid(a[3] + u[3])
            c = f * c + i * np.tanh(a[2] + u[2])
            h = o * np.tanh(c)
        else:
            z, q = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
            h = z * h + (1 - z) * np.tanh(a[2] + q * u[2])
    return h


@pytest.mark.parametrize("kind, gates", [("LSTM", 4), ("GRU", 3)])
def test_cudnn_layers_become_ordinary_ones(kind, gates):
    rng = np.random.default_rng(0)
    units, features = 3, 5
    arrays = [
        rng.normal(size=shape) * 0.5
        for shape in ((features, gates * units), (units, gates * units), (2 * gates * units,))
    ]
    config = entry(f"CuDNN{kind}", name="r", units=units, batch_input_shape=[None, 6, features])
    model = sequential(config, version="2.2.4")
    layer = model.layers[0]
    layer.set_weights(
        layer_weights(layer, [a.astype("float32") for a in arrays], ["k", "r", "b"], "2.2.4", "tensorflow")
    )
    x = rng.normal(size=(2, 6, features))
    expected = cudnn_reference(x, *arrays, units, gates)
    np.testing.assert_allclose(np.asarray(model(x.astype("float32"))), expected, rtol=1e-4, atol=1e-5)


# --- training ------------------------------------------------------------------------------------
def test_old_training_configurations():
    found = compile_config(
        {
            "optimizer_config": {
                "class_name": "SGD",
                "config": {"lr": 0.1, "decay": 0.5, "momentum": 0.9, "nesterov": True, "clipnorm": 2.0},
            },
            "loss": "mse",
            "metrics": ["accuracy"],
            "sample_weight_mode": None,
            "loss_weights": None,
        },
        "2.2.4",
    )
    optimizer = keras.saving.deserialize_keras_object(found["optimizer"])
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer._iterations.assign(2)
    assert float(optimizer.learning_rate) == pytest.approx(0.1 / (1 + 0.5 * 2))
    assert optimizer.global_clipnorm == 2.0 and optimizer.clipnorm is None
    assert (found["loss"], found["metrics"]) == ("mse", ["accuracy"])


def test_wrapped_metrics_keep_their_names():
    wrapped = {
        "class_name": "MeanMetricWrapper",
        "config": {"name": "box_mae", "dtype": "float32", "fn": "mean_absolute_error"},
    }
    found = compile_config(
        {"optimizer_config": None, "loss": {"box": "mse", "cls": "mse"}, "metrics": [[wrapped]], "loss_weights": None},
        "2.9.0",
    )
    metric = keras.saving.deserialize_keras_object(found["metrics"][0])
    assert (type(metric).__name__, metric.name) == ("MeanAbsoluteError", "mae")


def test_metrics_of_several_outputs_lose_the_name_in_front():
    mean = {"class_name": "MeanMetricWrapper", "config": {"name": "p_mse", "fn": "mean_squared_error"}}
    area = {"class_name": "AUC", "config": {"name": "q_p_area"}}
    stored = {"optimizer_config": None, "loss": ["mse", "mse"], "metrics": [[mean], [area]]}
    found = compile_config(stored, "2.15.0", None, ["p", "q"])["metrics"]
    names = [keras.saving.deserialize_keras_object(one[0]).name for one in found]
    assert names == ["mse", "p_area"]


def test_metric_classes_given_by_name_keep_the_name_of_results():
    keras.metrics.AUC()  # whatever was made before
    keras.utils.clear_session(free_memory=False)
    (stored,) = compile_config({"metrics": ["AUC"]}, "2.15.0")["metrics"]
    assert keras.saving.deserialize_keras_object(stored).name == "auc"
    assert compile_config({"metrics": ["AUC"]}, "3.0.0")["metrics"] == ["AUC"]
    assert compile_config({"metrics": ["MSE"]}, "2.15.0")["metrics"] == ["MSE"]


def test_unknown_optimizers_are_refused_with_advice():
    with pytest.raises(UnsupportedFileError, match="compile=False"):
        compile_config({"optimizer_config": {"class_name": "TFOptimizer", "config": {}}, "loss": "mse"}, "2.2.4")


def trained(optimizer, shapes=((2, 3), (3,), (3, 4))):
    variables = [keras.Variable(np.zeros(shape, "float32"), name=f"v{i}") for i, shape in enumerate(shapes)]
    made = keras.optimizers.get(optimizer)
    made.build(variables)
    return made, variables


def slots(variables, count):
    rng = np.random.default_rng(0)
    return [[rng.normal(size=tuple(v.shape)).astype("float32") for v in variables] for _ in range(count)]


def restored(optimizer, variables, arrays, names=(), **info):
    pairs = optimizer_state(optimizer, arrays, list(names), {"variables": variables, **info})
    assert pairs is not None
    for variable, array in pairs:
        variable.assign(array)


@pytest.mark.parametrize("layout", ["slot by slot", "weight by weight"])
@pytest.mark.parametrize("equal_shapes", [False, True])
def test_orders_of_adam(layout, equal_shapes):
    optimizer, variables = trained("adam", ((3,), (3,)) if equal_shapes else ((2, 3), (3,), (3, 4)))
    m, v = slots(variables, 2)
    if layout == "slot by slot":
        arrays, names = [*m, *v], [f"Adam/v{i}/{s}:0" for s in "mv" for i in range(len(m))]
    else:
        arrays = [one for pair in zip(m, v, strict=True) for one in pair]
        names = [f"Adam/{s}/v{i}:0" for i in range(len(m)) for s in "mv"]
    restored(optimizer, variables, [np.int64(7).reshape(()), *arrays], ["iteration:0", *names], version="2.11.0")
    assert int(optimizer.iterations) == 7
    for own, stored in zip(optimizer._momentums + optimizer._velocities, [*m, *v], strict=True):
        np.testing.assert_array_equal(np.asarray(own), stored)


def test_other_states():
    optimizer, variables = trained("adam")
    m, v = slots(variables, 2)
    empty = [np.zeros(1, "float32")] * 3
    restored(optimizer, variables, [np.float32(3).reshape(()), *m, *v, *empty], version="2.1.0")
    np.testing.assert_array_equal(np.asarray(optimizer._velocities[2]), v[2])
    optimizer, variables = trained("rmsprop")
    (square,) = slots(variables, 1)
    restored(optimizer, variables, square, version="2.1.0")
    np.testing.assert_array_equal(np.asarray(optimizer._velocities[0]), square[0])
    optimizer, variables = trained("sgd")
    restored(optimizer, variables, [np.int64(5).reshape(()), *slots(variables, 1)[0]], version="2.2.4")
    assert int(optimizer.iterations) == 5
    optimizer, variables = trained("nadam")
    m, v = slots(variables, 2)
    restored(
        optimizer,
        variables,
        [np.int64(2).reshape(()), np.float32(0.5).reshape(()), *m, *v],
        ["iterations", "m_schedule"],
        version="2.3.1",
    )
    product = np.prod([0.9 * (1 - 0.5 * 0.96**t) for t in (1, 2)])
    assert float(optimizer._u_product) == pytest.approx(product, rel=1e-6)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("slot_count", [0, 1, 2])
def test_moving_averages_of_weights_stand_in_front(named, slot_count):
    made = [keras.optimizers.SGD, lambda **k: keras.optimizers.SGD(momentum=0.9, **k), keras.optimizers.Adam]
    optimizer, variables = trained(made[slot_count](use_ema=True))
    averages, *kinds = slots(variables, 1 + slot_count)
    by_weight = [array for arrays in zip(*kinds, strict=True) for array in arrays]
    names = ["iteration:0", *(f"A/average/v{i}:0" for i in range(3))]
    names += [f"A/{kind}/v{i}:0" for i in range(3) for kind in "mv"[:slot_count]]
    arrays = [np.int64(3).reshape(()), *averages, *by_weight]
    restored(optimizer, variables, arrays, names if named else (), version="2.15.0")
    attributes = [[], ["momentums"], ["_momentums", "_velocities"]][slot_count]
    for attribute, expected in zip(["_averages", *attributes], [averages, *kinds], strict=True):
        for own, stored in zip(getattr(optimizer, attribute), expected, strict=True):
            np.testing.assert_array_equal(np.asarray(own), stored)


def test_weights_may_have_unequal_numbers_of_slots():
    optimizer, variables = trained("adafactor")
    rng = np.random.default_rng(0)
    shapes = [(2,), (3,), (2, 3), (3,), (3,), (4,), (3, 4)]
    arrays = [rng.uniform(size=shape).astype("float32") for shape in shapes]
    restored(optimizer, variables, [np.int64(4).reshape(()), *arrays], version="2.15.0")
    own = [optimizer._r[0], optimizer._c[0], *optimizer._v[:2], optimizer._r[2], optimizer._c[2], optimizer._v[2]]
    for variable, stored in zip(own, arrays, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), stored)


def test_states_that_do_not_fit_are_not_guessed():
    optimizer, variables = trained("adam")
    (m,) = slots(variables, 1)
    assert optimizer_state(optimizer, [np.int64(1).reshape(()), *m], [], {"variables": variables}) is None
    wrong = [np.zeros((9, 9), "float32")] * 6
    assert optimizer_state(optimizer, [np.int64(1).reshape(()), *wrong], [], {"variables": variables}) is None


def test_weights_of_the_first_generation_were_sorted_by_name():
    optimizer, variables = trained("adam", ((4, 8), (8,), (8, 3)))
    names = {id(variables[0]): "b_W:0", id(variables[1]): "a_gamma:0", id(variables[2]): "c_W:0"}
    order = [variables[1], variables[0], variables[2]]
    m, v = slots(order, 2)
    restored(optimizer, variables, [np.float32(2).reshape(()), *m, *v], version="1.2.2", weight_names=names)
    np.testing.assert_array_equal(np.asarray(optimizer._momentums[1]), m[0])
    np.testing.assert_array_equal(np.asarray(optimizer._momentums[0]), m[1])


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_the_old_nadam_stays_the_old_one_in_files(ending, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.legacy.Nadam(0.1), "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model.fit(x, y, epochs=2, verbose=0)
    path = str(tmp_path / f"model{ending}")
    model.save(path)
    again = keras.models.load_model(path)
    assert type(again.optimizer) is keras.optimizers.legacy.Nadam
    one, other = (net.fit(x, y, epochs=3, verbose=0).history["loss"] for net in (model, again))
    np.testing.assert_allclose(one, other, rtol=1e-6)
