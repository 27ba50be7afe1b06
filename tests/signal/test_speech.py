"""Kaiser windows and cepstral coefficients against SciPy, and the activations that `tf.math` offers too."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal

import hornbeam as tf

pytestmark = pytest.mark.numeric
X = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")


def test_kaiser_window():
    np.testing.assert_allclose(tf.signal.kaiser_window(7), scipy.signal.windows.kaiser(7, 12.0), rtol=1e-5, atol=1e-7)
    found = tf.signal.kaiser_window(4, beta=2.0, dtype=tf.float16)
    assert found.dtype == tf.float16
    np.testing.assert_allclose(found, scipy.signal.windows.kaiser(4, 2.0), rtol=1e-3)


def test_cepstral_coefficients():
    expected = scipy.fft.dct(X.astype("float64"), type=2, axis=-1) / 4.0
    np.testing.assert_allclose(tf.signal.mfccs_from_log_mel_spectrograms(X), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="mel bin"):
        tf.signal.mfccs_from_log_mel_spectrograms(np.zeros((2, 0), "float32"))


def test_math_has_the_activations():
    assert tf.math.softmax is tf.nn.softmax
    assert tf.math.log_softmax is tf.nn.log_softmax
    np.testing.assert_allclose(tf.math.softmax(X, axis=1).numpy().sum(axis=1), np.ones((2, 8)), rtol=1e-6)
    np.testing.assert_allclose(tf.math.log_sigmoid(X), -np.log1p(np.exp(-X.astype("float64"))), rtol=1e-5)
