"""What a model remembers about its training configuration."""

from __future__ import annotations

import threading
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.metrics import Mean
from hornbeam.keras.trainers.compiled_loss import CompiledLoss
from hornbeam.keras.trainers.compiled_metrics import CompiledMetrics


class TrainerState:
    """Result of ``compile``, and compiled steps made since.

    Attributes:
        compiled_variables: variables that were trainable when ``compile`` was called (none if not built then).
        frozen_variables: what training changes until the next ``compile``: what was trainable at the first step
            after it. If nothing was, although something was at ``compile``, then that: a GAN's discriminator
            goes on learning although it was frozen in between for the generator's sake.
        runners: steps in their compiled form, by kind.
        eager_kinds: kinds of steps that turned out not to be compilable.
        arguments: arguments of ``compile`` as given, for saving.
        strategy: number of the distribution strategy in whose scope ``compile`` was called.
        has_run: True once a batch was run.
        busy: name of the method that is running a training loop, to refuse a second one at the same time.
        loop: the run of ``fit`` in progress, or None.
        metrics_lock: held by whoever uses the model's metrics: they have one state only.
        programs_lock: held while steps are captured.
    """

    def __init__(self) -> None:
        self.compiled = False
        self.compiled_loss: CompiledLoss | None = None
        self.compiled_metrics: CompiledMetrics | None = None
        self.loss_tracker: Mean | None = None
        self.run_eagerly = False
        self.steps_per_execution: Any = 1
        self.jit_compile: Any = "auto"
        self.compiled_variables: list[Variable] = []
        self.frozen_variables: list[Variable] | None = None
        self.runners: dict[Any, Any] = {}
        self.eager_kinds: set[str] = set()
        self.arguments: dict[str, Any] = {}
        self.strategy: int | None = None
        self.has_run = False
        self.busy: str | None = None
        self.loop: Any = None
        self._make_locks()

    def _make_locks(self) -> None:
        self.metrics_lock = threading.RLock()
        self.programs_lock = threading.RLock()
        self._busy_lock = threading.Lock()

    def claim(self, method: str) -> str | None:
        """Note that a training loop starts; returns the name of the one that runs already, if any."""
        with self._busy_lock:
            if self.busy is not None:
                return self.busy
            self.busy = method
            return None

    def release(self) -> None:
        """Note that the training loop has ended."""
        self.busy = None

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if not name.endswith("_lock")}
        state["runners"], state["busy"], state["loop"] = {}, None, None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_locks()
