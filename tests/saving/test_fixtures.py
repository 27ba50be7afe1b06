"""Every file that Keras 0.3 to 3.15 wrote here loads, computes what its writer computed, and goes on training."""

import numpy as np
import pytest

from tests.saving.fixture_models import FILES, ROOT, arrays, as_inputs, load, outputs

pytestmark = [pytest.mark.format, pytest.mark.compat, pytest.mark.filterwarnings("ignore::UserWarning")]
RESUMED = [row for row in FILES if "resume" in row]


@pytest.mark.parametrize("row", FILES, ids=[row["file"] for row in FILES])
def test_outputs_are_those_of_the_writer(row):
    expected = arrays(row["io"], "y")
    received = outputs(row, load(row))
    assert len(received) == len(expected)
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one, "float64"), other.astype("float64"), rtol=0, atol=row["tol"])


@pytest.mark.parametrize("row", RESUMED, ids=[row["file"] for row in RESUMED])
def test_training_goes_on_as_the_writers_did(row):
    """Losses of further steps: the first depends on the weights, the others on the optimizer's state too."""
    model = load(row)
    x = as_inputs(row, arrays(row["resume"], "rx"))
    y = arrays(row["resume"], "ry")
    y = as_inputs(row, y, "outputs") if isinstance(model.output, dict) else as_inputs({}, y)
    with np.load(ROOT / row["resume"]) as stored:
        expected = stored["losses"]
    received = []
    for _ in expected:
        model.reset_metrics()
        received.append(float(np.asarray(model.train_on_batch(x, y)).reshape(-1)[0]))
    np.testing.assert_allclose(received, expected, rtol=0, atol=2e-5)


def test_there_are_fixtures_of_all_generations():
    assert len(FILES) == 83
    assert {row["file"][:2] for row in FILES} == {"co", "k0", "k1", "k2", "k3"}
