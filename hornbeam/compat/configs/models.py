"""Old model configs into today's: Sequential lists, graphs of layers, merging layers, flat configs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.compat.configs.generation import Context
from hornbeam.compat.configs.layers import REFUSED, convert_arguments, new_class_name
from hornbeam.compat.configs.operations import FUNCTION_LAYERS, operation_call, operation_entry

__all__ = ["convert_entry", "input_entry"]

_GRAPHS = ("Model", "Functional", "Network", "Container")
_RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional"})
_KEPT = ("inbound_nodes", "name", "build_config", "shared_object_id", "added")
_INNER = ("layer", "forward_layer", "backward_layer", "cell")


def convert_entry(entry: Any, context: Context) -> dict[str, Any]:
    """A layer or model, with class name and config, as it would be written today.

    Raises:
        CorruptFileError: it is no such entry.
        UnsupportedFileError: it uses something that no layer does today.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        raise CorruptFileError(f"The stored config holds {str(entry)[:80]!r} where a layer is expected.")
    name, config = entry["class_name"], entry.get("config")
    if name == "Sequential" and not context.knows(name):
        return {**_rest(entry), "class_name": name, **_sequential(config, entry.get("name"), context)}
    if name in _GRAPHS and isinstance(config, dict) and "input_layers" in config and not context.knows(name):
        return {**_rest(entry), "class_name": "Functional", "config": _graph(config, context)}
    if name == "Merge" and not _is_known(entry, context):
        return _merge(entry)
    if name in FUNCTION_LAYERS:
        return operation_entry(entry)
    return _layer(entry, context)


def _rest(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in _KEPT if key in entry}


def _is_known(entry: dict[str, Any], context: Context) -> bool:
    """Whether the entry means a registered class, of the user or of ours, and not one of an old version of Keras."""
    registered = entry.get("registered_name")
    return context.knows(entry["class_name"]) or bool(registered and context.knows(registered))


def _layer(entry: dict[str, Any], context: Context) -> dict[str, Any]:
    old_name = entry["class_name"]
    if old_name in REFUSED and not _is_known(entry, context):
        raise UnsupportedFileError(f"The file holds a layer of class {old_name}, {REFUSED[old_name]}")
    name = new_class_name(old_name, context)
    registered = entry.get("registered_name")
    config = entry.get("config") or {}
    if context.knows(name) or (registered and context.knows(registered)) or not context.is_builtin(name):
        known = name if not (registered and context.knows(registered)) else registered
        result = {**_rest(entry), "class_name": name, "config": _own_class_config(config, context)}
        return {**result, "registered_name": known} if known != name else result
    config = convert_arguments(old_name, name, dict(config), context)
    if old_name in ("CuDNNLSTM", "CuDNNGRU"):
        config.pop("implementation", None)
    for key in _INNER:
        if isinstance(config.get(key), dict) and "class_name" in config[key]:
            config[key] = convert_entry(config[key], context)
    if isinstance(config.get("cells"), list):
        config["cells"] = [convert_entry(cell, context) for cell in config["cells"]]
    if name == "ThresholdedReLU" and context.generation < 3:
        name = "ReLU"
    result = {**_rest(entry), "class_name": name, "config": config}
    if name == "MultiHeadAttention" and set(result.get("build_config") or ()) == {"input_shape"}:
        # One shape of three: it is built by its call.
        del result["build_config"]
    if name in _RECURRENT and _has_several_shapes(result.get("build_config")):
        # The input's shape with those of initial states.
        result["build_config"] = {"input_shape": result["build_config"]["input_shape"][0]}
    if name != "InputLayer" and "inbound_nodes" in entry:
        # In a graph the shape comes from the call.
        config.pop("batch_input_shape", None)
    return result


def _has_several_shapes(config: Any) -> bool:
    shape = config.get("input_shape") if isinstance(config, dict) else None
    return isinstance(shape, list) and bool(shape) and isinstance(shape[0], list)


def _own_class_config(config: Any, context: Context) -> Any:
    """Config of a user's class: left as it is, but for what the base class takes care of."""
    if not isinstance(config, dict):
        return config
    found = dict(config)
    dtype = found.get("dtype")
    if isinstance(dtype, dict) and dtype.get("class_name") in ("Policy", "PolicyV1"):
        found["dtype"] = (dtype.get("config") or {}).get("name")
    return found


# --- Sequential ----------------------------------------------------------------------------------
def _sequential(config: Any, name: str | None, context: Context) -> dict[str, Any]:
    """Class name and config of a Sequential model; a graph if it begins with a merge of branches."""
    if isinstance(config, dict) and isinstance(config.get("layers"), list):
        layers, rest = config["layers"], {key: value for key, value in config.items() if key != "layers"}
    elif isinstance(config, list):
        layers, rest = config, {}
    else:
        raise CorruptFileError("The config of a Sequential model has no list of layers.")
    name = rest.get("name") or name
    if layers and isinstance(layers[0], dict) and layers[0].get("class_name") == "Merge":
        return {"class_name": "Functional", "config": _merged_branches(layers, name, context)}
    found = [convert_entry(layer, context) for layer in layers]
    first = found[0] if found else None
    shape = first["config"].pop("batch_input_shape", None) if first and isinstance(first.get("config"), dict) else None
    for layer in found[1:]:
        if isinstance(layer["config"], dict):
            layer["config"].pop("batch_input_shape", None)
    if shape is not None and first is not None and first["class_name"] != "InputLayer":
        dtype = _input_dtype(layers[0])
        inner = {"batch_shape": shape, "name": f"{first['config'].get('name', 'layer')}_input"}
        found.insert(0, {"class_name": "InputLayer", "config": {**inner, **({"dtype": dtype} if dtype else {})}})
    result: dict[str, Any] = {"layers": found}
    if name:
        result["name"] = name
    if rest.get("trainable") is False:
        result["trainable"] = False
    if rest.get("build_input_shape"):
        result["build_input_shape"] = rest["build_input_shape"]
    return {"config": result}


def _input_dtype(entry: dict[str, Any]) -> str | None:
    """Dtype of the input of a first layer: for an Embedding its indices are whole numbers."""
    if entry.get("class_name") == "Embedding":
        return "int32"
    config = entry.get("config")
    found = config.get("input_dtype") if isinstance(config, dict) else None
    return found if isinstance(found, str) else None


def _merged_branches(layers: list[Any], name: str | None, context: Context) -> dict[str, Any]:
    """The graph of a Sequential model whose first layer merges whole models, each with an input of its own."""
    merge, rest = layers[0], layers[1:]
    entries: list[dict[str, Any]] = []
    outputs, inputs = [], []
    branches = merge["config"].get("layers") or []
    for number, branch in enumerate(branches, 1):
        branch = convert_entry(branch, context)
        branch_name = branch.get("name") or branch["config"].get("name") or f"branch_{number}"
        branch["config"].setdefault("name", branch_name)
        shape, dtype = _shape_of(branch)
        source = f"{branch_name}_input"
        entries.append(input_entry(source, shape, dtype))
        branch.update(name=branch_name, inbound_nodes=[_call([_tensor(source)])])
        entries.append(branch)
        outputs.append(_tensor(branch_name))
        inputs.append([source, 0, 0])
    last = merge["config"].get("name") or "merge"
    merged = _merge({**merge, "config": {k: v for k, v in merge["config"].items() if k != "layers"}})
    entries.append({**merged, "name": last, "inbound_nodes": [_call([outputs])]})
    for layer in rest:
        layer = convert_entry(layer, context)
        current = layer["config"].get("name") or f"layer_{len(entries)}"
        layer["config"].setdefault("name", current)
        entries.append({**layer, "name": current, "inbound_nodes": [_call([_tensor(last)])]})
        last = current
    graph = {"layers": entries, "input_layers": inputs, "output_layers": [last, 0, 0]}
    return {**graph, "name": name} if name else graph


def _shape_of(model: dict[str, Any]) -> tuple[Any, str | None]:
    """Shape and dtype of the input of a converted model."""
    layers = model["config"].get("layers") or []
    first = layers[0] if layers else None
    if first is not None and first["class_name"] == "InputLayer":
        return first["config"].get("batch_shape"), first["config"].get("dtype")
    if first is not None and "layers" in (first.get("config") or {}):
        return _shape_of(first)
    raise CorruptFileError("A branch of the stored model does not say the shape of its input.")


def input_entry(name: str, shape: Any, dtype: str | None) -> dict[str, Any]:
    """The entry of an input of a graph."""
    config = {"name": name, "batch_shape": shape, **({"dtype": dtype} if dtype else {})}
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


# --- merging -------------------------------------------------------------------------------------
_MODES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum"}


def _merge(entry: dict[str, Any]) -> dict[str, Any]:
    config = entry.get("config") or {}
    mode, name = config.get("mode"), config.get("name")
    if config.get("mode_type", "raw") != "raw" or not isinstance(mode, str):
        raise UnsupportedFileError(
            f"Merge layer {name!r} was made with a Python function as its mode. The file holds that as bytecode "
            "of an old "
            "Python, which is not run. Build the model in Python, and load its weights by name."
        )
    inner: dict[str, Any] = {"name": name} if name else {}
    if mode in _MODES:
        kind = _MODES[mode]
    elif mode == "concat":
        kind = "Concatenate"
        inner["axis"] = config.get("concat_axis", -1)
    elif mode in ("dot", "cos"):
        kind = "Dot"
        axes = config.get("dot_axes", -1)
        inner.update(axes=_dot_axes(axes), normalize=mode == "cos")
    else:
        raise UnsupportedFileError(f"Merge layer {name!r} has the mode {mode!r}, which is not known.")
    return {**_rest(entry), "class_name": kind, "config": inner}


def _dot_axes(axes: Any) -> Any:
    if isinstance(axes, (list, tuple)) and axes and isinstance(axes[0], (list, tuple)):
        # The oldest form lists several axes for each side; those with one each have a successor.
        if any(len(side) != 1 for side in axes):
            raise UnsupportedFileError(f"A dot product over several axes at once ({axes}) is not offered.")
        return [side[0] for side in axes]
    return axes


# --- graphs --------------------------------------------------------------------------------------
def _graph(config: dict[str, Any], context: Context) -> dict[str, Any]:
    layers = []
    for entry in config["layers"]:
        converted = convert_entry(entry, context)
        name = entry.get("name") or (entry.get("config") or {}).get("name")
        if not isinstance(converted.get("config"), dict):
            raise CorruptFileError(f"Layer {name!r} of the stored model has no config.")
        converted["name"] = name
        if converted["class_name"] not in ("InputLayer",) and "op" not in converted:
            converted["config"].setdefault("name", name)
        nodes = entry.get("inbound_nodes") or []
        if converted["class_name"] == "InputLayer":
            nodes = []
        converted["inbound_nodes"] = [_node(node, converted, context) for node in nodes]
        layers.append(converted)
    result = {
        "name": config.get("name"),
        "trainable": config.get("trainable", True),
        "layers": layers,
        "input_layers": _places(config["input_layers"]),
        "output_layers": _places(config["output_layers"]),
    }
    _renumber(result)
    return {key: value for key, value in result.items() if value is not None}


def _renumber(graph: dict[str, Any]) -> None:
    """Count the calls of each layer from 0.

    Models within a model were counted from 1, since their construction was a call. Every stored call is used by another
    one or is an output, so the largest number that occurs tells where counting began.
    """
    used = [
        tensor["config"]["keras_history"] for layer in graph["layers"] for tensor in _tensors_in(layer["inbound_nodes"])
    ]
    ends = [*_all_places(graph["input_layers"]), *_all_places(graph["output_layers"])]
    largest: dict[str, int] = {}
    for name, call, _ in [*used, *ends]:
        largest[name] = max(call, largest.get(name, 0))
    kinds = {layer["name"]: layer["class_name"] for layer in graph["layers"]}
    counts = {layer["name"]: len(layer["inbound_nodes"]) for layer in graph["layers"]}
    first = {name: max(0, largest.get(name, 0) - count + 1) if count else 0 for name, count in counts.items()}
    for place in used:
        place[1] -= first.get(place[0], 0)
    for place in ends:
        # As the ends of a model today's configs still count the construction of a functional one.
        place[1] += (kinds.get(place[0]) == "Functional") - first.get(place[0], 0)


def _tensors_in(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _tensors_in(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _tensors_in(value)


def _all_places(stored: Any) -> Iterator[list[Any]]:
    if isinstance(stored, dict):
        for value in stored.values():
            yield from _all_places(value)
    elif _is_place(stored):
        yield stored
    else:
        for value in stored:
            yield from _all_places(value)


def _places(stored: Any) -> Any:
    """Inputs or outputs: a list of one stands for the one tensor."""
    if isinstance(stored, dict):
        return {key: _places(value) for key, value in stored.items()}
    if _is_place(stored):
        return list(stored[:3])
    places = [_places(item) for item in stored]
    return places[0] if len(places) == 1 else places


def _is_place(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(number, int) and not isinstance(number, bool) for number in value[1:3])
    )


def _node(node: Any, layer: dict[str, Any], context: Context) -> dict[str, Any]:
    """One call of a layer."""
    if isinstance(node, dict) and "args" in node:
        return node
    kwargs = {key: _constant(value) for key, value in _kwargs_of(node).items()}
    if isinstance(node, dict):
        arguments: list[Any] = [{key: _entry(value) for key, value in node.items()}]
    elif _is_entry(node):
        arguments = [_entry(node)]
    else:
        entries = [_entry(item) for item in node]
        arguments = [entries[0] if len(entries) == 1 else entries]
        if len(entries) > 1 and layer["class_name"] in _RECURRENT and not context.knows(layer["class_name"]):
            arguments, kwargs = [entries[0]], {"initial_state": entries[1:], **kwargs}
    if "op" in layer:
        arguments, kwargs = operation_call(layer["op"], arguments, kwargs, layer.get("name"))
    return _call(arguments, kwargs)


def _is_entry(value: Any) -> bool:
    return _is_place(value) or (isinstance(value, (list, tuple)) and len(value) == 4 and value[0] == _CONSTANT)


_CONSTANT = "_CONSTANT_VALUE"


def _entry(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) >= 3 and value[0] == _CONSTANT:
        return value[2]
    if _is_place(value):
        return _tensor(*value[:3])
    if isinstance(value, dict):
        return {key: _entry(item) for key, item in value.items()}
    return [_entry(item) for item in value] if isinstance(value, (list, tuple)) else value


def _kwargs_of(node: Any) -> dict[str, Any]:
    """Keyword arguments of a call; they stand behind its first tensor."""
    if _is_entry(node):
        return dict(node[3]) if len(node) == 4 and isinstance(node[3], dict) else {}
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ()
    for part in parts:
        found = _kwargs_of(part)
        if found:
            return found
    return {}


def _constant(value: Any) -> Any:
    """A keyword argument: places in it are tensors."""
    if _is_place(value) and len(value) == 3:
        return _tensor(*value)
    if isinstance(value, dict):
        return {key: _constant(item) for key, item in value.items()}
    return [_constant(item) for item in value] if isinstance(value, (list, tuple)) else value


def _tensor(name: str, node: int = 0, index: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, node, index]}}


def _call(args: list[Any], kwargs: dict[str, Any] | None = None) -> dict[str, Any]:
    found = {"args": args, "kwargs": kwargs or {}}
    # These generations store a training flag only where the program gave one, and hold to it.
    return {**found, "fixed": ["training"]} if kwargs and kwargs.get("training") is not None else found
