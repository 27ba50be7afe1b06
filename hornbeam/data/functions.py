"""Functions of elements (``map``, ``filter``, ``scan`` ...): captured once, run compiled over whole blocks.

A function of numeric tensors of known shape is traced to a pure program (``core.frame.Program``), and one call of the
vectorised program computes all elements of a block. What cannot be traced (strings, Python control flow on values,
``py_function``, assignments to variables) runs as Python, element by element.

Random numbers: the state of a generator is replaced by a key made from the seed of the pass and the number of the
element, so draws differ from element to element, do not depend on blocks or threads, and come again after a resume.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.base.callers import user_line
from hornbeam.base.errors import TraceError
from hornbeam.core.frame import Program
from hornbeam.core.random_state import drawing_from, is_global_state
from hornbeam.core.scopes import override
from hornbeam.core.tensor import HostTensor, Tensor, wrap
from hornbeam.core.variable import Variable, read_all
from hornbeam.data.blocks import Block, each, stacked
from hornbeam.data.plan import mix
from hornbeam.data.structure import column_struct, host_leaf, is_composite, to_host, to_tensors
from hornbeam.engine.jax_compat import wide_types

_NEEDS_VALUE = (jax.errors.ConcretizationTypeError, jax.errors.NonConcreteBooleanIndexError)
_MOST_PROGRAMS = 64
_EXACT_SIZES = 4


class NotCapturableError(Exception):
    """A function whose results are no numeric tensors; it runs as Python."""


def host_device() -> Any:
    """Context in which arrays are made, and programs run, on the host's processor."""
    if jax.default_backend() == "cpu":
        return contextlib.nullcontext()
    try:
        return jax.default_device(jax.devices("cpu")[0])
    except RuntimeError:  # JAX was told to start without it
        return contextlib.nullcontext()


def keys_of(seed: int, ordinals: np.ndarray, salt: int = 0) -> np.ndarray:
    """Key data ``uint32[n, 2]`` for the elements of these numbers: a hash of the seed and each number."""
    state = ordinals.astype(np.uint64) + np.uint64(mix(seed, salt))
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state.view(np.uint32).reshape(-1, 2)


class Captured:
    """One traced program of an element function.

    Args:
        call: function of an element.
        skeleton: containers of the elements.
        structs: shape and dtype of their leaves.

    Raises:
        NotCapturableError: it returns what no program can.
    """

    def __init__(self, call: Callable, skeleton: Any, structs: list[Any]) -> None:
        self.skeleton: Any = None
        self._slots: list[Any] = []

        def traced(*arrays: Any) -> list[Any]:
            result = call(trees.pack(skeleton, [wrap(array) for array in arrays]))
            return self._note(result)

        wide = any(dtypes.is_wide(struct.dtype.name) for struct in structs)
        with wide_types(True) if wide else contextlib.nullcontext():
            self._program = Program(traced, structs)
        program = self._program
        self._random = [
            place for place, variable in enumerate(program.reads) if variable.name == "seed_generator_state"
        ]
        random = {id(program.reads[place]) for place in self._random}
        if any(id(variable) not in random for variable in program.writes):
            raise NotCapturableError
        self._global = [is_global_state(program.reads[place]) for place in self._random]
        self._one = jax.jit(self._run)
        self._many = jax.jit(jax.vmap(self._run, in_axes=(None, None, 0, 0)))
        self._sizes: list[int] = []
        arrays = program.closed.out_avals[: program.n_outputs]
        self._structs = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in arrays]

    @property
    def draws(self) -> bool:
        """True if it draws random numbers."""
        return bool(self._random)

    @property
    def reads_variables(self) -> bool:
        """True if it reads variables, which may change."""
        return len(self._program.reads) > len(self._random)

    def structs(self) -> list[Any] | None:
        """Shape and dtype of the result's leaves; None if one is no numeric tensor."""
        queue = iter(self._structs)
        found = [next(queue) if slot is None else _struct(slot[0]) for slot in self._slots]
        return None if any(struct is None for struct in found) else found

    def spec_leaves(self) -> list[Any]:
        """Leaves of the result: structs of arrays, and constants."""
        queue = iter(self._structs)
        return [next(queue) if slot is None else slot[0] for slot in self._slots]

    def _note(self, result: Any) -> list[Any]:
        """Arrays among the leaves of a result; the rest is kept as it is."""
        arrays: list[Any] = []
        self._slots = []

        def leaf(value: Any) -> int:
            if isinstance(value, Variable):
                value = value.read_value()
            if isinstance(value, HostTensor) or is_composite(value):
                raise NotCapturableError
            if isinstance(value, (Tensor, jax.Array)):
                arrays.append(value._value if isinstance(value, Tensor) else value)
                self._slots.append(None)
            elif isinstance(value, list):
                arrays.append(jax.numpy.stack([item._value if isinstance(item, Tensor) else item for item in value]))
                self._slots.append(None)
            else:
                self._slots.append((host_leaf(value),))
            return 0

        self.skeleton = _walk(result, leaf)
        return arrays

    def _run(self, reads: list, consts: list, keys: Any, leaves: list) -> list:
        reads = list(reads)
        for number, place in enumerate(self._random):
            reads[place] = keys[number]
        return self._program.pure(reads, consts, leaves)[0]

    def _keys(self, seed: int, ordinals: np.ndarray, reads: list[Any]) -> np.ndarray:
        """Keys ``uint32[elements, generators, 2]``."""
        found = np.empty((len(ordinals), len(self._random), 2), np.uint32)
        for number, place in enumerate(self._random):
            # The global generator's own state says nothing: the seed of the pass takes its place.
            salt = number if self._global[number] else mix(number + 1, *np.asarray(reads[place]).tolist())
            found[:, number] = keys_of(seed, ordinals, salt)
        return found

    def run(self, columns: list[np.ndarray], count: int, seed: int, ordinals: np.ndarray) -> list[Any]:
        """Columns of the results for columns of arguments."""
        reads = read_all(self._program.reads)
        keys = self._keys(seed, ordinals, reads)
        # The reads that keys take the place of are not needed.
        reads = [None if place in self._random else array for place, array in enumerate(reads)]
        with wide_types(True), host_device():
            if count == 1:
                outputs = self._one(reads, self._program.consts, keys[0], [column[0] for column in columns])
                found = [np.asarray(array)[None] for array in outputs]
            else:
                size = self._size_for(count)
                if size > count:
                    columns = [_padded(column, size) for column in columns]
                    keys = _padded(keys, size)
                outputs = self._many(reads, self._program.consts, keys, columns)
                found = [np.asarray(array)[:count] for array in outputs]
        queue = iter(found)
        return [next(queue) if slot is None else _constant(slot[0], count) for slot in self._slots]

    def _size_for(self, count: int) -> int:
        """Elements the compiled program takes: exact for the first few sizes, then rounded up to those there are."""
        if count in self._sizes:
            return count
        if len(self._sizes) >= _EXACT_SIZES:
            fitting = [size for size in self._sizes if count <= size <= 4 * count]
            if fitting:
                return min(fitting)
            count = 1 << (count - 1).bit_length()
        self._sizes.append(count)
        return count


def _walk(value: Any, leaf: Callable[[Any], int]) -> Any:
    if isinstance(value, dict) or hasattr(value, "keys"):
        made = {key: _walk(value[key], leaf) for key in trees.sorted_keys(value)}
        return trees.rebuild(value, [made[key] for key in trees.sorted_keys(value)])
    if isinstance(value, tuple) and not hasattr(value, "is_fully_defined"):
        return trees.rebuild(value, [_walk(item, leaf) for item in value])
    return leaf(value)


def _struct(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind != "O":
        return jax.ShapeDtypeStruct(value.shape, value.dtype)
    return None


def _padded(column: np.ndarray, size: int) -> np.ndarray:
    last = np.broadcast_to(column[-1:], (size - len(column), *column.shape[1:]))
    return np.concatenate([column, last])


def _constant(value: Any, count: int) -> Any:
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind != "O":
        return np.broadcast_to(value, (count, *value.shape))
    return [value] * count


class ElementFunction:
    """A user's function of elements.

    Args:
        function: takes the parts of a tuple as arguments, any other element as one argument.
        where: what it was given to, for messages.
    """

    def __init__(self, function: Callable, where: str) -> None:
        if not callable(function):
            raise TypeError(f"{where} takes a function, received {function!r}.")
        self.function = function
        self.where = where
        self._programs: dict[Any, Captured | None] = {}
        self._lock = threading.Lock()
        self._warned = False

    def call(self, element: Any) -> Any:
        """The function on an element of tensors."""
        with override(pipeline=True):
            found = self.function(*element) if type(element) is tuple else self.function(element)
        # A list is several results, as numpy_function and its like give them; deeper inside it is one tensor.
        return tuple(found) if type(found) is list else found

    def captured(self, skeleton: Any, structs: list[Any]) -> Captured | None:
        """The program for elements of this kind; None if the function runs as Python."""
        key = (str(skeleton), tuple([(struct.shape, struct.dtype) for struct in structs]))
        if key in self._programs:
            return self._programs[key]
        with self._lock:
            if key not in self._programs:
                full = len(self._programs) >= _MOST_PROGRAMS
                self._programs[key] = None if full else self._capture(skeleton, structs)
        return self._programs[key]

    def _capture(self, skeleton: Any, structs: list[Any]) -> Captured | None:
        try:
            return Captured(self.call, skeleton, structs)
        except (NotCapturableError, TraceError):
            return None
        except _NEEDS_VALUE as error:
            self._warn(error)
            return None
        except Exception:
            # Whatever went wrong goes wrong again, or not, when the function runs as Python.
            return None

    def _warn(self, error: Exception) -> None:
        if self._warned:
            return
        self._warned = True
        line = user_line(error)
        place = "" if line is None else f" ({line})"
        warnings.warn(
            f"The function given to {self.where} needs the value of a tensor in Python{place}, so it cannot be "
            "compiled and runs on one element after another, which is slower. tf.cond and tf.where keep it compiled.",
            stacklevel=2,
        )

    def apply(self, block: Block, seed: int, ordinals: np.ndarray) -> Block:
        """Results for all elements of a block.

        Args:
            block: the elements.
            seed: seed of the pass.
            ordinals: numbers of the elements within the pass.
        """
        columns: list[Any] = [stacked(column) for column in block.columns]
        structs = [column_struct(column) for column in columns]
        if all(struct is not None for struct in structs):
            program = self.captured(block.skeleton, structs)
            if program is not None:
                found = program.run(columns, block.count, seed, ordinals)
                return Block(program.skeleton, found, block.count)
        results = [
            self.element(block.skeleton, leaves, mix(seed, int(ordinal)))
            for leaves, ordinal in zip(each(block), ordinals, strict=True)
        ]
        return Block.of_elements(results[0][0], [leaves for _, leaves in results])

    def program_for(self, block: Block) -> Captured | None:
        """The program for elements such as these; None if the function runs as Python."""
        structs = [column_struct(stacked(column)) for column in block.columns]
        return self.captured(block.skeleton, structs) if all(struct is not None for struct in structs) else None

    def element(self, skeleton: Any, leaves: list[Any], seed: int) -> tuple[Any, list[Any]]:
        """Skeleton and leaves of the result for one element, run as Python."""
        return to_host(self.raw(skeleton, leaves, seed))

    def raw(self, skeleton: Any, leaves: list[Any], seed: int) -> Any:
        """What the function returns for one element, run as Python."""
        with host_device(), drawing_from(seed):
            return self.call(trees.pack(skeleton, to_tensors(leaves)))
