"""``print_summary``: a table of a model's layers, output shapes and parameter counts.

References: Keras ``Model.summary``.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hornbeam.base import dtypes, registry, settings, trees
from hornbeam.base.errors import BuildError
from hornbeam.keras.models.sequential import Sequential
from hornbeam.keras.utils import terminal, text_table
from hornbeam.keras.utils.progress_screens import display_text

__all__ = ["count_params", "print_summary", "weight_memory_size"]


# --- counts --------------------------------------------------------------------------------------
def count_params(weights: Iterable[Any]) -> int:
    """Number of numbers in a list of variables."""
    return sum(math.prod(weight.shape) for weight in weights)


def weight_memory_size(weights: Iterable[Any]) -> float:
    """Bytes that variables take up; a variable that is listed twice counts once."""
    unique = {id(weight): weight for weight in weights}.values()
    return sum(math.prod(weight.shape) * _bits(weight.dtype) for weight in unique) / 8


def _bits(dtype: Any) -> int:
    name = dtypes.as_dtype(dtype).name
    if name == "bool":
        # Keras counts booleans as one bit.
        return 1
    digits = re.search(r"\d+", name)
    return int(digits.group()) if digits else 0


def readable_memory_size(size: float) -> str:
    """Bytes in the largest unit that gives a number of at least 1."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def _weights(model: Any, which: str) -> list[Any]:
    try:
        return list(getattr(model, which))
    except BuildError:
        # No weights yet: the table says "(unbuilt)".
        return []


# --- layers --------------------------------------------------------------------------------------
@dataclass
class _Layout:
    """What is shown of a model."""

    layers: list[Any]
    linear: bool
    nodes: list[Any]


def _layout(model: Any) -> _Layout:
    graph = vars(model).get("_functional")
    if graph is None or isinstance(model, Sequential):
        return _Layout(list(model.layers), True, [])
    by_depth = list(graph.nodes_by_depth.values())
    nodes = [node for level in by_depth for node in level]
    linear = all(len(level) == 1 and len(level[0].inputs) <= 1 for level in by_depth) and not any(
        sum(any(node is one for one in nodes) for node in layer._inbound_nodes) > 1 for layer in model.layers
    )
    return _Layout(list(graph.operations), linear, nodes)


def _class_name(operation: Any) -> str:
    function = getattr(operation, "function", None)
    op = getattr(function, "op", None)
    if op is not None and not hasattr(operation, "built"):
        # A call of an op in the graph: `expand_dims` is shown as ExpandDims.
        return "".join(part.capitalize() for part in op.name.split("_"))
    return type(operation).__name__


def _shape_text(shape: Any) -> str:
    return f"({', '.join(str(size) for size in shape)})"


def _output_shape_text(layer: Any) -> str:
    nodes = layer._inbound_nodes
    if nodes:
        structure: Any = [_shape_text(tensor.shape) for tensor in nodes[-1].outputs]
    elif not vars(layer).get("_build_shapes") or (found := _computed_shape(layer)) is None:
        return "?"
    else:
        structure = _map_shapes(found)
    flat = trees.flatten(structure)
    return flat[0] if len(flat) == 1 else str(structure).replace("'", "")


def _computed_shape(layer: Any) -> Any:
    """Shape(s) of the output for the shapes that the layer was built for; None if it cannot tell."""
    given = vars(layer)["_build_shapes"]
    try:
        found = getattr(layer, "output_shape", None)
        if found is not None:
            return found
        if len(given) == 1:
            return layer.compute_output_shape(next(iter(given.values())))
        return layer.compute_output_shape(
            **{name if name.endswith("_shape") else f"{name}_shape": shape for name, shape in given.items()}
        )
    except (NotImplementedError, TypeError, ValueError):
        return None


def _map_shapes(structure: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _map_shapes(one) for key, one in structure.items()}
    if isinstance(structure, (list, tuple)) and any(isinstance(one, (list, tuple, dict)) for one in structure):
        return (
            type(structure)(_map_shapes(one) for one in structure)
            if type(structure) in (list, tuple)
            else list(map(_map_shapes, structure))
        )
    return _shape_text(structure)


def _params_text(layer: Any) -> str:
    if not hasattr(layer, "built"):
        return "0"
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _connections(layer: Any, nodes: list[Any]) -> str:
    found = []
    for node in layer._inbound_nodes:
        if nodes and not any(node is one for one in nodes):
            continue
        for tensor in node.inputs:
            history = tensor._keras_history
            found.append(f"{history.operation.name}[{history.node_index}][{history.tensor_index}]")
    return ", ".join(found) or "-"


def _trainable_text(layer: Any) -> str:
    if not _weights(layer, "weights") if hasattr(layer, "built") else True:
        return "-"
    return "Y" if layer.trainable else "N"


def _rows(layer: Any, layout: _Layout, expand: bool, trainable: bool, level: int = 0) -> list[list[str]]:
    prefix = "   " * level + "└ " if level else ""
    row = [f"{prefix}{layer.name} ({_class_name(layer)})", _output_shape_text(layer), _params_text(layer)]
    if not layout.linear:
        row.append(_connections(layer, layout.nodes))
    if trainable:
        row.append(_trainable_text(layer))
    rows = [list(map(terminal.escape, row))]
    if expand:
        for inner in getattr(layer, "layers", None) or ():
            rows += _rows(inner, layout, expand, trainable, level + 1)
    return rows


def layer_bounds(layers: Sequence[Any], layer_range: Any) -> tuple[int, int]:
    """Start and end of the layers to show."""
    if layer_range is None:
        return 0, len(layers)
    if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
        raise ValueError(f"`layer_range` takes a pair of layer names. Received: layer_range={layer_range!r}")
    if not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range should contain string type only. Received: layer_range={layer_range!r}")
    first, last = ([i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range)
    if not first or not last:
        raise ValueError(
            "`layer_range` names no layer at one of its ends. "
            f"Received: layer_range={layer_range!r}; the layers are {[layer.name for layer in layers]}"
        )
    if first[0] > last[-1]:
        return last[0], first[-1] + 1
    return first[0], last[-1] + 1


# --- text ----------------------------------------------------------------------------------------
def _columns(
    linear: bool, trainable: bool, positions: Any, line_length: int | None
) -> tuple[list[str], list[str], list[int]]:
    """Header, alignment and text widths of the columns."""
    header = ["Layer (type)", "Output Shape", "Param #"]
    alignment = ["left", "left", "right"]
    if not linear:
        header.append("Connected to")
        alignment.append("left")
    default = 88 if linear else 108
    ends = list(positions) if positions else [0.45, 0.80, 1.0] if linear else [0.3, 0.56, 0.74, 1.0]
    if trainable:
        default += 12
        ends = [end * 0.9 for end in ends]
        header.append("Trainable")
        alignment.append("center")
    length = line_length or min(default, terminal.columns() - 4)
    absolute = max(ends) > 1
    if trainable:
        ends.append(length if absolute else 1.0)
    if len(ends) < len(header):
        raise ValueError(f"`positions` must give the ends of {len(header)} columns. Received: positions={positions}")
    stops = [min(int(end), length) if absolute else int(end * length) for end in ends]
    widths = [stop - start for start, stop in zip([0, *stops], stops, strict=False)][: len(header)]
    if min(widths) < 4:
        raise ValueError(
            "Insufficient console width to print summary. "
            f"The columns would be {widths} characters wide, at least 4 are needed; give a larger `line_length`."
        )
    return header, alignment, text_table.cell_widths(widths, length)


def _totals(model: Any) -> list[str]:
    own = "_collected_trainable_weights" if hasattr(model, "_collected_trainable_weights") else "trainable_weights"
    groups = [("Trainable", _weights(model, own)), ("Non-trainable", _weights(model, "non_trainable_weights"))]
    optimizer = getattr(model, "optimizer", None) if getattr(model, "compiled", False) else None
    if optimizer is not None and optimizer.built:
        groups.append(("Optimizer", list(optimizer.variables)))
    total = sum(count_params(weights) for _, weights in groups)
    size = sum(weight_memory_size(weights) for _, weights in groups)
    lines = [f" Total params: {total:,} ({readable_memory_size(size)})"]
    for name, weights in groups:
        size_text = readable_memory_size(weight_memory_size(weights))
        lines.append(f" {name} params: {count_params(weights):,} ({size_text})")
    return lines


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a table of a model's layers.

    Args:
        model: the model.
        line_length: width of the table in characters; the terminal's if not given, at most 88 (108 with the column
            "Connected to", 12 more with "Trainable").
        positions: where the columns end: fractions of the width, or numbers of characters.
        print_fn: called once with the whole text, instead of printing it.
        expand_nested: list the layers of inner models too.
        show_trainable: add a column that says whether each layer is trained.
        layer_range: names (or regular expressions) of the first and the last layer to show.

    Raises:
        ValueError: the table is too narrow, or ``layer_range`` names no layer.

    References: Keras ``Model.summary``.
    """
    layout = _layout(model)
    header, alignment, widths = _columns(layout.linear, show_trainable, positions, line_length)
    start, end = layer_bounds(layout.layers, layer_range)
    rows = [row for layer in layout.layers[start:end] for row in _rows(layer, layout, expand_nested, show_trainable)]
    goes_out = print_fn is None and sys.stdout is not None
    ascii_only = goes_out and not terminal.speaks_unicode()
    lines = [
        f'Model: "{terminal.escape(model.name)}"',
        *text_table.table(header, rows, widths, alignment, ascii_only),
        *_totals(model),
    ]
    text = "\n".join(lines) + "\n"
    if print_fn is not None:
        print_fn(text)
    elif settings.interactive_logging() and terminal.is_notebook():
        display_text(text)
    else:
        terminal.print_message(text, line_break=False)


registry.provide("keras", "summary", print_summary)
