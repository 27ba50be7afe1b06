"""``TerminateOnNaN``: ends training when the loss is no number any more."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.utils.terminal import print_message


class TerminateOnNaN(Callback):
    """Ends training after the first batch whose loss is NaN or infinite.

    It looks at the loss of every batch, so steps run one at a time.

    Args:
        raise_error: raise instead of ending training in the usual way.

    Raises:
        RuntimeError: with ``raise_error``, when the loss is NaN or infinite.

    References: Keras ``callbacks.TerminateOnNaN``.
    """

    state_names = ()

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: the loss of batch {batch} is {loss}; training ends here.")
        print_message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
