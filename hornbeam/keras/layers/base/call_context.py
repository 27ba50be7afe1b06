"""What a layer call passes on to the layer calls inside it."""

from __future__ import annotations

from typing import Any

from hornbeam.core.scopes import scopes


class CallContext:
    """One outermost layer call.

    Attributes:
        training: training flag in force, or None.
        losses: (layer, loss) pairs added so far by ``add_loss`` and activity regularizers.
    """

    __slots__ = ("entry", "losses", "training")

    def __init__(self, entry: Any, training: Any) -> None:
        self.entry = entry
        self.training = training
        self.losses: list[tuple[Any, Any]] = []


def current() -> CallContext | None:
    """The call in progress in this thread, or None."""
    return scopes.call


_LOSSES = "layer losses"


def store_losses(context: CallContext) -> None:
    """Keep the losses of a finished outermost call where ``layer.losses`` finds them.

    Inside a frame they are traced values, which must not outlive it: they stay with the frame.
    """
    frame = scopes.frame
    if frame is not None:
        frame.notes[_LOSSES] = list(context.losses)
        return
    clear_losses(context.entry)
    for layer, loss in context.losses:
        layer._losses.append(loss)


def clear_losses(layer: Any) -> None:
    """Forget the losses that calls added to a layer and its sublayers."""
    for inner in layer._flatten_layers():
        if inner._losses:
            inner._losses.clear()


def added_losses(layer: Any) -> list[Any]:
    """Losses that the last call added to this very layer."""
    context, frame = scopes.call, scopes.frame
    while frame is not None:
        if _LOSSES in frame.notes:
            return [loss for owner, loss in frame.notes[_LOSSES] if owner is layer]
        frame = frame.parent
    found = list(layer._losses)
    if context is not None:
        found += [loss for owner, loss in context.losses if owner is layer]
    return found
