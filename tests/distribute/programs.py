"""Programs that `test_mirrored.py` runs on four CPU devices, and what TensorFlow 2.21 gives for one of them."""

BEGIN = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
import numpy as np
import hornbeam as tf
keras = tf.keras
"""

FIT = (
    BEGIN
    + """
rng = np.random.RandomState(0)
x, y = rng.randn(70, 6).astype("float32"), rng.randn(70, 8).astype("float32")

def built():
    keras.utils.set_random_seed(1)
    layers = [keras.Input((6,)), keras.layers.Dense(16, "relu"), keras.layers.BatchNormalization(),
              keras.layers.Dropout(0.2), keras.layers.Dense(8)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model

def trained(model):
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0, validation_data=(x[:20], y[:20])).history
    numbers = [*history.values(), model.evaluate(x, y, batch_size=16, verbose=0), model.predict(x, verbose=0)]
    return numbers + [model.train_on_batch(x[:8], y[:8]), model.test_on_batch(x[:8], y[:8])]

def devices_of(model):
    model.optimizer.build(model.trainable_variables)
    arrays = [variable.read_array() for variable in [*model.weights, *model.optimizer.variables]]
    assert all(array.sharding.is_fully_replicated for array in arrays)
    return {len(array.sharding.device_set) for array in arrays}

expected = trained(built())
for devices, count in ((None, 4), (["/cpu:0", "/device:CPU:2"], 2)):
    strategy = tf.distribute.MirroredStrategy(devices)
    assert strategy.num_replicas_in_sync == len(strategy.devices) == count
    with strategy.scope():
        model = built()
    for one, two in zip(trained(model), expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-4, atol=2e-5)
    assert devices_of(model) == {count}
    assert model._runner("train").programs()[-1]._distribution is strategy.distribution
    assert tf.distribute.get_strategy() is not strategy and keras.distribution.distribution() is None

strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    late = keras.Sequential([keras.layers.Dense(3)])
    late.compile("sgd", "mse")
data = tf.data.Dataset.from_tensor_slices((x[:64], y[:64, :3]))
late.fit(strategy.experimental_distribute_dataset(data.batch(16)), verbose=0)
assert devices_of(late) == {4}
made = strategy.distribute_datasets_from_function(lambda c: data.batch(c.get_per_replica_batch_size(16)))
assert len(made) == 4
one, two = (late.evaluate(d, verbose=0) for d in (made, data.batch(16)))
np.testing.assert_allclose(one, two, rtol=1e-5)
late.save(FOLDER + "/late.keras")
plain = keras.models.load_model(FOLDER + "/late.keras")
with strategy.scope():
    again = keras.models.load_model(FOLDER + "/late.keras")
for model, count in ((plain, 1), (again, 4)):
    np.testing.assert_allclose(model.predict(x, verbose=0), late.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    model.fit(x, y[:, :3], verbose=0)
    assert {len(weight.read_array().sharding.device_set) for weight in model.weights} == {count}
np.testing.assert_allclose(plain.get_weights()[0].shape, (6, 3))
print("all the same")
"""
)

LOOPS = (
    BEGIN
    + """
rng = np.random.RandomState(0)
x, y = rng.randn(64, 6).astype("float32"), rng.randint(0, 3, 64).astype("int32")

def trained(strategy, compiled, form):
    with strategy.scope():
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "relu", kernel_regularizer="l2"),
                                  keras.layers.Dense(3)])
        optimizer = keras.optimizers.Adam(0.01)
        if form == "scaled":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0)
        losses = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
        accuracy, mean = keras.metrics.SparseCategoricalAccuracy(), keras.metrics.Mean()

    def step(inputs):
        images, labels = inputs
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            each = losses(labels, outputs)
            if form == "mean":
                loss = tf.reduce_mean(each) / strategy.num_replicas_in_sync
            else:
                loss = tf.nn.compute_average_loss(each, global_batch_size=16 if form == "average" else None)
            loss += tf.nn.scale_regularization_loss(tf.add_n(model.losses))
            wanted = optimizer.scale_loss(loss) if form == "scaled" else loss
        gradients = tape.gradient(wanted, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        accuracy.update_state(labels, outputs)
        mean.update_state(each)
        return loss

    def whole_step(batch):
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(step, args=(batch,)), axis=None)

    whole_step = tf.function(whole_step) if compiled == "outer" else whole_step
    step = tf.function(step) if compiled == "inner" else step
    found = []
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    batches = strategy.experimental_distribute_dataset(data)
    for _ in range(2):
        accuracy.reset_state()
        found += [float(whole_step(batch)) for batch in batches]
        found += [float(accuracy.result()), float(mean.result())]
    return [np.array(found), *model.get_weights(), *map(np.asarray, optimizer.variables)]

one, four = tf.distribute.MirroredStrategy(["/cpu:0"]), tf.distribute.MirroredStrategy()
for form in ("average", "default", "mean", "scaled"):
    expected = trained(one, "no", form)
    for compiled in ("no", "outer", "inner") if form == "average" else ("outer",):
        for first, second in zip(trained(four, compiled, form), expected, strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-5, atol=2e-6, err_msg=f"{form} {compiled}")

layer = keras.layers.Dropout(0.5)
values = four.experimental_distribute_values_from_function(lambda context: tf.ones((4, 16)))
masks = [np.asarray(mask) for mask in four.run(lambda v: layer(v, training=True), args=(values,)).values]
assert len({mask.tobytes() for mask in masks}) == 4
data = tf.data.Dataset.from_tensor_slices(x)
for wrong, word in (
    (lambda: next(iter(four.experimental_distribute_dataset(data.batch(10)))), "evenly"),
    (lambda: list(four.distribute_datasets_from_function(lambda c: data.batch(10).take(3))), "midst of a step"),
    (lambda: four.run(lambda v: v, args=(type(values)(tuple(map(tf.ones, (2, 3, 2, 2)))),)), "one shape"),
    (lambda: four.run(lambda: tf.distribute.get_replica_context().merge_call(print)), "one replica"),
    (lambda: four.reduce("SUM", tf.constant(2.0), axis=None), "no replica"),
):
    try:
        wrong()
    except ValueError as error:
        assert word in str(error), error
    except NotImplementedError as error:
        assert word in str(error), error
    else:
        raise AssertionError(word)
print("all the same")
"""
)

LIKE_TENSORFLOW = (
    BEGIN
    + """
strategy = tf.distribute.MirroredStrategy()
rng = np.random.RandomState(0)
x = rng.randn(32, 5).astype("float32"); y = rng.randn(32, 1).astype("float32")
def draw(*shape):
    return rng.randn(*shape).astype("float32")

zeros, ones = (lambda n: np.zeros(n, "float32")), (lambda n: np.ones(n, "float32"))
W = [draw(5, 4), draw(4), ones(4), zeros(4), zeros(4), ones(4), draw(4, 1), zeros(1)]
ds = tf.data.Dataset.from_tensor_slices((x,y)).batch(16)
dist = strategy.experimental_distribute_dataset(ds)
with strategy.scope():
    first = keras.layers.Dense(4, input_shape=(5,))
    model = keras.Sequential([first, keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    model.set_weights(W)
    opt = keras.optimizers.SGD(0.1, momentum=0.9)
    m = keras.metrics.Mean()
    counter = tf.Variable(1.0, aggregation=tf.VariableAggregation.SUM, trainable=False)
    avg = tf.Variable(0.0, aggregation=tf.VariableAggregation.MEAN, trainable=False)
@tf.function
def one(a, b):
    with tf.GradientTape() as t:
        p = model(a, training=True)
        loss = tf.reduce_mean(tf.square(p - b)) / 4
    g = t.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(g, model.trainable_variables))
    m.update_state(tf.reduce_sum(p))
    counter.assign_add(tf.reduce_sum(a))
    avg.assign(tf.reduce_mean(a))
    ctx = tf.distribute.get_replica_context()
    s = ctx.all_reduce(tf.distribute.ReduceOp.SUM, tf.reduce_sum(b))
    mm = ctx.all_reduce("MEAN", tf.reduce_sum(b))
    return loss, p, {"s": s, "m": mm, "id": ctx.replica_id_in_sync_group}
@tf.function
def both(a, b):
    loss, p, d = strategy.run(one, args=(a, b))
    pairs = [("SUM", loss, None), ("MEAN", loss, None), ("MEAN", p, 0), ("SUM", p, 0), ("SUM", d["id"], None)]
    return *(strategy.reduce(kind, value, axis=axis) for kind, value, axis in pairs), p, d["s"], d["m"]
res = []
for a, b in dist:
    l1, l2, p1, p2, ids, p, s, mm = both(a, b)
    res += [float(l1), float(l2), *np.ravel(p1), *np.ravel(p2), int(ids)]
    res += [float(v) for one in (s, mm) for v in strategy.experimental_local_results(one)]
    g = strategy.gather(p, axis=0)
    res += [float(np.sum(np.asarray(g)*np.arange(16)[:,None]))]
    res += [float(m.result()), float(tf.convert_to_tensor(counter)), float(tf.convert_to_tensor(avg))]
res += [float(v) for w in model.get_weights() for v in np.ravel(w)]
vals = strategy.experimental_distribute_values_from_function(
    lambda c: tf.constant(float(c.replica_id_in_sync_group + 1)))
res.append(float(strategy.reduce("SUM", strategy.run(lambda v: v * 2.0, args=(vals,)), axis=None)))
sixteen = tf.data.Dataset.from_tensor_slices(np.arange(16.0, dtype="float32"))
for e in strategy.distribute_datasets_from_function(lambda c: sixteen.batch(2)):
    res.append(float(strategy.reduce("MEAN", strategy.run(tf.reduce_sum, args=(e,)), axis=None)))

np.testing.assert_allclose(res, EXPECTED, rtol=1e-4, atol=3e-5)
print("all the same")
"""
)
EXPECTED = [
    8.084049,
    2.021012,
    0.0,
    1e-06,
    6.0,
    2.140128,
    2.140128,
    2.140128,
    2.140128,
    0.535032,
    0.535032,
    0.535032,
    0.535032,
    8.483709,
    0.0,
    -1.443383,
    -0.030542,
    0.879016,
    0.219754,
    0.13426,
    2.148154,
    6.0,
    -8.778379,
    -8.778379,
    -8.778379,
    -8.778379,
    -2.194595,
    -2.194595,
    -2.194595,
    -2.194595,
    14.561902,
    0.268519,
    17.580936,
    0.237804,
    -0.033734,
    -1.224839,
    0.397881,
    -0.181084,
    0.782172,
    0.752374,
    2.169048,
    1.332855,
    -0.355011,
    -0.343096,
    1.075025,
    0.666124,
    0.634536,
    -1.596154,
    0.128812,
    -0.728345,
    0.283636,
    -0.111556,
    1.000844,
    0.327901,
    0.786328,
    -0.466419,
    -0.944446,
    -0.41005,
    0.999971,
    0.92843,
    -1.320017,
    1.043019,
    0.000766,
    -0.02177,
    -0.120159,
    0.053972,
    0.019748,
    -0.006441,
    -0.003349,
    0.000217,
    0.994536,
    1.061849,
    1.051308,
    1.018087,
    -0.018664,
    0.180193,
    1.228333,
    -0.775676,
    -0.085754,
    20.0,
    7.0,
    23.0,
]
"""Losses, reductions, metrics, aggregated variables and weights of that program, by tf_keras on four virtual CPUs."""
