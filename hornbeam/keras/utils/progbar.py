"""``Progbar``: a line that tells how far a loop has come, how long it takes, and what the metrics are."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hornbeam.keras.utils import terminal
from hornbeam.keras.utils.progress_screens import Screen, choose

__all__ = ["Progbar"]

REDRAW_S = 0.1
"""Seconds between two redraws at least: more often, nobody can read it, and drawing would slow short steps down."""

clock = time.monotonic


class Progbar:
    """Shows progress: a live line on a terminal or in a notebook, a plain line at the end elsewhere.

    Metrics are averaged over the steps, except those named in ``stateful_metrics`` (or, if ``stateless_metrics`` is
    given, all but those), whose last value is shown.

    Args:
        target: number of steps, None if unknown.
        width: length of the bar in characters.
        verbose: 0 for silence, 1 for the bar, 2 for one line at the end.
        interval: seconds between two redraws at least (never less than 0.1).
        stateful_metrics: names of metrics that are shown as they are.
        stateless_metrics: names of metrics that are averaged; all others are shown as they are.
        unit_name: what is counted, in the singular.

    Example:
        >>> bar = Progbar(3, verbose=2)
        >>> for step in range(1, 4):
        ...     bar.update(step, [("loss", 1.0 / step)])

    References: Keras ``utils.Progbar``.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar takes `stateful_metrics` (all others are averaged) or `stateless_metrics` (all others are "
                f"shown as they are), not both. Received: stateful_metrics={stateful_metrics}, "
                f"stateless_metrics={stateless_metrics}"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.stateful_metrics = set(stateful_metrics or ()) if stateless_metrics is None else None
        self._averages_none = self.stateless_metrics is not None and not self.stateless_metrics
        self._screen: Screen | None = None
        self._seen_so_far = 0
        # Name -> (sum, weight); insertion order is display order.
        self._values: dict[str, list[Any]] = {}
        self._unread: Mapping[str, Any] | None = None
        self._start = clock()
        self._last_update = -math.inf
        self._time_after_first_step: float | None = None

    # --- use -------------------------------------------------------------------------------------
    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Tell how far the loop has come.

        Args:
            current: number of steps done.
            values: metrics of the last step: pairs ``(name, value)``, or a dict.
            finalize: True for the last update; by default when ``current`` reaches the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        now = clock()
        due = self._is_due(now, finalize)
        if self._averages_none and isinstance(values, Mapping) and not due:
            # Only the last values will be shown: reading these now would wait for the device for nothing.
            if self._unread is None:
                for name in values:
                    self._values.setdefault(name, [0.0, 1])
            self._unread = values
        elif values:
            self._take(values.items() if isinstance(values, Mapping) else values, current, finalize)
        self._seen_so_far = current
        time_per_unit = self._step_duration(current, now)
        if not due:
            return
        self._read_rest(values, current)
        self._draw(current, now, time_per_unit, finalize)
        self._last_update = now

    def add(self, n: int, values: Any = None) -> None:
        """Tell that ``n`` more steps are done."""
        self.update(self._seen_so_far + n, values)

    # --- values ----------------------------------------------------------------------------------
    def _take(self, values: Iterable[tuple[str, Any]], current: int, finalize: bool) -> None:
        for name, value in values:
            if not self._is_averaged(name) or finalize:
                # The values of the last update are those of the whole epoch.
                self._values[name] = [value, 1]
                continue
            weight = max(current - self._seen_so_far, 1)
            if name in self._values:
                self._values[name][0] += value * weight
                self._values[name][1] += weight
            else:
                self._values[name] = [value * weight, weight]

    def _read_rest(self, values: Any, current: int) -> None:
        """Take what was left unread, as far as newer values do not replace it."""
        unread, self._unread = self._unread, None
        if unread is not None:
            newer = set(values) if isinstance(values, Mapping) else {name for name, _ in values or ()}
            self._take(((name, unread[name]) for name in unread if name not in newer), current, finalize=False)

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def _metric_texts(self) -> list[tuple[str, str]]:
        found = []
        for name, (total, weight) in self._values.items():
            value = total if isinstance(total, float) else np.mean(np.asarray(total))
            average = value / max(1, weight)
            # With verbose=2, Keras does not look at the size of negative values.
            large = abs(average) > 1e-3 if self.verbose == 1 else average > 1e-3
            found.append((terminal.escape(name), f"{average:.4f}" if large else f"{average:.4e}"))
        return found

    # --- time ------------------------------------------------------------------------------------
    def _step_duration(self, current: int, now: float) -> float:
        """Seconds per step; the first step, which compiles, is left out if it was seen alone."""
        if not current:
            return 0.0
        if self._time_after_first_step is not None and current > 1:
            duration = (now - self._time_after_first_step) / (current - 1)
        else:
            duration = (now - self._start) / current
        if current == 1:
            self._time_after_first_step = now
        return duration

    def _duration_text(self, seconds: float) -> str:
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit_name}"
        return f"{seconds * 1e6:.0f}us/{self.unit_name}"

    # --- drawing ---------------------------------------------------------------------------------
    @property
    def screen(self) -> Screen:
        """Where the bar is drawn."""
        if self._screen is None:
            self._screen = choose()
        return self._screen

    @screen.setter
    def screen(self, screen: Screen) -> None:
        self._screen = screen

    def _is_due(self, now: float, finalize: bool) -> bool:
        if self.verbose == 1:
            if finalize:
                return True
            return self.screen.live and now - self._last_update >= max(self.interval, REDRAW_S)
        return self.verbose == 2 and finalize and bool(self.target)

    def _draw(self, current: int, now: float, time_per_unit: float, finalize: bool) -> None:
        duration = self._duration_text(time_per_unit)
        if self.verbose == 2:
            elapsed = f"{now - self._start:.0f}s"
            metrics = "".join(f" - {name}: {value}" for name, value in self._metric_texts())
            self.screen.heading(f"{self._count(current)} - {elapsed} - {duration}{metrics}")
            return
        if self.target and not finalize:
            clock_text = self.screen.eta_label + _eta(time_per_unit * (self.target - current))
        else:
            clock_text = f"{now - self._start:.0f}s"
        screen = self.screen
        count, bar = self._count(current), self._bar(current)
        line = fit_line(count, bar, clock_text, duration, self._metric_texts(), screen.limit)
        (screen.finish if finalize else screen.show)(line)

    def _count(self, current: int) -> str:
        if not self.target or self.target < 0:
            return f"{current:7d}/Unknown"
        return f"{current:{len(str(int(self.target)))}d}/{self.target}"

    def _bar(self, current: int) -> str:
        if not self.target or self.target < 0:
            return ""
        done = min(max(int(self.width * current / self.target), 0), self.width)
        return "━" * done + "─" * (self.width - done)


def _eta(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


_LEAST_BAR = 6
_LONG_NAME = 20
_LEAST_NAME = 6
"""Columns that a bar and a name keep at least: with fewer, a bar shows nothing, and names cannot be told apart."""


def fit_line(
    count: str, bar: str, clock_text: str, duration: str, metrics: list[tuple[str, str]], limit: int | None
) -> str:
    """One line of at most ``limit`` columns.

    What does not fit gives way in this order: a part of the bar, the ends of very long names, the bar, the time per
    step, the ends of all names, the last metrics.
    """
    times = f"{clock_text} {duration}"
    line = _joined(count, bar, times, metrics)
    excess = 0 if limit is None else terminal.width(line) - limit
    if limit is None or excess <= 0:
        return line
    cut = [(terminal.shorten(name, _LONG_NAME), value) for name, value in metrics]
    for shown_bar, shown_times in ((bar, times), ("", times), ("", clock_text)):
        for names in (metrics, cut):
            line = _joined(count, shown_bar, shown_times, names)
            excess = terminal.width(line) - limit
            if excess <= 0:
                return line
            if len(shown_bar) - excess >= _LEAST_BAR:
                return _joined(count, _shrunk(shown_bar, excess), shown_times, names)
    for kept in range(len(metrics), -1, -1):
        mark = " …" if kept < len(metrics) else ""
        room = limit - terminal.width(_joined(count, "", clock_text, [("", value) for _, value in metrics[:kept]]))
        short = _short_names([name for name, _ in metrics[:kept]], room - len(mark))
        if short is not None:
            values = (value for _, value in metrics)
            return _joined(count, "", clock_text, list(zip(short, values, strict=False))) + mark
    return terminal.shorten(f"{count} {clock_text}", limit)


def _shrunk(bar: str, excess: int) -> str:
    done, size = bar.count("━"), len(bar) - excess
    return ("━" * (done * size // len(bar))).ljust(size, "─")


def _short_names(names: list[str], room: int) -> list[str] | None:
    """Names that take ``room`` columns together, the longest ones cut; None if that leaves too little of them."""
    widths = [terminal.width(name) for name in names]
    if sum(widths) <= room:
        return names
    if not names or sum(min(size, _LEAST_NAME) for size in widths) > room:
        return None
    longest = max(widths)
    while sum(min(size, longest) for size in widths) > room:
        longest -= 1
    return [terminal.shorten(name, longest) for name in names]


def _joined(count: str, bar: str, times: str, metrics: list[tuple[str, str]]) -> str:
    head = f"{count} {bar} {times}" if bar else f"{count} {times}"
    return head + "".join(f" - {name}: {value}" for name, value in metrics)
