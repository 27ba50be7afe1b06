"""Configs of the first versions, where class, arguments and layers stand on one level, in the form that came after."""

from __future__ import annotations

from typing import Any

from hornbeam.compat.configs.models import input_entry

__all__ = ["flat_entry"]


def flat_entry(config: dict[str, Any]) -> dict[str, Any]:
    """A model whose class, arguments and layers stand on one level, in the form with class name and config."""
    if config.get("name") == "Graph":
        return _flat_graph(config)
    used: dict[str, int] = {}
    return {"class_name": "Sequential", "config": [_flat_layer(layer, used) for layer in config["layers"]]}


def _flat_layer(layer: dict[str, Any], used: dict[str, int]) -> dict[str, Any]:
    arguments = {key: value for key, value in layer.items() if key not in ("name", "custom_name", "input_shape")}
    kind = layer["name"]
    # Several layers may bear the name of their class; today names are unique.
    name = layer.get("custom_name") or kind.lower()
    number = used.get(name, 0) + 1
    used[name] = number
    arguments["name"] = name if number == 1 else f"{name}_{number}"
    shape = layer.get("input_shape")
    if (
        shape is None
        and layer.get("input_dim") is not None
        and kind != "Embedding"
        and not (number > 1 or len(used) > 1)
    ):
        shape = [layer["input_dim"]]
    if kind == "Embedding" and len(used) == 1:
        shape = [layer.get("input_length")]
    if shape is not None:
        arguments["batch_input_shape"] = [None, *shape]
    if isinstance(layer.get("layers"), list):
        arguments["layers"] = [_flat_model(inner) for inner in layer["layers"]]
    if kind == "Sequential":
        return flat_entry(layer)
    return {"class_name": kind, "config": arguments}


def _flat_model(config: dict[str, Any]) -> dict[str, Any]:
    return flat_entry(config) if config.get("name") in ("Sequential", "Graph") else _flat_layer(config, {})


def _flat_graph(config: dict[str, Any]) -> dict[str, Any]:
    """A graph of named nodes; each node has one input, or several that are merged first."""
    entries: list[dict[str, Any]] = []
    for one in config.get("input_config", []):
        shape = config.get("input_shapes", {}).get(one["name"]) or one.get("input_shape")
        dtype = one.get("dtype", "float32")
        dtype = "int32" if dtype == "int" else "float32" if dtype == "float" else dtype
        entry = input_entry(one["name"], [None, *shape], dtype)
        entry["config"] = {"name": one["name"], "batch_input_shape": [None, *shape], "dtype": dtype}
        entries.append(entry)

    def source(one: dict[str, Any]) -> str:
        names = one.get("inputs") or []
        if not names:
            return one["input"]
        merged = f"merge_inputs_for_{one['name']}"
        inner = {key: one[key] for key in ("concat_axis", "dot_axes") if key in one}
        inner.update(name=merged, mode=one.get("merge_mode", "concat"))
        nodes = [[[name, 0, 0] for name in names]]
        entries.append({"class_name": "Merge", "config": inner, "name": merged, "inbound_nodes": nodes})
        return merged

    for one in config.get("node_config", []):
        place = source(one)
        layer = _flat_layer({**config["nodes"][one["name"]], "custom_name": one["name"]}, {})
        entries.append({**layer, "name": one["name"], "inbound_nodes": [[[place, 0, 0]]]})
    outputs = []
    for one in config.get("output_config", []):
        outputs.append([source(one), 0, 0])
    inputs = [[one["name"], 0, 0] for one in config.get("input_config", [])]
    graph = {"name": "graph", "layers": entries, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Model", "config": graph}
