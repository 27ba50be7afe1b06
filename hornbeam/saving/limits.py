"""How much a file may ask for. What it claims is compared with what it holds before anything is read or allocated."""

from __future__ import annotations

from hornbeam.base.errors import UnsafeFileError

__all__ = ["DEPTH_LIMIT", "JSON_LIMIT_BYTES", "OBJECT_LIMIT", "allowed_bytes", "check_claim"]

JSON_LIMIT_BYTES = 64 << 20
DEPTH_LIMIT = 64
OBJECT_LIMIT = 1_000_000
"""Members of an archive, or groups and datasets of an HDF5 file."""


def allowed_bytes(stored_bytes: int) -> int:
    """Most bytes that a file of a size may unpack to: 64 MB, or 20 times its size but at most twice plus 192 MB."""
    return max(64 << 20, min(20 * stored_bytes, 2 * stored_bytes + (192 << 20)))


def check_claim(source: str, claimed_bytes: int, stored_bytes: int) -> None:
    """Refuse a file whose content claims far more than the file holds.

    Raises:
        UnsafeFileError: naming both sizes.
    """
    limit = allowed_bytes(stored_bytes)
    if claimed_bytes > limit:
        raise UnsafeFileError(
            f"{source}: its content claims {claimed_bytes} bytes, but the file holds {stored_bytes}; more than {limit} "
            "are refused. Such a file is made to fill memory; get it from a source that you trust."
        )
