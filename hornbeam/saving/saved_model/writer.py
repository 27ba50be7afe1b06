"""Writing a SavedModel folder that TensorFlow and its servers run."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.saving.atomic import atomic_folder
from hornbeam.saving.folder_sums import seal, sums_of_folder
from hornbeam.saving.paths import local_path
from hornbeam.saving.protos import Message, encode, message
from hornbeam.saving.protos.wire import write_varint
from hornbeam.saving.saved_model.nodes import (
    Attr,
    call_function,
    kind,
    named_outputs,
    node,
    signature_function,
    used_variables,
)
from hornbeam.saving.saved_model.structure import function_spec, shape_message, to_structured
from hornbeam.saving.saved_model.traced import Traced
from hornbeam.saving.tf_checkpoint.bundle import OBJECT_GRAPH, write_bundle
from hornbeam.saving.tf_checkpoint.graph import ObjectGraph, reference
from hornbeam.saving.tf_checkpoint.kinds import RESOURCE, STRING, dtype_number
from hornbeam.version import __version__

__all__ = ["Endpoint", "Plan", "write"]

_PRODUCER = 1882  # version of graphs that TensorFlow 2.15 writes; later ones read it
_METHOD = "tensorflow/serving/predict"


@dataclass
class Endpoint:
    """A function that the loaded object has.

    Attributes:
        traces: its programs.
        parameters: names of its positional parameters.
        defaults: default values of the last of them.
        signature: fixed input signature, if any.
    """

    traces: list[Traced]
    parameters: list[str]
    defaults: tuple = ()
    signature: Any = None


@dataclass
class Plan:
    """What goes into a SavedModel.

    Attributes:
        root: the object that is saved.
        endpoints: functions by (number of the object, attribute).
        signatures: programs to serve, with names of their outputs (None for names by rule).
        identifiers: what kind each object is, by number, where that is known.
        lists: lists of variables that the root has besides.
        metadata: content of ``keras_metadata.pb``.
        assets: files to copy, by name in the folder.
    """

    root: Any
    graph: ObjectGraph
    endpoints: dict[tuple[int, str], Endpoint] = field(default_factory=dict)
    signatures: dict[str, tuple[Traced, list[str] | None]] = field(default_factory=dict)
    identifiers: dict[int, str] = field(default_factory=dict)
    lists: Mapping[str, list[Variable]] = field(default_factory=dict)
    metadata: bytes | None = None
    assets: Mapping[str, bytes] = field(default_factory=dict)


class _Builder:
    """Collects the graph, the function library and the object graph of one file."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.nodes: list[Message] = []
        self.functions: dict[str, Message] = {}
        self.objects: list[Message] = []
        self.stored: list[Message] = []
        self.concrete: dict[str, Message] = {}
        self.signature_defs: dict[str, Message] = {}
        self.handles: dict[int, str] = {}
        self.numbers: dict[int, int] = {}
        self._called: dict[int, str] = {}

    # --- objects ---------------------------------------------------------------------------------
    def add_objects(self) -> None:
        """All saved objects with their children, under the same numbers in both graphs."""
        graph = self.plan.graph
        programs = [traced for endpoint in self.plan.endpoints.values() for traced in endpoint.traces]
        for traced in [*programs, *(traced for traced, _ in self.plan.signatures.values())]:
            # What a program works with keeps the dtype that the program was made for.
            graph.counters.difference_update(id(variable) for variable in used_variables(traced))
        full = graph.message().nodes
        taken: set[str] = set()
        for number, item in enumerate(graph.items):
            children = [reference(child, name) for name, child in graph.links[number]]
            self.objects.append(message("SavedObject", children=children, **self._kind(number, item, taken)))
            self.stored.append(full[number])

    def _kind(self, number: int, item: Any, taken: set[str]) -> dict[str, Message]:
        if isinstance(item, Variable):
            name = unique(getattr(item, "path", item.name).replace(":", "_") or "variable", taken)
            self.handles[id(item)] = name
            self.numbers[id(item)] = number
            proto = message(
                "SavedVariable",
                dtype=dtype_number(self.plan.graph.dtype(number)),
                shape=shape_message(item.shape),
                trainable=item.trainable,
                name=name,
            )
            return {"variable": proto}
        identifier = self.plan.identifiers.get(number)
        if identifier is None:
            if isinstance(item, dict):
                identifier = "trackable_dict_wrapper"
            else:
                identifier = "trackable_list_wrapper" if isinstance(item, (list, tuple)) else "_generic_user_object"
        return {"user_object": user_object(identifier)}

    def add_child(self, parent: int, name: str, **content: Message) -> int:
        """A further object, such as a function, below another."""
        number = len(self.objects)
        self.objects.append(message("SavedObject", **content))
        self.stored.append(message("TrackableObject"))
        for proto in (self.objects[parent], self.stored[parent]):
            proto.children = [*proto.children, reference(number, name)]
        return number

    # --- functions -------------------------------------------------------------------------------
    def call_name(self, traced: Traced) -> str:
        """Name of the function that runs a program; added when it is first asked for."""
        name = self._called.get(id(traced))
        if name is None:
            name = self._called[id(traced)] = f"__inference_{traced.name}_{len(self.functions)}"
            self.functions[name] = call_function(name, traced)
            self.concrete[name] = message(
                "SavedConcreteFunction",
                bound_inputs=[self.numbers[id(v)] for v in used_variables(traced)],
                canonicalized_input_signature=to_structured(traced.arguments),
                output_signature=to_structured(traced.outputs),
            )
        return name

    def add_endpoint(self, parent: int, attribute: str, endpoint: Endpoint) -> None:
        """A callable attribute of an object."""
        spec = function_spec(endpoint.parameters, endpoint.defaults, signature=endpoint.signature)
        names = [self.call_name(traced) for traced in endpoint.traces]
        self.add_child(
            parent, attribute, function=message("SavedFunction", concrete_functions=names, function_spec=spec)
        )

    def add_signatures(self) -> None:
        """The map of functions that servers call by name."""
        holder = self.add_child(0, "signatures", user_object=user_object("signature_map"))
        for key, (traced, output_names) in sorted(self.plan.signatures.items()):
            inputs = input_names(traced)
            outputs = (
                named_outputs(traced.outputs)
                if output_names is None
                else {name: place for place, name in enumerate(output_names)}
            )
            name = f"__inference_signature_wrapper_{key}_{len(self.functions)}"
            self.functions[name] = signature_function(name, self.call_name(traced), traced, inputs, outputs)
            ordered = sorted(inputs)
            self.add_child(
                holder,
                key,
                bare_concrete_function=message(
                    "SavedBareConcreteFunction",
                    concrete_function_name=name,
                    argument_keywords=ordered,
                    allowed_positional_arguments=1 if len(inputs) == 1 else 0,
                    function_spec=function_spec([], kwonly=ordered),
                ),
            )
            from_name = {key: traced.specs[place] for key, place in inputs.items()}
            given_name = {key: traced.output_specs[place] for key, place in outputs.items()}
            self.concrete[name] = message(
                "SavedConcreteFunction",
                bound_inputs=[self.numbers[id(v)] for v in used_variables(traced)],
                canonicalized_input_signature=to_structured(((), _renamed(from_name))),
                output_signature=to_structured(_renamed(given_name)),
            )
            self._add_signature_def(key, name, traced, inputs, outputs)

    def _add_signature_def(
        self, key: str, function: str, traced: Traced, inputs: dict[str, int], outputs: dict[str, int]
    ) -> None:
        ordered_in, ordered_out = sorted(inputs), sorted(outputs)
        for name in ordered_in:
            spec = traced.specs[inputs[name]]
            self.nodes.append(
                node(f"{key}_{name}", "Placeholder", dtype=Attr.type(kind(spec)), shape=Attr.shape(spec.shape))
            )
        call = f"{key}_call"
        variables = used_variables(traced)
        self.nodes.append(
            node(
                call,
                "StatefulPartitionedCall",
                [*(f"{key}_{name}" for name in ordered_in), *(self.handles[id(v)] for v in variables)],
                Tin=Attr.types([kind(traced.specs[inputs[n]]) for n in ordered_in] + [RESOURCE] * len(variables)),
                Tout=Attr.types([kind(traced.output_specs[outputs[n]]) for n in ordered_out]),
                f=Attr.function(function),
            )
        )
        self.signature_defs[key] = message(
            "SignatureDef",
            inputs={n: tensor_info(f"{key}_{n}:0", traced.specs[inputs[n]]) for n in ordered_in},
            outputs={
                n: tensor_info(f"{call}:{place}", traced.output_specs[outputs[n]])
                for place, n in enumerate(ordered_out)
            },
            method_name=_METHOD,
        )

    # --- variables -------------------------------------------------------------------------------
    def add_variables(self) -> Message:
        """Handles of the variables, and the nodes that restore and save them; returns the saver."""
        graph = self.plan.graph
        variables = [(number, item) for number, item in enumerate(graph.items) if isinstance(item, Variable)]
        keys, reads, types = [], [], []
        for number, variable in variables:
            name = self.handles[id(variable)]
            stored = dtype_number(graph.dtype(number))
            dtype = Attr.type(stored)
            shape = Attr.shape(variable.shape)
            self.nodes.append(node(name, "VarHandleOp", shared_name=Attr.text(name), dtype=dtype, shape=shape))
            self.nodes.append(node(f"{name}/Read/ReadVariableOp", "ReadVariableOp", [name], dtype=dtype))
            keys.append(graph.keys[number])
            reads.append(f"{name}/Read/ReadVariableOp")
            types.append(stored)
        # A saver without variables is not allowed: the object graph itself is always there.
        keys.append(OBJECT_GRAPH)
        types.append(STRING)
        self.nodes.append(node("saver_filename", "Placeholder", dtype=Attr.type(STRING), shape=Attr.shape(())))
        self.nodes.append(node("save/graph", "Const", dtype=Attr.type(STRING), value=Attr.strings("")))
        names = Attr.strings(keys)
        self.nodes.append(node("save/names", "Const", dtype=Attr.type(STRING), value=names))
        self.nodes.append(node("save/slices", "Const", dtype=Attr.type(STRING), value=Attr.strings([""] * len(keys))))
        source = ["saver_filename", "save/names", "save/slices"]
        self.nodes.append(node("save/SaveV2", "SaveV2", [*source, *reads, "save/graph"], dtypes=Attr.types(types)))
        self.nodes.append(node("save/done", "Identity", ["saver_filename", "^save/SaveV2"], T=Attr.type(STRING)))
        self.nodes.append(node("restore/RestoreV2", "RestoreV2", source, dtypes=Attr.types(types)))
        done = []
        for place, (_, variable) in enumerate(variables):
            self.nodes.append(
                node(
                    f"restore/assign_{place}",
                    "AssignVariableOp",
                    [self.handles[id(variable)], f"restore/RestoreV2:{place}" if place else "restore/RestoreV2"],
                    dtype=Attr.type(types[place]),
                )
            )
            done.append(f"^restore/assign_{place}")
        self.nodes.append(node("restore/all", "NoOp", done))
        return message(
            "SaverDef",
            filename_tensor_name="saver_filename:0",
            save_tensor_name="save/done:0",
            restore_op_name="restore/all",
            version=2,
        )

    # --- the whole -------------------------------------------------------------------------------
    def build(self) -> tuple[Message, Message]:
        """The graph of the file, and the object graph for the variables' file."""
        self.add_objects()
        saver = self.add_variables()
        for (number, attribute), endpoint in self.plan.endpoints.items():
            self.add_endpoint(number, attribute, endpoint)
        self.add_signatures()
        for name, variables in self.plan.lists.items():
            number = self.add_child(0, name, user_object=user_object("trackable_list_wrapper"))
            links = [reference(self.numbers[id(v)], str(place)) for place, v in enumerate(variables)]
            self.objects[number].children = self.stored[number].children = links
        self.nodes.append(node("NoOp", "NoOp"))
        start = message("TensorInfo", name="NoOp", tensor_shape=shape_message(None))
        self.signature_defs["__saved_model_init_op"] = message("SignatureDef", outputs={"__saved_model_init_op": start})
        graph = message(
            "GraphDef",
            node=self.nodes,
            library=message("FunctionDefLibrary", function=list(self.functions.values())),
            versions=message("VersionDef", producer=_PRODUCER),
        )
        info = message(
            "MetaInfoDef",
            tags=["serve"],
            tensorflow_version="2.15.0",
            tensorflow_git_version=f"hornbeam-{__version__}",
            stripped_default_attrs=True,
        )
        meta = message(
            "MetaGraphDef",
            meta_info_def=info,
            graph_def=graph,
            saver_def=saver,
            collection_def={
                "saved_model_main_op": message("CollectionDef", node_list=message("NodeList", value=["NoOp"]))
            },
            signature_def=self.signature_defs,
            object_graph_def=message("SavedObjectGraph", nodes=self.objects, concrete_functions=self.concrete),
        )
        return meta, message("TrackableObjectGraph", nodes=self.stored)


def _renamed(specs: dict[str, Any]) -> dict[str, Any]:
    return {name: type(spec)(spec.shape, spec.dtype, name) for name, spec in specs.items()}


def input_names(traced: Traced) -> dict[str, int]:
    """Names of a program's tensors for a signature: of their specs, else ``inputs``, ``inputs_1`` ..."""
    found: dict[str, int] = {}
    for place, spec in enumerate(traced.specs):
        name = spec.name or ("inputs" if place == 0 else f"inputs_{place}")
        if name in found:
            name = f"{name}_{place}"
        found[name] = place
    return found


def user_object(identifier: str) -> Message:
    """The kind of an object, for readers that know it."""
    return message("SavedUserObject", identifier=identifier, version=message("VersionDef", producer=1, min_consumer=1))


def tensor_info(name: str, spec: Any) -> Message:
    """A tensor of the graph, for a signature."""
    return message("TensorInfo", name=name, dtype=kind(spec), tensor_shape=shape_message(spec.shape))


def unique(name: str, taken: set[str]) -> str:
    """A name that the graph does not use yet."""
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


def write(plan: Plan, path: Any) -> None:
    """Write a SavedModel folder: whole, or the folder that was there before stays.

    Args:
        plan: what goes into it.
        path: the folder.
    """
    meta, objects = _Builder(plan).build()
    content = encode(meta)
    target = os.path.abspath(local_path(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with atomic_folder(target) as folder:
        os.makedirs(os.path.join(folder, "assets"))
        tensors = {**plan.graph.tensors(), OBJECT_GRAPH: encode(objects)}
        write_bundle(os.path.join(folder, "variables", "variables"), tensors)
        _put(os.path.join(folder, "saved_model.pb"), b"\x08\x01\x12" + write_varint(len(content)) + content)
        if plan.metadata is not None:
            _put(os.path.join(folder, "keras_metadata.pb"), plan.metadata)
        for name, data in plan.assets.items():
            _put(os.path.join(folder, "assets", name), data)
        _put(os.path.join(folder, "fingerprint.pb"), _fingerprint(content, sums_of_folder(folder)))


def _fingerprint(content: bytes, sums: dict[str, int]) -> bytes:
    number = struct.unpack("<q", (hash_of(content)).to_bytes(8, "little"))[0]
    version = message("VersionDef", producer=1)
    return encode(
        message("FingerprintDef", saved_model_checksum=number, version=version, file_checksums=seal({}, sums))
    )


def hash_of(content: bytes) -> int:
    """A number that differs when the graph does."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "little")


def _put(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
