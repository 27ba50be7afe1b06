"""Where the data sets come from, and how their files are found in the cache."""

from __future__ import annotations

import os

from hornbeam.base import settings
from hornbeam.base.errors import CorruptFileError
from hornbeam.keras.utils.file_utils import get_file, validate_file

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def is_checked() -> bool:
    """Whether files in the cache must have the published hash; not with ``HORNBEAM_VERIFY_DATASETS=0``."""
    return os.environ.get("HORNBEAM_VERIFY_DATASETS", "1") != "0"


def fetch(
    name: str,
    file_hash: str | None,
    *,
    origin: str | None = None,
    subfolder: str = "datasets",
    cache_dir: str | None = None,
) -> str:
    """Path of one file of the collection, fetched if the cache does not have it."""
    return get_file(
        name,
        origin=origin or ORIGIN + name,
        file_hash=file_hash if is_checked() else None,
        cache_subdir=subfolder,
        cache_dir=cache_dir,
    )


def published(name: str, path: str, file_hash: str | None, cache_dir: str | None = None) -> str:
    """Like `fetch`, for a file that the user may keep under a name of his own."""
    return fetch(path, file_hash, origin=ORIGIN + name, cache_dir=cache_dir)


def fetch_folder(name: str, origin: str, file_hash: str, members: list[str], cache_dir: str | None = None) -> str:
    """The folder ``name`` with ``members`` that an archive holds.

    The archive is unpacked to ``name-target``. A folder that was unpacked right into the cache serves too, if its
    archive stands beside it with the published hash.
    """
    data = os.path.join(os.path.expanduser(cache_dir or settings.keras_home()), "datasets")
    beside = os.path.join(data, name)
    archive = f"{beside}.tar.gz"
    if all(os.path.isfile(os.path.join(beside, member)) for member in members) and (
        not is_checked() or (os.path.isfile(archive) and validate_file(archive, file_hash))
    ):
        return beside
    unpacked = get_file(
        f"{name}-target",
        origin=origin,
        extract=True,
        file_hash=file_hash if is_checked() else None,
        cache_dir=cache_dir,
    )
    return os.path.join(unpacked, name)


def damaged(path: str, error: Exception) -> CorruptFileError:
    """The error for a file of the collection that cannot be read."""
    return CorruptFileError(
        f"{path} is damaged or not what its name says ({error}). Delete it to have it fetched again."
    )
