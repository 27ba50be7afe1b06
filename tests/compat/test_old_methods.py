"""Methods and attributes that left Keras's classes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

layers = keras.layers
X = np.random.default_rng(0).random((24, 3)).astype("float32")
Y = (X[:, :1] > 0.5).astype("float32")


def batches(size=8):
    while True:
        for start in range(0, len(X), size):
            yield X[start : start + size], Y[start : start + size]


def classifier(units=1) -> keras.Sequential:
    model = keras.Sequential([layers.Dense(units, input_dim=3, activation="sigmoid" if units == 1 else "softmax")])
    model.compile(
        "sgd", "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def test_generator_methods_do_what_fit_evaluate_and_predict_do():
    first, second = classifier(), classifier()
    second.set_weights(first.get_weights())
    one = first.fit_generator(batches(), steps_per_epoch=3, epochs=2, verbose=0, max_queue_size=2, workers=1)
    two = second.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(one.history["loss"], two.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(
        first.evaluate_generator(batches(), steps=3), second.evaluate(X, Y, verbose=0), rtol=1e-4
    )
    np.testing.assert_allclose(first.predict_generator(batches(), steps=3), second.predict(X, verbose=0), rtol=1e-4)
    assert one.history["acc"] == one.history["accuracy"]


def test_numbers_of_samples_become_numbers_of_batches():
    model = classifier()
    history = model.fit_generator(
        batches(),
        samples_per_epoch=20,
        nb_epoch=2,
        verbose=0,
        validation_data=batches(),
        nb_val_samples=16,
        nb_worker=1,
        max_q_size=3,
        pickle_safe=False,
    )
    assert int(model.optimizer.iterations) == 6 and set(history.history) >= {"val_loss", "val_accuracy"}
    with pytest.raises(TypeError, match="epochz"):
        model.fit_generator(batches(), steps_per_epoch=1, epochz=2)


def test_classes_and_probabilities():
    model = classifier(4)
    np.testing.assert_array_equal(model.predict_classes(X), model.predict(X, verbose=0).argmax(axis=-1))
    np.testing.assert_array_equal(model.predict_proba(X), model.predict(X, verbose=0))
    binary = classifier()
    found = binary.predict_classes(X - 0.5)
    assert found.shape == (24, 1) and found.dtype == np.int32
    np.testing.assert_array_equal(found, binary.predict(X - 0.5, verbose=0) > 0.5)
    functional = keras.Model(binary.inputs, binary.outputs)
    assert not hasattr(functional, "predict_classes")


def test_places_in_the_graph():
    a, b = layers.Input((3,)), layers.Input((3,))
    shared = layers.Dense(2)
    first, second = shared(a), shared(b)
    assert shared.get_input_at(1) is b and shared.get_output_at(0) is first and shared.get_output_at(1) is second
    assert shared.get_output_shape_at(0) == (None, 2) and shared.get_input_shape_at(1) == (None, 3)
    assert len(shared.inbound_nodes) == 2 and shared.get_input_mask_at(0) is None
    with pytest.raises(ValueError, match="2 time"):
        shared.get_output_at(2)


def test_short_names_of_weights_and_sizes():
    model = classifier()
    dense = model.layers[0]
    assert dense.W is dense.kernel and dense.b is dense.bias and dense.output_dim == 1
    assert layers.Conv2D(4, 3, dilation_rate=2).atrous_rate == (2, 2)
    assert model.model is model and model.stateful is False and model.state_updates == []
    assert dense.get_losses_for(None) == [] and dense.updates == []
    assert dense.get_output_shape_for((5, 3)) == (5, 1)


def test_attributes_that_are_gone_say_what_to_do():
    model = classifier()
    assert not hasattr(model, "total_loss")
    with pytest.raises(AttributeError, match="GradientTape"):
        _ = model.total_loss
    model.targets = "mine"
    with pytest.raises(NotSupportedError, match="GradientTape"):
        model.optimizer.get_updates(None, [])
    with pytest.raises(NotSupportedError, match="GradientTape"):
        model.optimizer.get_gradients(None, None)


def test_function_with_the_updates_of_an_optimizer():
    net, weight = classifier(), keras.backend.placeholder((None,))
    loss = keras.backend.mean(keras.backend.square(net.output[:, 0]) * weight)
    optimizer = keras.optimizers.SGD(0.1)
    before = [np.array(value) for value in net.get_weights()]
    x, scale = np.ones((4, net.input_shape[-1]), "float32"), np.arange(4, dtype="float32")
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(tf.square(net(x)[:, 0]) * scale)
    gradients = tape.gradient(value, net.trainable_weights)
    step = keras.backend.function(
        [net.input, weight], [loss], updates=optimizer.get_updates(net.trainable_weights, [], loss)
    )
    assert float(step([x, scale])[0]) == pytest.approx(float(value), rel=1e-5)
    for new, old, gradient in zip(net.get_weights(), before, gradients, strict=True):
        np.testing.assert_allclose(new, old - 0.1 * np.asarray(gradient), atol=1e-6)


def test_initializers_with_a_name_give_variables():
    made = keras.initializers.get("glorot_uniform")((2, 3), name="W")
    assert isinstance(made, tf.Variable) and made.trainable and tuple(made.shape) == (2, 3)
    assert not isinstance(keras.initializers.Zeros()((2,)), tf.Variable)


def test_embedding_that_leaves_out_words():
    layer = keras.layers.Embedding(40, 3, dropout=0.4)
    x = np.arange(40).reshape(4, 10)
    trained, whole = np.asarray(layer(x, training=True)), np.asarray(layer(x))
    out = (trained == 0).all(-1)
    assert 0.1 < out.mean() < 0.75
    np.testing.assert_allclose(trained[~out], whole[~out] / 0.6, rtol=1e-5)
    assert len(np.unique(np.asarray(layer(np.zeros((1, 20)), training=True))[0], axis=0)) == 1
    assert keras.layers.Embedding.from_config(layer.get_config()).dropout == 0.4


def test_padding_in_old_forms():
    x = np.ones((1, 2, 2, 1), "float32")
    for padding in ((1, 0, 2, 0), {"top_pad": 1, "left_pad": 2}):
        assert tuple(keras.layers.ZeroPadding2D(padding)(x).shape) == (1, 3, 4, 1)


def test_histories_know_old_names():
    history = classifier().fit(X, Y, verbose=0).history
    assert "acc" in history and "nothing" not in history
    assert history.get("acc") == history["accuracy"] and history.get("nothing", 3) == 3


def test_merged_models_share_inputs():
    left = keras.Sequential([keras.layers.Dense(3, input_shape=(2,))])
    right = keras.Sequential([keras.layers.Dense(3, input_shape=(4,))])
    inner, outer = keras.Sequential(), keras.Sequential()
    inner.add(keras.layers.Merge([left, right], mode="sum"))
    inner.add(keras.layers.Activation("tanh"))
    outer.add(keras.layers.Merge([inner, right], mode="concat"))
    assert outer.input_shape == [(None, 2), (None, 4)] and outer.output_shape == (None, 6)
    a, b = np.ones((5, 2), "float32"), np.full((5, 4), 2, "float32")
    want = np.concatenate([np.tanh(np.asarray(left(a)) + np.asarray(right(b))), np.asarray(right(b))], -1)
    np.testing.assert_allclose(outer.predict([a, b], verbose=0), want, rtol=1e-5, atol=1e-6)


def test_layers_written_long_ago():
    class Scale(layers.Layer):
        def __init__(self, output_dim, **kwargs):
            self.output_dim = output_dim
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.W = keras.backend.variable(np.ones((input_shape[1], self.output_dim)), name="W")
            self.trainable_weights = [self.W]
            super().build(input_shape)

        def call(self, x, mask=None):
            return keras.backend.dot(x, self.W)

        def get_output_shape_for(self, input_shape):
            return (input_shape[0], self.output_dim)

    model = keras.Sequential([Scale(2, input_shape=(3,))])
    assert model.output_shape == (None, 2) and len(model.trainable_weights) == 1
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((24, 2)), nb_epoch=1, verbose=0)
    assert np.all(model.get_weights()[0] < 1)


def test_optimizers_and_metrics():
    optimizer = keras.optimizers.Adam()
    weight = keras.Variable(1.0)
    optimizer.apply_gradients([(np.float32(1.0), weight)], experimental_aggregate_gradients=True, name="step")
    assert [one.shape for one in optimizer.get_weights()] == [(), (), (), ()]
    assert optimizer.weights == optimizer.variables and optimizer.decay == 0.0
    metric = keras.metrics.Mean()
    metric.update_state(3.0)
    metric.reset_states()
    assert float(metric.result()) == 0.0 and metric.trainable_weights == []
    others = [keras.metrics.Mean(), keras.metrics.Mean()]
    for value, other in zip((1.0, 5.0), others, strict=True):
        other.update_state(value)
    metric.merge_state(others)
    assert float(metric.result()) == 3.0
    pairs = optimizer.compute_gradients(lambda: weight * weight, [weight])
    assert pairs[0][1] is weight and float(pairs[0][0]) == pytest.approx(2 * float(weight))


def test_scaled_losses():
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=8.0)
    assert float(np.asarray(optimizer.get_scaled_loss(2.0))) == 16.0
    gradients = optimizer.get_unscaled_gradients([np.float32(16.0), None])
    assert float(gradients[0]) == 2.0 and gradients[1] is None
    weight = tf.Variable(1.0)
    optimizer.apply_gradients([(gradients[0], weight)])  # divided once, not twice
    assert float(weight) == pytest.approx(1.0 - 0.01 * 2.0)
    optimizer.apply_gradients([(tf.constant(16.0), weight)])
    assert float(weight) == pytest.approx(1.0 - 0.01 * 4.0)


def test_base_logger_averages_over_samples():
    logger = keras.callbacks.BaseLogger()
    logger.set_params({"metrics": ["loss"], "epochs": 3})
    assert logger.params["nb_epoch"] == 3
    logger.on_epoch_begin(0)
    logger.on_batch_end(0, {"size": 2, "loss": 1.0})
    logger.on_batch_end(1, {"size": 6, "loss": 5.0})
    logs = {}
    logger.on_epoch_end(0, logs)
    assert logs == {"loss": 4.0}


def test_names_of_variables_hold_the_names_of_layers():
    model = keras.Sequential([layers.Dense(2, input_dim=3, name="conv_one"), layers.Dense(1, name="top")])
    kept = [weight.name for weight in model.trainable_weights if "conv" not in weight.name]
    assert kept == ["kernel", "bias"] and all(isinstance(name, str) for name in kept)
    name = model.layers[0].kernel.name
    assert name == "kernel" and name.startswith("conv_one/") and name.endswith("kernel:0") and "top" not in name
    assert copy.deepcopy(name) == "kernel" and type(pickle.loads(pickle.dumps(name))) is str


def test_a_model_that_starts_with_an_embedding_needs_no_length(capsys):
    model = keras.Sequential([layers.Embedding(50, 4), layers.GlobalAveragePooling1D(), layers.Dense(1)])
    model.summary()
    assert "205" in capsys.readouterr().out and model.output_shape == (None, 1)
    assert model.predict(np.array([[1, 2, 3]]), verbose=0).shape == (1, 1)
    fixed = keras.Sequential([layers.Embedding(50, 4, input_length=6), layers.Flatten(), layers.Dense(1)])
    assert fixed.input_shape == (None, 6) and fixed.count_params() == 225
    unknown = keras.Sequential([layers.Embedding(50, 4), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(ValueError):
        unknown.summary()
    assert unknown.predict(np.ones((2, 5), int), verbose=0).shape == (2, 1)
    assert layers.Dense(1).stateful is False


def absolute(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred))


def test_metric_functions_get_labels_as_columns():
    model = classifier()
    model.compile("sgd", "mse", metrics=[absolute, "mae"])
    _, own, built_in = model.evaluate(X, Y[:, 0], verbose=0)
    assert own == pytest.approx(built_in, rel=1e-5)


def test_names_of_old_metrics():
    model = classifier()
    model.compile("sgd", "mse", metrics=["logcosh", "kullback_leibler_divergence", "fmeasure"])
    values = model.evaluate(X, Y, verbose=0, return_dict=True)
    found = model.predict(X, verbose=0)
    assert values["logcosh"] == pytest.approx(np.log(np.cosh(found - Y)).mean(), rel=1e-4)
    assert {"kullback_leibler_divergence", "fmeasure"} <= set(values)


def test_a_session_makes_the_steps_of_an_optimizer():
    v1 = tf.compat.v1
    rng = np.random.RandomState(0)
    x, y = rng.rand(40, 3).astype("float32"), rng.rand(40, 1).astype("float32")
    inputs, labels = v1.placeholder(tf.float32, [None, 3]), v1.placeholder(tf.float32, [None, 1])
    weights, bias = tf.Variable(tf.zeros([3, 1])), tf.Variable(tf.zeros([1]))
    loss = tf.reduce_mean((tf.matmul(inputs, weights) + bias - labels) ** 2)
    step = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    kernel, offset = np.zeros((3, 1)), np.zeros(1)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for _ in range(3):
            error = x @ kernel + offset - y
            _, found = session.run([step, loss], feed_dict={inputs: x, labels: y})
            assert found == pytest.approx((error**2).mean(), rel=1e-5)
            kernel, offset = kernel - 0.2 * x.T @ error / 40, offset - 0.2 * error.mean()
    np.testing.assert_allclose(weights, kernel, rtol=1e-4)
    np.testing.assert_allclose(bias, offset, rtol=1e-4)


def test_layers_may_have_names_with_slashes(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2, name="fire2/squeeze")(inputs))
    assert model.get_layer("fire2/squeeze").kernel.path == "fire2/squeeze/kernel"
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        assert again.layers[1].name == "fire2/squeeze"
        np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_tensors_tell_their_shape_as_they_once_did():
    outputs = layers.Dense(2)(keras.Input((4,)))
    assert outputs._keras_shape == (None, 2) and outputs._uses_learning_phase is False
    outputs._keras_shape = (None, 3)
    assert outputs._keras_shape == (None, 2)
    assert tf.constant([[1.0]])._keras_shape == (1, 1)


def test_layers_picked_by_name_have_the_file_of_words(tmp_path):
    callback = keras.callbacks.TensorBoard(
        str(tmp_path), embeddings_layer_names=["words"], embeddings_metadata="words.tsv"
    )
    assert callback.embeddings_metadata == {"words": "words.tsv"}


def test_states_are_asked_for_with_the_sequences():
    sequences = np.ones((3, 4, 2), "float32")
    for found in (
        keras.layers.LSTM(5).get_initial_state(keras.ops.convert_to_tensor(sequences)),
        keras.layers.LSTM(5).get_initial_state(batch_size=3),
        keras.layers.LSTMCell(5).get_initial_state(inputs=None, batch_size=3, dtype="float32"),
    ):
        assert [tuple(state.shape) for state in found] == [(3, 5), (3, 5)]


def test_backup_under_old_names(tmp_path):
    """The history is kept as plain data, and answers to its old names again afterwards."""
    model = classifier()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[backup])
    again = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[again]).history
    assert len(history["acc"]) == len(history["accuracy"])


def test_adapt_looks_at_as_much_as_it_is_told():
    data = np.arange(12, dtype="float32").reshape(12, 1)
    for source in (data, tf.data.Dataset.from_tensor_slices(data).batch(2), iter(np.split(data, 6))):
        scale = layers.Normalization()
        scale.adapt(source, batch_size=2, steps=3)
        np.testing.assert_allclose(scale.mean, [[2.5]], rtol=1e-6)
    whole = layers.Normalization()
    whole.adapt(data, batch_size=5)
    np.testing.assert_allclose(whole.mean, [[5.5]], rtol=1e-6)
    bins = layers.Discretization(num_bins=2)
    bins.adapt(data, batch_size=3, steps=2)
    assert 2.0 <= bins.bin_boundaries[0] <= 3.0
    words = layers.StringLookup()
    words.adapt(np.array(["a", "b", "c", "d"]), batch_size=1, steps=2)
    assert words.vocab_size() == 3 == len(words.get_vocabulary())


@pytest.mark.parametrize("wrap", [lambda layer: layer, layers.Bidirectional])
def test_states_are_set_to_given_ones(wrap):
    layer = wrap(layers.LSTM(2, stateful=True))
    layer(np.zeros((3, 4, 5), "float32"))
    values = [np.full((3, 2), number, "float32") for number in range(len(tuple(layer.states)))]
    layer.reset_states(states=values)
    for state, value in zip(layer.states, values, strict=True):
        np.testing.assert_array_equal(state.numpy(), value)
    with pytest.raises(ValueError, match="states to set"):
        layer.reset_states(states=values[:1])
    layer.reset_states()
    assert all(not state.numpy().any() for state in layer.states)


def test_details_of_recurrent_layers_and_of_weights_of_metrics():
    layer = layers.GRU(2)
    assert layer.implementation == 2 and layer.reset_dropout_mask() is None
    total = keras.metrics.Mean().add_weight(name="more", initializer="zeros", aggregation="sum", synchronization=None)
    assert total.shape == () and float(total.numpy()) == 0.0
