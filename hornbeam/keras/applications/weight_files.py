"""Published weight files: where they lie, under which names, with which hashes; fetching and loading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hornbeam.keras import utils

HOST = "https://storage.googleapis.com/"
"""Server of all published files."""


@dataclass(frozen=True)
class WeightFile:
    """One published file.

    Attributes:
        folder: folder on the server.
        source: file name on the server.
        hash: MD5 or SHA-256 of the file, None if none was published.
        stored: file name in the cache, if another than on the server.
    """

    folder: str
    source: str
    hash: str | None = None
    stored: str | None = None

    def fetch(self) -> str:
        """Path of the file in the cache, downloaded if it is not there."""
        return str(
            utils.get_file(
                self.stored or self.source,
                f"{HOST}{self.folder}/{self.source}",
                cache_subdir="models",
                file_hash=self.hash,
            )
        )


@dataclass(frozen=True)
class Published:
    """The two files of an architecture: with and without the classifier."""

    top: WeightFile
    no_top: WeightFile

    def load_into(self, model: Any, include_top: bool) -> None:
        """Fetch the file that fits and load it."""
        model.load_weights((self.top if include_top else self.no_top).fetch())


def kernels(name: str, folder: str, top: str, no_top: str) -> Published:
    """Files of the older naming scheme, ``NAME_weights_tf_dim_ordering_tf_kernels[_notop].h5``."""
    folder = f"tensorflow/keras-applications/{folder}"
    stem = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return Published(WeightFile(folder, f"{stem}.h5", top), WeightFile(folder, f"{stem}_notop.h5", no_top))


def plain(name: str, folder: str, top: str, no_top: str) -> Published:
    """Files of the newer naming scheme, ``NAME[_notop].h5``."""
    return Published(WeightFile(folder, f"{name}.h5", top), WeightFile(folder, f"{name}_notop.h5", no_top))
