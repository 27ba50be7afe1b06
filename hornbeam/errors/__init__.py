"""``tf.errors``: the exceptions that TensorFlow programs catch.

Each is also the built-in exception that Python code would expect for the case, so that
``except ValueError`` and ``except tf.errors.InvalidArgumentError`` both work.
"""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import TraceError as OperatorNotAllowedInGraphError

__all__ = [
    "ABORTED",
    "ALREADY_EXISTS",
    "CANCELLED",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "OK",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
    "UNKNOWN",
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
]

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An operation failed.

    Args:
        node_def: node of a graph in TensorFlow; None here, unless the caller gives one.
        op: operation that failed, or None.
        message: what happened.
        error_code: number of the kind of error; each class below has its own.
    """

    code = UNKNOWN

    def __init__(self, node_def: Any, op: Any, message: str, error_code: Any = None, *args: Any) -> None:
        Exception.__init__(self, message)
        self._node_def, self._op, self._message = node_def, op, message
        # The subclasses of TensorFlow take further positional arguments there, which are no codes.
        self._error_code = error_code if type(self) is OpError and error_code is not None else type(self).code

    @property
    def message(self) -> str:
        """What happened."""
        return self._message

    @property
    def op(self) -> Any:
        """The operation that failed, if known."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The node that failed, if known."""
        return self._node_def

    @property
    def error_code(self) -> int:
        """Number of the kind of error."""
        return self._error_code

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (None, None, self._message))


class CancelledError(OpError):
    """The operation was cancelled."""

    code = CANCELLED


class UnknownError(OpError):
    """The kind of error is not known."""

    code = UNKNOWN


class InvalidArgumentError(OpError, ValueError):
    """An argument does not fit: a shape, an index, a value."""

    code = INVALID_ARGUMENT


class DeadlineExceededError(OpError, TimeoutError):
    """The time given was over before the operation was."""

    code = DEADLINE_EXCEEDED


class NotFoundError(OpError, FileNotFoundError):
    """A file or an entry of a file is not there."""

    code = NOT_FOUND


class AlreadyExistsError(OpError, FileExistsError):
    """What was to be made is already there."""

    code = ALREADY_EXISTS


class PermissionDeniedError(OpError, PermissionError):
    """The operation is not allowed to this user."""

    code = PERMISSION_DENIED


class ResourceExhaustedError(OpError, MemoryError):
    """Memory or disk is full."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(OpError, RuntimeError):
    """The system is not in a state in which the operation is possible."""

    code = FAILED_PRECONDITION


class AbortedError(OpError, RuntimeError):
    """The operation was given up, for instance because of another one at the same time."""

    code = ABORTED


class OutOfRangeError(OpError, IndexError):
    """There is nothing more: an input is at its end."""

    code = OUT_OF_RANGE


class UnimplementedError(OpError, NotImplementedError):
    """The operation is not offered, or not for these dtypes."""

    code = UNIMPLEMENTED


class InternalError(OpError, RuntimeError):
    """Something inside is broken."""

    code = INTERNAL


class UnavailableError(OpError, ConnectionError):
    """The service cannot be reached now."""

    code = UNAVAILABLE


class DataLossError(OpError, OSError):
    """Data is damaged or missing."""

    code = DATA_LOSS


class UnauthenticatedError(OpError, PermissionError):
    """The caller has not said who it is."""

    code = UNAUTHENTICATED
