"""The one place that touches JAX interfaces which move between versions."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import jax
import jax.core
import jax.extend.core
import numpy as np
from jax._src import xla_bridge
from jax.interpreters import ad, batching, mlir


def _array_class() -> type:
    """The class of concrete arrays: ``isinstance(x, jax.Array)`` is ten times slower than ``type(x) is``."""
    try:
        return importlib.import_module("jaxlib._jax").ArrayImpl
    except (ImportError, AttributeError):  # the class moved: ask a real array, at the price of starting the backend now
        return type(jax.device_put(np.zeros(())))


ArrayImpl: Any = _array_class()


def _batched_put() -> Callable | None:
    """What ``jax.device_put`` comes down to, after 50 us of Python; None if it moved."""
    try:
        return importlib.import_module("jaxlib._jax").batched_device_put
    except (ImportError, AttributeError):
        return None


_put_batch = _batched_put()

Tracer = jax.core.Tracer
Array = jax.Array
wide_types = jax.enable_x64
"""Context manager; inside ``with wide_types(True)`` JAX keeps 64-bit dtypes."""


def capture_jaxpr(function: Callable, args: Sequence[Any]) -> tuple[Any, Any]:
    """Trace ``function(*args)`` once; returns (closed jaxpr, pytree of output structs)."""
    return jax.make_jaxpr(function, return_shape=True)(*args)


def eval_jaxpr(closed: Any, consts: Sequence[Any], flat_args: Sequence[Any]) -> list[Any]:
    """Run a captured program with other constants."""
    return jax.core.eval_jaxpr(closed.jaxpr, consts, *flat_args)


Literal = jax.extend.core.Literal
Variable = jax.extend.core.Var


def called_program(equation: Any) -> Any:
    """The program of an equation that only calls it (``jit``, functions with rules of their own), or None."""
    name = equation.primitive.name
    if name in ("jit", "pjit", "closed_call"):
        return equation.params["jaxpr"] if "jaxpr" in equation.params else equation.params["call_jaxpr"]
    return equation.params["call_jaxpr"] if name in ("custom_jvp_call", "custom_vjp_call") else None


def inner_program(equation: Any) -> Any:
    """The same, or the program that an operation of our own is (``Described``); or None."""
    found = called_program(equation)
    return found if found is not None else getattr(equation.params.get("spec"), "expansion", None)


class Described:
    """The hashable ``spec`` of an operation of our own that can be written out in other operations."""

    def operands_of(self) -> Sequence[Any]:
        """Shapes and dtypes of the operands."""
        raise NotImplementedError

    def write_out(self, *operands: Any) -> Any:
        """The result in other operations."""
        raise NotImplementedError

    @property
    def expansion(self) -> Any:
        """The operation as a program of others, for passes that look inside of it."""
        return _expand(self)

    @property
    def jaxpr(self) -> Any:
        """That program without its constants, where passes look for programs inside of an equation."""
        return self.expansion.jaxpr


@functools.lru_cache(maxsize=1024)
def _expand(spec: Described) -> Any:
    return capture_jaxpr(spec.write_out, spec.operands_of())[0]


def bind_equation(equation: Any, arrays: Sequence[Any], **changed: Any) -> list[Any]:
    """Results of one equation on these arrays, with some parameters changed."""
    params = equation.primitive.get_bind_params({**equation.params, **changed})
    functions: Sequence[Any] = ()
    if isinstance(params, tuple):  # the form before JAX 0.10
        functions, params = params
    with equation.ctx.manager:
        results = equation.primitive.bind(*functions, *arrays, **params)
    return list(results) if equation.primitive.multiple_results else [results]


_EAGER_TRACE = type(jax.extend.core.find_top_trace(()))


def is_tracing() -> bool:
    """True inside ``jit``, ``grad``, ``vmap``, ``make_jaxpr`` and the like."""
    return type(jax.extend.core.find_top_trace(())) is not _EAGER_TRACE


def backend_started() -> bool:
    """True once JAX has started its platforms, after which their number of devices and memory are settled."""
    return bool(xla_bridge.backends_are_initialized())


def bilinear_primitive(
    name: str,
    *,
    shape: Callable,
    lowerings: dict[str | None, Callable],
    left: Callable,
    right: Callable,
    batch: Callable,
) -> Callable:
    """An operation of two arrays, linear in each, whose gradients are written by hand.

    Unlike ``jax.custom_vjp`` it keeps forward mode, derivatives of every order and ``vmap``, and it stays one
    equation of the program, under its own name, until it is lowered for a platform.

    Args:
        name: name of the equation.
        shape: ``(x_shape, y_shape, spec) -> shape`` of the result; its dtype is that of ``x``.
        lowerings: platform (None for all others) to ``(x, y, spec) -> result``.
        left: ``(cotangent, x_shape, y, spec)`` to the cotangent of ``x``.
        right: ``(cotangent, x, y_shape, spec)`` to the cotangent of ``y``.
        batch: ``(x, y, axes, spec) -> (result, axis)`` for operands with a further axis (None for one without).

    Returns:
        ``function(x, y, spec)``; ``spec`` is a hashable constant.
    """
    primitive = jax.extend.core.Primitive(name)

    def bound(x: Any, y: Any, spec: Any) -> Any:
        return primitive.bind(x, y, spec=spec)

    primitive.def_impl(jax.jit(bound, static_argnames=("spec",)))
    primitive.def_abstract_eval(lambda x, y, spec: jax.core.ShapedArray(shape(x.shape, y.shape, spec), x.dtype))
    ad.defbilinear(
        primitive,
        lambda cotangent, x, y, spec: left(cotangent, x.aval.shape, y, spec),
        lambda cotangent, x, y, spec: right(cotangent, x, y.aval.shape, spec),
    )
    batching.primitive_batchers[primitive] = lambda operands, axes, spec: batch(*operands, axes, spec)
    for platform, function in lowerings.items():
        mlir.register_lowering(primitive, _lowering(function), platform)
    return bound


def _zero_of(primal: Any) -> Any:
    return ad.Zero(jax.typeof(primal).to_tangent_aval())


def selecting_primitive(
    name: str, *, results: Callable, lowerings: dict[str | None, Callable], tangent: Callable, batch: Callable
) -> Callable:
    """An operation of one array that gives elements of it and the (whole) numbers that say which.

    Like ``bilinear_primitive`` it stays one equation of the program until it is lowered.

    Args:
        name: name of the equation.
        results: ``(aval, spec)`` to shapes and dtypes of both results.
        lowerings: platform (None for all others) to ``(x, spec) -> (elements, numbers)``.
        tangent: ``(tangent of x, numbers, spec)`` to the tangent of the elements.
        batch: ``(x, spec) -> results`` for an operand with a further axis in front.

    Returns:
        ``function(x, spec=spec)``; ``spec`` is a hashable constant.
    """
    primitive = jax.extend.core.Primitive(name)
    primitive.multiple_results = True

    def bound(x: Any, spec: Any) -> Any:
        return primitive.bind(x, spec=spec)

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], spec: Any) -> tuple[Any, Any]:
        (x,), (slope,) = primals, tangents
        elements, numbers = bound(x, spec)
        none = _zero_of(numbers)
        if type(slope) is ad.Zero:
            return [elements, numbers], [_zero_of(elements), none]
        return [elements, numbers], [tangent(slope, numbers, spec), none]

    def batched(operands: Sequence[Any], axes: Sequence[int], spec: Any) -> tuple[Any, Any]:
        return list(batch(jax.numpy.moveaxis(operands[0], axes[0], 0), spec)), [0, 0]

    primitive.def_impl(jax.jit(bound, static_argnames=("spec",)))
    primitive.def_abstract_eval(lambda x, spec: [jax.core.ShapedArray(*result) for result in results(x, spec)])
    ad.primitive_jvps[primitive] = jvp
    batching.primitive_batchers[primitive] = batched
    for platform, function in lowerings.items():
        mlir.register_lowering(primitive, _lowering(function, multiple_results=True), platform)
    return bound


def undifferentiated_primitive(name: str, *, results: Callable, lowerings: dict[str | None, Callable]) -> Callable:
    """An operation of arrays with several results, without derivatives or with those of a ``jax.custom_jvp`` round it.

    Args:
        name: name of the equation.
        results: avals of the operands to shapes and dtypes of the results.
        lowerings: platform (None for all others) to ``operands -> results``.
    """
    primitive = jax.extend.core.Primitive(name)
    primitive.multiple_results = True

    def batched(operands: Sequence[Any], axes: Sequence[int]) -> tuple[list[Any], list[int]]:
        found = list(jax.vmap(lowerings[None], tuple(axes))(*operands))
        return found, [0] * len(found)

    primitive.def_impl(jax.jit(primitive.bind))
    primitive.def_abstract_eval(lambda *avals: [jax.core.ShapedArray(*result) for result in results(*avals)])
    batching.primitive_batchers[primitive] = batched
    for platform, function in lowerings.items():
        mlir.register_lowering(primitive, _lowering(function, multiple_results=True), platform)
    return primitive.bind


def identity_primitive(name: str, lowerings: dict[str | None, Callable]) -> Callable:
    """An operation that gives back its operand, for programs that nobody differentiates.

    Args:
        name: name of the equation.
        lowerings: platform (None for all others) to ``x -> x``.
    """
    primitive = jax.extend.core.Primitive(name)
    primitive.def_impl(lambda x: x)
    primitive.def_abstract_eval(lambda x: jax.core.ShapedArray(x.shape, x.dtype))
    for platform, function in lowerings.items():
        mlir.register_lowering(primitive, _lowering(function), platform)
    return primitive.bind


_exporting: ContextVar[bool] = ContextVar("exporting", default=False)


def is_exporting() -> bool:
    """True while a program is lowered that other processes will run (``jax.export``)."""
    return _exporting.get()


def _lowering(function: Callable, multiple_results: bool = False) -> Callable:
    """A lowering rule that ``function`` writes out in other operations."""
    rule = mlir.lower_fun(function, multiple_results=multiple_results)

    def lower(context: Any, *operands: Any, **params: Any) -> Any:
        with _noting_export(context):
            return rule(context, *operands, **params)

    return lower


@contextlib.contextmanager
def _noting_export(context: Any) -> Iterator[None]:
    before = _exporting.set(getattr(context.module_context.lowering_parameters, "for_export", False))
    try:
        yield
    finally:
        _exporting.reset(before)


def lower_instead(
    primitive: Any, platform: str, applies: Callable[[Sequence[Any], dict[str, Any]], bool], function: Callable
) -> bool:
    """Have an operation of JAX compiled in another way on one platform, wherever it comes from.

    Args:
        primitive: of JAX, with one result.
        platform: such as ``"cpu"``.
        applies: ``(operands, params)``: whether operands of these shapes and dtypes are meant; the usual way goes on
            for all others.
        function: ``(*operands, **params) -> result`` in other operations, or this one on operands that are not meant.

    Returns:
        False if this version of JAX keeps its ways elsewhere; nothing is changed then.
    """
    own = getattr(mlir, "_platform_specific_lowerings", {}).get(platform, {}).get(primitive)
    usual = own or getattr(mlir, "_lowerings", {}).get(primitive)
    usual = getattr(usual, "rule", usual)
    if usual is None:
        return False
    otherwise = _lowering(function)

    def lower(context: Any, *operands: Any, **params: Any) -> Any:
        with _noting_export(context):
            is_meant = applies(context.avals_in, params)
        return (otherwise if is_meant else usual)(context, *operands, **params)

    mlir.register_lowering(primitive, lower, platform)
    return True


def is_constant(array: np.ndarray) -> bool:
    """Whether nobody can write to the memory of an array, because it is that of an array of JAX."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return isinstance(base, memoryview) and isinstance(base.obj, jax.Array)


def put(array: np.ndarray) -> Array:
    """An array on the default device, as ``jax.device_put`` has it, in a tenth of its time.

    Args:
        array: of a dtype that JAX keeps (see ``wide_types``), in memory that nobody changes later: on the CPU it may be
            used in place.
    """
    if _put_batch is None or getattr(jax.config, "jax_default_device", None) is not None:
        return jax.device_put(array)
    sharding, devices = _default_place()
    try:
        return _put_batch(jax.core.ShapedArray(array.shape, array.dtype), sharding, [array], devices, False)
    except TypeError:  # other arguments in this version of JAX
        return jax.device_put(array)


@functools.cache
def _default_place() -> tuple[Any, list[Any]]:
    device = jax.local_devices()[0]
    return jax.sharding.SingleDeviceSharding(device), [device]
