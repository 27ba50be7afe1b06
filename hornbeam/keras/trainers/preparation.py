"""What happens between opening the data and the first step: everything is checked and built, nothing is changed."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.base import trees
from hornbeam.base.errors import DataError
from hornbeam.core.frame import Program
from hornbeam.core.tensor import wrap
from hornbeam.keras.trainers.checks import check_class_numbers, check_inputs, warn_if_not_finite
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.convert import is_text
from hornbeam.keras.trainers.host_head import prepare_feed
from hornbeam.keras.trainers.rollback import Rollback
from hornbeam.keras.trainers.runner import NEEDS_VALUE, Runner
from hornbeam.keras.utils.data_tuples import unpack_x_y_sample_weight


def prepare(model: Any, runner: Runner, feed: Any, method: str) -> None:
    """Check the data and capture the step, which builds the model, its metrics and its optimizer.

    Args:
        model: the model.
        runner: of the step to be run.
        feed: the data.
        method: for messages.

    Raises:
        DataError: the data do not fit the model or its losses, or there are none. The model is as it was.
    """
    batch = feed.first()
    if batch is None:
        raise DataError(f"{method}() got no samples: the data source ({type(feed.source).__name__}) gave no batches.")
    if not model._overrides(f"{runner.kind}_step"):
        # All rows where they are known, as messages name the shape of the data as they were given.
        check_inputs(model, feed.arrays if isinstance(feed, ArrayFeed) else batch, method)
    prepare_feed(model, feed)
    batch = feed.first() if isinstance(feed, ArrayFeed) else batch
    build_on(model, runner, batch, method)
    if isinstance(feed, ArrayFeed) and runner.kind != "predict" and checks_labels(model, runner.kind):
        check_class_numbers(model._training.compiled_loss, feed.arrays)


def build_on(model: Any, runner: Runner, batch: Any, method: str) -> None:
    """Capture the step for a batch, or rehearse it where steps are not compiled."""
    warn_if_not_finite(batch, method)
    if runner.program_for(batch) is not None or runner.kind == "predict":
        return
    if not model._overrides(f"{runner.kind}_step", "compute_loss", "compute_metrics"):
        _rehearse(model, batch)


def checks_labels(model: Any, kind: str) -> bool:
    """Whether labels go into the losses as they come, so that they can be checked before."""
    compiled = model._training.compiled_loss
    if compiled is None or model._overrides(f"{kind}_step", "compute_loss"):
        return False
    return compiled.takes_class_numbers


def _rehearse(model: Any, batch: Any) -> None:
    """Build model, losses and metrics by an abstract run, where steps are not compiled."""
    compiled = (model._training.compiled_loss, model._training.compiled_metrics)
    unbuilt = any(one is not None and not one.built for one in compiled)
    unbuilt = unbuilt or not all(layer.built for layer in model._flatten_layers())
    leaves, tree = jax.tree_util.tree_flatten(batch)
    if not unbuilt or any(is_text(leaf) for leaf in leaves):
        return

    def run(*arrays: Any) -> Any:
        data = jax.tree_util.tree_unflatten(tree, [wrap(array) for array in arrays])
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = model._predict_with(x, training=False)
        model._loss_of(x, y, y_pred, sample_weight, training=False)
        model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        return trees.flatten(y_pred)

    try:
        with Rollback(model):
            Program(run, [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves])
    except NEEDS_VALUE:
        # Python code that needs values: the reason to run eagerly. The first step will build.
        return
