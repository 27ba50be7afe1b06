"""The error for names in a config that lead nowhere Hornbeam is willing to go."""

from __future__ import annotations

from hornbeam.base.errors import UnsafeFileError


class UnresolvedNameError(UnsafeFileError, TypeError):
    """A config names a class or function that is neither built in nor registered nor passed.

    It is a ``TypeError`` because Keras raises one for a custom class it does not know, and an ``UnsafeFileError``
    because looking any further (importing what a file names) would let the file choose what code runs.
    """
