"""Muon: momentum made orthogonal, for matrices; AdamW for everything else."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Slot, power, toward
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Muon(RuleOptimizer):
    """Muon.

    For a matrix: ``m = momentum * m + g``; the step is ``g + momentum * m`` (Nesterov) or ``m``, made nearly orthogonal
    by ``ns_steps`` Newton-Schulz iterations, times ``rate * rms_rate * sqrt(larger size)``. Variables that are not
    matrices, embeddings, and those excluded are updated by AdamW.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        adam_beta_1: ``beta_1`` of AdamW.
        adam_beta_2: ``beta_2`` of AdamW.
        adam_weight_decay: weight decay of the variables that AdamW updates; None for none.
        epsilon: ``epsilon`` of AdamW.
        weight_decay: weight decay of the matrices; None for none.
        exclude_layers: regular expressions; variables in whose path one is found are updated by AdamW.
        exclude_embeddings: update variables with "embedding" in their path by AdamW.
        muon_a: coefficient of ``X`` in the iteration.
        muon_b: coefficient of ``X Xᵀ X``.
        muon_c: coefficient of ``(X Xᵀ)² X``.
        adam_lr_ratio: learning rate of AdamW, relative to ``learning_rate``.
        momentum: share of the old momentum.
        ns_steps: number of iterations.
        nesterov: look ahead along the momentum.
        rms_rate: root mean square of a step at rate 1; None leaves the orthogonal matrix as it is.

    References: Keras ``optimizers.Muon``; Jordan, 2024; Liu et al., 2025 (``rms_rate``).
    """

    pure = True
    config_keys = (
        "adam_beta_1",
        "adam_beta_2",
        "epsilon",
        "exclude_layers",
        "muon_a",
        "muon_b",
        "muon_c",
        "adam_lr_ratio",
        "momentum",
        "ns_steps",
        "nesterov",
        "exclude_embeddings",
        "adam_weight_decay",
        "rms_rate",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Any = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((_MOMENTUM, _VELOCITY),)

    def slots_of(self, variable: Variable) -> tuple[Slot, ...]:
        return (_MOMENTUM, _VELOCITY) if self._should_use_adamw(variable) else (_MOMENTUM,)

    def _should_use_adamw(self, variable: Variable) -> bool:
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _decay_of(self, variable: Variable) -> float | None:
        if not self._use_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._should_use_adamw(variable) else self.weight_decay

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        if len(slots) == 2:
            return self._adamw_rule(gradient, value, slots, learning_rate * self.adam_lr_ratio, step)
        momentum = slots[0] + (gradient + slots[0] * (self.momentum - 1))
        ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        update = learning_rate * self.zeropower_via_newtonschulz5(ahead, self.ns_steps)
        return value - self.lr_adjust(update), (momentum,)

    def _adamw_rule(self, gradient: Any, value: Any, slots: tuple, rate: Any, step: Any) -> tuple[Any, tuple]:
        beta_1, beta_2 = self.adam_beta_1, self.adam_beta_2
        rate = rate * jnp.sqrt(1 - power(beta_2, step, value)) / (1 - power(beta_1, step, value))
        mean = toward(slots[0], gradient, 1 - beta_1)
        square = toward(slots[1], jnp.square(gradient), 1 - beta_2)
        return value - mean * rate / (jnp.sqrt(square) + self.epsilon), (mean, square)

    def lr_adjust(self, x: Any) -> Any:
        """A step scaled to a root mean square of ``rms_rate``, so that the rates of Adam suit Muon."""
        if self.rms_rate is None:
            return x
        return x * jnp.sqrt(jnp.asarray(max(x.shape[:2]), x.dtype)) * self.rms_rate

    def transpose_last_axis(self, X: Any) -> Any:
        """The last two axes exchanged."""
        return jnp.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Drive all singular values of matrices to about 1, keeping the singular vectors.

        Raises:
            ValueError: there are fewer than two axes.
        """
        if x.ndim < 2:
            raise ValueError(f"Expected a gradient or momentum of at least 2 axes. Received: shape={tuple(x.shape)}")
        tall = x.shape[-2] > x.shape[-1]
        if tall:
            x = self.transpose_last_axis(x)
        # The Frobenius norm bounds the largest singular value, from below which the iteration converges.
        x = x / (jnp.sqrt(jnp.sum(jnp.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)
        for _ in range(steps):
            gram = x @ self.transpose_last_axis(x)
            x = self.muon_a * x + (self.muon_b * gram + self.muon_c * gram @ gram) @ x
        return self.transpose_last_axis(x) if tall else x


_MOMENTUM, _VELOCITY = Slot("momentum", "momentums"), Slot("velocity", "adam_velocities")
