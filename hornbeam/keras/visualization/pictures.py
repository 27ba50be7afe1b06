"""What the functions of this room share: arrays of pictures from whatever was given."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.base.errors import ShapeError, explain

__all__ = ["batch_of"]


def batch_of(images: Any, data_format: str | None, owner: str) -> tuple[np.ndarray, bool]:
    """Images as NumPy, channels last, and whether the channels came first.

    Args:
        images: four axes, batch first.
        data_format: where the channels are; the global format if None.
        owner: function to name in the error.

    Raises:
        ShapeError: (a ValueError) not four axes.
    """
    array = np.asarray(ops.convert_to_numpy(images))
    if array.ndim != 4:
        raise ShapeError(
            explain(
                f"{owner}() draws on a batch of images.",
                expected="`images` of shape (batch, height, width, channels)",
                received=f"shape {array.shape}",
                fix="add the batch axis: `images[None]`",
            )
        )
    first = settings.standardize_data_format(data_format) == "channels_first"
    return (array.transpose(0, 2, 3, 1) if first else array), first
