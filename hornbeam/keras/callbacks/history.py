"""``History``: what happened in each epoch."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.callbacks.callback import Callback


class History(Callback):
    """Records the logs of each epoch; ``fit`` adds one and returns it.

    Attributes:
        history: lists of floats by name, one entry per epoch.
        epoch: numbers of the epochs, counted from 0.

    References: Keras ``callbacks.History``.
    """

    state_names = ("epoch", "history", "_epochs", "_rows")

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        # Epoch numbers of all rows ever recorded, and for each name the rows in which it was: with `validation_freq`
        # not every name is in every row.
        self._epochs: list[int] = []
        self._rows: dict[str, list[int]] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        self._epochs.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._rows.setdefault(name, []).append(len(self._epochs) - 1)
        if self.model is not None:
            self.model.history = self

    def to_frame(self) -> Any:
        """The history as a ``pandas.DataFrame``: a column per name, a row per epoch, NaN where nothing was recorded.

        Raises:
            ImportError: pandas is not there.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("History.to_frame() needs pandas: pip install pandas") from error
        columns = {name: pandas.Series(values, index=self._rows_of(name)) for name, values in self.history.items()}
        frame = pandas.DataFrame(columns, index=range(len(self._epochs)) if self._epochs else None)
        if self._epochs:
            frame.index = pandas.Index(self._epochs)
        frame.index.name = "epoch"
        return frame

    def plot(self, metrics: Any = None) -> Any:
        """Draw the curves: one panel per metric, training and validation together.

        Args:
            metrics: name or names (without ``val_``) to draw; all if not given.

        Returns:
            The ``matplotlib`` figure.

        Raises:
            ImportError: matplotlib is not there.
            ValueError: a name is not in the history.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("History.plot() needs matplotlib: pip install hornbeam[plot]") from error
        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if metrics is not None:
            wanted = [metrics] if isinstance(metrics, str) else list(metrics)
            unknown = [name for name in wanted if name not in names]
            if unknown:
                raise ValueError(f"History.plot(): no metric is called {unknown[0]!r}; there are {names}.")
            names = wanted
        if not names:
            raise ValueError("History.plot(): nothing has been recorded yet; call fit() first.")
        figure, axes = pyplot.subplots(1, len(names), figsize=(5 * len(names), 4), squeeze=False, layout="constrained")
        for axis, name in zip(axes[0], names, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                if key in self.history:
                    rows = [row + 1 for row in self._rows_of(key)]
                    axis.plot(rows, self.history[key], marker=".", label=label)
            axis.set_xlabel("epoch")
            axis.set_title(name)
            axis.legend()
        return figure

    def _rows_of(self, name: str) -> list[int]:
        """Rows (epochs counted from 0 over all runs) in which a name was recorded."""
        rows, count = self._rows.get(name, []), len(self.history[name])
        return rows if len(rows) == count else list(range(count))
