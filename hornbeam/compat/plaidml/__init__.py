"""``plaidml``: the import name of PlaidML, for programs that choose it as Keras's backend."""

from __future__ import annotations

from hornbeam.compat.plaidml import keras as keras

__version__ = "0.7.0"
__all__ = ["keras"]
