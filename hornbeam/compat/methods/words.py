"""``Embedding(..., dropout=0.2)``: whole words that are left out, as the first generation had it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.compat.notes import note
from hornbeam.keras import random


def _taking_dropout(constructor: Callable) -> Callable:
    """Give the constructor the argument ``dropout``, the share of words that are zero in a batch of training."""

    @functools.wraps(constructor)
    def constructed(self: Any, *args: Any, dropout: float | None = None, **kwargs: Any) -> None:
        constructor(self, *args, **kwargs)
        if not dropout:
            return
        if not 0 <= dropout < 1:
            raise ValueError(f"Embedding: `dropout` is a share from 0 to below 1. Received: dropout={dropout!r}")
        note("Embedding: argument `dropout` leaves out words; `SpatialDropout1D` behind it does nearly the same.")
        self.dropout = float(dropout)
        self.seed_generator = random.SeedGenerator()

    return constructed


def _leaving_out_words(call: Callable) -> Callable:
    """In training every row of the table is zero with probability ``dropout``, and the others are larger by as much."""

    def called(self: Any, inputs: Any, training: Any = None) -> Any:
        outputs = call(self, inputs)
        rate = vars(self).get("dropout")
        if not rate or not training:
            return outputs
        kept = random.uniform((self.input_dim,), seed=self.seed_generator) >= rate
        factor = ops.take(ops.cast(kept, outputs.dtype) / (1 - rate), ops.cast(inputs, "int32"), axis=0)
        return outputs * ops.expand_dims(factor, -1)

    called.__doc__ = call.__doc__
    return called


def _telling_dropout(get_config: Callable) -> Callable:
    """Put the share into the config, where there is one."""

    @functools.wraps(get_config)
    def config_of(self: Any) -> dict[str, Any]:
        config = get_config(self)
        return {**config, "dropout": self.dropout} if vars(self).get("dropout") else config

    return config_of


AROUND_EMBEDDING: dict[str, Callable] = {
    "__init__": _taking_dropout,
    "call": _leaving_out_words,
    "get_config": _telling_dropout,
}
