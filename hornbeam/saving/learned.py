"""What layers learn beside their variables, for files that have no place for assets.

A vocabulary that was learned is a file of its own in ``.keras``. Files that hold configs and weights only take it as
the argument that it could have been; what has no such argument cannot be stored in them, which is said.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.keras.layers import Layer, TextVectorization
from hornbeam.keras.layers.base.tracking import own_variables
from hornbeam.keras.layers.preprocessing.index_lookup import IndexLookup
from hornbeam.saving.assets import assets_of
from hornbeam.saving.numbered import saves_by_number
from hornbeam.saving.walk import walk

__all__ = ["learned_in_configs", "vocabularies_in_configs"]


@contextlib.contextmanager
def learned_in_configs(model: Any, kind: str) -> Iterator[None]:
    """While the block runs, configs hold what layers learned.

    Args:
        model: the model.
        kind: how messages call the file.

    Raises:
        NotSupportedError: a layer has assets, or arrays that are no variables, which no config holds.
    """
    with vocabularies_in_configs(model):
        _refuse_the_rest(model, kind)
        yield


@contextlib.contextmanager
def vocabularies_in_configs(model: Any) -> Iterator[None]:
    """While the block runs, configs of lookup layers hold the vocabularies that the layers learned."""
    before: list[tuple[IndexLookup, Any, Any]] = []
    try:
        for _, item in walk(model):
            if isinstance(item, IndexLookup) and item._tokens is not None and item.input_vocabulary is None:
                before.append((item, item.input_vocabulary, item.input_idf_weights))
                words = item.get_vocabulary()
                item.input_vocabulary = words
                if item._idf is not None:
                    item.input_idf_weights = np.asarray(item._idf)[: len(words)].tolist()
        yield
    finally:
        for item, words, weights in before:
            item.input_vocabulary, item.input_idf_weights = words, weights


def _refuse_the_rest(model: Any, kind: str) -> None:
    lost = sorted({name.removeprefix("assets/") for name, _ in assets_of(model)})
    lost += [f"{path} ({type(item).__name__})" for path, item in walk(model) if _has_more_than_variables(item)]
    if lost:
        raise NotSupportedError(
            f"Model '{model.name}' cannot be saved as {kind}: such files hold configs and variables only, and would "
            f"lose what these layers keep beside them: {lost[:8]}. Save it as `.keras`, which holds everything."
        )


def _has_more_than_variables(item: Any) -> bool:
    """Whether a layer stores, by its own method, more arrays than it has variables."""
    if not isinstance(item, Layer) or saves_by_number(item):
        return False
    if isinstance(item, (IndexLookup, TextVectorization)):
        return False
    stored: dict[str, Any] = {}
    item.save_own_variables(stored)
    return len(stored) > len(own_variables(item))
