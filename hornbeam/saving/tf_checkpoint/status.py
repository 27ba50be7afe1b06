"""What a restoration reports: whether every stored value found its object, and every object its value."""

from __future__ import annotations

from typing import Any

from hornbeam.saving.tf_checkpoint.restore import Restoration

__all__ = ["LoadStatus"]

_SHOWN = 10


class LoadStatus:
    """Result of ``restore`` and ``read``.

    Args:
        restoration: the restoration; None if no checkpoint was given, so that nothing was to be done.

    References: TensorFlow, guide "Training checkpoints".
    """

    def __init__(self, restoration: Restoration | None) -> None:
        self._restoration = restoration

    def assert_consumed(self) -> LoadStatus:
        """Check that every stored value was used and every variable of the program has got one.

        Raises:
            AssertionError: naming some of those left over.
        """
        restoration = self._present()
        unused = restoration.unused()
        if unused:
            raise AssertionError(
                f"{len(unused)} values of checkpoint {restoration.bundle.prefix!r} belong to no object of the program"
                f": {_some(unused)}. Call expect_partial() if that is intended."
            )
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> LoadStatus:
        """Check that every variable that exists in the program has got a value.

        Raises:
            AssertionError: naming some that have not.
        """
        restoration = self._present()
        left = [variable.path for variable in restoration.unmatched()]
        if left:
            raise AssertionError(
                f"{len(left)} variables have no value in checkpoint {restoration.bundle.prefix!r}: {_some(left)}."
            )
        return self

    def assert_nontrivial_match(self) -> LoadStatus:
        """Check that at least one value was used.

        Raises:
            AssertionError: none was.
        """
        restoration = self._present()
        if not restoration.restored and not any(True for _ in restoration.matched if _ != restoration.start):
            raise AssertionError(
                f"No object of the program has a value in checkpoint {restoration.bundle.prefix!r}. Its values are: "
                f"{_some(restoration.unused())}."
            )
        return self

    def expect_partial(self) -> LoadStatus:
        """Say that values may be left over; nothing warns about them here, so there is nothing to silence."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Do nothing more: variables have their initial or stored values already."""

    def run_restore_ops(self, session: Any = None) -> None:
        """Do nothing more: values are restored already."""

    def _present(self) -> Restoration:
        if self._restoration is None:
            raise AssertionError("No checkpoint was given to restore(), so no object has been matched.")
        return self._restoration


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
