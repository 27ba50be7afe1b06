"""Lambdas as bytecode, the form in which Keras stores them. Reading one back runs whatever its author wrote."""

from __future__ import annotations

import binascii
import builtins
import codecs
import marshal
import types
from typing import Any

from hornbeam.base.errors import CorruptFileError, UnsafeFileError, explain

__all__ = ["dump_function", "load_function", "refuse_lambda"]


def dump_function(function: types.FunctionType) -> tuple[str, tuple | None, tuple | None]:
    """Bytecode (base64 text), default arguments and closure values of a Python function."""
    code = codecs.encode(marshal.dumps(function.__code__), "base64").decode("ascii")
    closure = tuple(cell.cell_contents for cell in function.__closure__) if function.__closure__ else None
    return code, function.__defaults__, closure


def load_function(
    code: Any, defaults: Any = None, closure: Any = None, globs: dict[str, Any] | None = None
) -> types.FunctionType:
    """Python function from what ``dump_function`` gave. Only for files that the caller trusts.

    Args:
        code: bytecode as base64 text, or the triple (code, defaults, closure).
        defaults: default arguments.
        closure: values of the closure.
        globs: global names that the function sees; the built-in ones by default.

    Raises:
        CorruptFileError: the text is no bytecode of this version of Python.
    """
    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
    cells = None if closure is None else tuple(types.CellType(value) for value in closure)
    try:
        raw = codecs.decode(code.encode("ascii"), "base64")
        body = marshal.loads(raw)
        if not isinstance(body, types.CodeType):
            raise TypeError(f"a {type(body).__name__}")
    except (binascii.Error, ValueError, EOFError, TypeError) as error:
        raise CorruptFileError(
            "The stored code of a lambda cannot be read: it is damaged, or was written by another version of Python "
            "(bytecode differs between versions). Define the function in your script and pass it in `custom_objects`."
        ) from error
    names = {"__builtins__": builtins, "__name__": __name__} if globs is None else globs
    return types.FunctionType(
        body, names, name=body.co_name, argdefs=None if defaults is None else tuple(defaults), closure=cells
    )


def refuse_lambda(owner: str = "A config") -> UnsafeFileError:
    """The error for a stored lambda in safe mode."""
    return UnsafeFileError(
        explain(
            f"{owner} holds a Python lambda as bytecode, which would run as your own code.",
            expected="named functions, registered with @keras.saving.register_keras_serializable()",
            received="a `__lambda__` entry, with safe_mode=True",
            fix="if you trust whoever wrote it, pass `safe_mode=False` to the loading function",
        )
    )
