"""The default step, and what own kinds of summaries are made of. References: TensorFlow ``tf.summary.experimental``."""

from __future__ import annotations

from hornbeam.summary.recording import get_step, set_step, summary_scope, write_raw_pb

__all__ = ["get_step", "set_step", "summary_scope", "write_raw_pb"]
