"""One path for all summaries: at once when values are known, from inside a compiled program when they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import io_callback

from hornbeam import ops
from hornbeam.core.scopes import current_path, scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer
from hornbeam.summary import state
from hornbeam.summary.events import event_proto, summary_proto


def should_record_summaries() -> Any:
    """Whether a summary would be recorded now: there is a writer, and ``record_if`` agrees.

    References: TensorFlow `tf.summary.should_record_summaries`.
    """
    here = state.cell()
    return from_host(np.asarray(here.writer is not None and _holds(_asked(here.condition))))


def write(tag: str, tensor: Any, step: Any = None, metadata: Any = None, name: str | None = None) -> Any:
    """Write a tensor, as the plugin that ``metadata`` names wants it.

    Args:
        tag: name of the series.
        tensor: the tensor, or a function that gives it, called only if it is recorded.
        step: number of the step; by default the one in force.
        metadata: a ``SummaryMetadata`` message, or its bytes.
        name: a name for people.

    Returns:
        A bool tensor: False if there is no writer, or if ``record_if`` says no.

    Raises:
        ValueError: there is a writer, but no step.

    References: TensorFlow `tf.summary.write`.
    """
    if metadata is None:
        metadata = b""
    elif not isinstance(metadata, bytes):
        metadata = metadata.SerializeToString()
    return record(tag, tensor, step, metadata, np.asarray)


def record(tag: str, data: Any, step: Any, metadata: bytes, encode: Callable[[np.ndarray], Any]) -> Any:
    """Write a summary.

    Args:
        tag: name of the series.
        data: numbers or strings, or a function that gives them.
        step: number of the step, None for the one in force.
        metadata: serialized SummaryMetadata.
        encode: function from the data to what is stored, on the host.
    """
    here = state.cell()
    if scopes.symbolic or isinstance(data, KerasTensor):
        # Shapes are being inferred: nothing happens.
        return from_host(np.asarray(False))
    if scopes.frame is not None:
        return _from_program(here, tag, data, step, metadata, encode)
    if here.writer is None or not _holds(_asked(here.condition)):
        return from_host(np.asarray(False))
    step = _step_number(here.step if step is None else step)
    data = data() if callable(data) else data
    _put(here.writer, tag, encode(_host(data)), step, metadata)
    return from_host(np.asarray(True))


def _from_program(here: state.Cell, tag: str, data: Any, step: Any, metadata: bytes, encode: Callable) -> Any:
    """Let a compiled program call back with the values.

    What was chosen inside the program is fixed in it; all else is what is in force when it runs.
    """
    fixed_writer = here.writer if here.writer_frame is not None else None
    step = _step_for_program(here, step, fixed_writer)
    fixed_condition, condition = _condition_for_program(here)
    asked_before = here.condition
    if condition is False:
        return from_host(np.asarray(False))
    made = ops.convert_to_tensor(data() if callable(data) else data)
    strings = made._value if isinstance(made, HostTensor) else None
    parts = {"data": None if strings is not None else made, "step": step, "condition": condition}
    known = {name: part for name, part in parts.items() if not isinstance(part, Tensor)}
    traced = {name: jax.lax.stop_gradient(part._value) for name, part in parts.items() if isinstance(part, Tensor)}

    def call(*arrays: Any) -> np.ndarray:
        values = {**known, **{name: np.asarray(array) for name, array in zip(traced, arrays, strict=True)}}
        writer = fixed_writer or here.writer
        agreed = values["condition"] if fixed_condition else here.condition
        if callable(agreed):
            # One that was in force when the program was made and gave a plain bool may be asked. Any other may
            # compute, which a callback must not: the program that it would wait for is waiting for it.
            agreed = agreed() if agreed is asked_before else True
        if writer is None or not _holds(agreed):
            return np.asarray(False)
        at = here.step if values["step"] is None else values["step"]
        stored = encode(values["data"] if strings is None else strings)
        _put(writer, tag, stored, _step_number(at), metadata)
        return np.asarray(True)

    state.note_program()
    io_callback(call, jax.ShapeDtypeStruct((), np.bool_), *traced.values(), ordered=False)
    return from_host(np.asarray(True))


def _step_for_program(here: state.Cell, step: Any, fixed_writer: Any) -> Any:
    """A tensor or a number for a step that is known now; None for the one in force when the program runs."""
    if step is None and (isinstance(here.step, (Variable, Tensor)) or fixed_writer is not None):
        # A variable must be read in the program: outside, it may have given its memory away.
        step = here.step() if callable(here.step) else here.step
        if step is None:
            raise ValueError(_NO_STEP)
    return ops.convert_to_tensor(step) if isinstance(step, (Variable, Tensor, jax.Array)) else step


def _condition_for_program(here: state.Cell) -> tuple[bool, Any]:
    """Whether the condition is fixed in the program, and its value there (a bool or a traced tensor)."""
    condition = _asked(here.condition)
    if isinstance(condition, (Variable, Tensor)):
        made = ops.convert_to_tensor(condition)
        if here.condition_frame is not None or isinstance(made._value, Tracer):
            return True, made
        return False, None
    return (True, bool(condition)) if here.condition_frame is not None else (False, None)


def _asked(condition: Any) -> Any:
    return condition() if callable(condition) else condition


def _holds(condition: Any) -> bool:
    return bool(np.asarray(condition))


_NO_STEP = (
    "This summary has no step: pass `step=`, or set one with tf.summary.experimental.set_step() or "
    "`writer.as_default(step=...)`."
)


def _step_number(step: Any) -> int:
    step = step() if callable(step) else step
    if step is None:
        raise ValueError(_NO_STEP)
    return int(np.asarray(step))


def _host(data: Any) -> np.ndarray:
    if isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    made = data if isinstance(data, Tensor) else ops.convert_to_tensor(data)
    return made._value if isinstance(made, HostTensor) else np.asarray(made)


def _put(writer: Any, tag: str, value: Any, step: int, metadata: bytes) -> None:
    writer.add_event(event_proto(step, summary=summary_proto(tag, value, metadata)))


@contextmanager
def summary_scope(name: str, default_name: str = "summary", values: Any = None) -> Iterator[tuple[str, str]]:
    """Tag and scope for a summary of a name: the open name scopes come before it.

    References: TensorFlow `tf.summary.experimental.summary_scope`.
    """
    yield tag_of(name or default_name), current_path()


def tag_of(name: str) -> str:
    """Name of a series, with the open name scopes before it."""
    scope = current_path()
    return f"{scope}/{name}" if scope else name


def get_step() -> Any:
    """The default step, None if there is none.

    References: TensorFlow `tf.summary.experimental.get_step`.
    """
    return state.cell().step


def set_step(step: Any) -> None:
    """Set the default step of this thread.

    Args:
        step: a number, or a variable, which is read at each summary; None for none.

    References: TensorFlow `tf.summary.experimental.set_step`.
    """
    state.settle()
    state.cell().step = step


def write_raw_pb(tensor: Any, step: Any = None, name: str | None = None) -> Any:
    """Write a serialized ``Summary`` message.

    Args:
        tensor: the bytes, or a tensor that holds them.
        step: number of the step; by default the one in force.
        name: a name for people.

    References: TensorFlow `tf.summary.experimental.write_raw_pb`.
    """
    here = state.cell()
    if here.writer is None or not _holds(_asked(here.condition)):
        return from_host(np.asarray(False))
    content = tensor.numpy() if isinstance(tensor, Tensor) else tensor
    here.writer.add_event(event_proto(_step_number(here.step if step is None else step), summary=bytes(content)))
    return from_host(np.asarray(True))
