"""``ProgbarLogger``: shows progress and metrics."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.utils.progbar import Progbar
from hornbeam.keras.utils.progress_screens import Screen, choose


class ProgbarLogger(Callback):
    """Shows how far a run has come, and its metrics; ``fit``, ``evaluate`` and ``predict`` add one by themselves.

    References: Keras ``callbacks.ProgbarLogger``.
    """

    batch_interval = 0

    state_names = ()

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False
        self._asked_for = False
        self._screen: Screen | None = None

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        params = params or {}
        verbose = params.get("verbose", "auto")
        self.verbose = 1 if verbose == "auto" else verbose
        self._asked_for = verbose == 1
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    # --- training --------------------------------------------------------------------------------
    def on_train_begin(self, logs: Any = None) -> None:
        # Validation inside a training run is silent.
        self._called_in_fit = True
        self._screen = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        bar = self._new_bar()
        if self.verbose and self.epochs > 1:
            bar.screen.heading(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._called_in_fit = False
        if self.progbar is not None and self.verbose == 1:
            # After an error or Ctrl-C the line is still open; what is printed next must not be glued to it.
            self.progbar.screen.abandon()
        self.progbar = None

    # --- evaluation and prediction ---------------------------------------------------------------
    def on_test_begin(self, logs: Any = None) -> None:
        if not self._called_in_fit:
            self._screen = None
            self._new_bar()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._called_in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._screen = None
        self._new_bar()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        # The logs hold the predictions themselves, which are not to be shown.
        self._update(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish(logs)

    # --- the bar ---------------------------------------------------------------------------------
    def _new_bar(self) -> Progbar:
        self.seen = 0
        self.progbar = Progbar(target=self.target, verbose=self.verbose, unit_name="step", stateless_metrics=())
        if self._screen is None:
            self._screen = choose(live=self._asked_for)
        # All epochs share a screen, so that a notebook has one display for the whole run.
        self.progbar.screen = self._screen
        return self.progbar

    def _update(self, batch: int, logs: Any) -> None:
        bar = self.progbar or self._new_bar()
        self.seen = batch + 1
        if self.verbose == 1:
            bar.update(self.seen, logs or {}, finalize=False)

    def _finish(self, logs: Any) -> None:
        bar = self.progbar or self._new_bar()
        if self.target is None:
            self.target = bar.target = self.seen
        bar.update(self.target, logs or {}, finalize=True)
