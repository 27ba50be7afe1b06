"""R-52: a metric that has seen nothing, or only weights of zero, gives what Keras gives: 0, not NaN."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from hornbeam.keras import metrics
from tests.keras.metrics.cases import CASES, batches

pytestmark = pytest.mark.numeric


def value_of(metric):
    return np.asarray(metric.result(), "float64")


@pytest.mark.parametrize("name", CASES)
def test_nothing_seen(name):
    options, kind = CASES[name][0]
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    if not getattr(theirs, "_built", True) or name == "R2Score":
        batch = batches(kind)[0]
        ours.update_state(*batch)
        theirs.update_state(*batch)
        ours.reset_state()
        theirs.reset_state()
    np.testing.assert_allclose(value_of(ours), np.asarray(theirs.result(), "float64"), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["Mean", "MeanSquaredError", "BinaryAccuracy", "Precision", "Recall", "AUC", "MeanIoU"]
)
def test_weights_of_zero(name):
    options, kind = CASES[name][0]
    metric = getattr(metrics, name)(**options)
    batch = batches(kind)[0]
    metric.update_state(
        *batch,
        sample_weight=np.zeros(
            np.shape(batch[0])[: 2 if name == "MeanIoU" else 1], "int32" if name == "MeanIoU" else "float32"
        ),
    )
    assert value_of(metric) == 0.0
