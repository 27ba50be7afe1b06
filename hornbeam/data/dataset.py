"""``tf.data.Dataset``: a lazy plan of steps from sources to batches."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.tensor import Tensor
from hornbeam.data import iterators
from hornbeam.data import options as options_module
from hornbeam.data.blocks import Block
from hornbeam.data.functions import ElementFunction
from hornbeam.data.grouping import Held
from hornbeam.data.mapping import apply_with_state
from hornbeam.data.merging import Choose, chooser_from_node, chooser_from_weights, node_of
from hornbeam.data.plan import INFINITE, UNKNOWN, Node, Run, Scope
from hornbeam.data.resampling import resampled
from hornbeam.data.shuffling import Shuffle
from hornbeam.data.sources import Generated, Random, Range, Single, Slices, signature_of
from hornbeam.data.stores import Stored, Writer, compressed, write
from hornbeam.data.structure import DatasetSpec, host_leaf, public_spec, to_host, to_tensors
from hornbeam.data.transform_base import number
from hornbeam.data.transforms import Transforms, _in_order, _path, zipped
from hornbeam.errors import InvalidArgumentError


class Dataset(Transforms):
    """Elements that are read one after another: tensors, or tensors nested in tuples and dicts.

    Made by the ``from_*`` functions and the classes for files. Nothing is computed before the data set is iterated, and
    each iteration begins anew.

    Args:
        variant_tensor: the plan; for the library's own use.

    Example:
        >>> dataset = tf.data.Dataset.from_tensor_slices((x, y)).map(scale).shuffle(1000).batch(32)
        >>> model.fit(dataset, epochs=3)

    References: TensorFlow `tf.data.Dataset`.
    """

    def __init__(self, variant_tensor: Any) -> None:
        if not isinstance(variant_tensor, Node):
            raise TypeError(
                "Data sets are made by Dataset.from_tensor_slices(), Dataset.from_generator() and the like."
            )
        self._node = variant_tensor
        self._options = options_module.Options()

    def _with(self, node: Node) -> Dataset:
        made = Dataset(node)
        made._options = self._options
        return made

    def _tensor(self, value: Any) -> Any:
        return to_tensors([value])[0]

    # --- sources ---------------------------------------------------------------------------------
    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of arrays: slices along the first axis.

        Args:
            tensors: arrays (tensors, lists, ragged tensors, data frame columns), nested in tuples and dicts, all with
                the same first size.
            name: label.

        References: TensorFlow `tf.data.Dataset.from_tensor_slices`.
        """
        return Dataset(Slices(tensors))

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element.

        References: TensorFlow `tf.data.Dataset.from_tensors`.
        """
        return Dataset(Single(tensors))

    @staticmethod
    def from_generator(
        generator: Callable,
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What a Python generator yields.

        Args:
            generator: function that returns an iterator; called for each pass.
            output_types: dtypes of the elements; use ``output_signature`` instead.
            output_shapes: shapes of the elements, with ``output_types``.
            args: arguments of ``generator``; tensors reach it as NumPy arrays.
            output_signature: ``TensorSpec`` (or a nesting of them) that the elements follow.
            name: label.

        References: TensorFlow `tf.data.Dataset.from_generator`.
        """
        signature = signature_of(output_types, output_shapes, output_signature)
        given = tuple(
            np.asarray(host_leaf(arg))[()] if not isinstance(arg, str) else arg.encode() for arg in args or ()
        )
        return Dataset(Generated(generator, given, signature))

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """Numbers in even steps: ``range(stop)``, ``range(start, stop)`` or ``range(start, stop, step)``.

        Args:
            *args: as in Python's ``range``.
            **kwargs: ``output_type``, the dtype (default int64), and ``name``.

        References: TensorFlow `tf.data.Dataset.range`.
        """
        dtype = kwargs.pop("output_type", dtypes.int64)
        kwargs.pop("name", None)
        if kwargs or not 1 <= len(args) <= 3:
            raise TypeError(f"Dataset.range() takes 1 to 3 numbers and `output_type`. Received: {args}, {kwargs}")
        numbers = [number(arg, "args", "range") for arg in args]
        start, stop = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
        return Dataset(Range(start, stop, numbers[2] if len(numbers) == 3 else 1, dtype))

    @staticmethod
    def counter(start: Any = 0, step: Any = 1, dtype: Any = "int64", name: str | None = None) -> Dataset:
        """Numbers in even steps, without end.

        References: TensorFlow `tf.data.Dataset.counter`.
        """
        return Dataset(Range(number(start, "start", "counter"), None, number(step, "step", "counter"), dtype))

    @staticmethod
    def random(seed: Any = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Random int64 numbers in [0, 2**32), without end.

        Args:
            seed: int, or None.
            rerandomize_each_iteration: other numbers in each pass, for a given seed.
            name: label.

        References: TensorFlow `tf.data.Dataset.random`.
        """
        return Dataset(Random(None if seed is None else number(seed, "seed", "random"), rerandomize_each_iteration))

    @staticmethod
    def list_files(
        file_pattern: Any, shuffle: bool | None = None, seed: Any = None, name: str | None = None
    ) -> Dataset:
        """Names of the files that fit patterns.

        Args:
            file_pattern: pattern, or list (tensor, data set) of patterns.
            shuffle: in random order (the default), another one in each pass; False for sorted names.
            seed: seed of the order.
            name: label.

        Raises:
            InvalidArgumentError: no file fits.

        References: TensorFlow `tf.data.Dataset.list_files`.
        """
        if isinstance(file_pattern, Dataset):
            patterns = [leaf for leaf in file_pattern.as_numpy_iterator()]
        else:
            found = host_leaf(file_pattern) if not hasattr(file_pattern, "__fspath__") else str(file_pattern).encode()
            patterns = np.atleast_1d(np.asarray(found, object)).tolist()
        names = sorted({name for pattern in patterns for name in glob.glob(pattern.decode("utf-8"))})
        if not names:
            shown = ", ".join(pattern.decode("utf-8") for pattern in patterns)
            raise InvalidArgumentError(None, None, f"Dataset.list_files(): no file fits {shown}.")
        node: Node = Slices(names)
        if shuffle is None or shuffle:
            node = Shuffle(node, len(names), None if seed is None else number(seed, "seed", "list_files"), True)
        return Dataset(node)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements of several data sets side by side, until one ends.

        Args:
            *args: data sets, or one nesting (tuple, dict) of data sets.
            datasets: the nesting, by name.
            name: label.

        References: TensorFlow `tf.data.Dataset.zip`.
        """
        if (datasets is None) == (not args):
            raise TypeError("Dataset.zip(): give data sets, or `datasets`, and not both.")
        if datasets is None:
            datasets = args[0] if len(args) == 1 else args
        return Dataset(zipped(datasets))

    @staticmethod
    def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Dataset:
        """Elements of several data sets, chosen by the numbers that another one yields.

        Args:
            datasets: list of data sets of like elements.
            choice_dataset: int64 scalars, places in ``datasets``.
            stop_on_empty_dataset: end when a data set that is chosen has ended; else it is passed over.

        References: TensorFlow `tf.data.Dataset.choose_from_datasets`.
        """
        nodes = [node_of(dataset, "choose_from_datasets()") for dataset in datasets]
        chooser = chooser_from_node(node_of(choice_dataset, "choose_from_datasets()"))
        return Dataset(Choose(nodes, chooser, stop_on_empty_dataset, "choose_from_datasets()"))

    @staticmethod
    def sample_from_datasets(
        datasets: Any,
        weights: Any = None,
        seed: Any = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """Elements of several data sets, drawn at random.

        Args:
            datasets: list of data sets of like elements.
            weights: probability of each, or a data set of such lists; by default all alike.
            seed: seed of the draws.
            stop_on_empty_dataset: end with the first data set that ends; else the others go on.
            rerandomize_each_iteration: other draws in each pass, for a given seed.

        References: TensorFlow `tf.data.Dataset.sample_from_datasets`.
        """
        nodes = [node_of(dataset, "sample_from_datasets()") for dataset in datasets]
        if not nodes:
            raise ValueError("sample_from_datasets() needs at least one data set.")
        if isinstance(weights, Dataset):
            odds: Any = weights._node
        else:
            odds = (
                np.full(len(nodes), 1 / len(nodes)) if weights is None else np.asarray(host_leaf(weights), np.float64)
            )
            if odds.shape != (len(nodes),) or (odds < 0).any():
                raise ValueError(
                    explain(
                        "sample_from_datasets() needs a weight for each data set.",
                        expected=f"{len(nodes)} numbers, none negative",
                        received=repr(weights),
                    )
                )
            if (odds > 0).sum() == 1:  # no choice at all
                return datasets[int(np.argmax(odds))]
        seed = None if seed is None else number(seed, "seed", "sample_from_datasets")
        chooser = chooser_from_weights(odds, seed, bool(rerandomize_each_iteration))
        return Dataset(Choose(nodes, chooser, stop_on_empty_dataset, "sample_from_datasets()"))

    @staticmethod
    def load(
        path: Any,
        element_spec: Any = None,
        compression: Any = None,
        reader_func: Callable | None = None,
        wait: bool = False,
    ) -> Dataset:
        """A data set that ``save`` wrote.

        Args:
            path: its folder.
            element_spec: checked against what the folder says, if given.
            compression: known from the folder; accepted in any form ``save`` takes.
            reader_func: function of a data set of data sets, one per shard; gives the data set to read.
            wait: wait for the folder to be finished.

        References: TensorFlow `tf.data.Dataset.load`.
        """
        compressed(compression, "Dataset.load()")
        stored = Stored(_path(path), wait)
        if element_spec is not None and not trees.same_structure(element_spec, stored.spec):
            raise ValueError(
                explain("Dataset.load(): the saved elements are others.", expected=element_spec, received=stored.spec)
            )
        nodes: list[Node] = list(stored.nodes())
        if not nodes:
            return Dataset(Held(Block(stored.skeleton, [[] for _ in trees.flatten(stored.spec)], 0), stored.spec))
        return Dataset(_in_order(nodes) if reader_func is None else _shard_reader(reader_func)(nodes))

    # --- facts -----------------------------------------------------------------------------------
    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of an element, as ``TensorSpec`` in the element's structure."""
        return public_spec(self._node.spec)

    def cardinality(self) -> Tensor:
        """Number of elements (int64), ``tf.data.INFINITE_CARDINALITY`` or ``tf.data.UNKNOWN_CARDINALITY``."""
        return self._tensor(np.int64(self._node.size()))

    def __len__(self) -> int:
        size = self._node.size()
        if size == INFINITE:
            raise TypeError("The data set has no end, and therefore no length.")
        if size == UNKNOWN:
            raise TypeError(
                "The number of elements of this data set is not known before it is read (filter, generators, files).\n"
                "  fix:      dataset.apply(tf.data.experimental.assert_cardinality(n)), or count: len(list(dataset))"
            )
        return size

    def __bool__(self) -> bool:
        return True

    __nonzero__ = __bool__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {type(self._node).__name__} element_spec={self.element_spec!r}>"

    def fingerprint(self) -> Tensor:
        """A number (uint64) that is equal for equal pipelines: kinds of steps and specs."""

        def describe(node: Node) -> str:
            return f"{type(node).__name__}({', '.join(map(describe, node.children))})"

        text = f"{describe(self._node)} {self.element_spec!r}"
        return self._tensor(np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")))

    def options(self) -> options_module.Options:
        """Options in force."""
        return self._options

    def with_options(self, options: options_module.Options, name: str | None = None) -> Dataset:
        """The same elements under other options, see ``tf.data.Options``."""
        if not isinstance(options, options_module.Options):
            raise TypeError(f"with_options() takes tf.data.Options, received {options!r}.")
        made = self._with(self._node)
        made._options = self._options.merge(options)
        return made

    # --- reading ---------------------------------------------------------------------------------
    def __iter__(self) -> Iterator[Any]:
        return iterators.Iterator(self)

    def as_numpy_iterator(self) -> iterators.NumpyIterator:
        """Elements as NumPy arrays and scalars, texts as ``bytes``."""
        return iterators.NumpyIterator(self)

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element.

        Raises:
            InvalidArgumentError: there is none, or more than one.
        """
        iterator = iterators.Iterator(self)
        try:
            found = next(iterator, _NONE)
            if found is _NONE:
                raise InvalidArgumentError(None, None, "get_single_element(): the data set is empty.")
            if next(iterator, _NONE) is not _NONE:
                raise InvalidArgumentError(None, None, "get_single_element(): the data set has more than one element.")
        finally:
            iterator.close()
        return found

    def reduce(self, initial_state: Any, reduce_func: Callable, name: str | None = None) -> Any:
        """One value out of all elements.

        Args:
            initial_state: the state before the first element.
            reduce_func: function of (state, element) that returns the new state.
            name: label.

        References: TensorFlow `tf.data.Dataset.reduce`.
        """
        function = ElementFunction(reduce_func, "Dataset.reduce()")
        state = to_host(initial_state)
        scope = Scope(Run())
        elements = iterators.Elements(self._node)
        seed, ordinal = scope.seed(0), 0
        try:
            while (found := elements.next()) is not None:
                result = apply_with_state(function, state, found, seed, ordinal)
                state = (result.skeleton, result.leaves(0))
                ordinal += 1
        finally:
            elements.close()
        return trees.pack(state[0], to_tensors(state[1]))

    def rejection_resample(
        self,
        class_func: Callable,
        target_dist: Any,
        initial_dist: Any = None,
        seed: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """Leave out elements at random, so that classes come as often as wanted. Yields pairs (class, element).

        Args:
            class_func: function of an element; gives its class, an int32 scalar.
            target_dist: how often each class shall come.
            initial_dist: how often each class comes now; by default counted on the way.
            seed: seed of the draws.
            name: label.

        References: TensorFlow `tf.data.Dataset.rejection_resample`.
        """
        seed = None if seed is None else number(seed, "seed", "rejection_resample")
        initial = None if initial_dist is None else np.asarray(host_leaf(initial_dist), np.float64)
        target = np.asarray(host_leaf(target_dist), np.float64)
        return self._with(resampled(self._node, class_func, target, initial, seed))

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Dataset:
        """Refused: see ``padded_batch`` and ``ragged_batch``."""
        raise NotSupportedError(
            "Dataset.sparse_batch() is not offered; use padded_batch() or ragged_batch(), and "
            "tf.sparse.from_dense in a map()."
        )

    # --- files -----------------------------------------------------------------------------------
    def save(
        self, path: Any, compression: Any = None, shard_func: Callable | None = None, checkpoint_args: Any = None
    ) -> None:
        """Write all elements into a folder, for ``load``. The form is our own, and holds no code.

        Args:
            path: the folder; a data set that it holds is replaced.
            compression: None or "GZIP".
            shard_func: function of an element; gives the number of its shard.
            checkpoint_args: must be None.

        References: TensorFlow `tf.data.Dataset.save`.
        """
        if checkpoint_args is not None:
            raise NotSupportedError(
                "Dataset.save(): `checkpoint_args` is not offered; an interrupted save starts anew."
            )
        writer = Writer(_path(path), compressed(compression, "Dataset.save()"), self._node.spec)
        sharder = None if shard_func is None else self._sharder(shard_func)
        elements = iterators.Elements(self._node)
        first = 0
        try:
            while (block := elements.next_block(1024)) is not None:
                write(writer, block, sharder, first)
                first += block.count
        finally:
            elements.close()
        writer.finish()

    def _sharder(self, function: Callable) -> Callable:
        wrapped = ElementFunction(function, "shard_func")

        def shard(skeleton: Any, leaves: list[Any], ordinal: int) -> int:
            return int(wrapped.element(skeleton, leaves, ordinal)[1][0])

        return shard

    def _shard_reader(self, function: Callable) -> Callable[[list[Node]], Node]:
        return _shard_reader(function)

    # --- old iterators ---------------------------------------------------------------------------
    def make_one_shot_iterator(self) -> iterators.Iterator:
        """An iterator, as TensorFlow 1 called it."""
        return iterators.Iterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> iterators.Iterator:
        """An iterator, as TensorFlow 1 called it; there is nothing to initialize."""
        return iterators.Iterator(self)


_NONE = object()


def _shard_reader(function: Callable) -> Callable[[list[Node]], Node]:
    """A reader of shards from a function of a data set of data sets."""

    def read(nodes: list[Node]) -> Node:
        shards = [Dataset(node) for node in nodes]
        held = Held(Block(0, [shards], len(shards)), DatasetSpec(nodes[0].spec))
        return node_of(function(Dataset(held)), "reader_func")

    return read
