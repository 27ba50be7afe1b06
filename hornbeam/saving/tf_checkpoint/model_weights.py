"""``save_weights`` and ``load_weights`` of models in checkpoint form."""

from __future__ import annotations

import os
import warnings
from typing import Any

from hornbeam.base.errors import BuildError
from hornbeam.saving.paths import local_path
from hornbeam.saving.tf_checkpoint.bundle import Bundle
from hornbeam.saving.tf_checkpoint.deferred import restore_later
from hornbeam.saving.tf_checkpoint.graph import write_objects
from hornbeam.saving.tf_checkpoint.restore import Restoration
from hornbeam.saving.tf_checkpoint.state import checkpoint_prefix, write_state
from hornbeam.saving.tf_checkpoint.status import LoadStatus

__all__ = ["load_weights", "save_weights"]


def save_weights(model: Any, path: str) -> None:
    """Write the variables of a model, and of its optimizer, as ``path.index`` and ``path.data-00000-of-00001``.

    The file ``checkpoint`` beside them then names this one as the newest.

    Raises:
        ValueError: the model is not built.
    """
    path = local_path(path)
    # One with only a `train_step` is never called itself.
    if not (model.built or model.variables):
        raise ValueError(
            f"Model {model.name!r} is not built, so it has no weights to save. Call it on data first, or build it "
            "with an input shape."
        )
    write_objects(path, model)
    write_state(os.path.dirname(path) or ".", path)


def load_weights(model: Any, path: str, *, by_name: bool = False, skip_mismatch: bool = False) -> LoadStatus:
    """Read the variables of a model, and of its optimizer if it is compiled, from a checkpoint.

    A layer that is not built yet takes its values when it is.

    Args:
        model: the model; unchanged if a shape does not fit.
        path: prefix, folder or SavedModel.
        by_name: must be False: checkpoints pair layers by their place in the model.
        skip_mismatch: leave out variables of another shape instead of refusing.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: shapes differ, or nothing in the checkpoint belongs to the model.
    """
    if by_name:
        raise ValueError(
            "load_weights(by_name=True) needs an HDF5 file: checkpoints hold layers by their place, not by their "
            "name. Leave out `by_name`, or save the weights with a name that ends in `.h5`."
        )
    path = local_path(path)
    restoration = Restoration(Bundle(checkpoint_prefix(path) or path), model)
    restoration.match()
    restoration.assign(skip_mismatch)
    _check(model, restoration)
    if restoration.unused():
        restore_later(restoration)
    return LoadStatus(restoration)


def _check(model: Any, restoration: Restoration) -> None:
    prefix = restoration.bundle.prefix
    try:
        weights = list(model.weights)
    except BuildError:
        weights = []
    missing = [v.path for v in weights if id(v) not in restoration.restored]
    if weights and len(missing) == len(weights):
        raise ValueError(
            f"Checkpoint {prefix!r} holds nothing that belongs to model {model.name!r}; it was written for another "
            f"model or by a Checkpoint object. It holds: {', '.join(restoration.bundle.names()[:10])} ..."
        )
    if missing and model.built:
        warnings.warn(
            f"Checkpoint {prefix!r} has no value for {len(missing)} of the {len(weights)} weights of model "
            f"{model.name!r}, which keep theirs: {', '.join(missing[:10])}",
            stacklevel=4,
        )
