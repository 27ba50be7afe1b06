"""What a picture of a model shows: boxes with lines of text and links between them; and a picture without tools."""

from __future__ import annotations

import html
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from hornbeam.base import trees
from hornbeam.keras import activations
from hornbeam.keras.utils.summary_table import layer_bounds


@dataclass
class Box:
    """A layer in the picture.

    Attributes:
        key: a name that no other box has.
        lines: its text.
        trainable: whether the layer is trained.
        group: keys and names of the models around it, outermost first.
    """

    key: str
    lines: list[str]
    trainable: bool = True
    group: tuple[tuple[str, str], ...] = ()


@dataclass
class Diagram:
    """Boxes in an order in which they can be computed, and links (from, to) between their keys."""

    boxes: list[Box] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Options:
    """What boxes show; see ``plot_model``."""

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = True
    expand_nested: bool = False
    show_layer_activations: bool = False
    show_trainable: bool = False


def diagram(model: Any, options: Options, layer_range: Any = None) -> Diagram:
    """The boxes and links of a model.

    Raises:
        ValueError: the model is not built.
    """
    if not model.built:
        raise ValueError(
            f"Model '{model.name}' cannot be drawn before it is built. Call it on data, or call `build(input_shape)`."
        )
    found = Diagram()
    _add_model(found, model, options, (), layer_range)
    return found


def _add_model(
    found: Diagram, model: Any, options: Options, group: tuple, layer_range: Any = None
) -> tuple[list, list]:
    """Add a model's boxes; returns the keys of its first and of its last ones."""
    graph = vars(model).get("_functional")
    if graph is None:
        box = _box(model, options, group)
        found.boxes.append(box)
        return [box.key], [box.key]
    layers = list(graph.operations)
    first, last = layer_bounds(layers, layer_range)
    shown = layers[first:last]
    ends: dict[int, tuple[list[str], list[str]]] = {}
    for layer in shown:
        if options.expand_nested and vars(layer).get("_functional") is not None:
            ends[id(layer)] = _add_model(found, layer, options, (*group, (f"{layer.name}_{id(layer)}", layer.name)))
        else:
            box = _box(layer, options, group)
            found.boxes.append(box)
            ends[id(layer)] = [box.key], [box.key]
    for node in graph.all_nodes:
        for tensor in node.inputs:
            before = tensor._keras_history.operation
            if id(before) in ends and id(node.operation) in ends and before is not node.operation:
                links = [(a, b) for a in ends[id(before)][1] for b in ends[id(node.operation)][0]]
                found.links += [link for link in links if link not in found.links]
    sources = [key for tensor in graph.inputs for key in _ends_of(tensor, ends, 0)]
    sinks = [key for tensor in graph.outputs for key in _ends_of(tensor, ends, 1)]
    return sources, sinks


def _ends_of(tensor: Any, ends: dict[int, tuple[list[str], list[str]]], side: int) -> list[str]:
    found = ends.get(id(tensor._keras_history.operation))
    return found[side] if found is not None else []


def _box(layer: Any, options: Options, group: tuple) -> Box:
    kind = type(layer).__name__
    lines = [f"{layer.name} ({kind})" if options.show_layer_names else kind]
    activation = getattr(layer, "activation", None)
    if options.show_layer_activations and activation is not None:
        lines.append(f"Activation: {activations.serialize(activation) if callable(activation) else activation}")
    if options.show_dtype:
        lines.append(f"Output dtype: {_of_tensors(layer, 'output', 'dtype')}")
    if options.show_shapes:
        if (given := _of_tensors(layer, "input", "shape")) != "?":
            lines.append(f"Input shape: {given}")
        lines.append(f"Output shape: {_of_tensors(layer, 'output', 'shape')}")
    trainable = bool(getattr(layer, "trainable_weights", None)) or not getattr(layer, "weights", None)
    if options.show_trainable and getattr(layer, "weights", None):
        lines.append(f"Trainable: {'yes' if trainable else 'no'}")
    return Box(f"{layer.name}_{id(layer)}", lines, trainable, group)


def _of_tensors(layer: Any, side: str, what: str) -> str:
    """Shape or dtype of the inputs or outputs of a layer's first call."""
    nodes = getattr(layer, "_inbound_nodes", None)
    if not nodes:
        return "?"
    tensors = trees.flatten(nodes[0].inputs if side == "input" else nodes[0].outputs)
    texts = [str(tuple(tensor.shape)) if what == "shape" else str(tensor.dtype) for tensor in tensors]
    if not texts:
        return "?"
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


# --- a picture without tools ---------------------------------------------------------------------
_CHARACTER, _LINE, _GAP, _MARGIN = 7.2, 16, 36, 12  # pixels, for a font of 12 pixels


def as_svg(found: Diagram, rankdir: str = "TB") -> str:
    """The diagram as SVG: boxes in rows by depth, straight links.

    Args:
        found: the diagram.
        rankdir: "TB" (from top to bottom) or "LR" (from left to right).
    """
    sideways = rankdir.upper() in ("LR", "RL")
    places, sizes, width, height = _layout(found, sideways)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" font-size="12">',
        '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
    ]
    for start, end in _lines(found, places, sizes, sideways):
        parts.append(
            f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" stroke="black" '
            'marker-end="url(#end)"/>'
        )
    for box in found.boxes:
        (x, y), (w, h) = places[box.key], sizes[box.key]
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="white" stroke="black"/>')
        for number, line in enumerate(box.lines):
            text = html.escape(line)
            parts.append(
                f'<text x="{x + w / 2:.1f}" y="{y + _MARGIN + 4 + number * _LINE:.1f}" '
                f'text-anchor="middle">{text}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])


def draw(found: Diagram, rankdir: str, new_image: Any, pen: Any) -> Any:
    """The diagram as a picture of Pillow.

    Args:
        found: the diagram.
        rankdir: "TB" (from top to bottom) or "LR" (from left to right).
        new_image: ``PIL.Image.new``.
        pen: ``PIL.ImageDraw.Draw``.
    """
    sideways = rankdir.upper() in ("LR", "RL")
    places, sizes, width, height = _layout(found, sideways)
    image = new_image("RGB", (round(width), round(height)), "white")
    to = pen(image)
    for start, end in _lines(found, places, sizes, sideways):
        to.line([start, end], fill="black")
        (x, y), (dx, dy) = end, ((6, 3) if sideways else (3, 6))
        other = (x - dx, y + dy) if sideways else (x + dx, y - dy)
        to.polygon([end, (x - dx, y - dy), other], fill="black")
    for box in found.boxes:
        (x, y), (w, h) = places[box.key], sizes[box.key]
        to.rectangle([x, y, x + w, y + h], fill="white", outline="black")
        for number, line in enumerate(box.lines):
            to.text((x + w / 2, y + _MARGIN + number * _LINE), line, fill="black", anchor="mm")
    return image


_Places = dict[str, tuple[float, float]]


def _layout(found: Diagram, sideways: bool) -> tuple[_Places, _Places, float, float]:
    """Upper left corner and size of each box, width and height of the picture: boxes in rows by depth."""
    depth: dict[str, int] = {box.key: 0 for box in found.boxes}
    for _ in found.boxes:
        changed = False
        for before, after in found.links:
            if depth[after] <= depth[before]:
                depth[after], changed = depth[before] + 1, True
        if not changed:
            break
    rows: defaultdict[int, list[Box]] = defaultdict(list)
    for box in found.boxes:
        rows[depth[box.key]].append(box)
    sizes = {
        box.key: (max(map(len, box.lines)) * _CHARACTER + 2 * _MARGIN, float(len(box.lines) * _LINE + _MARGIN))
        for box in found.boxes
    }
    places, width, height = _places(rows, sizes, sideways)
    return places, sizes, width, height


def _lines(found: Diagram, places: _Places, sizes: _Places, sideways: bool) -> list[tuple[tuple, tuple]]:
    """Start and end of each link."""
    lines = []
    for before, after in found.links:
        (x1, y1), (x2, y2) = places[before], places[after]
        (w1, h1), (w2, h2) = sizes[before], sizes[after]
        start = (x1 + w1, y1 + h1 / 2) if sideways else (x1 + w1 / 2, y1 + h1)
        end = (x2, y2 + h2 / 2) if sideways else (x2 + w2 / 2, y2)
        lines.append((start, end))
    return lines


def _places(
    rows: dict[int, list[Box]], sizes: dict[str, tuple[float, float]], sideways: bool
) -> tuple[dict[str, tuple[float, float]], float, float]:
    """Upper left corner of each box, and width and height of the picture."""
    across, along = (1, 0) if sideways else (0, 1)
    lengths = {
        row: sum(sizes[box.key][across] for box in boxes) + _GAP * (len(boxes) - 1) for row, boxes in rows.items()
    }
    widest = max(lengths.values(), default=0.0)
    places: dict[str, tuple[float, float]] = {}
    position = float(_MARGIN)
    for row in sorted(rows):
        start = _MARGIN + (widest - lengths[row]) / 2
        for box in rows[row]:
            places[box.key] = (position, start) if sideways else (start, position)
            start += sizes[box.key][across] + _GAP
        position += max(sizes[box.key][along] for box in rows[row]) + _GAP
    length, breadth = position - _GAP + _MARGIN, widest + 2 * _MARGIN
    return (places, length, breadth) if sideways else (places, breadth, length)
