"""A training step written by hand: forward pass, loss, gradient by `GradientTape`, `optimizer.apply_gradients`.

784-128-10, batches of 32 that are tensors already; eager, and under `tf.function`. PyTorch has the eager step only.
Keras 3 on JAX has no tape and is not here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import digits
import mlp
from harness import Options, Report, Variant, compare, framework

VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("PyTorch", "torch"),
]
EAGER, COMPILED = "training step, eager", "training step, tf.function"


def _loop(step: Callable[[Any, Any], Any], batches: list[tuple[Any, Any]], steps: int) -> Callable[[], float]:
    def run() -> float:
        loss: Any = None
        for index in range(steps):
            loss = step(*batches[index % len(batches)])
        return float(loss)  # waits for the last step, and so for all: each needs the weights of the one before

    return run


def _tape_step(tf: Any) -> Callable[[Any, Any], Any]:
    model = mlp.keras_model(tf.keras, compiled=False)
    optimizer = tf.keras.optimizers.Adam(mlp.RATE)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    module, _ = framework(name)
    images, labels = digits.load(mlp.rows(True))
    starts = range(0, len(images), mlp.BATCH)
    pairs = [(images[start : start + mlp.BATCH], labels[start : start + mlp.BATCH]) for start in starts]
    steps, repeats = (20, 2) if options.quick else (len(pairs), 10)
    if name == "torch":
        task = mlp.TorchTask(module)
        tensors = [(module.from_numpy(x), module.from_numpy(y).long()) for x, y in pairs]
        makers = {EAGER: lambda: lambda x, y: task.step(x, y)[0]}
    else:
        tensors = [(module.constant(x), module.constant(y)) for x, y in pairs]
        makers = {EAGER: lambda: _tape_step(module), COMPILED: lambda: module.function(_tape_step(module))}
    for metric, make in makers.items():
        with report.attempt(metric):
            run = _loop(make(), tensors, steps)
            report.time(metric, run, repeats=repeats, steps=steps)
            report.check(**{f"loss ({metric.split(', ')[1]})": run()})


if __name__ == "__main__":
    sys.exit(compare("Custom training step with GradientTape", VARIANTS, work, rows=lambda quick: mlp.rows(True)))
