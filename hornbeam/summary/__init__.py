"""Summaries for TensorBoard: numbers, histograms, pictures, sounds, texts, graphs. References: TensorFlow
``tf.summary``.
"""

from hornbeam.summary import experimental
from hornbeam.summary.graphs import graph, trace_export, trace_off, trace_on
from hornbeam.summary.kinds import audio, histogram, image, scalar, text
from hornbeam.summary.recording import should_record_summaries, write
from hornbeam.summary.state import record_if
from hornbeam.summary.writers import SummaryWriter, create_file_writer, create_noop_writer, flush

__all__ = [
    "SummaryWriter",
    "audio",
    "create_file_writer",
    "create_noop_writer",
    "experimental",
    "flush",
    "graph",
    "histogram",
    "image",
    "record_if",
    "scalar",
    "should_record_summaries",
    "text",
    "trace_export",
    "trace_off",
    "trace_on",
    "write",
]
