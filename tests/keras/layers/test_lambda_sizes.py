"""Lambda layers whose functions make tensors of a size that depends on values, as the losses of Mask R-CNN do."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

K, layers = keras.backend, keras.layers
RNG = np.random.RandomState(0)


def class_loss(args):
    match, logits = args
    match = tf.squeeze(match, -1)
    places = tf.where(K.not_equal(match, 0))
    labels = tf.gather_nd(K.cast(K.equal(match, 1), "int32"), places)
    loss = K.sparse_categorical_crossentropy(labels, tf.gather_nd(logits, places), from_logits=True)
    return K.switch(tf.size(loss) > 0, K.mean(loss), tf.constant(0.0))


def box_loss(args):
    boxes, classes, found = args
    classes, boxes = K.reshape(classes, (-1,)), K.reshape(boxes, (-1, 4))
    found = K.reshape(found, (-1, K.int_shape(found)[2], 4))
    rows = tf.where(classes > 0)[:, 0]
    places = tf.stack([rows, tf.cast(tf.gather(classes, rows), "int64")], axis=1)
    boxes = tf.gather(boxes, rows)
    # The branches have shapes of their own.
    return K.mean(K.switch(tf.size(boxes) > 0, K.abs(boxes - tf.gather_nd(found, places)), tf.constant(0.0)))


def test_losses_over_chosen_rows():
    match, features = layers.Input((4, 1), dtype="int32"), layers.Input((4, 3))
    boxes, classes, found = layers.Input((3, 4)), layers.Input((3,), dtype="int32"), layers.Input((3, 5, 4))
    logits, shifted = layers.Dense(2)(features), layers.Dense(4)(found)
    first = layers.Lambda(class_loss)([match, logits])
    second = layers.Lambda(box_loss)([boxes, classes, shifted])
    assert tuple(first.shape) == tuple(second.shape) == ()
    model = keras.Model([match, features, boxes, classes, found], [logits, shifted, first, second])
    model.add_loss(first)
    model.add_loss(second)
    model.compile("sgd")
    data = [
        RNG.randint(-1, 2, (2, 4, 1)),
        *(RNG.rand(*shape).astype("float32") for shape in ((2, 4, 3), (2, 3, 4))),
        np.array([[0, 2, 1], [4, 0, 0]]),
        RNG.rand(2, 3, 5, 4).astype("float32"),
    ]
    with pytest.warns(UserWarning, match=r"tf\.where"):
        outputs = model.predict(data, verbose=0)
    scores, moved = outputs[0], outputs[1]
    chosen = data[0][..., 0] != 0
    logs = scores[chosen] - np.log(np.exp(scores[chosen]).sum(-1, keepdims=True))
    labels = (data[0][..., 0] == 1)[chosen].astype(int)
    expected = [-logs[np.arange(len(labels)), labels].mean()]
    rows = [(0, 1, 2), (0, 2, 1), (1, 0, 4)]
    expected.append(np.mean([np.abs(data[2][a, b] - moved[a, b, c]) for a, b, c in rows]))
    np.testing.assert_allclose(outputs[2:], expected, rtol=1e-5)
    with pytest.warns(UserWarning, match="runs eagerly"):
        losses = model.fit(data, epochs=3, verbose=0).history["loss"]
    np.testing.assert_allclose(losses[0], sum(expected), rtol=1e-5)
    assert losses[2] < losses[0]
    data[3] = np.zeros((2, 3), int)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        assert np.isfinite(model.fit(data, verbose=0).history["loss"][0])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_sizes_in_graphs():
    inputs = layers.Input((3,))
    kept = tf.boolean_mask(inputs, inputs > 0)
    count = tf.size(kept, out_type="int64")
    either = K.switch(count > 2, kept * 2.0, kept)
    assert tuple(kept.shape) == tuple(either.shape) == (None,) and count.dtype == "int64"
    model = keras.Model(inputs, [kept, count, either])
    found = model(np.array([[1.0, -1.0, 2.0]], "float32"))
    np.testing.assert_array_equal(found[0], [1, 2])
    assert int(found[1]) == 2
    np.testing.assert_array_equal(found[2], [1, 2])
    assert int(tf.size(tf.ones((2, 3)))) == 6


def test_other_errors_ask_for_the_shape():
    with pytest.raises(NotImplementedError, match="output_shape"):
        layers.Lambda(lambda x: [][0])(layers.Input((3,)))


def test_texts_in_graphs():
    table = tf.lookup.StaticVocabularyTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64)), 1
    )
    inputs = keras.Input((1,), dtype="string")
    lower = keras.layers.Lambda(tf.strings.lower)(inputs)
    assert (lower.shape, lower.dtype) == ((None, 1), "string")
    numbers = keras.layers.Lambda(table.lookup)(lower)
    assert (numbers.shape, numbers.dtype) == ((None, 1), "int64")
    model = keras.Model(inputs, keras.layers.Embedding(3, 2)(numbers))
    weights = model.get_weights()[0]
    np.testing.assert_allclose(model.predict(np.array([["B"], ["x"]]), verbose=0)[:, 0], weights[[1, 2]])

    class Split(keras.layers.Layer):
        def call(self, x):
            return tf.strings.split(tf.squeeze(x, -1), " ").to_tensor(shape=(None, 4))

    assert Split()(inputs).shape == (None, 4)
