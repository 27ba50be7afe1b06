"""Encodings, statistics, normalizations and attention against Keras."""

import keras
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.ops import attention, nn
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

X = numbers("float32", (4, 3, 5))
W5, B5 = numbers("float32", (5,), 0.5, 2, seed=1), numbers("float32", (5,), seed=2)
POSITIVE = numbers("float32", (5,), 0.2, 3, seed=3)
LABELS = np.array([[0, 2], [1, 5], [-1, 3]], np.int32)
QUERY, KEY, VALUE = (numbers("float32", (2, 4, 3, 8), seed=s) for s in (5, 6, 7))
BIAS = numbers("float32", (2, 3, 4, 4), seed=8)
MASK = numbers("bool", (2, 1, 4, 4), seed=9)

FLOATING = [
    Case(nn.moments, X, axes=(0, 1)),
    Case(nn.moments, X, axes=1, keepdims=True),
    Case(nn.normalize, X),
    Case(nn.normalize, X, axis=(0, 1)),
    Case(nn.normalize, X, order=1),
    Case(nn.normalize, X, axis=1, order=3, epsilon=0.5),
    Case(nn.batch_normalization, X, B5, POSITIVE, axis=-1),
    Case(nn.batch_normalization, X, B5, POSITIVE, axis=2, offset=B5, scale=W5, epsilon=0.1),
    Case(nn.rms_normalization, X),
    Case(nn.rms_normalization, X, W5, axis=-1, epsilon=0.1),
    Case(nn.rms_normalization, X, axis=(1, 2)),
    Case(nn.layer_normalization, X),
    Case(nn.layer_normalization, X, W5, B5, axis=-1),
    Case(nn.layer_normalization, X, axis=(1, 2), epsilon=0.1),
    Case(nn.layer_normalization, X, numbers("float32", (3,)), numbers("float32", (3,)), axis=1),
    Case(nn.psnr, X, X[::-1].copy(), 2.0),
    Case(attention.dot_product_attention, QUERY, KEY, VALUE),
    Case(attention.dot_product_attention, QUERY, KEY, VALUE, is_causal=True, scale=0.3),
    Case(attention.dot_product_attention, QUERY, KEY, VALUE, bias=BIAS),
    Case(attention.dot_product_attention, QUERY, KEY, VALUE, mask=MASK),
    Case(attention.dot_product_attention, QUERY, KEY[:, :, :1].copy(), VALUE[:, :, :1].copy()),
]
OTHER = [
    Case(nn.one_hot, LABELS, 4),
    Case(nn.one_hot, LABELS, num_classes=6, axis=0, dtype="int32"),
    Case(nn.one_hot, LABELS, 6, axis=1, dtype="bfloat16"),
    Case(nn.multi_hot, LABELS, 6),
    Case(nn.multi_hot, LABELS, num_classes=4, dtype="bool"),
    Case(nn.multi_hot, LABELS[:, 0].copy(), 3),
    Case(nn.polar, numbers("float32", (3,), 0, 2), numbers("float32", (3,))),
]


@pytest.mark.parametrize("case", FLOATING + OTHER, ids=repr)
def test_equals_keras(case):
    same_as_keras(case, 5e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", FLOATING[:15:2] + FLOATING[16::2], ids=repr)
def test_16_bit_floats_equal_keras(case, dtype):
    import ml_dtypes

    kind = getattr(ml_dtypes, dtype, dtype)
    turned = lambda part: part.astype(kind) if getattr(part, "dtype", None) == np.float32 else part  # noqa: E731
    same_as_keras(
        Case(case.function, *map(turned, case.args), **{key: turned(value) for key, value in case.kwargs.items()})
    )


@pytest.mark.parametrize("case", [*FLOATING[:4], *FLOATING[6:9], *FLOATING[12:16:2], *FLOATING[17:20]], ids=repr)
def test_gradients_equal_keras(case):
    same_gradients(case)


@pytest.mark.parametrize("case", [*FLOATING[:16], *OTHER], ids=repr)
def test_symbolic_agrees_with_eager(case):
    weighted = len(case.args) > 1 and case.function in (nn.rms_normalization, nn.layer_normalization)
    same_symbolic(case, () if weighted or case.function is nn.batch_normalization else (0,))


def test_attention_of_symbolic_tensors_is_one_node():
    query = KerasTensor((None, 4, 3, 8))
    out = attention.dot_product_attention(query, query, query)
    assert tuple(out.shape) == (None, 4, 3, 8)
    assert out.node.operation.name.startswith("dot_product_attention")


def test_statistics_of_float64_and_of_integers():
    x = numbers("float64", (6, 5), seed=3)
    mean, variance = nn.moments(from_host(x), axes=(0,))
    assert mean.dtype == variance.dtype == "float64"
    np.testing.assert_allclose(variance.numpy(), x.var(axis=0), rtol=1e-14)
    assert nn.moments(from_host(np.arange(6)), axes=(0,))[0].dtype == "float32"


def test_float16_statistics_are_clipped_to_the_range_of_float16():
    x = np.array([6e4, -6e4], np.float16)
    mean, variance = nn.moments(from_host(x), axes=(0,))
    assert mean.numpy() == 0 and variance.numpy() == np.finfo(np.float16).max


def test_epsilon_setting_is_looked_up_on_every_call():
    x = from_host(np.zeros((1, 2), np.float32) + 1e-3)
    before = nn.layer_normalization(from_host(np.array([[0.0, 1e-3]], np.float32))).numpy()
    from hornbeam.base import settings

    settings.set_epsilon(1.0)
    try:
        after = nn.layer_normalization(from_host(np.array([[0.0, 1e-3]], np.float32))).numpy()
        assert nn.normalize(x).numpy().max() <= 1e-3
    finally:
        settings.set_epsilon(1e-7)
    assert abs(before).max() > 0.7 and abs(after).max() < 1e-3


def test_normalize_of_zero_has_a_finite_gradient():
    x = from_host(np.zeros((1, 3), np.float32))
    with GradientTape() as tape:
        tape.watch(x)
        y = nn.normalize(x)
    assert (y.numpy() == 0).all()
    assert np.isfinite(tape.gradient(y, x).numpy()).all()


def test_scale_of_attention_may_be_a_tensor():
    given = [from_host(part) for part in (QUERY, KEY, VALUE)]
    a = attention.dot_product_attention(*given, scale=from_host(np.float32(0.3)))
    np.testing.assert_allclose(a.numpy(), attention.dot_product_attention(*given, scale=0.3).numpy(), atol=1e-6)


def test_what_is_not_offered_says_so():
    x = from_host(np.array([1]))
    with pytest.raises(NotSupportedError, match="sparse"):
        nn.one_hot(x, 3, sparse=True)
    with pytest.raises(NotSupportedError, match="synchronized"):
        nn.moments(from_host(X), 0, synchronized=True)
    with pytest.raises(ValueError, match="num_classes"):
        nn.multi_hot(x)
    with pytest.raises(ValueError, match="order"):
        nn.normalize(x, order=0)
    with pytest.raises(ValueError, match="four axes each"):
        attention.dot_product_attention(*[from_host(X)] * 3)
    with pytest.raises(ValueError, match="soft_cap"):
        attention.dot_product_attention(*[from_host(QUERY)] * 3, attn_logits_soft_cap=1.0)
    with pytest.raises(NotSupportedError, match="flash_attention"):
        attention.dot_product_attention(*[from_host(QUERY)] * 3, flash_attention=True)
    with pytest.raises(TypeError, match="unexpected"):
        nn.layer_normalization(x, gama=1)


def test_old_argument_names():
    a = nn.multi_hot(from_host(LABELS), num_tokens=6)
    np.testing.assert_array_equal(a.numpy(), keras.ops.multi_hot(LABELS, 6))
    with pytest.warns(UserWarning, match="rms_scaling"):
        got = nn.layer_normalization(from_host(X), from_host(W5), rms_scaling=True)
    with pytest.warns(UserWarning):
        expected = keras.ops.layer_normalization(X, W5, rms_scaling=True)
    np.testing.assert_allclose(got.numpy(), expected, atol=2e-6)
