"""Expressions of `tf.lookup`; see `tests/tensors/reference.py`."""

# ruff: noqa: E501 - an expression stays in one piece, as it is the name of its result

_WORDS = "tf.lookup.KeyValueTensorInitializer(['a', 'b'], tf.constant([10, 20], tf.int64))"
_NUMBERS = "tf.lookup.KeyValueTensorInitializer([5, 7], [0.5, 0.7])"

CASES = [
    f"tf.lookup.StaticHashTable({_WORDS}, -1).lookup(tf.constant([['b'], ['x']]))",
    f"tf.lookup.StaticHashTable({_WORDS}, -1).size()",
    f"tf.lookup.StaticHashTable({_WORDS}, -1)[tf.constant(['a'])]",
    f"tf.lookup.StaticHashTable({_NUMBERS}, -1.0).lookup(tf.constant([7, 6, 5]))",
    f"tf.function(tf.lookup.StaticHashTable({_NUMBERS}, -1.0).lookup)(tf.constant([7, 6, 5]))",
    "tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1, 2], ['x', 'y']), '?').lookup(tf.constant([2, 3]))",
    f"parts(tf.lookup.StaticHashTable({_WORDS}, -1).lookup(tf.ragged.constant([['a'], ['b', 'q']])))",
    f"tf.lookup.StaticVocabularyTable({_WORDS}, 5).lookup(tf.constant(['a', 'zebra', 'lion']))",
    f"tf.lookup.StaticVocabularyTable({_WORDS}, 5).size()",
]
