"""The table-driven comparisons look functions up in ``keras.ops``; here they find those of ``keras.ops.image``."""

import keras
import pytest

from hornbeam.ops import image


@pytest.fixture(autouse=True)
def _image_oracle(monkeypatch):
    for name in image.__all__:
        monkeypatch.setattr(keras.ops, name, getattr(keras.ops.image, name), raising=False)
