"""Numbers of ``keras.backend`` beside those of tf_keras, which are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hornbeam.keras import backend as K
from tests.keras.backend.calls import CALLS

REFERENCE = np.load(Path(__file__).parent / "reference.npz")


@pytest.mark.parametrize("name", [name for name in CALLS if name in REFERENCE])
def test_numbers_equal_those_of_tf_keras(name):
    found, expected = np.asarray(K.get_value(CALLS[name](K))), REFERENCE[name]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_functions_without_a_reference():
    from scipy.special import logsumexp

    from tests.keras.backend.calls import A

    np.testing.assert_allclose(CALLS["logsumexp"](K), logsumexp(A, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(CALLS["slice"](K), A[:2, 1:3])
