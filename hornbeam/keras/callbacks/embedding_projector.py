"""Tables of ``Embedding`` layers for TensorBoard's Projector."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hornbeam.keras.layers import Embedding

_TENSOR_NAME = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"


def check_metadata(model: Any, metadata: Any) -> None:
    """See that each name in a dict of files belongs to an ``Embedding`` layer.

    Raises:
        ValueError: one does not.
    """
    if metadata is None or isinstance(metadata, (str, os.PathLike)):
        return
    known = [layer.name for layer in _embeddings(model)]
    unknown = [name for name in metadata if name not in known]
    if unknown:
        raise ValueError(
            f"TensorBoard: `embeddings_metadata` names {unknown}, but the model's Embedding layers are {known}."
        )


def write_config(model: Any, folder: str, metadata: Any) -> None:
    """Write the Projector's list of tables, a message in text form."""
    parts = []
    for layer in _embeddings(model):
        lines = [f'  tensor_name: "{_TENSOR_NAME}"']
        path = metadata.get(layer.name) if isinstance(metadata, dict) else metadata
        if path is not None:
            lines.append(f'  metadata_path: "{_quoted(os.fspath(path))}"')
        # The Projector reads tables from text files without TensorFlow's help.
        lines.append(f'  tensor_path: "{_quoted(_table(layer))}"')
        parts.append("embeddings {\n" + "\n".join(lines) + "\n}\n")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
        file.write("".join(parts))


def write_tables(model: Any, folder: str) -> None:
    """Write the tables as they are now: a row per line, numbers separated by tabs."""
    for layer in _embeddings(model):
        path = os.path.join(folder, _table(layer))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        np.savetxt(path, np.asarray(layer.embeddings, np.float32), fmt="%.9g", delimiter="\t")


def _embeddings(model: Any) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, Embedding)]


def _table(layer: Any) -> str:
    return f"train/embeddings-{layer.name.replace('/', '_')}.tsv"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
