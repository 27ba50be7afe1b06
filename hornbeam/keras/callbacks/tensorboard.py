"""``TensorBoard``: writes what TensorBoard shows, without TensorFlow."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import Any

import jax
import numpy as np

from hornbeam import summary
from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.embedding_projector import check_metadata, write_config, write_tables
from hornbeam.keras.callbacks.learning_rate_scheduler import log_rates
from hornbeam.keras.callbacks.weight_pictures import as_pictures
from hornbeam.summary.events import metadata_proto
from hornbeam.summary.graphs import graph_def


class TensorBoard(Callback):
    """Writes metrics, and on request weights, graphs and profiles, to event files that ``tensorboard --logdir`` shows.

    Files of training lie in ``<log_dir>/train``, those of validation in ``<log_dir>/validation``. ``tf.summary``
    functions in a model or a ``train_step`` write there too, unless ``update_freq="epoch"``.

    Args:
        log_dir: the folder. Use one of its own for each run.
        histogram_freq: epochs between two histograms of all weights; 0 for none.
        write_graph: write the model's layers and the operations of a training step.
        write_images: with the histograms, write the weights as pictures.
        write_steps_per_second: write training steps per second, by epoch and by batch.
        update_freq: ``"epoch"``; or ``"batch"`` or a number of batches, to write the metrics of batches too.
        profile_batch: number of the batch (from 1) to profile, or first and last one; 0 for none. The profile is made
            by JAX's profiler, and shown by TensorBoard's profile plugin or Perfetto.
        embeddings_freq: epochs between two copies of the tables of ``Embedding`` layers for the Projector; 0 for none.
        embeddings_metadata: file with the names of the rows, or a dict of them by name of the layer.

    Example:
        >>> model.fit(x, y, epochs=5, validation_split=0.2, callbacks=[keras.callbacks.TensorBoard("logs/run-1")])

    References: Keras ``callbacks.TensorBoard``.
    """

    state_names = ("_global_train_batch", "_global_test_batch")

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = _frequency(update_freq)
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._start_batch, self._stop_batch = _batches_to_profile(profile_batch)
        self._is_tracing = False
        self._global_train_batch = 0
        self._global_test_batch = 0
        self._steps_before = 0
        self._epoch_start_time = self._batch_start_time = 0.0
        self._writers: dict[str, Any] = {}
        self._default = ExitStack()
        self._outer: list[ExitStack] = []
        self._should_write_train_graph = False
        hooks = ("on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin", "on_test_batch_end")
        if self._by_epoch and not any(getattr(type(self), hook) is not getattr(TensorBoard, hook) for hook in hooks):
            self.batch_interval = 0

    @property
    def _by_epoch(self) -> bool:
        """Whether single batches are of no interest."""
        return self.update_freq == "epoch" and not self._start_batch

    # --- writers ---------------------------------------------------------------------------------
    def set_model(self, model: Any) -> None:
        """Take note of the model, and write its layers."""
        super().set_model(model)
        self._log_write_dir = self.log_dir
        self._train_dir = os.path.join(self.log_dir, "train")
        self._val_dir = os.path.join(self.log_dir, "validation")
        self._close_writers()
        self._should_write_train_graph = bool(self.write_graph)
        if self.write_graph:
            self._write_layers()
        if self.embeddings_freq:
            check_metadata(model, self.embeddings_metadata)
            write_config(model, self.log_dir, self.embeddings_metadata)

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            folder = self._train_dir if name == "train" else self._val_dir
            self._writers[name] = summary.create_file_writer(folder)
        return self._writers[name]

    @property
    def summary(self) -> Any:
        """The module that writes: ``tf.summary``."""
        return summary

    @property
    def _train_writer(self) -> Any:
        return self._writer("train")

    @property
    def _val_writer(self) -> Any:
        return self._writer("val")

    def _close_writers(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _push_writer(self, writer: Any, step: int) -> None:
        """Let summaries of the model's own code go to a writer, in the batches that are recorded."""
        if self.update_freq == "epoch":
            return
        self._outer.append(self._default)
        self._default = ExitStack()
        self._default.enter_context(writer.as_default(step))
        self._default.enter_context(summary.record_if(step % self.update_freq == 0))

    def _pop_writer(self) -> None:
        if self._outer:
            self._default.close()
            self._default = self._outer.pop()

    # --- training --------------------------------------------------------------------------------
    def on_train_begin(self, logs: Any = None) -> None:
        self._global_train_batch = 0
        self._push_writer(self._train_writer, 0)

    def on_train_end(self, logs: Any = None) -> None:
        try:
            if self._is_tracing:
                self._stop_trace(self._global_train_batch)
        finally:
            while self._outer:
                self._pop_writer()
            self._close_writers()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._global_train_batch += 1
        if self.update_freq != "epoch":
            self._pop_writer()
            self._push_writer(self._train_writer, self._global_train_batch)
        self._batch_start_time = time.perf_counter()
        if self._start_batch and self._global_train_batch == self._start_batch:
            summary.trace_on(graph=True, profiler=True, profiler_outdir=self._train_dir)
            self._is_tracing = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._should_write_train_graph:
            self._write_step()
        step = self._global_train_batch
        if self.update_freq != "epoch" and step % self.update_freq == 0:
            values = dict((logs or {}).items())
            with self._train_writer.as_default(step):
                for name, value in values.items():
                    summary.scalar(f"batch_{name}", value)
                if self.write_steps_per_second:
                    duration = max(time.perf_counter() - self._batch_start_time, 1e-9)
                    summary.scalar("batch_steps_per_second", 1.0 / duration)
        if self._is_tracing and step >= self._stop_batch:
            self._stop_trace(step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._steps_before = self._steps()
        self._epoch_start_time = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._should_write_train_graph:
            self._write_step()
        self._log_epoch_metrics(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._log_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._log_embeddings(epoch)

    # --- evaluation ------------------------------------------------------------------------------
    def on_test_begin(self, logs: Any = None) -> None:
        self._push_writer(self._val_writer, self._global_test_batch)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._global_test_batch += 1
        if self.update_freq != "epoch":
            self._pop_writer()
            self._push_writer(self._val_writer, self._global_test_batch)

    def on_test_end(self, logs: Any = None) -> None:
        if self.model.optimizer is not None and hasattr(self.model.optimizer, "iterations") and logs:
            with self._val_writer.as_default(self._steps()), summary.record_if(True):
                for name, value in logs.items():
                    summary.scalar(f"evaluation_{name}_vs_iterations", value)
        self._pop_writer()

    # --- what is written -------------------------------------------------------------------------
    def _steps(self) -> int:
        optimizer = self.model.optimizer
        return int(np.asarray(optimizer.iterations)) if hasattr(optimizer, "iterations") else 0

    def _log_epoch_metrics(self, epoch: int, logs: Any) -> None:
        if not logs:
            return
        values = dict(logs.items())
        training = {name: value for name, value in values.items() if not name.startswith("val_")}
        validation = {name[4:]: value for name, value in values.items() if name.startswith("val_")}
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if optimizer is not None and (hasattr(optimizer, "learning_rate") or hasattr(optimizer, "optimizers")):
            log_rates(optimizer, training)
        if self.write_steps_per_second:
            duration = max(time.perf_counter() - self._epoch_start_time, 1e-9)
            training["steps_per_second"] = (self._steps() - self._steps_before) / duration
        for name, found in (("train", training), ("val", validation)):
            if found:
                with self._writer(name).as_default(epoch), summary.record_if(True):
                    for key, value in found.items():
                        if np.ndim(value) == 0:
                            summary.scalar(f"epoch_{key}", value)

    def _log_weights(self, epoch: int) -> None:
        weights = [weight for layer in self.model.layers for weight in layer.weights]
        with self._train_writer.as_default(epoch), summary.record_if(True):
            for weight, array in zip(weights, jax.device_get([one.read_array() for one in weights]), strict=True):
                name = weight.path.replace(":", "_")
                summary.histogram(f"{name}/histogram", array)
                if self.write_images and (pictures := as_pictures(array)) is not None:
                    summary.image(f"{name}/image", pictures)

    def _log_embeddings(self, epoch: int) -> None:
        os.makedirs(self._train_dir, exist_ok=True)
        self.model.save_weights(os.path.join(self._train_dir, f"keras_embedding.ckpt-{epoch}.weights.h5"))
        write_tables(self.model, self.log_dir)

    def _write_layers(self) -> None:
        """The layers of the model, for the Graphs page ("Conceptual graph")."""
        if vars(self.model).get("_functional") is None:
            return  # a class of its own: its layers do not say how they are connected
        try:
            text = self.model.to_json()
        except Exception as error:
            # The graph is an extra; a custom layer without `get_config` must not end the training.
            warn(
                f"TensorBoard shows no graph of model '{self.model.name}': it cannot be written as JSON "
                f"({type(error).__name__}: {error})."
            )
            return
        with self._train_writer.as_default(0), summary.record_if(True):
            summary.write("keras", text, metadata=metadata_proto("graph_keras_model", b"1"))

    def _write_step(self) -> None:
        """The operations of a training step, for the Graphs page ("Op graph")."""
        self._should_write_train_graph = False
        programs = self.model._runner("train").programs()
        if programs:
            with self._train_writer.as_default(0):
                summary.graph(graph_def(programs[-1].program.closed))

    def _stop_trace(self, step: int) -> None:
        self._is_tracing = False
        with self._train_writer.as_default(step), summary.record_if(True):
            summary.trace_export(f"batch_{self._stop_batch}")


def _frequency(update_freq: Any) -> Any:
    if update_freq == "epoch":
        return update_freq
    if update_freq == "batch":
        return 1
    if isinstance(update_freq, bool) or not hasattr(update_freq, "__index__") or int(update_freq) < 1:
        raise ValueError(
            "TensorBoard: `update_freq` is 'epoch', 'batch' or a number of batches of at least 1. "
            f"Received: update_freq={update_freq!r}"
        )
    return int(update_freq)


def _batches_to_profile(profile_batch: Any) -> tuple[int, int]:
    """First and last batch; (0, 0) for none."""
    given: Any = profile_batch
    try:
        if isinstance(given, str):
            parts = given.split(",")
            given = parts if len(parts) > 1 else parts[0]
        first, last = (given, given) if np.ndim(given) == 0 else given
        first, last = int(first), int(last)
    except (TypeError, ValueError):
        first, last = -1, -1
    if first < 0 or last < first:
        raise ValueError(
            "TensorBoard: `profile_batch` is 0, the number of a batch, or the numbers of a first and a last batch "
            f"(first <= last). Received: profile_batch={profile_batch!r}"
        )
    return first, last
