"""Functions as StableHLO programs for any batch size, ready to be written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax import export

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.frame import Frame
from hornbeam.core.scopes import override
from hornbeam.core.spec import TensorSpec
from hornbeam.core.tensor import HostTensor, Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import wide_types

__all__ = ["Traced", "trace"]

PLATFORMS = ("cpu", "cuda", "tpu")
_LEAST_SIZES = (2, 3, 4, 8, 16, 32, 64, 128, 256, 512)
_FACTORS = (2, 4, 8, 16, 32)


@dataclass
class Traced:
    """A program and what it takes and gives.

    Attributes:
        name: base of its name in the file.
        arguments: nesting ``(args, kwargs)`` with a ``TensorSpec`` for each tensor.
        specs: the tensors among the arguments, in order.
        module: the program as portable bytes.
        version: version of its calling convention.
        platforms: platforms that it runs on.
        variables: variables that it takes, in front of the tensors.
        kept: positions, among variables and tensors, of what the program really takes.
        input_sizes: sizes of what it takes, as expressions.
        output_sizes: sizes of what it gives, written variables included.
        written: variables that get new values, after the outputs.
        outputs: nesting of the outputs with a ``TensorSpec`` for each.
        output_specs: the outputs, in order.
    """

    name: str
    arguments: tuple[tuple, dict[str, Any]]
    specs: list[TensorSpec]
    module: bytes = b""
    version: int = 0
    platforms: tuple[str, ...] = ()
    variables: list[Variable] = field(default_factory=list)
    kept: tuple[int, ...] = ()
    input_sizes: list[str] = field(default_factory=list)
    output_sizes: list[str] = field(default_factory=list)
    written: list[Variable] = field(default_factory=list)
    outputs: Any = None
    output_specs: list[TensorSpec] = field(default_factory=list)


def trace(
    name: str, function: Callable, args: tuple, kwargs: dict[str, Any] | None, variables: Sequence[Variable]
) -> Traced:
    """Trace a function for tensors of given specs.

    Args:
        name: base of its name in the file.
        function: Python function of tensors.
        args: arguments; a ``TensorSpec`` stands for a tensor, ``None`` sizes for any size.
        kwargs: keyword arguments.
        variables: variables that it may read; others become constants of the program.

    Raises:
        NotSupportedError: it works with strings, or cannot be traced.
    """
    arguments = (tuple(args), dict(kwargs or {}))
    leaves = trees.flatten(arguments)
    specs = [leaf for leaf in leaves if isinstance(leaf, TensorSpec)]
    for spec in specs:
        if spec.dtype == "string":
            raise NotSupportedError(
                f"Function {name!r} takes strings ({spec!r}); a SavedModel written here runs as one compiled program, "
                "which has none. Save the part of the model that works on numbers."
            )
    variables = [v for v in variables if v._dtype != "string"]
    problems: list[Exception] = []
    attempts = list(_attempts(specs))
    for sizes, limit in attempts:
        if _are_not_about_sizes(problems) and (sizes, limit) != attempts[-1]:
            continue
        try:
            traced = _export(name, function, arguments, leaves, specs, sizes, variables)
        except (NotSupportedError, HostError):
            raise
        except Exception as error:
            # JAX refuses comparisons of unknown sizes in many ways; the next attempt knows more of them.
            problems.append(error)
            continue
        if limit:
            warnings.warn(
                f"Function {name!r} could not be saved for all sizes of its inputs ({_short(problems[0])}); the "
                f"SavedModel runs it on {limit} only.",
                stacklevel=5,
            )
        return traced
    what = f"Function {name!r} cannot be saved as a compiled program"
    if len(problems) > 1 and str(problems[0]) != str(problems[-1]):
        # The last attempt guesses sizes; what stood in the way of all sizes tells more.
        raise NotSupportedError(
            f"{what} for inputs of unknown sizes ({_short(problems[0])}), nor for {attempts[-1][1]} "
            f"({_short(problems[-1])}). Give fixed sizes: `keras.Input(shape=...)` or `input_signature=...`."
        ) from problems[0]
    raise NotSupportedError(f"{what}: {_short(problems[-1])}") from problems[-1]


class HostError(NotSupportedError):
    """The function gives strings."""


def _are_not_about_sizes(problems: list[Exception]) -> bool:
    """True if two attempts failed with equal words: those about sizes name symbols, which differ."""
    return len(problems) > 1 and str(problems[0]) == str(problems[1])


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]


# --- unknown sizes -------------------------------------------------------------------------------
def _attempts(specs: list[TensorSpec]) -> Iterator[tuple[list[tuple], str]]:
    """Shapes to trace for, from all sizes to few; with each, what it is limited to, if that is worth a word."""
    if all(spec.shape.rank is not None for spec in specs):
        yield _symbols(specs), ""
        if any(size is None for spec in specs for size in tuple(spec.shape)[1:]):
            # Sequences that belong together are equally long.
            yield _symbols(specs, shared=True), ""
            # A window, or a crop, needs some room; halves that are doubled again need even sizes.
            for least in _LEAST_SIZES:
                yield _symbols(specs, shared=True, least=least), f"sizes of {least} and more"
            for factor in _FACTORS:
                yield _symbols(specs, shared=True, factor=factor), f"sizes that are multiples of {factor}"
    fixed = [tuple(1 if size is None else size for size in spec.shape) for spec in specs]
    yield fixed, f"inputs of shapes {fixed}"


def _symbols(specs: list[TensorSpec], *, shared: bool = False, least: int = 1, factor: int = 1) -> list[tuple]:
    """Shapes with one symbol for all batch axes, and one for each other unknown size, or for each axis if shared."""

    def symbol(number: int, axis: int) -> str:
        return "b" if axis == 0 else f"s{axis}" if shared else f"s{number}_{axis}"

    found, names = [], set()
    for number, spec in enumerate(specs):
        sizes = []
        for axis, size in enumerate(spec.shape):
            if size is None and axis:
                names.add(symbol(number, axis))
            free = f"{factor}*{symbol(number, axis)}" if axis and factor > 1 else symbol(number, axis)
            sizes.append(free if size is None else str(size))
        found.append(",".join(sizes))
    scope = export.SymbolicScope([f"{name} >= {least}" for name in sorted(names)] if least > 1 else ())
    return [tuple(export.symbolic_shape(text, scope=scope)) if text else () for text in found]


# --- tracing -------------------------------------------------------------------------------------
def _export(
    name: str,
    function: Callable,
    arguments: Any,
    leaves: list[Any],
    specs: list[TensorSpec],
    sizes: list[tuple],
    variables: list[Variable],
) -> Traced:
    result = Traced(name, arguments, specs, variables=variables)

    def pure(arrays: list[Any], *inputs: Any) -> list[Any]:
        queue = iter(inputs)
        filled = [wrap(next(queue)) if isinstance(leaf, TensorSpec) else leaf for leaf in leaves]
        args, kwargs = trees.pack(arguments, filled)
        frame = Frame(dict(zip(variables, arrays, strict=True)))
        with override(tapes=(), frame=None, autocast=None), frame:
            outputs = function(*args, **kwargs)
        result.outputs = trees.map_structure(lambda leaf: None, outputs) if trees.is_nested(outputs) else None
        arrays_out = [_array(leaf, name) for leaf in trees.flatten(outputs)]
        result.written = [variable for variable in frame.written if any(variable is v for v in variables)]
        return [*arrays_out, *(frame.values[variable] for variable in result.written)]

    taken = [jax.ShapeDtypeStruct(tuple(v.shape), v._dtype.as_numpy_dtype) for v in variables]
    given = [jax.ShapeDtypeStruct(shape, spec.dtype.as_numpy_dtype) for shape, spec in zip(sizes, specs, strict=True)]
    wide = any(dtypes.is_wide(spec.dtype) for spec in specs) or any(dtypes.is_wide(v._dtype) for v in variables)
    # Without this, the names of source files of this machine would stand in the program.
    with wide_types(True) if wide else nullcontext(), _no_locations():
        exported = export.export(jax.jit(pure), platforms=PLATFORMS)(taken, *given)
    result.module = exported.mlir_module_serialized
    result.version = exported.calling_convention_version
    result.platforms = tuple(exported.platforms)
    result.kept = tuple(exported.module_kept_var_idx)
    result.input_sizes = [_expression(exported.in_avals[place].shape) for place in sorted(result.kept)]
    result.output_sizes = [_expression(aval.shape) for aval in exported.out_avals]
    count = len(exported.out_avals) - len(result.written)
    result.specs = [_spec(shape, spec.dtype, spec.name) for shape, spec in zip(sizes, specs, strict=True)]
    result.output_specs = [_spec(aval.shape, aval.dtype, None) for aval in exported.out_avals[:count]]
    given_back = iter(result.specs)
    result.arguments = trees.pack(
        arguments, [next(given_back) if isinstance(leaf, TensorSpec) else leaf for leaf in leaves]
    )
    nested = result.outputs is not None
    result.outputs = trees.pack(result.outputs, result.output_specs) if nested else result.output_specs[0]
    return result


def _spec(shape: Any, dtype: Any, name: str | None) -> TensorSpec:
    sizes = [size if isinstance(size, int) else None for size in shape]
    return TensorSpec(sizes, dtypes.from_numpy(np.dtype(dtype)) if not isinstance(dtype, str) else dtype, name)


def _expression(shape: Any) -> str:
    return ", ".join(map(str, shape))


def _array(leaf: Any, name: str) -> Any:
    if isinstance(leaf, HostTensor):
        raise HostError(
            f"Function {name!r} gives strings, which a compiled program cannot; return numbers, such as class indices."
        )
    if isinstance(leaf, Variable):
        return leaf.read_array()
    return leaf._value if isinstance(leaf, Tensor) else jax.numpy.asarray(leaf)


def _no_locations() -> Any:
    setting = getattr(jax.config, "jax_traceback_in_locations_limit", None)
    return _Setting("jax_traceback_in_locations_limit", setting) if setting is not None else nullcontext()


class _Setting:
    """A JAX setting at 0 for a while."""

    def __init__(self, name: str, before: Any) -> None:
        self.name, self.before = name, before

    def __enter__(self) -> None:
        jax.config.update(self.name, 0)

    def __exit__(self, *details: Any) -> None:
        jax.config.update(self.name, self.before)
