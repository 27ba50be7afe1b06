"""Steps of the legacy optimizers: values and slots beside those of tf_keras, which are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.variable import Variable
from tests.compat.former_steps import CASES, steps
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

REFERENCE = np.load(Path(__file__).parent / "former_steps.npz")
QUICK = ("SGD", "RMSprop {", "Adam {'amsgrad", "Nadam")
pytestmark = [pytest.mark.compat, pytest.mark.numeric, pytest.mark.usefixtures("old_spellings")]


@pytest.mark.parametrize(
    "name", [name if name.startswith(QUICK) else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_steps_equal_those_of_tf_keras(name):
    kind, options = CASES[name]
    value, slots = steps(getattr(keras.optimizers.legacy, kind), Variable, options)
    np.testing.assert_allclose(value, REFERENCE[name], rtol=2e-6, atol=2e-6)
    assert {f"{name}/{slot}" for slot in slots} == {key for key in REFERENCE if key.startswith(f"{name}/")}
    for slot, found in slots.items():
        np.testing.assert_allclose(found, REFERENCE[f"{name}/{slot}"], rtol=5e-6, atol=5e-6)
