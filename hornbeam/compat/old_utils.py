"""Helpers that Keras dropped from ``keras.utils``."""

from __future__ import annotations

import queue
import threading
import warnings as warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.notes import note
from hornbeam.keras import layers
from hornbeam.keras.initializers.variance_scaling import compute_fans as _fans_of


def print_summary(model: Any, line_length: int | None = None, positions: Any = None, print_fn: Any = None) -> None:
    """Print a table of the model's layers; today ``model.summary`` does."""
    model.summary(line_length=line_length, positions=positions, print_fn=print_fn)


def probas_to_classes(y_pred: Any) -> np.ndarray:
    """Numbers of classes from probabilities: the largest of several, or 1 where a single one is above 0.5."""
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return np.array([1 if p > 0.5 else 0 for p in y_pred.ravel()])


def categorical_probas_to_classes(p: Any) -> np.ndarray:
    """Number of the largest probability of each row."""
    return np.argmax(np.asarray(p), axis=1)


def to_ordinal(y: Any, num_classes: int | None = None, dtype: str = "float32") -> np.ndarray:
    """Class numbers as rows of ones and zeros: as many ones as the number says, ``num_classes - 1`` places.

    References: Keras 2 ``utils.to_ordinal``.
    """
    numbers = np.asarray(y, dtype="int")
    shape = numbers.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    flat = numbers.reshape(-1)
    places = np.arange((num_classes or int(flat.max()) + 1) - 1)
    return (places[None, :] < flat[:, None]).astype(dtype).reshape((*shape, len(places)))


def convert_kernel(kernel: Any) -> np.ndarray:
    """A kernel turned round in all its spatial axes: true convolution to cross-correlation and back."""
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"convert_kernel takes kernels of 3 to 5 axes. Received: shape {kernel.shape}")
    return np.flip(kernel, axis=tuple(range(kernel.ndim - 2))).copy()


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn round the kernels of all convolutions of a model."""
    for layer in model._flatten_layers():
        if isinstance(layer, _CONVOLUTIONS):
            layer.kernel.assign(convert_kernel(layer.kernel.numpy()))


_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Conv2DTranspose)


def layer_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """A layer from ``{"class_name": ..., "config": ...}``."""
    return layers.deserialize(config, custom_objects=custom_objects)


def get_from_module(
    identifier: Any,
    module_params: dict[str, Any],
    module_name: str,
    instantiate: bool = False,
    kwargs: dict[str, Any] | None = None,
) -> Any:
    """An object of a table by its name; anything but a name is given back.

    Args:
        identifier: a name, or the object itself.
        module_params: the table, for instance ``globals()``.
        module_name: what kind of object it is, for the error.
        instantiate: call what was found.
        kwargs: arguments of that call.
    """
    if not isinstance(identifier, str):
        return identifier
    if (found := module_params.get(identifier)) is None:
        raise ValueError(f"No {module_name} is called {identifier!r}. Known: {sorted(module_params)}.")
    return found(**(kwargs or {})) if instantiate or kwargs else found


def multi_gpu_model(model: Any, gpus: Any = None, cpu_merge: bool = True, cpu_relocation: bool = False) -> Any:
    """The model itself, for one device.

    Raises:
        NotSupportedError: several devices are asked for.
    """
    count = len(gpus) if isinstance(gpus, (list, tuple)) else gpus
    if count is not None and count > 1:
        raise NotSupportedError(
            f"multi_gpu_model(gpus={gpus!r}): copies of a model are not made. Build and compile the model inside "
            "`with tf.distribute.MirroredStrategy().scope():`."
        )
    note("multi_gpu_model: build the model in the scope of a `tf.distribute` strategy.")
    return model


class HDF5Matrix:
    """A part of a data set in an HDF5 file, read as it is needed; can be given to ``fit``.

    Args:
        datapath: path of the file.
        dataset: name of the data set.
        start: first row.
        end: row behind the last one.
        normalizer: function applied to the rows that are read.

    References: Keras 2 ``utils.HDF5Matrix``.
    """

    def __init__(
        self, datapath: Any, dataset: str, start: int = 0, end: int | None = None, normalizer: Callable | None = None
    ) -> None:
        import h5py

        self._file = h5py.File(datapath, "r")
        self.data: Any = self._file[dataset]
        if not isinstance(self.data, h5py.Dataset):
            raise ValueError(
                f"HDF5Matrix: expected the name of a data set in {datapath!r}. Received: dataset={dataset!r}, "
                f"which is a {type(self.data).__name__}."
            )
        self.start = start
        self.end = self.data.shape[0] if end is None else end
        self.normalizer = normalizer

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            rows = self.data[self.start + first : self.start + last : step]
        elif isinstance(key, (int, np.integer)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"HDF5Matrix has {len(self)} rows. Received: index {key}")
            rows = self.data[self.start + key % len(self)]
        else:
            # HDF5 wants rising indices without repeats.
            wanted, back = np.unique(np.asarray(key) % len(self), return_inverse=True)
            rows = self.data[self.start + wanted][back]
        return rows if self.normalizer is None else self.normalizer(rows)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and sizes of a row."""
        return (len(self), *self.data.shape[1:])

    @property
    def dtype(self) -> Any:
        """Element type."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))


# --- queues --------------------------------------------------------------------------------------
class SequenceEnqueuer:
    """Prepares batches ahead in threads; ``get`` gives them in order.

    Args:
        sequence: object with ``__len__`` and ``__getitem__``.
        use_multiprocessing: not needed, and without effect on the batches.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.queue: queue.Queue[Any] = queue.Queue()
        self.stop_signal = threading.Event()
        self._thread: threading.Thread | None = None

    def is_running(self) -> bool:
        """Whether batches are being prepared."""
        return self._thread is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to prepare batches.

        Args:
            workers: accepted; one thread keeps the order.
            max_queue_size: batches kept ready.
        """
        self.queue = queue.Queue(max_queue_size)
        self.stop_signal.clear()
        self._thread = threading.Thread(target=self._fill, daemon=True)
        self._thread.start()

    def _batches(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must say which batches there are.")

    def _fill(self) -> None:
        try:
            for batch in self._batches():
                self._put((True, batch))
                if self.stop_signal.is_set():
                    return
            self._put((True, _END))
        except Exception as error:
            self._put((False, error))

    def _put(self, item: Any) -> None:
        while not self.stop_signal.is_set():
            try:
                self.queue.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def get(self) -> Iterator[Any]:
        """The batches, one by one."""
        while self.is_running():
            fine, item = self.queue.get()
            if not fine:
                self.stop()
                raise item
            if item is _END:
                return
            if item is not None:
                yield item

    def stop(self, timeout: float | None = None) -> None:
        """Stop preparing batches.

        Args:
            timeout: seconds to wait for the thread.
        """
        self.stop_signal.set()
        if self._thread is not None:
            self._thread.join(timeout)
        self._thread = None


_END = object()


class OrderedEnqueuer(SequenceEnqueuer):
    """Batches of a sequence, again and again.

    Args:
        sequence: object with ``__len__`` and ``__getitem__``.
        use_multiprocessing: without effect on the batches.
        shuffle: a new order in each round.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def _batches(self) -> Iterator[Any]:
        while True:
            order: Sequence[int] = list(range(len(self.sequence)))
            if self.shuffle:
                order = np.random.permutation(len(self.sequence)).tolist()
            for index in order:
                yield self.sequence[index]
            if hasattr(self.sequence, "on_epoch_end"):
                self.sequence.on_epoch_end()


class GeneratorEnqueuer(SequenceEnqueuer):
    """Batches of a generator.

    Args:
        generator: gives the batches.
        use_multiprocessing: without effect on the batches.
        random_seed: accepted; the generator draws its own numbers.
    """

    def __init__(self, generator: Any, use_multiprocessing: bool = False, random_seed: int | None = None) -> None:
        super().__init__(generator, use_multiprocessing)
        self.random_seed = random_seed

    def _batches(self) -> Iterator[Any]:
        return iter(self.sequence)


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """First index and the one after the last, for each batch of ``size`` samples."""
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """The same rows of each array: ``start`` to ``stop``, or those whose numbers ``start`` lists; None stays None."""

    def rows(array: Any) -> Any:
        if array is None:
            return None
        return array[np.asarray(start)] if hasattr(start, "__len__") else array[start:stop]

    return [rows(array) for array in arrays] if isinstance(arrays, list) else rows(arrays)


def compute_fans(shape: Sequence[int], data_format: str = "channels_last") -> tuple[float, float]:
    """Numbers of inputs and outputs of a kernel, as initializers count them.

    Args:
        shape: (inputs, outputs), or the sizes of a convolution's kernel.
        data_format: ``"channels_first"`` for kernels of shape (outputs, inputs, *window), as once with Theano.
    """
    if data_format == "channels_first" and len(shape) > 2:
        shape = (*shape[2:], shape[1], shape[0])
    return _fans_of(tuple(shape))


def base_filter() -> str:
    """The characters that ``Tokenizer`` takes out of texts, apart from the apostrophe."""
    return '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
