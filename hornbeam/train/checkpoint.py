"""``tf.train.Checkpoint``: saving and restoring any objects that hold variables."""

from __future__ import annotations

import inspect
import os
from typing import Any

from hornbeam.base import registry
from hornbeam.core.variable import Variable
from hornbeam.train.options import CheckpointOptions

__all__ = ["Checkpoint"]


class Checkpoint:
    """A group of objects whose variables are saved and restored together.

    Args:
        root: an object whose parts become the parts of the checkpoint itself.
        **kwargs: models, layers, optimizers, variables, modules, other checkpoints, and lists and dicts of them, under
            the names that they have in the file.

    Raises:
        ValueError: an argument holds no variables and never can.

    Example:
        >>> checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=tf.Variable(0))
        >>> path = checkpoint.save("training/ckpt")
        >>> checkpoint.restore(path).assert_consumed()

    References: TensorFlow ``tf.train.Checkpoint``.
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        self._root = root
        self._save_counter: Variable | None = None
        for name, value in sorted(kwargs.items()):
            if not _holds_values(value):
                raise ValueError(
                    f"Checkpoint({name}=...) takes models, layers, optimizers, variables, modules, and lists or dicts "
                    f"of them. Received: {value!r} of type {type(value).__name__}"
                )
            setattr(self, name, value)

    # --- content ---------------------------------------------------------------------------------
    def _checkpoint_children(self) -> list[tuple[str, Any]]:
        found = []
        if self._root is not None:
            found += registry.find("saving", "checkpoint children")(self._root)
        known = {name for name, _ in found}
        found += [
            (name, value)
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in known and _holds_values(value)
        ]
        if self._save_counter is not None:
            found.append(("save_counter", self._save_counter))
        return found

    @property
    def save_counter(self) -> Variable:
        """How often ``save`` was called, restored with the rest; it numbers the files."""
        if self._save_counter is None:
            self._save_counter = Variable(0, dtype="int64", trainable=False, name="save_counter")
        return self._save_counter

    # --- writing ---------------------------------------------------------------------------------
    def write(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Write the variables under exactly this prefix; no counter, no state file.

        Returns:
            The prefix.
        """
        prefix = os.path.expanduser(os.fspath(file_prefix))
        registry.find("saving", "write checkpoint")(prefix, self)
        _tell(options, prefix)
        return prefix

    def save(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Write the variables under the prefix and a number, and note them as the newest in the folder.

        Args:
            file_prefix: path; the file is ``prefix-1``, ``prefix-2`` ... .
            options: see ``CheckpointOptions``.

        Returns:
            The prefix with its number.
        """
        prefix = os.path.expanduser(os.fspath(file_prefix))
        self.save_counter.assign_add(1)
        path = f"{prefix}-{int(self.save_counter)}"
        try:
            registry.find("saving", "write checkpoint")(path, self)
        except BaseException:
            self.save_counter.assign_sub(1)
            raise
        registry.find("saving", "write checkpoint state")(os.path.dirname(path) or ".", path)
        _tell(options, path)
        return path

    # --- reading ---------------------------------------------------------------------------------
    def read(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Restore what ``write`` wrote.

        Returns:
            A status with ``assert_consumed``, ``assert_existing_objects_matched`` and ``expect_partial``.
        """
        return registry.find("saving", "read checkpoint")(self, save_path)

    def restore(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Restore what ``save`` wrote; objects that are not built yet take their values when they are.

        Args:
            save_path: the path that ``save`` returned, or ``latest_checkpoint`` found; None does nothing.
            options: see ``CheckpointOptions``.

        Returns:
            A status with ``assert_consumed``, ``assert_existing_objects_matched`` and ``expect_partial``.

        Raises:
            FileNotFoundError: there is no such checkpoint.
            ValueError: a variable has another shape; nothing is changed then.
        """
        if save_path is not None:
            _ = self.save_counter
        return registry.find("saving", "read checkpoint")(self, save_path)

    def sync(self) -> None:
        """Do nothing: checkpoints are on the disk when ``save`` returns."""


def _tell(options: CheckpointOptions | None, prefix: str) -> None:
    for callback in options.experimental_write_callbacks if options is not None else ():
        if inspect.signature(callback).parameters:
            callback(prefix)
        else:
            callback()


def _holds_values(value: Any) -> bool:
    if isinstance(value, (Variable, Checkpoint)) or hasattr(value, "_checkpoint_children"):
        return True
    if isinstance(value, dict):
        return all(map(_holds_values, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_holds_values, value))
    return hasattr(value, "variables") and not isinstance(value, type)
