"""Functions of a SavedModel as Python callables: compiled, differentiable, matched by their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.core.conversion import as_array
from hornbeam.core.function import function
from hornbeam.core.spec import TensorSpec
from hornbeam.core.tensor import HostTensor, Tensor, from_host, wrap
from hornbeam.core.variable import Variable
from hornbeam.saving.protos import Message
from hornbeam.saving.saved_model.graph.machine import Machine
from hornbeam.saving.saved_model.structure import from_structured, shape_of
from hornbeam.saving.tf_checkpoint.kinds import dtype_name

__all__ = ["ConcreteFunction", "RestoredFunction", "SignatureFunction"]

_WIDTHS = ({"int32", "int64"}, {"uint32", "uint64"}, {"float32", "float64"})


class ConcreteFunction:
    """One traced function with what it captured.

    Args:
        machine: runs it.
        name: its name in the library.
        proto: its description.
        items: all objects of the file, by number.
    """

    def __init__(self, machine: Machine, name: str, proto: Message, items: dict[int, Any]) -> None:
        self.machine = machine
        self.name = name
        self.arguments = from_structured(proto.canonicalized_input_signature)
        self.outputs = from_structured(proto.output_signature)
        self._captured = list(proto.bound_inputs)
        self._items = items
        self.specs = [leaf for leaf in trees.flatten(self.arguments) if isinstance(leaf, TensorSpec)]
        self._program: Any = None

    @property
    def structured_input_signature(self) -> Any:
        """Arguments, with a ``TensorSpec`` for each tensor."""
        return self.arguments

    @property
    def structured_outputs(self) -> Any:
        """Outputs, with a ``TensorSpec`` for each tensor."""
        return self.outputs

    @property
    def captured(self) -> list[Any]:
        """Variables and constants that the function uses."""
        return [self._items[number] for number in self._captured]

    @property
    def variables(self) -> list[Variable]:
        """Variables that the function uses."""
        return [item for item in self.captured if isinstance(item, Variable)]

    def run(self, tensors: Sequence[Any]) -> Any:
        """Run it on the tensors among its arguments."""
        if self._program is None:
            unknown = self.machine.unknown_ops(self.name)
            if unknown:
                raise UnsupportedFileError(
                    f"{self.machine.source}: function {self.name!r} needs operations that are not run here: "
                    f"{', '.join(sorted(unknown))}."
                )
            self._program = function(self._body)
        return self._program(*tensors)

    def _body(self, *tensors: Tensor) -> Any:
        inputs = [as_array(tensor) for tensor in tensors]
        results = self.machine.call(self.name, [*inputs, *self.captured])
        structure = self.outputs
        specs = [leaf for leaf in trees.flatten(structure) if isinstance(leaf, TensorSpec)]
        leaves = [_result(value, spec) for value, spec in zip(results, specs, strict=True)]
        if not trees.is_nested(structure):
            return leaves[0] if leaves else None
        filled = iter(leaves)
        return trees.pack(
            structure, [next(filled) if isinstance(leaf, TensorSpec) else leaf for leaf in trees.flatten(structure)]
        )


def fit(value: Any, spec: TensorSpec) -> Any:
    """A value as a tensor of a spec; None if it cannot be one."""
    if isinstance(value, (Tensor, Variable)):
        tensor = value.read_value() if isinstance(value, Variable) else value
    else:
        try:
            host = np.asarray(value, dtype=spec.dtype.as_numpy_dtype if not hasattr(value, "dtype") else None)
            tensor = from_host(host)
        except (TypeError, ValueError):
            return None
    if isinstance(tensor, HostTensor):
        return tensor if spec.dtype == "string" else None
    if not spec.shape.is_compatible_with(tensor.shape):
        return None
    if tensor.dtype != spec.dtype:
        narrow = {tensor.dtype.name, spec.dtype.name} <= {"int32", "int64"} or (
            {tensor.dtype.name, spec.dtype.name} <= {"float32", "float64"}
        )
        return wrap(as_array(tensor, spec.dtype)) if narrow else None
    return tensor


class RestoredFunction:
    """A function that was compiled for several kinds of arguments.

    Args:
        traces: its programs.
        spec: its parameters.
    """

    def __init__(self, traces: list[ConcreteFunction], spec: Message) -> None:
        self.traces = traces
        full = from_structured(spec.fullargspec) or {}
        self._names = [name for name in full.get("args") or []]
        self._defaults = list(full.get("defaults") or [])
        if self._names[:1] == ["self"]:
            self._names = self._names[1:]
        self._keywords = list(full.get("kwonlyargs") or [])
        self._keyword_defaults = dict(full.get("kwonlydefaults") or {})

    @property
    def concrete_functions(self) -> list[ConcreteFunction]:
        """Its programs."""
        return self.traces

    @property
    def variables(self) -> list[Variable]:
        """Variables that it uses."""
        return list({id(v): v for trace in self.traces for v in trace.variables}.values())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program that was compiled for such arguments."""
        for candidate_args, candidate_kwargs in self._forms(args, kwargs):
            for trace in self.traces:
                tensors = _matched(trace.arguments, (candidate_args, candidate_kwargs))
                if tensors is not None:
                    return trace.run(tensors)
        listing = "\n  ".join(repr(trace.arguments) for trace in self.traces)
        raise ValueError(
            "The loaded function was not compiled for these arguments.\n"
            f"  received: {trees.map_structure(_described, (args, kwargs))}\n"
            f"  compiled for (positional, keyword):\n  {listing}"
        )

    def _forms(self, args: tuple, kwargs: dict[str, Any]) -> list[tuple[tuple, dict[str, Any]]]:
        """The arguments as given, and by position with defaults filled in."""
        forms = [(args, kwargs)]
        values = dict(zip(self._names, args, strict=False))
        if len(args) <= len(self._names) and not set(values) & set(kwargs):
            values.update({name: value for name, value in kwargs.items() if name in self._names})
            first_default = len(self._names) - len(self._defaults)
            for place, default in enumerate(self._defaults):
                values.setdefault(self._names[first_default + place], default)
            if len(values) == len(self._names):
                rest = {name: value for name, value in kwargs.items() if name not in self._names}
                forms.append((tuple(values[name] for name in self._names), {**self._keyword_defaults, **rest}))
        return forms


def _described(value: Any) -> Any:
    if isinstance(value, (Tensor, Variable, np.ndarray)):
        return f"tensor of shape {tuple(value.shape)} and dtype {value.dtype}"
    return value


def _matched(expected: Any, given: Any) -> list[Any] | None:
    """The tensors among the arguments, in order; None if the arguments do not fit."""
    if isinstance(expected, TensorSpec):
        if given is None or isinstance(given, (bool, str, dict)):
            return None
        tensor = fit(given, expected)
        return None if tensor is None else [tensor]
    if isinstance(expected, dict):
        if not isinstance(given, dict) or set(expected) != set(given):
            return None
        pairs = [(expected[key], given[key]) for key in trees.sorted_keys(expected)]
    elif isinstance(expected, (list, tuple)):
        if not isinstance(given, (list, tuple)) or len(expected) != len(given):
            return None
        pairs = list(zip(expected, given, strict=True))
    else:
        if isinstance(given, (Tensor, Variable, np.ndarray)):
            return None
        same = expected == given or (expected is None and given is None) or (expected is False and given is None)
        return [] if same else None
    found: list[Any] = []
    for one, other in pairs:
        tensors = _matched(one, other)
        if tensors is None:
            return None
        found += tensors
    return found


class SignatureFunction:
    """A function with named inputs that gives named outputs.

    Args:
        concrete: the program.
        keywords: names of its inputs.
        positional: how many of them may be given by position.
    """

    def __init__(self, concrete: Any, keywords: list[str], positional: int) -> None:
        self._concrete = concrete
        self._keywords = keywords
        self._positional = positional

    @property
    def structured_input_signature(self) -> Any:
        """Arguments, with a ``TensorSpec`` for each tensor."""
        return self._concrete.arguments

    @property
    def structured_outputs(self) -> dict[str, TensorSpec]:
        """Outputs by name."""
        return self._concrete.outputs

    @property
    def variables(self) -> list[Variable]:
        """Variables that it uses."""
        return self._concrete.variables

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run it.

        Raises:
            TypeError: inputs are missing, unknown or of another shape or dtype.
        """
        if len(args) > max(self._positional, 1 if len(self._keywords) == 1 else 0):
            raise TypeError(
                f"This signature takes its inputs by name: {self._keywords}. Received {len(args)} by position."
            )
        given = {**dict(zip(self._keywords, args, strict=False)), **kwargs}
        specs = self._concrete.arguments[1]
        if set(given) != set(specs):
            raise TypeError(f"This signature takes the inputs {sorted(specs)}. Received: {sorted(given)}.")
        tensors = []
        for name in trees.sorted_keys(specs):
            tensor = fit(given[name], specs[name])
            if tensor is None:
                raise TypeError(
                    f"Input {name!r} of the signature must be {specs[name]!r}. Received: {_described(given[name])}"
                )
            tensors.append(tensor)
        return self._concrete.run(tensors)

    @classmethod
    def of_graph(cls, machine: Machine, signature: Message) -> SignatureFunction:
        """A signature of a file without objects."""
        concrete = _GraphPart(machine, signature)
        return cls(concrete, sorted(concrete.arguments[1]), 1 if len(concrete.arguments[1]) == 1 else 0)


class _GraphPart:
    """Nodes between the inputs and outputs of a signature, outside of functions."""

    def __init__(self, machine: Machine, signature: Message) -> None:
        self._machine = machine
        self._inputs = {name: info.name for name, info in signature.inputs.items()}
        self._fetches = {name: info.name for name, info in signature.outputs.items()}
        self.arguments = ((), {name: _spec(name, info) for name, info in signature.inputs.items()})
        self.outputs = {name: _spec(name, info) for name, info in signature.outputs.items()}
        self._program: Any = None

    @property
    def variables(self) -> list[Variable]:
        """All variables of the file."""
        return []

    def run(self, tensors: Sequence[Any]) -> Any:
        """Run it on its inputs, in the order of their names."""
        if self._program is None:
            self._program = function(self._body)
        return self._program(*tensors)

    def _body(self, *tensors: Tensor) -> dict[str, Any]:
        names = trees.sorted_keys(self._inputs)
        feeds = {
            self._inputs[name].split(":")[0]: as_array(tensor) for name, tensor in zip(names, tensors, strict=True)
        }
        keys = trees.sorted_keys(self._fetches)
        results = self._machine.evaluate([self._fetches[key] for key in keys], feeds)
        return {key: _result(value, self.outputs[key]) for key, value in zip(keys, results, strict=True)}


def _result(value: Any, spec: TensorSpec) -> Tensor:
    """A result as a tensor of the promised dtype: inside, integers may be narrower."""
    tensor = wrap(jnp.asarray(value))
    if tensor.dtype != spec.dtype and {tensor.dtype.name, spec.dtype.name} in _WIDTHS:
        return wrap(as_array(tensor, spec.dtype))
    return tensor


def _spec(name: str, info: Message) -> TensorSpec:
    return TensorSpec(shape_of(info.tensor_shape), dtype_name(info.dtype), name)
