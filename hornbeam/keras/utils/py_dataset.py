"""``PyDataset`` (``Sequence``): batches by number, made in threads or processes if asked for."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

from hornbeam.base.errors import NotSupportedError

_DEFAULTS = {"workers": 1, "use_multiprocessing": False, "max_queue_size": 10, "worker_timeout": None}


class PyDataset:
    """Base of data sets that give whole batches by number: implement ``__getitem__`` and ``__len__``.

    ``fit`` reads the batches in order (or in a random order with ``shuffle=True``), each once in an epoch, whatever the
    number of workers. Loops of your own get them one after another, without workers.

    Args:
        workers: threads, or processes, that make batches ahead. 0 and 1 without processes: batches are made in the
            main thread when they are needed.
        use_multiprocessing: processes instead of threads, for work that holds Python's lock. The object is then sent
            to each process, so all its attributes must be fit for pickling.
        max_queue_size: batches made ahead.
        worker_timeout: seconds after which a batch that does not come raises a ``WorkerError``; None to wait, with a
            warning after a minute.

    Example:
        >>> class Pictures(keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return math.ceil(len(self.files) / 32)
        ...     def __getitem__(self, index):
        ...         return load(self.files[32 * index : 32 * (index + 1)])

    References: Keras `utils.PyDataset`.
    """

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
        worker_timeout: float | None = None,
    ) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size
        self._worker_timeout = worker_timeout

    def _setting(self, name: str) -> Any:
        found = self.__dict__.get(f"_{name}", _DEFAULTS)
        if found is not _DEFAULTS:
            return found
        if name == "worker_timeout":
            return None
        warnings.warn(
            f"{type(self).__name__}.__init__() should call `super().__init__(**kwargs)`, so that `workers`, "
            "`use_multiprocessing` and `max_queue_size` can be given; their defaults are used.",
            stacklevel=3,
        )
        for other, value in _DEFAULTS.items():
            self.__dict__.setdefault(f"_{other}", value)
        return self.__dict__[f"_{name}"]

    @property
    def workers(self) -> int:
        """Threads or processes that make batches ahead."""
        return self._setting("workers")

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Processes instead of threads."""
        return self._setting("use_multiprocessing")

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """Batches made ahead."""
        return self._setting("max_queue_size")

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    @property
    def worker_timeout(self) -> float | None:
        """Seconds after which a batch that does not come raises an error."""
        return self._setting("worker_timeout")

    @worker_timeout.setter
    def worker_timeout(self, value: float | None) -> None:
        self._worker_timeout = value

    def __getitem__(self, index: int) -> Any:
        """The batch of a number, to be implemented: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``."""
        raise NotImplementedError(f"{type(self).__name__} must implement __getitem__(index), which returns a batch.")

    def __iter__(self) -> Iterator[Any]:
        count = None
        if hasattr(self, "__len__") or type(self).num_batches is not PyDataset.num_batches:
            count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None if there is no end."""
        if "_num_batches" in vars(self):
            return vars(self)["_num_batches"]
        if hasattr(self, "__len__"):
            return len(self)  # type: ignore[arg-type]
        raise NotSupportedError(f"{type(self).__name__} must implement __len__() or the property `num_batches`.")

    @num_batches.setter
    def num_batches(self, value: int | None) -> None:
        # A common name for what a constructor keeps, where `__len__` gives it back.
        self._num_batches = value

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


Sequence = PyDataset
