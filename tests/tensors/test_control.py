"""Control flow inside compiled functions, and what differs from eager execution."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf


def test_cond_and_while_loop_inside_a_function():
    @tf.function
    def collatz(n):
        return tf.while_loop(
            lambda n, steps: n > 1,
            lambda n, steps: (tf.cond(n % 2 == 0, lambda: n // 2, lambda: 3 * n + 1), steps + 1),
            (n, tf.constant(0)),
        )[1]

    assert int(collatz(tf.constant(6))) == 8
    assert int(collatz(tf.constant(27))) == 111


def test_while_loop_returns_the_container_it_was_given():
    assert isinstance(tf.while_loop(lambda i: i < 2, lambda i: [i + 1], [0]), list)
    assert isinstance(tf.while_loop(lambda i: i < 2, lambda i: (i + 1,), (0,)), tuple)
    assert int(tf.while_loop(lambda i: i < 9, lambda i: [i + 1], [0], maximum_iterations=3)[0]) == 3


@pytest.mark.parametrize("compiled", [False, True])
def test_tensor_array_in_a_loop(compiled):
    def squares(n, x):
        array = tf.TensorArray(tf.float32, size=n)
        _, array = tf.while_loop(
            lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, x * tf.cast(i * i, tf.float32))), (0, array)
        )
        return array.stack()

    run = tf.function(squares) if compiled else squares
    assert run(4, tf.constant([1.0, 2.0])).numpy().tolist() == [[0, 0], [1, 2], [4, 8], [9, 18]]


def test_tensor_array_methods():
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for i in range(3):
        array = array.write(i, [float(i), 1.0])
    assert array.read(1).numpy().tolist() == [1.0, 1.0]
    assert array.stack().shape == (3, 2)
    assert array.concat().shape == (6,)
    assert array.gather([2, 0]).numpy().tolist() == [[2.0, 1.0], [0.0, 1.0]]
    assert int(array.size()) == 3
    assert tf.TensorArray(tf.int32, 3).unstack([5, 6, 7]).read(2).numpy() == 7
    assert tf.TensorArray(tf.int32, 3).scatter([2, 0, 1], [1, 2, 3]).stack().numpy().tolist() == [2, 3, 1]
    assert tf.TensorArray(tf.int32, 2).split([1, 2, 3], [1, 2]).read(1).numpy().tolist() == [2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not resizeable"):
        tf.TensorArray(tf.float32, size=1).write(1, 0.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="dtype"):
        tf.TensorArray(tf.float32, size=1).write(0, tf.constant(1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="inconsistent shapes"):
        tf.TensorArray(tf.float32, size=2).write(0, [1.0]).write(1, [1.0, 2.0])


def test_gradient_through_a_tensor_array():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        array = tf.TensorArray(tf.float32, size=3)
        for i in range(3):
            array = array.write(i, x[i] ** 2)
        y = tf.reduce_sum(array.stack())
    assert tape.gradient(y, x).numpy().tolist() == [2.0, 4.0, 6.0]


def test_map_fn_runs_functions_that_need_values():
    out = tf.map_fn(lambda x: float(x.numpy()) * 2.0, tf.constant([1.0, 2.0]))
    assert out.numpy().tolist() == [2.0, 4.0]
    text = tf.map_fn(lambda s: s.numpy().upper(), tf.constant(["a", "b"]), fn_output_signature=tf.string)
    assert text.numpy().tolist() == [b"A", b"B"]


def test_switch_case_and_case_inside_a_function():
    choose = tf.function(lambda i: tf.switch_case(i, [lambda: tf.constant(1), lambda: tf.constant(2)]))
    assert [int(choose(tf.constant(i))) for i in (0, 1, 5, -1)] == [1, 2, 2, 2]
    case = tf.function(lambda x: tf.case([(x > 2, lambda: x), (x > 1, lambda: -x)], default=lambda: x * 0))
    assert [float(case(tf.constant(v))) for v in (3.0, 1.5, 0.5)] == [3.0, -1.5, 0.0]
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.case([(tf.constant(False), lambda: 1)])


def test_custom_gradient_and_recompute_grad():
    @tf.custom_gradient
    def clipped(x):
        return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -0.5, 0.5)

    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.reduce_sum(clipped(x) * [3.0, 0.1])
        z = tf.reduce_sum(tf.recompute_grad(lambda v: tf.exp(tf.sin(v)))(x))
    np.testing.assert_allclose(tape.gradient(y, x), [0.5, 0.1], rtol=1e-6)
    values = np.array([1.0, 2.0])
    np.testing.assert_allclose(tape.gradient(z, x), np.exp(np.sin(values)) * np.cos(values), rtol=1e-6)


def test_print_as_tensorflow_writes(capsys):
    table = tf.reshape(tf.range(100), (10, 10))
    for args, wanted in (
        ((tf.constant(1.0),), "1"),
        ((tf.constant([1.5, 2, 1e-8, 123456789.0]),), "[1.5 2 1e-08 123456792]"),
        ((tf.range(10),), "[0 1 2 ... 7 8 9]"),
        ((table[:2],), "[[0 1 2 ... 7 8 9]\n [10 11 12 ... 17 18 19]]"),
        (("a", tf.constant("b"), tf.constant(["x", "y"])), 'a "b" ["x" "y"]'),
        (([tf.constant(1), {"k": tf.constant(2.5)}],), "[1, {'k': 2.5}]"),
        ((tf.constant(True), None, 1.0, "s"), "1 None 1.0 s"),
        ((tf.zeros((2, 2, 2)),), "[[[0 0]\n  [0 0]]\n\n [[0 0]\n  [0 0]]]"),
        ((tf.Variable(3.0),), "3"),
        (({"a": "str", "b": [1, 2]}, (tf.constant(1), 2)), "{'a': 'str', 'b': [1, 2]} (1, 2)"),
        ((tf.constant(1 / 3), tf.constant(1 / 3, tf.float64)), "0.333333343 0.33333333333333331"),
        ((tf.constant([float("nan"), float("inf")]),), "[nan inf]"),
    ):
        tf.print(*args)
        assert capsys.readouterr().err == wanted + "\n"
    tf.print(1, 2, sep=",", end="!\n", output_stream=__import__("sys").stdout)
    assert capsys.readouterr().out == "1,2!\n"
    tf.print(tf.range(10), summarize=-1)
    assert capsys.readouterr().err == "[0 1 2 3 4 5 6 7 8 9]\n"


def test_print_inside_a_function_writes_at_each_run(capsys, tmp_path):
    @tf.function
    def double(x):
        tf.print("x is", x, {"twice": x * 2})
        return x * 2

    for value in (1.0, 2.5):
        double(tf.constant(value)).block_until_ready()
        tf.function(lambda: tf.zeros(()))()
    __import__("jax").effects_barrier()
    assert capsys.readouterr().err == "x is 1 {'twice': 2}\nx is 2.5 {'twice': 5}\n"
    tf.print("to a file", output_stream=f"file://{tmp_path}/log")
    assert (tmp_path / "log").read_text() == "to a file\n"


def test_python_functions():
    out = tf.py_function(lambda x: x.numpy() + 1, [tf.constant([1.0])], tf.float32)
    assert out.numpy().tolist() == [2.0]
    decorated = tf.numpy_function(Tout=tf.float32)(lambda x, y: x + y)
    np.testing.assert_array_equal(decorated(tf.constant([1.0]), np.float32([2.0])), [3.0])
    assert float(tf.py_function(Tout=tf.float32)(lambda x: x.numpy() * 2)(tf.constant(4.0))) == 8.0
    many = tf.numpy_function(lambda x, y: (x + y, "s"), [np.ones(2), 1], [tf.float64, tf.string])
    assert (many[0].numpy().tolist(), many[1].numpy()) == ([2.0, 2.0], b"s")
    spec = tf.TensorSpec((2,), tf.float32)
    inside = tf.function(lambda x: tf.numpy_function(np.cumsum, [x], spec) + tf.py_function(lambda v: v * 2, [x], spec))
    assert inside(tf.constant([1.0, 2.0])).numpy().tolist() == [3.0, 7.0]
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = tf.py_function(lambda v: v * v, [x], tf.float32)
    assert float(tape.gradient(y, x)) == 6.0


def test_a_python_function_of_unknown_shape_makes_the_function_eager():
    run = tf.function(lambda x: tf.numpy_function(np.sort, [x], tf.float32))
    with pytest.warns(UserWarning, match="runs eagerly"):
        assert run(tf.constant([2.0, 1.0])).numpy().tolist() == [1.0, 2.0]


def test_order_helpers_do_nothing_loudly():
    assert tf.group(tf.ones(1), name="g") is None
    assert tf.no_op() is None
    with tf.control_dependencies([tf.ones(1)]):
        assert tf.executing_eagerly()
    seen = []
    tf.function(lambda: seen.append(tf.executing_eagerly()))()
    assert seen == [False]
