"""``function`` (``tf.function``): a Python function as a compiled program.

A program is traced once per combination of tensor shapes and dtypes, Python values and object identities.
Variables that the function reads become inputs, those it writes become outputs. Python side effects run once
per trace, as in TensorFlow. A function that needs the value of a tensor in Python (``if x > 0:``) cannot be
traced: it then runs eagerly as a whole, and one warning names the line.
"""

from __future__ import annotations

import functools
import inspect
import logging
import traceback
import warnings
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.base.errors import NotSupportedError, TracedInitialValueError, TraceError
from hornbeam.core.compiled import CompiledProgram
from hornbeam.core.concrete import BoundFunction, ConcreteFunction, fit, spec_of
from hornbeam.core.frame import Program
from hornbeam.core.scopes import scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine import cache
from hornbeam.engine.jax_compat import Tracer, wide_types

logger = logging.getLogger(__name__)
_nothing = nullcontext()
_RETRACES_BEFORE_WARNING = 5
_MOST_TRACES = 64
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
# What JAX raises when Python asks a traced value for its content.
_NEEDS_VALUE = (jax.errors.ConcretizationTypeError, jax.errors.NonConcreteBooleanIndexError, TraceError)


class _Trace:
    """One captured program of a function."""

    def __init__(self, function: Callable, leaves: list[Any], structure: Any, tensors: list[Tensor]) -> None:
        cache.enable()

        def on_tensors(*inner: Tensor) -> Any:
            queue = iter(inner)
            filled = [next(queue) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
            args, kwargs = trees.pack(structure, filled)
            return _only_arrays(function(*args, **kwargs), self)

        wide = any(dtypes.is_wide(tensor.dtype) for tensor in tensors)
        with wide_types(True) if wide else _nothing:
            program = Program(on_tensors, tensors)
        self._compiled = CompiledProgram(program, tensors)

    structure: Any = None
    fixed: list[Any]

    @property
    def closed(self) -> Any:
        """The program, as JAX has it."""
        return self._compiled.program.closed

    def run(self, tensors: list[Tensor]) -> Any:
        """Run on tensors of the traced shapes."""
        return self.rebuild(self._compiled.run(tensors))

    def rebuild(self, outputs: list[Tensor]) -> Any:
        """Outputs in the form the function returned them."""
        queue = iter(outputs)
        filled = [next(queue) if leaf is _ARRAY else leaf for leaf in self.fixed]
        return trees.pack(self.structure, filled) if trees.is_nested(self.structure) else filled[0]


_ARRAY = object()


def _only_arrays(outputs: Any, trace: _Trace) -> list[Any]:
    """The arrays among the outputs; everything else is remembered in the trace."""
    leaves = trees.flatten(outputs)
    trace.structure = outputs if trees.is_nested(outputs) else None
    trace.fixed, arrays = [], []
    for leaf in leaves:
        if isinstance(leaf, Variable):
            leaf = leaf.read_value()
        if isinstance(leaf, (Tensor, jax.Array)) and not isinstance(leaf, HostTensor):
            trace.fixed.append(_ARRAY)
            arrays.append(leaf._value if isinstance(leaf, Tensor) else leaf)
        else:
            trace.fixed.append(leaf)
    if trace.structure is not None:
        # Keep the containers only: tracers must not outlive the trace.
        trace.structure = trees.map_structure(lambda leaf: None, outputs)
    return arrays


class Function:
    """A Python function that runs compiled; made by ``function``."""

    def __init__(
        self, python_function: Callable, input_signature: Any, reduce_retracing: bool, name: str | None
    ) -> None:
        self.python_function = python_function
        self.input_signature = tuple(input_signature) if input_signature is not None else None
        self._reduce_retracing = reduce_retracing
        self._traces: dict[Any, _Trace] = {}
        # The object that each belongs to, if it is a method's, and its arguments.
        self.concrete_signatures: list[tuple[weakref.ref[Any] | None, Any]] = []
        self._eager = False
        self._count = 0
        try:
            self._signature = inspect.signature(python_function)
        except (TypeError, ValueError):
            self._signature = None
        functools.update_wrapper(self, python_function)
        self.name = name or getattr(python_function, "__name__", "function")

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else BoundFunction(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        if self._eager or scopes.eager_functions or scopes.frame is not None or scopes.symbolic:
            return self.python_function(*args, **kwargs)
        leaves, structure = self._flat(args, kwargs)
        if any(isinstance(leaf, (KerasTensor, HostTensor)) for leaf in leaves):
            return self.python_function(*args, **kwargs)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        if any(isinstance(tensor._value, Tracer) for tensor in tensors):
            return self.python_function(*args, **kwargs)
        key = (scopes.autocast, settings.numeric(), _key(leaves, structure))
        trace = self._traces.get(key)
        if trace is None:
            try:
                trace = self._trace(leaves, structure, tensors)
            except TracedInitialValueError:
                # The function makes its variables on the first call: run that one as Python, trace the next.
                return self.python_function(*args, **kwargs)
            except _NEEDS_VALUE as error:
                self._fall_back(error)
                return self.python_function(*args, **kwargs)
            self._keep(key, trace, leaves)
        if scopes.watched is not None:
            scopes.watched[id(trace)] = (self.name, trace.closed)
        return trace.run(tensors)

    def _keep(self, key: Any, trace: _Trace, leaves: list[Any]) -> None:
        """Keep a program for later calls, while the objects it was made for live, and not more than a few dozen."""
        while len(self._traces) >= _MOST_TRACES:
            self._traces.pop(next(iter(self._traces)))
        self._traces[key] = trace
        for leaf in leaves:
            if not isinstance(leaf, (Tensor, *_PLAIN)) and hasattr(leaf, "__weakref__"):
                weakref.finalize(leaf, self._traces.pop, key, None).atexit = False

    def _flat(self, args: tuple, kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        if self.input_signature is not None:
            args, kwargs = self._by_signature(args, kwargs)
        structure = (args, kwargs)
        leaves = [
            from_host(np.asarray(leaf))
            if isinstance(leaf, (np.ndarray, np.generic))
            else wrap(leaf)
            if isinstance(leaf, jax.Array)
            else leaf
            for leaf in trees.flatten(structure)
        ]
        return leaves, structure

    def _by_signature(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Arguments cast to tensors of the input signature, checked against it."""
        own = self._signature
        skip = 1 if own is not None and next(iter(own.parameters), "") == "self" else 0
        if own is not None:
            bound = own.bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        specs = self.input_signature or ()
        if len(args) - skip != len(specs) and len(args) != len(specs):
            raise TypeError(
                f"{self.name}() has an input_signature of {len(specs)} tensors, but {len(args) - skip} "
                "arguments were given."
            )
        if len(args) == len(specs):
            skip = 0
        fitted = [
            *args[:skip],
            *(trees.map_up_to(spec, fit, spec, arg) for spec, arg in zip(specs, args[skip:], strict=True)),
        ]
        return tuple(fitted), kwargs

    def _trace(self, leaves: list[Any], structure: Any, tensors: list[Tensor]) -> _Trace:
        self._count += 1
        silent = self.input_signature is not None or self._reduce_retracing
        if self._count == _RETRACES_BEFORE_WARNING and not silent:
            logger.warning(
                "%d calls to tf.function %r triggered retracing (the last with tensors of shape and dtype %s). "
                "Tracing is "
                "expensive. Pass tensors instead of Python numbers, keep shapes equal, and define the function "
                "outside loops.",
                self._count,
                self.name,
                [(tuple(tensor.shape), tensor.dtype.name) for tensor in tensors],
            )
        return _Trace(self.python_function, leaves, structure, tensors)

    def _fall_back(self, error: Exception) -> None:
        self._eager = True
        where = self._line_of(error)
        warnings.warn(
            f"tf.function {self.name!r} needs the value of a tensor in Python{where}, which a compiled program "
            "does not have; "
            "it runs eagerly from now on, which is slower. Use tf.cond, tf.where or tf.while_loop to keep it compiled.",
            stacklevel=3,
        )

    def _line_of(self, error: Exception) -> str:
        code = getattr(self.python_function, "__code__", None)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if code is not None and frame.filename == code.co_filename:
                return f" (line {frame.lineno}: {frame.line})"
        return ""

    # --- faces -----------------------------------------------------------------------------------
    def experimental_get_tracing_count(self) -> int:
        """How many programs have been traced so far."""
        return self._count

    def captured_programs(self) -> list[tuple[str, Any]]:
        """Name and program of what has been traced, the last one last."""
        return [(self.name, trace.closed) for trace in self._traces.values()]

    @property
    def function_spec(self) -> Any:
        """Signature of the Python function."""
        return self._signature

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The function for tensors as given: arguments are tensors, ``TensorSpec`` in their place, or other values."""
        return self._made_concrete((), args, kwargs)

    def _made_concrete(self, owner: tuple, args: tuple, kwargs: dict[str, Any]) -> ConcreteFunction:
        if not args and not kwargs and self.input_signature is not None:
            args = self.input_signature
        signature = trees.map_structure(spec_of, args), trees.map_structure(spec_of, kwargs)
        noted = weakref.ref(owner[0]) if owner else None, signature
        if noted not in self.concrete_signatures:
            self.concrete_signatures.append(noted)
        return ConcreteFunction(self, owner, *signature)

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """Text that lists what has been traced."""
        return "\n".join(f"{self.name}{key}" for key in self._traces)


def _key(leaves: list[Any], structure: Any) -> Any:
    parts = []
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            parts.append((leaf._value.shape, leaf._value.dtype))
        elif isinstance(leaf, _PLAIN):
            # The text tells 0.0 from -0.0, and finds nan again.
            parts.append((type(leaf), repr(leaf) if isinstance(leaf, (float, complex)) else leaf))
        else:
            parts.append(_Identity(leaf))
    return (_shape_of(structure), tuple(parts))


class _Identity:
    """Stands for an object in a key: equal only for the same object, which it does not keep alive."""

    __slots__ = ("_number", "_of")

    def __init__(self, item: Any) -> None:
        self._number = id(item)
        # Objects without weak references are kept, or their identity might be given to another one.
        self._of = weakref.ref(item) if hasattr(item, "__weakref__") else lambda: item

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self._number == other._number and self._of() is other._of()


def _shape_of(structure: Any) -> Any:
    if isinstance(structure, (list, tuple)):
        return (type(structure).__name__, *(_shape_of(part) for part in structure))
    if isinstance(structure, dict):
        return ("dict", *((key, _shape_of(structure[key])) for key in trees.sorted_keys(structure)))
    return None


def function(
    func: Callable | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Compile a Python function.

    Args:
        func: the function; without it a decorator is returned.
        input_signature: ``TensorSpec`` per argument; arguments are cast and checked, and calls with other sizes where
            it says ``None`` are traced silently.
        autograph: Python control flow on tensors is not rewritten; such functions run eagerly. Both values
            mean the same.
        jit_compile: all programs are compiled by XLA, so every value means the same.
        reduce_retracing: programs have fixed shapes here; accepted, without effect on results.
        experimental_implements: a name that other compilers look for; carried, nothing looks for it.
        experimental_autograph_options: see ``autograph``.
        experimental_attributes: must be None.
        experimental_relax_shapes: former name of ``reduce_retracing``.
        experimental_compile: former name of ``jit_compile``.
        experimental_follow_type_hints: must be None or False.

    Returns:
        A callable ``Function``.

    References: TensorFlow ``tf.function``.
    """
    if experimental_attributes or experimental_follow_type_hints:
        raise NotSupportedError(
            "tf.function: `experimental_attributes` and `experimental_follow_type_hints` are not offered; leave "
            "them out."
        )

    def decorate(inner: Callable) -> Function:
        if isinstance(inner, Function):
            inner = inner.python_function
        return Function(
            inner, input_signature, reduce_retracing or bool(experimental_relax_shapes), experimental_implements
        )

    return decorate if func is None else decorate(func)


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Run the bodies of compiled functions as Python code in this thread, for debugging, or compile them again."""
    scopes.eager_functions = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Whether bodies of compiled functions run as Python code in this thread."""
    return scopes.eager_functions
