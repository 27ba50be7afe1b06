"""Special functions, segments, ranking and Fourier transforms against Keras, SciPy and NumPy."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import scipy.special as special

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.ops import math as ops
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

X = numbers("float32", (4, 6))
IDS = np.array([0, 2, 2, 0], np.int32)
WAVE = numbers("float32", (3, 64), seed=2)
PAIR = (numbers("float32", (3, 4, 8), seed=3), numbers("float32", (3, 4, 8), seed=4))
SPECTRUM = (numbers("float32", (2, 7, 9), seed=5), numbers("float32", (2, 7, 9), seed=6))

SMOOTH = [
    Case(ops.erf, X),
    Case(ops.erfc, X),
    Case(ops.erfinv, X / 4),
    Case(ops.rsqrt, np.abs(X) + 0.1),
    Case(ops.logsumexp, X),
    Case(ops.logsumexp, X, axis=(0, 1), keepdims=True),
    Case(ops.logdet, numbers("float32", (2, 3, 3))),
    Case(ops.cdist, X, numbers("float32", (5, 6), seed=1)),
    Case(ops.segment_sum, X, IDS, num_segments=4),
    Case(ops.segment_max, X, IDS, num_segments=3),
    Case(ops.segment_min, X, np.sort(IDS), num_segments=3, sorted=True),
    Case(ops.segment_prod, X, np.array([0, 9, -1, 2], np.int32), num_segments=3),
    Case(ops.extract_sequences, WAVE, 16, 5),
    Case(ops.extract_sequences, WAVE[0].copy(), sequence_length=64, sequence_stride=3),
    Case(ops.rfft, WAVE),
    Case(ops.rfft, WAVE, fft_length=32),
    Case(ops.fft, PAIR),
    Case(ops.fft2, PAIR),
    Case(ops.ifft2, PAIR),
    Case(ops.irfft, PAIR),
    Case(ops.irfft, PAIR, fft_length=11),
    Case(ops.stft, WAVE, 16, 8, 16),
    Case(ops.stft, WAVE, 12, 5, 16, window="hamming", center=False),
    Case(ops.stft, WAVE, 16, 8, 20, window=None),
    Case(ops.stft, WAVE, 16, 8, 20, window=np.hanning(16).astype(np.float32)),
    Case(ops.istft, SPECTRUM, 16, 4, 16),
    Case(ops.istft, SPECTRUM, 12, 4, 16, length=20, window="hamming"),
    Case(ops.istft, SPECTRUM, 16, 8, 16, window=None, center=False),
    Case(ops.view_as_real, (X + 1j * X).astype(np.complex64)),
]
OTHER = [
    Case(ops.top_k, X, 3),
    Case(ops.top_k, np.array([[3, 1, 3], [2, 2, 2]], np.int32), k=2, sorted=False),
    Case(ops.in_top_k, np.array([1, 0, 5, 2], np.int32), X, 3),
    Case(ops.in_top_k, np.array([1, 0], np.int32), np.array([[0.5, 0.5], [np.nan, 1.0]], np.float32), k=1),
    Case(ops.segment_sum, np.arange(4, dtype=np.int32), IDS, num_segments=3),
    Case(ops.segment_max, np.arange(4, dtype=np.int32), IDS, num_segments=3),
    Case(ops.view_as_complex, numbers("float32", (3, 2))),
    Case(ops.logsumexp, np.array([-np.inf, -np.inf], np.float32)),
]


@pytest.mark.parametrize("case", SMOOTH + OTHER, ids=repr)
def test_equals_keras(case):
    same_as_keras(case, 1e-5)


@pytest.mark.parametrize("case", SMOOTH[:13] + SMOOTH[14:18] + SMOOTH[20:23] + SMOOTH[25:26], ids=repr)
def test_gradients_equal_keras(case):
    if case.function is ops.segment_prod:
        return  # JAX has none; checked below
    same_gradients(case, 2e-4 if case.function is ops.erfinv else 2e-5)


@pytest.mark.parametrize("case", SMOOTH[:6] + SMOOTH[7:13] + SMOOTH[14:16] + SMOOTH[21:24] + OTHER[:3], ids=repr)
def test_symbolic_agrees_with_eager(case):
    same_symbolic(case)


def test_fourier_transforms_of_symbolic_pairs():
    pair = (KerasTensor((None, 4, 8)), KerasTensor((None, 4, 8)))
    assert [tuple(part.shape) for part in ops.fft2(pair)] == [(None, 4, 8)] * 2
    assert tuple(ops.irfft(pair).shape) == (None, 4, 14)
    assert tuple(ops.istft(pair, 14, 7, 14).shape) == (None, 21)


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv"])
def test_special_functions_in_double_precision(name):
    x = np.linspace(-0.999, 0.999, 101) * (1 if name == "erfinv" else 5)
    out = getattr(ops, name)(from_host(x))
    assert out.dtype == "float64"
    np.testing.assert_allclose(out.numpy(), getattr(special, name)(x), rtol=3e-14)
    assert getattr(ops, name)(from_host(np.zeros(2, np.int32))).dtype == "float32"


def test_fourier_transforms_in_double_precision():
    x = WAVE.astype(np.float64)
    real, imag = ops.rfft(from_host(x))
    assert real.dtype == imag.dtype == "float64"
    np.testing.assert_allclose(real.numpy() + 1j * imag.numpy(), np.fft.rfft(x), atol=1e-12)


@pytest.mark.parametrize("window", ["hann", "hamming"])
def test_istft_undoes_stft(window):
    spectrum = ops.stft(from_host(WAVE.astype(np.float64)), 16, 4, 16, window=window)
    back = ops.istft(spectrum, 16, 4, 16, window=window)
    np.testing.assert_allclose(back.numpy(), WAVE, atol=1e-12)


def test_number_of_segments_is_found_where_ids_have_values():
    out = ops.segment_sum(from_host(X), from_host(IDS))
    np.testing.assert_allclose(out.numpy(), [X[0] + X[3], 0 * X[0], X[1] + X[2]], rtol=1e-6)
    assert tuple(ops.segment_max(from_host(X), [0, 0, 1, 1]).shape) == (2, 6)
    with pytest.raises(ValueError, match="num_segments"):
        jax.jit(lambda ids: ops.segment_sum(jnp.ones(4), ids))(jnp.asarray(IDS))
    with pytest.raises(ValueError, match="num_segments"):
        ops.segment_sum(KerasTensor((4, 3)), KerasTensor((4,), "int32"))


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_gradient_of_segment_products(zeros):
    data = np.array([2.0, 3.0, 5.0, 7.0], np.float32)
    data[:zeros] = 0
    x = from_host(data)
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.segment_prod(x, from_host(np.array([0, 0, 0, 9], np.int32)), num_segments=2)
    expected = [np.prod(np.delete(data[:3], i)) for i in range(3)] + [0.0]
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected)


def test_wrong_arguments_raise():
    x = from_host(X)
    with pytest.raises(ValueError, match="`segment_ids` has one axis"):
        ops.segment_sum(x, from_host(np.zeros((4, 1), np.int32)), 2)
    with pytest.raises(ValueError, match="`segment_ids` holds 3 ids"):
        ops.segment_sum(x, from_host(IDS[:3].copy()), 2)
    for wrong in (x, (x,), (x, from_host(X[:2].copy())), (from_host(IDS), from_host(IDS))):
        with pytest.raises(ValueError, match=r"a pair `\(real, imaginary\)`|differ in shape|are float tensors"):
            ops.fft(wrong)
    with pytest.raises(ValueError, match="window"):
        ops.stft(x, 4, 2, 4, window="kaiser")
    with pytest.raises(ValueError, match="sequence_stride"):
        ops.stft(x, 4, 0, 4)
    with pytest.raises(ValueError, match="fft_length"):
        ops.stft(x, 4, 2, 3)
    with pytest.raises(TypeError, match="float32"):
        ops.stft(from_host(IDS), 4, 2, 4)
    with pytest.raises(ValueError, match="so its size is 2"):
        ops.view_as_complex(x)
    with pytest.raises(ValueError, match="points as rows"):
        ops.cdist(from_host(IDS), x)


def test_complex_views_keep_64_bits():
    x = from_host(numbers("float64", (3, 2)))
    assert ops.view_as_complex(x).dtype == "complex128"
    np.testing.assert_array_equal(ops.view_as_real(ops.view_as_complex(x)).numpy(), x.numpy())
    assert (
        ops.view_as_complex(from_host(numbers("float16", (3, 2)))).dtype
        == keras.ops.view_as_complex(jnp.ones((3, 2), "float16")).dtype
    )
