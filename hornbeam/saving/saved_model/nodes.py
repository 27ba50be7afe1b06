"""Building blocks of graphs: nodes, attributes, functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.base import trees
from hornbeam.core.spec import TensorSpec
from hornbeam.core.variable import Variable
from hornbeam.saving.protos import Message, message
from hornbeam.saving.saved_model.graph.stablehlo import INPUT_SIZES, OUTPUT_SIZES
from hornbeam.saving.saved_model.structure import shape_message
from hornbeam.saving.saved_model.traced import Traced
from hornbeam.saving.tf_checkpoint.kinds import RESOURCE, STRING, dtype_number

__all__ = ["Attr", "call_function", "kind", "node", "signature_function", "used_variables"]


class Attr:
    """Attribute values."""

    @staticmethod
    def type(number: int) -> Message:
        """A dtype."""
        return message("AttrValue", type=number)

    @staticmethod
    def types(numbers: Sequence[int]) -> Message:
        """A list of dtypes."""
        return message("AttrValue", list=message("ListValue", type=list(numbers)))

    @staticmethod
    def shape(shape: Any) -> Message:
        """A shape."""
        return message("AttrValue", shape=shape_message(shape))

    @staticmethod
    def shapes(shapes: Sequence[Any]) -> Message:
        """A list of shapes."""
        return message("AttrValue", list=message("ListValue", shape=[shape_message(shape) for shape in shapes]))

    @staticmethod
    def text(value: str | bytes) -> Message:
        """A string."""
        return message("AttrValue", s=value.encode("utf-8") if isinstance(value, str) else value)

    @staticmethod
    def number(value: int) -> Message:
        """An integer."""
        return message("AttrValue", i=value)

    @staticmethod
    def texts(values: Sequence[str]) -> Message:
        """A list of strings."""
        return message("AttrValue", list=message("ListValue", s=[value.encode("utf-8") for value in values]))

    @staticmethod
    def function(name: str) -> Message:
        """A function of the library."""
        return message("AttrValue", func=message("NameAttrList", name=name))

    @staticmethod
    def strings(values: Sequence[str] | str) -> Message:
        """A constant tensor of strings."""
        items = [values] if isinstance(values, str) else list(values)
        shape = () if isinstance(values, str) else (len(items),)
        tensor = message(
            "TensorProto",
            dtype=STRING,
            tensor_shape=shape_message(shape),
            string_val=[item.encode("utf-8") for item in items],
        )
        return message("AttrValue", tensor=tensor)


def node(name: str, op: str, inputs: Sequence[str] = (), **attributes: Message) -> Message:
    """A node of a graph or of a function."""
    return message("NodeDef", name=name, op=op, input=list(inputs), attr=attributes)


def kind(item: TensorSpec | Variable) -> int:
    """Number of a dtype."""
    return dtype_number((item._dtype if isinstance(item, Variable) else item.dtype).name)


def used_variables(traced: Traced) -> list[Variable]:
    """Variables that the program reads or writes; their handles are captured."""
    kept = set(traced.kept)
    read = [variable for number, variable in enumerate(traced.variables) if number in kept]
    return read + [variable for variable in traced.written if not any(variable is known for known in read)]


def _arguments(names: Sequence[str], specs: Sequence[TensorSpec], variables: Sequence[Variable]) -> list[Message]:
    found = [message("ArgDef", name=name, type=kind(spec)) for name, spec in zip(names, specs, strict=True)]
    for number, variable in enumerate(variables):
        handle = message("HandleShape", dtype=kind(variable), shape=shape_message(variable.shape))
        found.append(message("ArgDef", name=f"handle_{number}", type=RESOURCE, handle_data=[handle]))
    return found


def call_function(name: str, traced: Traced) -> Message:
    """The function that runs a program: reads variables, calls it, writes variables."""
    variables = used_variables(traced)
    numbers = {id(variable): number for number, variable in enumerate(variables)}
    arguments = [f"arg_{number}" for number in range(len(traced.specs))]
    body, taken, types = [], [], []
    for position in sorted(traced.kept):
        if position < len(traced.variables):
            variable = traced.variables[position]
            number = numbers[id(variable)]
            body.append(node(f"read_{number}", "ReadVariableOp", [f"handle_{number}"], dtype=Attr.type(kind(variable))))
            taken.append(f"read_{number}:value:0")
            types.append(kind(variable))
        else:
            number = position - len(traced.variables)
            taken.append(arguments[number])
            types.append(kind(traced.specs[number]))
    outputs = [*traced.output_specs, *(TensorSpec(v.shape, v._dtype) for v in traced.written)]
    body.append(
        node(
            "program",
            "XlaCallModule",
            taken,
            Tin=Attr.types(types),
            Tout=Attr.types([kind(spec) for spec in outputs]),
            Sout=Attr.shapes([spec.shape for spec in outputs]),
            module=Attr.text(traced.module),
            platforms=Attr.texts([platform.upper() for platform in traced.platforms]),
            version=Attr.number(traced.version),
            **{INPUT_SIZES: Attr.texts(traced.input_sizes), OUTPUT_SIZES: Attr.texts(traced.output_sizes)},
        )
    )
    count = len(traced.output_specs)
    writes = []
    for number, variable in enumerate(traced.written):
        body.append(
            node(
                f"write_{number}",
                "AssignVariableOp",
                [f"handle_{numbers[id(variable)]}", f"program:output:{count + number}"],
                dtype=Attr.type(kind(variable)),
            )
        )
        writes.append(f"^write_{number}")
    results = {}
    for number, spec in enumerate(traced.output_specs):
        body.append(
            node(f"result_{number}", "Identity", [f"program:output:{number}", *writes], T=Attr.type(kind(spec)))
        )
        results[f"out_{number}"] = f"result_{number}:output:0"
    signature = message(
        "OpDef",
        name=name,
        input_arg=_arguments(arguments, traced.specs, variables),
        output_arg=[message("ArgDef", name=f"out_{n}", type=kind(s)) for n, s in enumerate(traced.output_specs)],
        is_stateful=True,
    )
    made = message("FunctionDef", signature=signature, node_def=body, ret=results)
    if writes:
        signature.control_output = [f"done_{number}" for number in range(len(writes))]
        made.control_ret = {f"done_{number}": f"write_{number}" for number in range(len(writes))}
    return made


def signature_function(
    name: str, callee: str, traced: Traced, inputs: dict[str, int], outputs: dict[str, int]
) -> Message:
    """A function with named inputs and outputs, both in the order of their names, around a call function.

    Args:
        name: its name.
        callee: the call function.
        traced: what that one runs.
        inputs: place among the program's tensors, by name.
        outputs: place among the program's outputs, by name.
    """
    variables = used_variables(traced)
    names = {place: key for key, place in inputs.items()}
    given = [names[place] for place in range(len(traced.specs))]
    handles = [f"handle_{number}" for number in range(len(variables))]
    types = [kind(spec) for spec in traced.specs] + [RESOURCE] * len(variables)
    results = [kind(spec) for spec in traced.output_specs]
    call = node(
        "call",
        "StatefulPartitionedCall",
        [*given, *handles],
        Tin=Attr.types(types),
        Tout=Attr.types(results),
        f=Attr.function(callee),
    )
    ordered_inputs, ordered_outputs = sorted(inputs), sorted(outputs)
    signature = message(
        "OpDef",
        name=name,
        input_arg=_arguments(ordered_inputs, [traced.specs[inputs[key]] for key in ordered_inputs], variables),
        output_arg=[
            message("ArgDef", name=f"out_{n}", type=results[outputs[key]]) for n, key in enumerate(ordered_outputs)
        ],
        is_stateful=True,
    )
    ret = {f"out_{n}": f"call:output:{outputs[key]}" for n, key in enumerate(ordered_outputs)}
    return message("FunctionDef", signature=signature, node_def=[call], ret=ret)


def named_outputs(outputs: Any) -> dict[str, int]:
    """Names of a signature's outputs, and their places: keys of a dict, or ``output_0`` ..."""
    if isinstance(outputs, dict):
        found: dict[str, int] = {}
        for place, key in enumerate(trees.sorted_keys(outputs)):
            if trees.is_nested(outputs[key]):
                raise ValueError(
                    f"A signature gives tensors by name; its output {key!r} is a nesting: {outputs[key]!r}."
                )
            found[str(key)] = place
        return found
    return {f"output_{place}": place for place in range(len(trees.flatten(outputs)))}
