"""``plot_model`` and ``model_to_dot``."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree

import pytest

from hornbeam import keras
from hornbeam.keras.utils import model_plot


def branched():
    inputs = keras.Input((8,), name="picture")
    first = keras.layers.Dense(4, activation="relu", name="first")(inputs)
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="deep")], name="inner")
    return keras.Model(inputs, keras.layers.Add(name="sum")([first, inner(first)]))


def texts(path):
    return [node.text for node in ElementTree.parse(path).iter() if node.tag.endswith("text")]


@pytest.fixture
def without_tools(monkeypatch):
    monkeypatch.setattr(model_plot, "_pydot", lambda: None)


def test_svg_needs_no_tools(without_tools, tmp_path):
    path = tmp_path / "m.svg"
    assert keras.utils.plot_model(branched(), path, show_shapes=True, show_layer_names=True) is None
    found = texts(path)
    assert "first (Dense)" in found and "inner (Sequential)" in found and "Output shape: (None, 4)" in found
    lines = [node for node in ElementTree.parse(path).iter() if node.tag.endswith("line")]
    assert len(lines) == 4


def test_options(without_tools, tmp_path):
    path = tmp_path / "m.svg"
    keras.utils.plot_model(
        branched(),
        path,
        show_dtype=True,
        expand_nested=True,
        show_layer_activations=True,
        show_trainable=True,
        rankdir="LR",
    )
    found = texts(path)
    assert "Activation: relu" in found and "Output dtype: float32" in found and "Trainable: yes" in found
    assert found.count("Dense") == 2 and "Sequential" not in found
    keras.utils.plot_model(branched(), path, show_layer_names=True, layer_range=["first", "inner"])
    assert texts(path) == ["first (Dense)", "inner (Sequential)"]


def test_other_formats_name_what_is_missing(without_tools, tmp_path):
    with pytest.raises(ImportError, match="Graphviz"):
        keras.utils.plot_model(branched(), tmp_path / "m.pdf")
    with pytest.raises(ImportError, match="pydot"):
        keras.utils.model_to_dot(branched())


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_png_by_pillow(without_tools, tmp_path, rankdir):
    image = pytest.importorskip("PIL.Image", reason="needs the `image` extra")
    keras.utils.plot_model(branched(), tmp_path / "m.png", show_shapes=True, rankdir=rankdir)
    picture = image.open(tmp_path / "m.png")
    wide, high = picture.size
    assert (wide > high) == (rankdir == "LR") and picture.getextrema()[0] == (0, 255)


def test_models_that_are_not_built_cannot_be_drawn(tmp_path):
    with pytest.raises(ValueError, match="before it is built"):
        keras.utils.plot_model(keras.Sequential([keras.layers.Dense(1)]), tmp_path / "m.svg")


def test_dot():
    pydot = pytest.importorskip("pydot", reason="needs the `plot` extra")
    graph = keras.utils.model_to_dot(branched(), show_shapes=True, expand_nested=True)
    assert isinstance(graph, pydot.Dot) and len(graph.get_edges()) == 5
    assert "first (Dense)" in graph.to_string() and len(graph.get_subgraphs()) == 1
    assert isinstance(keras.utils.model_to_dot(branched(), subgraph=True), pydot.Cluster)


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs the programs of Graphviz")
def test_png_with_graphviz(tmp_path):
    keras.utils.plot_model(branched(), tmp_path / "m.png")
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


def test_dot_draws_svg_without_programs(monkeypatch):
    pytest.importorskip("pydot")
    monkeypatch.setenv("PATH", "")
    graph = keras.utils.model_to_dot(branched(), show_shapes=True)
    for drawn in (graph.create(prog="dot", format="svg"), graph.create_svg()):
        assert b"<svg" in drawn and b"first" in drawn
    with pytest.raises((OSError, AssertionError)):
        graph.create(prog="dot", format="pdf")
