"""``plot_model`` and ``model_to_dot``: pictures of models."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from typing import Any

from hornbeam.base import check
from hornbeam.base.errors import NotSupportedError
from hornbeam.keras.utils.model_diagram import Box, Diagram, Options, as_svg, diagram, draw

__all__ = ["model_to_dot", "plot_model"]

_TOOLS = "`pip install pydot`, and the programs of Graphviz (https://graphviz.org/download)"


def _pydot() -> Any:
    try:
        import pydot
    except ImportError:
        return None
    return pydot


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Any:
    """A model as a graph of pydot.

    Args:
        model: a built model.
        show_shapes: show shapes of inputs and outputs.
        show_dtype: show dtypes of outputs.
        show_layer_names: show names beside classes.
        rankdir: "TB" (from top to bottom) or "LR" (from left to right).
        expand_nested: show the layers of models in the model, in frames.
        dpi: dots per inch.
        subgraph: give a cluster, to be put into another graph.
        show_layer_activations: show activations.
        show_trainable: show whether layers are trained.
        **kwargs: ``layer_range``, names (or patterns) of the first and last layer to show.

    Returns:
        A ``pydot.Dot``, or a ``pydot.Cluster``.

    Raises:
        ImportError: pydot is missing.
        ValueError: the model is not built.

    References: Keras ``utils.model_to_dot``.
    """
    pydot = _pydot()
    if pydot is None:
        raise ImportError(f"model_to_dot() needs pydot: {_TOOLS}. `plot_model(model, 'model.svg')` works without.")
    layer_range = kwargs.pop("layer_range", None)
    check.no_unknown(kwargs, owner="model_to_dot()", known=("layer_range",))
    options = Options(show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable)
    found = diagram(model, options, layer_range)
    graph = _to_dot(pydot, found, model.name, rankdir, dpi, subgraph)
    if not subgraph:
        graph.__class__ = _self_drawing(pydot)
        graph.drawn_without_programs = lambda: as_svg(found, rankdir)
    return graph


@functools.cache
def _self_drawing(pydot: Any) -> type:
    """``pydot.Dot`` that draws SVG by itself where the programs of Graphviz are missing."""

    class SelfDrawing(pydot.Dot):
        drawn_without_programs: Callable[[], str]

        def create(self, prog: Any = None, format: str = "ps", encoding: str | None = None) -> bytes:
            try:
                return super().create(prog=prog, format=format, encoding=encoding)
            except (OSError, AssertionError):
                if format != "svg":
                    raise
                return self.drawn_without_programs().encode(encoding or "utf-8")

        def create_svg(self, prog: Any = None, encoding: str | None = None) -> bytes:
            return self.create(prog, "svg", encoding)

    return SelfDrawing


def _to_dot(pydot: Any, found: Diagram, name: str, rankdir: str, dpi: int, subgraph: bool) -> Any:
    if subgraph:
        graph = pydot.Cluster(graph_name=re.sub(r"\W", "_", name), style="dashed", label=name)
    else:
        graph = pydot.Dot(graph_type="digraph", rankdir=rankdir, concentrate="true", dpi=dpi, splines="ortho")
    graph.set_node_defaults(shape="box", fontname="Helvetica")
    clusters: dict[str, Any] = {}
    for box in found.boxes:
        _cluster(pydot, graph, clusters, box).add_node(
            pydot.Node(_quoted(box.key), label=_quoted("\\n".join(box.lines)))
        )
    for before, after in found.links:
        graph.add_edge(pydot.Edge(_quoted(before), _quoted(after)))
    return graph


def _cluster(pydot: Any, graph: Any, clusters: dict[str, Any], box: Box) -> Any:
    """The frame of the models around a box, made where it is missing."""
    inner = graph
    for key, label in box.group:
        if key not in clusters:
            clusters[key] = pydot.Cluster(re.sub(r"\W", "_", key), label=_quoted(label), style="dashed")
            inner.add_subgraph(clusters[key])
        inner = clusters[key]
    return inner


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Any:
    """Draw a model into a file.

    Args:
        model: a built model.
        to_file: path; the ending chooses the format (png, svg, pdf, jpg). Without Graphviz, SVG, PNG and JPEG are
            drawn more plainly, the last two by Pillow.
        show_shapes: show shapes of inputs and outputs.
        show_dtype: show dtypes of outputs.
        show_layer_names: show names beside classes.
        rankdir: "TB" (from top to bottom) or "LR" (from left to right).
        expand_nested: show the layers of models in the model, in frames.
        dpi: dots per inch.
        show_layer_activations: show activations.
        show_trainable: show whether layers are trained.
        **kwargs: ``layer_range``, names (or patterns) of the first and last layer to show.

    Returns:
        In a notebook the picture, otherwise None.

    Raises:
        ImportError: another format, and pydot or Graphviz is missing.
        ValueError: the model is not built.

    References: Keras ``utils.plot_model``.
    """
    layer_range = kwargs.pop("layer_range", None)
    check.no_unknown(kwargs, owner="plot_model()", known=("layer_range",))
    options = Options(show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable)
    found = diagram(model, options, layer_range)
    path = os.fspath(to_file)
    kind = os.path.splitext(path)[1].lstrip(".").lower() or "png"
    pydot = _pydot()
    drawn = False
    if pydot is not None:
        try:
            _to_dot(pydot, found, model.name, rankdir, dpi, False).write(path, format=kind)
            drawn = True
        except (OSError, AssertionError):  # pydot is there, but the program that draws is not
            drawn = False
    if not drawn and kind == "svg":
        with open(path, "w", encoding="utf-8") as file:
            file.write(as_svg(found, rankdir))
    elif not drawn and not (kind in ("png", "jpg", "jpeg") and _drawn_by_pillow(found, path, rankdir)):
        raise ImportError(_missing("pydot and Graphviz", path))
    return _for_notebook(path, kind)


def _drawn_by_pillow(found: Diagram, path: str, rankdir: str) -> bool:
    """Draw a plain picture with Pillow; False if that is missing too."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        return False
    draw(found, rankdir, Image.new, ImageDraw.Draw).save(path)
    return True


def _missing(what: str, path: str) -> str:
    return f"plot_model() needs {what} to write {path!r}: {_TOOLS}. Without them write SVG: `to_file='model.svg'`."


def _for_notebook(path: str, kind: str) -> Any:
    """The picture as an object that a notebook shows; None elsewhere."""
    try:
        from IPython import display, get_ipython  # type: ignore[attr-defined]
    except ImportError:
        return None
    if get_ipython() is None or kind == "pdf":
        return None
    if kind == "svg":
        return display.SVG(filename=path)  # type: ignore[attr-defined]
    try:
        return display.Image(filename=path)  # type: ignore[attr-defined]
    except ValueError as error:
        raise NotSupportedError(f"plot_model(): a notebook cannot show {kind!r} pictures. Use png or svg.") from error
