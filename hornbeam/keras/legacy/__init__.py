"""What Keras keeps under ``keras.legacy``: objects to configs and back in the form before Keras 3."""

from __future__ import annotations

from hornbeam.keras.legacy import saving

__all__ = ["saving"]
