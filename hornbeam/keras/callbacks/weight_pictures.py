"""Weights as pictures, for TensorBoard."""

from __future__ import annotations

import numpy as np

from hornbeam.base import settings


def as_pictures(weight: np.ndarray) -> np.ndarray | None:
    """A weight as pictures (pictures, height, width, channels); None if it has too many axes for that.

    Axes of size 1 do not count. A vector is a column of pixels; a matrix is a picture that is wider than high;
    three axes are one picture for each entry of the last one (of the first one for "channels_first"); four axes with
    1, 3 or 4 channels at the end are pictures already.
    """
    weight = np.squeeze(np.asarray(weight, np.float32))
    if weight.ndim == 1:
        return weight.reshape(1, -1, 1, 1)
    if weight.ndim == 2:
        return (weight.T if weight.shape[0] > weight.shape[1] else weight)[None, :, :, None]
    if weight.ndim == 3:
        if settings.image_data_format() == "channels_last":
            weight = weight.transpose(2, 0, 1)
        return weight[..., None]
    if weight.ndim == 4 and weight.shape[-1] in (1, 3, 4):
        return weight
    return None
