"""How tensors and variables print: as TensorFlow prints them."""

import hornbeam as tf


def test_a_tensor_in_an_f_string_is_its_bare_value():
    assert f"{tf.constant(1.25)}" == "1.25" and f"{tf.constant([1.0, 2.0])}" == "[1. 2.]"
    assert f"{tf.constant('a')}" == "b'a'" and f"{tf.constant(3):.2f}" == "3.00"


def test_several_rows_start_on_a_line_of_their_own():
    rows = tf.constant([[1, 2], [3, 4]])
    assert str(rows) == "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)"
    assert repr(tf.constant([[1, 2]])) == "<tf.Tensor: shape=(1, 2), dtype=int32, numpy=array([[1, 2]], dtype=int32)>"


def test_a_variable_shows_its_number_without_its_numpy_type():
    assert repr(tf.Variable(2.5)).endswith("shape=() dtype=float32, numpy=2.5>")
