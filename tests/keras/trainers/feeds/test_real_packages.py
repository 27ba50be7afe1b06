"""Sources of other packages, the real ones, where they are installed."""

import numpy as np
import pytest

from tests.keras.trainers.feeds.test_sources import X, Y, losses, make_model


@pytest.fixture(scope="module")
def expected():
    return losses(X, Y, batch_size=5, shuffle=False)


def test_polars(expected):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({name: X[:, place] for place, name in enumerate("abc")})
    target = polars.Series("y", Y[:, 0])
    np.testing.assert_allclose(losses(frame, target, batch_size=5, shuffle=False), expected, rtol=1e-6)
    assert make_model().predict(frame, verbose=0).shape == (22, 1)


def test_pyarrow(expected):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({name: X[:, place] for place, name in enumerate("abc")})
    target = pyarrow.chunked_array([Y[:9, 0], Y[9:, 0]])
    np.testing.assert_allclose(losses(table, target, batch_size=5, shuffle=False), expected, rtol=1e-6)


def test_torch(expected):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(data, batch_size=5)
    np.testing.assert_allclose(losses(loader, validation_data=loader), expected, rtol=1e-6)
    assert make_model().predict(loader, verbose=0).shape == (22, 1)


def test_grain(expected):
    grain = pytest.importorskip("grain")

    class Source:
        def __len__(self):
            return len(X)

        def __getitem__(self, place):
            return X[place], Y[place]

    batches = grain.MapDataset.source(Source()).batch(5)
    np.testing.assert_allclose(losses(batches), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(batches.to_iter_dataset()), expected, rtol=1e-6)
