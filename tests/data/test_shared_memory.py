"""Large elements: memory of users is copied, memory that only JAX has is shared."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

import hornbeam as tf
from hornbeam.data.structure import to_tensors


def test_changes_of_a_users_array_are_not_seen():
    x = np.zeros((200, 200), "float32")
    for dataset in (tf.data.Dataset.from_tensors(x), tf.data.Dataset.from_tensor_slices(x).batch(200)):
        element = next(iter(dataset))
        x[...] = 1
        assert float(tf.reduce_sum(element)) == 0
        x[...] = 0


def test_read_only_arrays_of_users_are_copied():
    x = np.zeros((200, 200), "float32")
    x.flags.writeable = False
    (element,) = to_tensors([x])
    x.flags.writeable = True
    x[...] = 1
    assert float(tf.reduce_sum(element)) == 0


def test_results_of_programs_are_shared_in_their_places():
    results = [np.asarray(jnp.full((200, 200), number, jnp.float32)) for number in (3, 5)]
    leaves = [results[0], np.arange(4), results[1]]
    found = to_tensors(leaves)
    for leaf, tensor in zip(leaves, found, strict=True):
        np.testing.assert_array_equal(tensor, leaf)
    narrow = to_tensors([results[0], np.arange(4, dtype="int32"), results[1]])
    addresses = [tensor._value.unsafe_buffer_pointer() for tensor in narrow]
    assert [addresses[0], addresses[2]] == [result.ctypes.data for result in results]
    np.testing.assert_array_equal(narrow[1], np.arange(4))
