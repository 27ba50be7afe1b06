"""``tf.saved_model.load``: the objects of a SavedModel, with their variables and functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.base import dtypes
from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.core.variable import Variable
from hornbeam.saving.protos import Message
from hornbeam.saving.saved_model.folder import Folder, open_folder
from hornbeam.saving.saved_model.graph.constants import constant
from hornbeam.saving.saved_model.graph.machine import Machine
from hornbeam.saving.saved_model.restored import ConcreteFunction, RestoredFunction, SignatureFunction
from hornbeam.saving.saved_model.structure import shape_of
from hornbeam.saving.tf_checkpoint.kinds import dtype_name
from hornbeam.saving.tf_checkpoint.restore import on_device, stored_graph, value_key
from hornbeam.tensors.module import Module

__all__ = ["LoadedObject", "load"]

_LISTS = ("trackable_list_wrapper", "trackable_tuple_wrapper")
_DICTS = ("trackable_dict_wrapper", "signature_map")


class LoadedObject(Module):
    """An object of a SavedModel: what belonged to it are its attributes.

    It is called if the object that was saved could be.
    """

    def __init__(self, name: str = "saved") -> None:
        super().__init__(name=name)
        self.__dict__["_functions"] = {}

    signatures: Any = {}
    _functions: dict[str, Any]
    _TF_MODULE_IGNORED_PROPERTIES = frozenset({"_functions", "signatures", "keras_api", "optimizer", "_unknown_ops"})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function that was the object's call."""
        run = self._functions.get("__call__")
        if run is None:
            offered = sorted(self.signatures) if self.signatures else []
            raise TypeError(
                f"The loaded object was not callable when it was saved. Its signatures are {offered}: use "
                "`loaded.signatures[name](...)`."
            )
        return run(*args, **kwargs)


def load(export_dir: Any, tags: Sequence[str] | str | None = None, options: Any = None) -> LoadedObject:
    """Read a SavedModel as an object with variables and functions.

    Args:
        export_dir: the folder.
        tags: tags of the graph to take; by default the one for serving.
        options: see ``LoadOptions``.

    Returns:
        An object with the attributes of the saved one, ``signatures`` and, if it was callable, a call. Its functions
        are compiled by XLA and can be differentiated.

    Raises:
        FileNotFoundError: there is no SavedModel.
        FileFormatError: damaged or unsafe. Functions that use operations which are not run here raise when called.

    References: TensorFlow ``tf.saved_model.load``.
    """
    folder = open_folder(export_dir, tags)
    if not folder.graph.object_graph_def.nodes:
        return _without_objects(folder)
    return Objects(folder).root()


class Objects:
    """The objects of a file, by number.

    Args:
        folder: the open SavedModel.
        given: variables that stand for stored ones, by number.
    """

    def __init__(self, folder: Folder, given: dict[int, Variable] | None = None) -> None:
        self.folder = folder
        self.machine = Machine(folder.graph.graph_def, folder.path)
        self.protos = folder.graph.object_graph_def.nodes
        self.concrete = folder.graph.object_graph_def.concrete_functions
        self.items: dict[int, Any] = dict(given or {})
        self._values = stored_graph(folder.bundle) if folder.bundle is not None else None
        self._functions: dict[str, ConcreteFunction] = {}
        for number, proto in enumerate(self.protos):
            for child in proto.children:
                if not 0 <= child.node_id < len(self.protos):
                    raise CorruptFileError(f"{folder.path}: object {number} refers to object {child.node_id}.")
        for number in range(len(self.protos)):
            if number not in self.items:
                self.items[number] = self._make(number)
        for number in range(len(self.protos)):
            self._link(number)

    def root(self) -> LoadedObject:
        """The object that was saved."""
        root = self.items[0]
        if not isinstance(root, LoadedObject):
            holder = LoadedObject()
            holder.__dict__["root"] = root
            return holder
        return root

    # --- making ----------------------------------------------------------------------------------
    def _make(self, number: int) -> Any:
        proto = self.protos[number]
        kinds = [name for name in ("variable", "function", "bare_concrete_function", "constant", "asset", "resource",
                                   "captured_tensor") if proto.has(name)]  # fmt: skip
        kind = kinds[0] if kinds else "user_object"
        if kind == "variable":
            return self._variable(number, proto.variable)
        if kind == "constant":
            return self._constant(proto.constant.operation)
        if kind == "asset":
            return self._asset(proto.asset.asset_file_def_index)
        if kind == "function":
            traces = [self.function(name) for name in proto.function.concrete_functions]
            return RestoredFunction(traces, proto.function.function_spec)
        if kind == "bare_concrete_function":
            bare = proto.bare_concrete_function
            return SignatureFunction(
                self.function(bare.concrete_function_name),
                list(bare.argument_keywords),
                bare.allowed_positional_arguments,
            )
        if kind in ("resource", "captured_tensor"):
            return Unsupported(kind)
        identifier = proto.user_object.identifier
        if identifier in _LISTS:
            return []
        return {} if identifier in _DICTS else LoadedObject()

    def _variable(self, number: int, proto: Message) -> Any:
        key = value_key(self._values[number]) if self._values is not None and number < len(self._values) else None
        name = (proto.name or f"variable_{number}").split(":")[0].rsplit("/", 1)[-1] or "variable"
        bundle = self.folder.bundle
        if bundle is not None and key is not None and key in bundle:
            value = bundle.read(key)
        else:
            shape = shape_of(proto.shape) or ()
            if dtype_name(proto.dtype) == "string" or None in shape:
                return Unsupported("variable")
            raise CorruptFileError(f"{self.folder.path}: variable {proto.name!r} has no stored value.")
        if value.dtype == object:
            return Unsupported("string variable")
        kind = dtypes.as_dtype(dtype_name(proto.dtype))
        made = Variable(on_device(value, kind), dtype=kind, trainable=proto.trainable, name=name)
        made._lent = True
        made.path = (proto.name or name).removesuffix(":0")
        return made

    def _constant(self, operation: str) -> Any:
        value = constant(self.machine.top_node(operation).attr["value"].tensor)
        return value

    def _asset(self, index: int) -> str:
        assets = self.folder.graph.asset_file_def
        if not 0 <= index < len(assets):
            raise CorruptFileError(f"{self.folder.path}: asset {index} is not listed.")
        return self.folder.asset(assets[index].filename)

    def function(self, name: str) -> ConcreteFunction:
        """A function with the variables and constants that it captured."""
        found = self._functions.get(name)
        if found is None:
            proto = self.concrete.get(name)
            if proto is None:
                raise CorruptFileError(f"{self.folder.path}: function {name!r} is not described.")
            found = self._functions[name] = ConcreteFunction(self.machine, name, proto, self.items)
        return found

    # --- linking ---------------------------------------------------------------------------------
    def _link(self, number: int) -> None:
        item = self.items[number]
        children = [(child.local_name, self.items[child.node_id]) for child in self.protos[number].children]
        if isinstance(item, list):
            numbered = [(int(name), child) for name, child in children if name.isdigit()]
            item[:] = [child for _, child in sorted(numbered, key=lambda pair: pair[0])]
        elif isinstance(item, dict):
            item.update(children)
        elif isinstance(item, LoadedObject):
            for name, child in children:
                if isinstance(child, (RestoredFunction, SignatureFunction)):
                    item._functions[name] = child
                if name != "__call__" and not name.startswith("__"):
                    item.__dict__[name] = child


class Unsupported:
    """An object that is not offered here; only its use is an error."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise UnsupportedFileError(f"The SavedModel holds a {self.kind}, which is not offered here.")


# --- files without objects -----------------------------------------------------------------------
def _without_objects(folder: Folder) -> LoadedObject:
    """Files of the first version: variables by name, and signatures that run parts of the graph."""
    machine = Machine(folder.graph.graph_def, folder.path)
    root = LoadedObject()
    variables: dict[str, Variable] = {}
    stored = {name: folder.bundle.read(name) for name in folder.bundle.names()} if folder.bundle is not None else {}
    for name, value in stored.items():
        if value.dtype != object:
            made = variables[name] = Variable(value, name=name.rsplit("/", 1)[-1])
            made.path = name
    root.__dict__["variables_by_name"] = variables

    def resource(name: str) -> Variable:
        if name not in variables:
            raise UnsupportedFileError(f"{folder.path}: variable {name!r} has no stored value.")
        return variables[name]

    machine.resource = resource
    root.signatures = {
        name: SignatureFunction.of_graph(machine, signature)
        for name, signature in folder.graph.signature_def.items()
        if not name.startswith("__")
    }
    return root
