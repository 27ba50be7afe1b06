"""Centring, normalising and whitening of pictures, and the statistics of a data set that this takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


class Statistics:
    """The part of `ImageDataGenerator` that works on values, not on places."""

    featurewise_center: bool
    samplewise_center: bool
    featurewise_std_normalization: bool
    samplewise_std_normalization: bool
    zca_whitening: bool
    zca_epsilon: float
    rescale: float | None
    preprocessing_function: Callable[[np.ndarray], Any] | None
    data_format: str
    dtype: Any
    channel_axis: int
    row_axis: int
    col_axis: int
    mean: Any
    std: Any
    zca_whitening_matrix: Any

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Change one picture at random."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a picture is changed.")

    def standardize(self, x: Any) -> Any:
        """Preprocess, rescale, centre, normalise and whiten one picture or a batch, as the options say.

        ``x`` may be changed in place: give a copy to keep it.
        """
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._is_fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fitted("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6
        if self.zca_whitening and self._is_fitted("zca_whitening", self.zca_whitening_matrix):
            flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
            x = (flat @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _is_fitted(self, option: str, statistic: Any) -> bool:
        if statistic is None:
            warnings.warn(
                f"ImageDataGenerator: {option} has no effect before the data's statistics are known; call `fit` with "
                "sample data first.",
                stacklevel=3,
            )
        return statistic is not None

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn the statistics that the featurewise options and whitening need from sample data.

        Args:
            x: pictures of four axes; rescaled first, if the generator does so.
            augment: take them from changed pictures.
            rounds: how many changed pictures of each, with ``augment``.
            seed: seeds NumPy's global generator first.

        Raises:
            ValueError: ``x`` has not four axes.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(f"`fit` takes pictures of four axes. Received an array of shape {x.shape}")
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f"Pictures have 1, 3 or 4 channels, on axis {self.channel_axis} for data_format={self.data_format!r}; "
                f"these, of shape {x.shape}, have {x.shape[self.channel_axis]}.",
                stacklevel=2,
            )
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(picture) for _ in range(rounds) for picture in x])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            scales = np.sqrt(len(x)) / (s + self.zca_epsilon)
            self.zca_whitening_matrix = (u * scales).dot(u.T)
