"""Names of ``tf`` that scripts touch here and there."""

import numpy as np
import pytest

import hornbeam as tf


def test_unravel_index():
    found = tf.unravel_index([22, 41, 37], (7, 6))
    assert found.numpy().tolist() == [[3, 6, 6], [4, 5, 1]] and found.dtype == tf.int32
    assert tf.unravel_index(tf.constant(1621, tf.int64), (6, 7, 8, 9)).numpy().tolist() == [3, 1, 4, 1]
    assert tf.function(tf.unravel_index)(tf.constant([5]), tf.constant([2, 3])).numpy().tolist() == [[1], [2]]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[0, 42\)"):
        tf.unravel_index([42], (7, 6))


def test_indexed_slices_are_the_whole_tensor_to_functions():
    rows = tf.IndexedSlices(tf.constant([[1.0, 2], [3, 4], [5, 6]]), tf.constant([0, 2, 0]), tf.constant([4, 2]))
    whole = [[6.0, 8.0], [0.0, 0.0], [3.0, 4.0], [0.0, 0.0]]
    assert rows.shape == (4, 2) and rows.dtype == tf.float32
    assert tf.convert_to_tensor(rows).numpy().tolist() == whole
    assert float(tf.reduce_sum(rows)) == 21 and tf.convert_to_tensor(-rows).numpy()[0].tolist() == [-6, -8]
    variable = tf.Variable(tf.ones((4, 2)))
    tf.keras.optimizers.SGD(1.0).apply_gradients([(rows, variable)])
    np.testing.assert_array_equal(variable, 1 - np.array(whole))
    spec = tf.IndexedSlicesSpec([4, 2])
    assert spec.is_compatible_with(rows) and spec == tf.IndexedSlicesSpec([4, 2]) != tf.IndexedSlicesSpec([3, 2])
    with pytest.raises(ValueError, match="dense_shape"):
        tf.convert_to_tensor(tf.IndexedSlices([1.0], [0]))


def test_kinds_of_specs_have_a_base():
    dataset = tf.data.Dataset.range(2)
    ragged, sparse = tf.RaggedTensorSpec([None, None]), tf.SparseTensorSpec([2])
    for spec in (dataset.element_spec, ragged, sparse, tf.data.DatasetSpec(dataset.element_spec)):
        assert isinstance(spec, tf.TypeSpec)
    assert tf.data.DatasetSpec(dataset.element_spec).is_compatible_with(dataset)


def test_symbolic_tensors():
    seen = []
    tf.function(lambda x: seen.append(tf.is_symbolic_tensor(x)) or x)(tf.constant(1.0))
    found = [tf.is_symbolic_tensor(one) for one in (tf.constant(1), tf.Variable(1), tf.keras.Input((2,)), 1)]
    assert seen == [True] and found == [False, False, True, False]
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="Python bool"):
        bool(tf.keras.Input((2,)))


def test_switches_and_helpers(capsys):
    tf.debugging.disable_traceback_filtering()
    assert not tf.debugging.is_traceback_filtering_enabled() and not tf.keras.config.is_traceback_filtering_enabled()
    tf.debugging.enable_traceback_filtering()
    assert tf.debugging.is_traceback_filtering_enabled()
    assert tf.compat.dimension_value(3) == 3 and tf.compat.dimension_value(None) is None
    assert tf.compat.dimension_at_index([None, 4], 1) == 4 and tf.compat.dimension_at_index(None, 0) is None
    tf.autograph.set_verbosity(0)

    @tf.autograph.experimental.do_not_convert
    def twice(x):
        tf.autograph.trace("once")
        return x * 2

    assert twice.__name__ == "twice" and tf.autograph.experimental.do_not_convert()(twice) is twice
    compiled = tf.function(twice)
    assert [float(compiled(tf.constant(value))) for value in (1.0, 2.0)] == [2.0, 4.0]
    assert capsys.readouterr().out == "once\n"
    features = tf.autograph.experimental.Feature
    assert len(features.all()) == 7 and features.LISTS not in features.all_but(features.LISTS)
    with pytest.raises(NotImplementedError, match=r"tf\.cond"):
        tf.autograph.to_graph(twice)
