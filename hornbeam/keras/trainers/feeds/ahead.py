"""Items of an iterator, made in a thread ahead of their use."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

_JOIN_S = 2.0


def read_ahead(source: Iterator[Any], ahead: int) -> Iterator[Any]:
    """Items of an iterator, made in one thread up to ``ahead`` of their use."""
    changed = threading.Condition()
    queue: deque[tuple[bool, Any]] = deque()
    stopped = False

    def work() -> None:
        answer: tuple[bool, Any] | None
        while True:
            try:
                answer = (True, next(source))
            except StopIteration:
                answer = None
            except BaseException as error:
                answer = (False, error)
            with changed:
                while len(queue) >= ahead and not stopped:
                    changed.wait()
                if stopped:
                    return
                queue.append(answer if answer is not None else (False, None))
                changed.notify_all()
            if answer is None or not answer[0]:
                return

    thread = threading.Thread(target=work, name="hornbeam-worker", daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                while not queue:
                    changed.wait()
                fine, value = queue.popleft()
                changed.notify_all()
            if not fine:
                if value is not None:
                    raise value
                return
            yield value
    finally:
        with changed:
            stopped = True
            changed.notify_all()
        thread.join(_JOIN_S)
