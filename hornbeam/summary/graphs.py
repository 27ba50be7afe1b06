"""Captured programs as TensorBoard's graphs, and traces of what runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.core.arguments import static_value
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import from_host
from hornbeam.io.wire import bytes_field, varint_field
from hornbeam.summary import state
from hornbeam.summary.events import event_proto, metadata_proto
from hornbeam.summary.recording import record

_TYPES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "int64": 9, "bool": 10}
_TYPES |= {"bfloat16": 14, "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23}
# Field numbers of GraphDef, NodeDef, AttrValue and RunMetadata.
_NODE, _NAME, _OP, _INPUT, _ATTR = 1, 1, 2, 3, 5
_LIST, _TYPE, _SHAPES = 1, 6, 7
_FUNCTION_GRAPHS, _BEFORE_OPTIMIZATION = 4, 2
_INLINED = ("pjit", "jit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "remat2", "checkpoint")


def graph(graph_data: Any) -> Any:
    """Write a graph, which TensorBoard's Graphs page draws.

    Args:
        graph_data: a serialized ``GraphDef`` or an object with ``SerializeToString``; a ``tf.function`` that has been
            called, or what its ``get_concrete_function`` gave; a JAX program (``jax.make_jaxpr``).

    Returns:
        A bool tensor: False if there is no writer.

    References: TensorFlow `tf.summary.graph`.
    """
    writer = state.cell().writer
    if writer is None:
        return from_host(np.asarray(False))
    writer.add_event(event_proto(graph=_graph_of(graph_data)))
    return from_host(np.asarray(True))


def _graph_of(graph_data: Any) -> bytes:
    if isinstance(graph_data, (bytes, bytearray)):
        return bytes(graph_data)
    for name in ("SerializeToString", "as_graph_def"):
        made = getattr(graph_data, name, None)
        if callable(made):
            return _graph_of(made())
    programs: Any = getattr(graph_data, "captured_programs", None)
    if callable(programs):
        listed: Any = programs()
        found = [closed for _, closed in listed]
        if not found:
            raise ValueError("tf.summary.graph(): this function has not been called yet, so there is no graph of it.")
        return graph_def(found[-1])
    if hasattr(graph_data, "jaxpr"):
        return graph_def(graph_data)
    raise TypeError(
        "tf.summary.graph() takes a GraphDef, a tf.function or a captured program. "
        f"Received: {type(graph_data).__name__}"
    )


def graph_def(closed: Any) -> bytes:
    """A GraphDef of a captured program (a closed jaxpr): one node per operation, functions as name scopes."""
    jaxpr = closed.jaxpr
    names: dict[Any, str] = {}
    taken: dict[str, int] = {}
    nodes: list[bytes] = []
    for kind, variables in (("constant", jaxpr.constvars), ("input", jaxpr.invars)):
        for variable in variables:
            names[variable] = _free(taken, kind)
            nodes.append(_node(names[variable], "Const" if kind == "constant" else "Placeholder", [], [variable]))
    nodes += _nodes(jaxpr, "", names, taken)
    versions = bytes_field(4, varint_field(1, 1))
    return b"".join(bytes_field(_NODE, node) for node in nodes) + versions


def _nodes(jaxpr: Any, scope: str, names: dict[Any, str], taken: dict[str, int]) -> Iterator[bytes]:
    for equation in jaxpr.eqns:
        kind = equation.primitive.name
        inputs = [names.get(one) for one in equation.invars if not hasattr(one, "val")]
        inner = _inner(equation) if kind in _INLINED else None
        if inner is None:
            name = _free(taken, scope + kind)
            yield _node(name, kind, [one for one in inputs if one], equation.outvars)
            names.update((variable, f"{name}:{i}" if i else name) for i, variable in enumerate(equation.outvars))
            continue
        label = _free(taken, scope + str(equation.params.get("name") or kind).strip("<>"))
        inside = {
            variable: names[given]
            for variable, given in zip(inner.invars, equation.invars, strict=False)
            if not hasattr(given, "val") and given in names
        }
        yield from _nodes(inner, f"{label}/", inside, taken)
        for variable, result in zip(equation.outvars, inner.outvars, strict=False):
            if not hasattr(result, "val") and result in inside:
                names[variable] = inside[result]


def _inner(equation: Any) -> Any:
    found = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
    inner = getattr(found, "jaxpr", found)
    return inner if inner is not None and len(inner.invars) == len(equation.invars) else None


def _free(taken: dict[str, int], name: str) -> str:
    name = "".join(letter if letter.isalnum() or letter in "_.-/" else "_" for letter in name)
    number = taken.get(name, 0)
    taken[name] = number + 1
    return f"{name}_{number}" if number else name


def _node(name: str, op: str, inputs: list[str], outputs: list[Any]) -> bytes:
    shapes = [tuple(getattr(one.aval, "shape", ())) for one in outputs]
    # A shape's sizes are messages of one number, 0 being the number that is not written.
    packed = b"".join(
        bytes_field(_SHAPES, b"".join(bytes_field(2, varint_field(1, size) if size else b"") for size in shape))
        for shape in shapes
    )
    attributes = {"_output_shapes": bytes_field(_LIST, packed)}
    dtype = str(getattr(outputs[0].aval, "dtype", "")) if outputs else ""
    if dtype in _TYPES:
        attributes["dtype"] = varint_field(_TYPE, _TYPES[dtype])
    out = bytes_field(_NAME, name.encode()) + bytes_field(_OP, op.encode())
    out += b"".join(bytes_field(_INPUT, one.encode()) for one in inputs)
    for key, value in attributes.items():
        out += bytes_field(_ATTR, bytes_field(1, key.encode()) + bytes_field(2, value))
    return out


# --- traces --------------------------------------------------------------------------------------
class _Trace:
    """A trace that is being taken.

    Args:
        graph: collect the programs of functions that are called.
        folder: where the profiler writes, None without profiler.
        temporary: the folder is ours and goes away.
    """

    def __init__(self, graph: bool, folder: str | None, temporary: bool) -> None:
        self.programs: dict[int, tuple[str, Any]] | None = {} if graph else None
        self.folder, self.temporary = folder, temporary


_running: _Trace | None = None


def trace_on(graph: bool = True, profiler: bool = False, profiler_outdir: Any = None) -> None:
    """Begin to note which ``tf.function`` programs run, and, if asked for, what the device does.

    Args:
        graph: note the programs.
        profiler: record a profile with JAX's profiler.
        profiler_outdir: folder for the profile; it may be named in ``trace_export`` instead.

    References: TensorFlow `tf.summary.trace_on`.
    """
    global _running
    if _running is not None:
        trace_off()
    folder = os.fspath(profiler_outdir) if profiler_outdir is not None else None
    temporary = profiler and folder is None
    if profiler:
        folder = folder or tempfile.mkdtemp(prefix="hornbeam-profile-")
        jax.profiler.start_trace(folder)
    _running = _Trace(bool(graph), folder if profiler else None, temporary)
    scopes.watched = _running.programs


def trace_off() -> None:
    """End the trace, and forget what was noted.

    References: TensorFlow `tf.summary.trace_off`.
    """
    trace = _end()
    if trace is not None and trace.temporary and trace.folder:
        shutil.rmtree(trace.folder, ignore_errors=True)


def _end() -> _Trace | None:
    global _running
    trace, _running = _running, None
    scopes.watched = None
    if trace is not None and trace.folder:
        jax.profiler.stop_trace()
    return trace


def trace_export(name: str, step: Any = None, profiler_outdir: Any = None) -> None:
    """End the trace and write what was noted: graphs with the writer in force, the profile into its folder.

    Args:
        name: name of the series.
        step: number of the step; by default the one in force.
        profiler_outdir: folder for the profile, if ``trace_on`` named none.

    Raises:
        ValueError: no trace was begun; there is a writer, but no step.

    References: TensorFlow `tf.summary.trace_export`.
    """
    trace = _end()
    if trace is None:
        raise ValueError("tf.summary.trace_export(): there is nothing to export; call tf.summary.trace_on() first.")
    if trace.programs is not None:
        defs = (graph_def(closed) for _, closed in trace.programs.values())
        content = b"".join(bytes_field(_FUNCTION_GRAPHS, bytes_field(_BEFORE_OPTIMIZATION, one)) for one in defs)
        metadata = metadata_proto("graph_run_metadata_graph", b"1")
        record(static_value(name), np.array(content, object), step, metadata, np.asarray)
    if trace.folder and trace.temporary:
        if profiler_outdir is None:
            shutil.rmtree(trace.folder, ignore_errors=True)
            raise ValueError(
                "tf.summary.trace_export(): name a folder for the profile, `profiler_outdir=`, here or in trace_on()."
            )
        shutil.copytree(trace.folder, os.fspath(profiler_outdir), dirs_exist_ok=True)
        shutil.rmtree(trace.folder, ignore_errors=True)
