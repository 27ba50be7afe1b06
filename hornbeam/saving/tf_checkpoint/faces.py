"""What ``tf.train`` finds by name: it stands below the formats and may not import them."""

from __future__ import annotations

from typing import Any

from hornbeam.saving.paths import local_path
from hornbeam.saving.tf_checkpoint.bundle import Bundle
from hornbeam.saving.tf_checkpoint.deferred import restore_later
from hornbeam.saving.tf_checkpoint.graph import write_objects
from hornbeam.saving.tf_checkpoint.restore import Restoration
from hornbeam.saving.tf_checkpoint.status import LoadStatus

__all__ = ["read_checkpoint", "write_checkpoint"]


def write_checkpoint(prefix: str, root: Any) -> None:
    """Write all variables below an object."""
    write_objects(prefix, root)


def read_checkpoint(root: Any, path: Any) -> LoadStatus:
    """Give all objects below a root their stored values; None as path does nothing."""
    if path is None:
        return LoadStatus(None)
    restoration = Restoration(Bundle(local_path(path)), root)
    restoration.match()
    restoration.assign()
    if restoration.unused():
        restore_later(restoration)
    return LoadStatus(restoration)
