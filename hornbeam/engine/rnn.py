"""How loops over the steps of a sequence are compiled."""

from __future__ import annotations

from hornbeam.engine import platform

_FEW_FEATURES = 256
_SHORT = 4
"""Sequences up to so many steps are written out: a loop would cost more than it saves."""


def steps_per_round(steps: int) -> int:
    """Steps that one round of the compiled loop takes.

    A round has a cost of its own, which several small steps share; long bodies compile slowly and gain nothing on CPU,
    where the loop's overhead is small beside a step's matrix product (``benchmarks/rnn_fit.py``).

    Args:
        steps: length of the sequence.
    """
    if steps <= _SHORT:
        return max(steps, 1)
    return 1 if platform.is_cpu() else 4


def projects_at_once(features: int) -> bool:
    """Whether the product of inputs and weights is better done for all steps at once, before the loop.

    On accelerators one large product beats many small ones. On CPU the gates of all steps, written out and read again,
    cost more than they save as long as a step's own product is small: an LSTM step took twice the time
    (``benchmarks/rnn_fit.py``).

    Args:
        features: size of the inputs of one step.
    """
    return not platform.is_cpu() or features > _FEW_FEATURES
