"""Nested Python values as the messages that SavedModels hold them in, and back."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.core.spec import TensorSpec
from hornbeam.saving.protos import Message, message
from hornbeam.saving.tf_checkpoint.kinds import dtype_name, dtype_number

__all__ = ["from_structured", "full_arg_spec", "function_spec", "shape_message", "shape_of", "to_structured"]

_NONE = object()


def shape_message(shape: Any) -> Message:
    """A shape; None for an unknown rank, None or -1 for an unknown size."""
    if shape is None:
        return message("TensorShapeProto", unknown_rank=True)
    return message("TensorShapeProto", dim=[message("Dim", size=-1 if s is None else int(s)) for s in shape])


def shape_of(proto: Message) -> tuple[int | None, ...] | None:
    """The shape of a message; None for an unknown rank."""
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


# --- writing -------------------------------------------------------------------------------------
def to_structured(value: Any) -> Message:
    """A nesting of specs, numbers, texts and containers as a message.

    Raises:
        UnsupportedFileError: something else is in it.
    """
    if value is None:
        return message("StructuredValue", none_value=message("NoneValue"))
    if isinstance(value, TensorSpec):
        spec = message("TensorSpecProto", shape=shape_message(value.shape), dtype=dtype_number(value.dtype.name))
        if value.name:
            spec.name = value.name
        return message("StructuredValue", tensor_spec_value=spec)
    if isinstance(value, bool):
        return message("StructuredValue", bool_value=value)
    if isinstance(value, dtypes.DType):
        return message("StructuredValue", tensor_dtype_value=dtype_number(value.name))
    if isinstance(value, int):
        return message("StructuredValue", int64_value=value)
    if isinstance(value, float):
        return message("StructuredValue", float64_value=value)
    if isinstance(value, str):
        return message("StructuredValue", string_value=value)
    if trees.is_namedtuple(value):
        pairs = [message("PairValue", key=k, value=to_structured(v)) for k, v in value._asdict().items()]
        named = message("NamedTupleValue", name=type(value).__name__, values=pairs)
        return message("StructuredValue", named_tuple_value=named)
    if isinstance(value, (list, tuple)):
        items = message("ListStructure", values=[to_structured(item) for item in value])
        return message("StructuredValue", **{"list_value" if isinstance(value, list) else "tuple_value": items})
    if isinstance(value, dict):
        fields = {str(key): to_structured(item) for key, item in value.items()}
        return message("StructuredValue", dict_value=message("DictStructure", fields=fields))
    raise UnsupportedFileError(
        f"A function's arguments hold {value!r} of type {type(value).__name__}, which a SavedModel cannot describe. "
        "Pass tensors, numbers, texts, and lists, tuples or dicts of them."
    )


def full_arg_spec(args: list[str], defaults: tuple, kwonly: list[str]) -> Message:
    """The parameters of a Python function."""
    pairs = {
        "args": args,
        "varargs": None,
        "varkw": None,
        "defaults": defaults or None,
        "kwonlyargs": kwonly,
        "kwonlydefaults": None,
        "annotations": {},
    }
    values = [message("PairValue", key=key, value=to_structured(value)) for key, value in pairs.items()]
    named = message("NamedTupleValue", name="FullArgSpec", values=values)
    return message("StructuredValue", named_tuple_value=named)


def function_spec(
    args: list[str], defaults: tuple = (), kwonly: list[str] | None = None, signature: Any = None
) -> Message:
    """Parameters and, if fixed, the input signature of a function."""
    return message(
        "FunctionSpec",
        fullargspec=full_arg_spec(args, defaults, kwonly or []),
        input_signature=to_structured(signature),
    )


# --- reading -------------------------------------------------------------------------------------
def from_structured(proto: Message, depth: int = 0) -> Any:
    """The Python value of a message.

    Raises:
        UnsupportedFileError: it holds a kind of value that is not read.
    """
    kind = proto.which()
    if depth > 64:
        raise UnsupportedFileError("A function's arguments are nested more than 64 deep.")
    if kind is None or kind == "none_value":
        return None
    value = getattr(proto, kind)
    if kind in ("float64_value", "int64_value", "string_value", "bool_value"):
        return value
    if kind == "tensor_shape_value":
        return shape_of(value)
    if kind == "tensor_dtype_value":
        return dtypes.as_dtype(dtype_name(value))
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        return TensorSpec(shape_of(value.shape), dtype_name(value.dtype), value.name or None)
    if kind == "list_value":
        return [from_structured(item, depth + 1) for item in value.values]
    if kind == "tuple_value":
        return tuple(from_structured(item, depth + 1) for item in value.values)
    if kind == "dict_value":
        return {key: from_structured(item, depth + 1) for key, item in value.fields.items()}
    if kind == "named_tuple_value":
        # The class is not at hand; by their names its parts remain reachable.
        return {pair.key: from_structured(pair.value, depth + 1) for pair in value.values}
    raise UnsupportedFileError(
        f"A function takes or gives a {value.type_spec_class_name or kind}, which is not read; only plain tensors are."
    )
