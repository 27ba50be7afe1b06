"""Expressions of layers for texts and tables; see `tests/tensors/reference.py`."""

# ruff: noqa: E501 - an expression stays in one piece, as it is the name of its result

_L = "tf.keras.layers"
_TEXTS = "tf.constant(['The cat, the DOG!', 'a dog', '', 'cat cat mouse'])"
_WORDS = "tf.constant([['a', 'b'], ['c', 'zz']])"
_IDF = "idf_weights=[0.1, 0.2, 0.3]"


def _adapted(name, arguments, data, call, more=""):
    return f"(lambda l: [l.adapt({data}), [str(w) for w in l.get_vocabulary()], l({call}){more}])({_L}.{name}({arguments}))[1:]"


CASES = [
    f"{_L}.StringLookup(vocabulary=['a', 'b', 'c'])({_WORDS})",
    f"{_L}.StringLookup(vocabulary=['a', 'c'], mask_token='b', num_oov_indices=0)(tf.constant(['a', 'b']))",
    f"{_L}.StringLookup(vocabulary=['', '[UNK]', 'a', 'b'], mask_token='')({_WORDS})",
    f"{_L}.StringLookup(vocabulary=['a'], num_oov_indices=3)({_WORDS})",
    f"{_L}.StringLookup(vocabulary=['a'], num_oov_indices=3, salt=[1, 2])({_WORDS})",
    f"{_L}.StringLookup(vocabulary=['a', 'b'], invert=True)(tf.constant([0, 1, 2, 9]))",
    f"{_L}.StringLookup(vocabulary=['a', 'b'], invert=True, mask_token='m', oov_token='o')(tf.constant([0, 1, 2, 9]))",
    *(
        f"tf.cast({_L}.StringLookup(vocabulary=['a', 'b', 'c'], output_mode='{mode}')({_WORDS}), tf.float32)"
        for mode in ("one_hot", "multi_hot", "count")
    ),
    f"{_L}.StringLookup(vocabulary=['a', 'b', 'c'], output_mode='tf_idf', {_IDF})({_WORDS})",
    f"{_L}.StringLookup(vocabulary=['a', 'b', 'c'], output_mode='tf_idf', {_IDF}, max_tokens=6, pad_to_max_tokens=True)"
    f"({_WORDS})",
    f"parts({_L}.StringLookup(vocabulary=['a', 'b'])(tf.ragged.constant([['a'], ['b', 'x']])))",
    _adapted("StringLookup", "", "['b', 'a', 'b', 'c']", _WORDS),
    _adapted("StringLookup", "max_tokens=3", "['b', 'a', 'b', 'c']", _WORDS),
    _adapted("StringLookup", "output_mode='tf_idf'", "tf.constant([['a', 'b'], ['a', 'c']])", _WORDS),
    f"{_L}.IntegerLookup(vocabulary=[12, 36])(tf.constant([[12, 36], [7, 0]]))",
    f"{_L}.IntegerLookup(vocabulary=[12, 36], mask_token=0, num_oov_indices=2)(tf.constant([[12, 36], [7, 0]]))",
    f"{_L}.IntegerLookup(vocabulary=[12], num_oov_indices=4, oov_method='farmhash')(tf.constant([1, 2, 300]))",
    f"{_L}.IntegerLookup(vocabulary=[12, 36], invert=True)(tf.constant([0, 1, 2, 9]))",
    f"tf.cast({_L}.IntegerLookup(vocabulary=[12, 36], output_mode='multi_hot')(tf.constant([[12, 36], [7, 0]])), 'float32')",
    _adapted("IntegerLookup", "", "np.array([3, 5, 3])", "tf.constant([3, 4, 5])"),
    _adapted("TextVectorization", "", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "output_sequence_length=3, max_tokens=4", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "ngrams=2", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "ngrams=(3,), standardize='lower'", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "split='character', standardize='strip_punctuation'", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "split=None, standardize=None", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "output_mode='tf_idf'", _TEXTS, _TEXTS),
    _adapted("TextVectorization", "split=lambda x: tf.strings.split(x, ',')", _TEXTS, _TEXTS),
    _adapted(
        "TextVectorization",
        "standardize=lambda x: tf.strings.regex_replace(tf.strings.lower(x), 'cat', 'kit')",
        _TEXTS,
        _TEXTS,
    ),
    _adapted("TextVectorization", "", _TEXTS, "tf.constant('the cat')"),
    _adapted("TextVectorization", "", _TEXTS, "tf.constant([['the cat'], ['dog']])"),
    f"parts({_L}.TextVectorization(vocabulary=['cat', 'dog'], ragged=True)({_TEXTS}))",
    f"parts({_L}.TextVectorization(vocabulary=['cat', 'dog'], ragged=True, output_sequence_length=2)({_TEXTS}))",
    *(
        f"tf.cast({_L}.TextVectorization(vocabulary=['cat', 'dog'], output_mode='{mode}', max_tokens=6, "
        f"pad_to_max_tokens=True)({_TEXTS}), tf.float32)"
        for mode in ("multi_hot", "count")
    ),
    f"{_L}.Hashing(num_bins=7)({_WORDS})",
    f"{_L}.Hashing(num_bins=7, salt=133)({_WORDS})",
    f"{_L}.Hashing(num_bins=7, salt=[133, 137], mask_value='b')({_WORDS})",
    f"{_L}.Hashing(num_bins=7, mask_value=-3)(tf.constant([[1, -3], [4, 100000]]))",
    f"{_L}.Hashing(num_bins=7)(tf.constant([1.5, 2.5]))",
    *(f"{_L}.Hashing(num_bins=4, output_mode='{mode}')({_WORDS})" for mode in ("one_hot", "multi_hot", "count")),
    f"{_L}.HashedCrossing(9)((tf.constant(['a', 'b']), tf.constant([1, 20])))",
    f"{_L}.HashedCrossing(9, output_mode='one_hot')((tf.constant([['a'], ['b']]), tf.constant([['x'], ['y']])))",
    f"{_L}.HashedCrossing(99)((tf.constant('a'), tf.constant('b'), tf.constant(-5)))",
    *(
        f"(lambda l: [l.adapt(A), l(A)])({_L}.Normalization({more}))[1:]"
        for more in ("", "axis=None", "axis=0", "axis=(0, 1)", "invert=True")
    ),
    f"(lambda l: [l.adapt([A[:2], A[2:]]), l(A)])({_L}.Normalization())[1:]",
    f"(lambda l: [l.adapt(tf.data.Dataset.from_tensor_slices(A).batch(2)), l(A)])({_L}.Normalization())[1:]",
    f"(lambda l: [l.adapt(SIGNAL), l.bin_boundaries, l(A)])({_L}.Discretization(num_bins=4))[1:]",
    f"(lambda l: [l.adapt([SIGNAL[:30], SIGNAL[30:]]), l.bin_boundaries])({_L}.Discretization(num_bins=3, epsilon=0.1))[1:]",
    *(
        f"{_L}.Discretization(bin_boundaries=[-0.5, 0.0, 0.5], output_mode='{mode}')(A)"
        for mode in ("int", "one_hot", "multi_hot", "count")
    ),
    *(
        f"{_L}.CategoryEncoding(4, output_mode='{mode}')(tf.constant([[1, 3], [0, 0]]))"
        for mode in ("count", "one_hot")
    ),
    f"{_L}.CategoryEncoding(4, output_mode='count')(tf.constant([[1, 3], [0, 0]]), count_weights=[[0.5, 2.0], [1.0, 3.0]])",
    *(
        "(lambda F, d: (lambda s: [s.adapt(d), s(d), s({k: v[1] for k, v in d.items()})])(F({'a': 'float_normalized', "
        "'b': F.float_discretized(3), 'c': 'integer_categorical', 'd': F.string_categorical(max_tokens=3), "
        f"'e': F.string_hashed(4)}}, crosses=[('c', 'd')], crossing_dim=5, output_mode='{mode}')))(tf.keras.utils.FeatureSpace, "
        "{'a': A[:, 0], 'b': A[:, 1], 'c': np.array([3, 5, 3]), 'd': np.array(['x', 'y', 'x']), 'e': np.array(['q', 'r', 's'])"
        "})[1:]"
        for mode in ("concat", "dict")
    ),
]
