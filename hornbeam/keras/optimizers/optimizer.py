"""``Optimizer``: the Keras face of an update rule, and the base of optimizers that users write."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import names, settings
from hornbeam.base.errors import explain
from hornbeam.core import scopes as scopes_module
from hornbeam.core.frame import isolated
from hornbeam.core.scopes import scopes
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer
from hornbeam.keras.optimizers.compiled import CompiledStep, gradient_array, plain_arrays, step_key
from hornbeam.keras.optimizers.schedules.base import LearningRateSchedule
from hornbeam.keras.optimizers.settings import (
    bad_learning_rate,
    check_accumulation,
    check_average,
    check_clipping,
    is_number,
    refuse_unknown,
)
from hornbeam.keras.optimizers.step import OptimizerStep, array_of


class Optimizer(OptimizerStep):
    """Base of all optimizers.

    To write an own one, override ``build`` (create slots with ``add_optimizer_variables``), ``update_step`` and
    ``get_config``; or, shorter and compiled as a whole, derive from ``RuleOptimizer``.

    Order of one step: gradients are divided by ``loss_scale_factor``, accumulated, clipped; weights decay; the rule
    updates them; their moving averages follow; constraints are applied; ``iterations`` grows by 1.

    Args:
        learning_rate: step size: a number, a ``LearningRateSchedule``, or a callable without arguments.
        weight_decay: each step also subtracts ``weight_decay * learning_rate * weight``.
        clipnorm: largest Euclidean norm of the gradient of one variable.
        clipvalue: largest absolute value of a gradient's element.
        global_clipnorm: largest Euclidean norm of all gradients together.
        use_ema: keep an exponential moving average of the weights.
        ema_momentum: share of the old average at each step, 0..1.
        ema_overwrite_frequency: every so many steps the weights are set to their average; None: only by
            ``finalize_variable_values``.
        loss_scale_factor: ``scale_loss`` multiplies by it, gradients are divided by it.
        gradient_accumulation_steps: batches whose mean gradient makes one update.
        name: name, first part of the paths of the optimizer's variables.

    Raises:
        ValueError: an argument is out of its range, two kinds of clipping are given, or an argument is unknown.

    References: Keras ``optimizers.Optimizer``.
    """

    pure = False
    """True on classes without Python side effects in ``update_step``: their eager steps run as one program."""

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        multipliers = kwargs.pop("rate_multipliers", None)
        refuse_unknown(type(self), kwargs)
        check_accumulation(gradient_accumulation_steps)
        if use_ema:
            check_average(ema_momentum, ema_overwrite_frequency)
        check_clipping(clipnorm, clipvalue, global_clipnorm)
        super().__init__(name or names.auto_name(type(self).__name__))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.rate_multipliers = dict(multipliers or {})
        self._iterations = self._own(0, "iteration", "int32")
        self._learning_rate: Any = self._new_learning_rate(learning_rate)

    # --- learning rate and step count ------------------------------------------------------------
    def _new_learning_rate(self, value: Any) -> Any:
        if isinstance(value, (Tensor, Variable)) or is_number(value):
            return self._own(float(value), "learning_rate", settings.floatx())
        if callable(value):
            return value
        raise bad_learning_rate(self.name, value)

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a variable, or what the schedule or callable gives for this step.

        Set it to a number or tensor to change the variable (compiled steps see the change at once), or to a
        schedule or callable to replace it.
        """
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        return rate(self._iterations) if isinstance(rate, LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        before = self._learning_rate
        if callable(value) and not isinstance(value, (Tensor, Variable)):
            if isinstance(before, Variable):
                self._disown(before)
            self._learning_rate = value
        elif isinstance(before, Variable):
            before.assign(value)
        else:
            raise TypeError(
                explain(
                    f"{self.name}: this optimizer was created with a schedule or callable as its `learning_rate`, "
                    "hence the rate cannot be set to a number.",
                    received=f"learning_rate={value!r}",
                    fix="create the optimizer with a number as `learning_rate`, or set another schedule",
                )
            )

    @property
    def lr(self) -> Any:
        """Short name of ``learning_rate``."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def _rate_is_known(self) -> bool:
        """Whether the rate may be computed inside a compiled step: not so if Python code of the user gives it."""
        rate = self._learning_rate
        return isinstance(rate, Variable) or type(rate).__dict__.get("pure", False)

    @property
    def iterations(self) -> Any:
        """Number of updates made: a variable, or with gradient accumulation a tensor."""
        if self.gradient_accumulation_steps:
            return wrap(self._iterations.read_array() // self.gradient_accumulation_steps)
        return self._iterations

    # --- what subclasses override ----------------------------------------------------------------
    def build(self, variables: Sequence[Variable]) -> None:
        """Create the optimizer's variables for the variables to be trained."""
        if self.use_ema:
            self.__dict__["_averages"] = self.add_optimizer_variables(variables, "average")
        for index, variable in enumerate(variables):
            self._indices[variable] = index
            if self.gradient_accumulation_steps:
                self._accumulated_gradients.append(self.add_variable_from_reference(variable, "gradient_accumulator"))
        self.__dict__["_trainable_variables"] = list(variables)
        self.built = True

    def _extend(self, variables: Sequence[Variable]) -> None:
        """Add variables that were not there when the optimizer was built."""
        # A class of the user may create its slots in `build`, which cannot be called a second time.
        if type(self).build.__module__.partition(".")[0] != __name__.partition(".")[0]:
            raise ValueError(
                explain(
                    f"{self.name}: unknown variable(s) {[variable.path for variable in variables]}.",
                    expected="the variables that it was built with, because its class has a `build` of its own",
                    fix="create a new optimizer for other variables, or call `build` with all of them at first",
                )
            )
        self._extend_common(variables)

    def _extend_common(self, variables: Sequence[Variable]) -> None:
        if self.use_ema:
            self._averages.extend(self.add_optimizer_variables(variables, "average"))
        for variable in variables:
            self._indices[variable] = len(self._trainable_variables)
            self._trainable_variables.append(variable)
            if self.gradient_accumulation_steps:
                self._accumulated_gradients.append(self.add_variable_from_reference(variable, "gradient_accumulator"))

    # --- applying gradients ----------------------------------------------------------------------
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Update variables from pairs of gradient and variable.

        A later call may list variables that an earlier one did not.

        Returns:
            The number of steps made, as a variable.

        Raises:
            ValueError: no gradient is given for any variable.
        """
        pairs = tuple(grads_and_vars)
        if pairs:
            gradients, variables = zip(*pairs, strict=True)
            self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables from their gradients.

        Args:
            grads: gradients, None for a variable that the loss does not depend on.
            trainable_variables: the variables; default: those that the optimizer was built with.

        Raises:
            ValueError: no variables are known, their number differs, or all gradients are None.
        """
        if len(grads) == 0:
            return
        if scopes.frame is None:
            arrays = plain_arrays(grads)
            if arrays is not None:
                variables = self._trainable_variables if trainable_variables is None else trainable_variables
                step = self._programs.get(step_key(variables, arrays))
                if step is not None:
                    step(arrays if self._rate_is_known else [*arrays, self._eager_rate()])
                    return
        self._apply_slowly(grads, trainable_variables)

    def _apply_slowly(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None) -> None:
        variables = self._known(len(grads), trainable_variables)
        gradients, variables = self._without_missing(list(grads), variables)
        arrays = [gradient_array(gradient, variable) for gradient, variable in zip(gradients, variables, strict=True)]
        if scopes.replica_axis is not None:
            # Each replica has the gradients of its part of the batch; all make the same step.
            arrays = [jax.lax.psum(array, scopes.replica_axis) for array in arrays]
        eager = scopes.frame is None and not any(isinstance(array, Tracer) for array in arrays)
        if not (eager and self._is_pure()):
            self._run(arrays, variables)
            return
        key = step_key(variables, arrays)
        if not self._rate_is_known:
            arrays.append(self._eager_rate())
        if key not in self._programs:
            wide = any(array.dtype.itemsize >= 8 for array in (*arrays, *(v._array for v in variables)))
            count = len(variables)
            self._programs[key] = CompiledStep(
                lambda *inner: self._run(list(inner[:count]), variables, *inner[count:]), arrays, self.variables, wide
            )
        self._programs[key](arrays)

    def _is_pure(self) -> bool:
        # Stated by each class for itself: a subclass may override `update_step` with code that has side effects.
        return type(self).__dict__.get("pure", False)

    def _eager_rate(self) -> Any:
        rate = array_of(self.learning_rate)
        return rate if hasattr(rate, "aval") else jnp.asarray(rate, settings.floatx())

    def _run(self, gradients: list, variables: list[Variable], rate: Any = None) -> None:
        self.__dict__["_given_rate"] = None if rate is None else wrap(rate)
        try:
            with scopes_module.override(tapes=(), autocast=None, names=(self.name,)):
                self._step(gradients, variables)
        finally:
            self.__dict__["_given_rate"] = None

    def _known(self, count: int, variables: Sequence[Variable] | None) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise ValueError(
                    f"{self.name}: `apply(grads)` without variables needs a built optimizer. "
                    "Call `optimizer.build(trainable_variables)` first."
                )
            variables = self._trainable_variables
        variables = list(variables)
        if count != len(variables):
            raise ValueError(
                f"{self.name}: the gradients must match the variables one to one. "
                f"Received {count} gradients for {len(variables)} variables."
            )
        for variable in variables:
            if not isinstance(variable, Variable):
                raise TypeError(
                    f"{self.name} updates variables only. Received: {variable!r} ({type(variable).__name__})"
                )
        if not self.built:
            with scopes_module.override(names=(self.name,)):
                self.build(variables)
            self.built = True
        new = [variable for variable in variables if variable not in self._indices]
        if new:
            self._extend(new)
            self._changed()
        return variables

    def _without_missing(self, gradients: list, variables: list[Variable]) -> tuple[list, list[Variable]]:
        missing = [variable.path for gradient, variable in zip(gradients, variables, strict=True) if gradient is None]
        if len(missing) == len(gradients):
            raise ValueError(
                f"No gradients provided for any variable: {self.name} received None for {missing}.\n"
                "  fix:      compute the loss from the output of the model, by tf or keras.ops functions under the "
                "tape (NumPy cuts the connection)"
            )
        if not missing:
            return gradients, variables
        warnings.warn(
            f"Gradients do not exist for variables {missing}: the loss does not depend on them, and they are not "
            "updated. With `model.compile()`, check that a `loss` is given.",
            stacklevel=4,
        )
        kept = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    # --- other ways in ---------------------------------------------------------------------------
    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list, list]:
        """Like ``apply``, but values come in and new values go out; no variable changes.

        Args:
            optimizer_variables: arrays in the order of ``optimizer.variables``.
            grads: gradients.
            trainable_variables: arrays in the order of the variables that the optimizer was built with.

        Returns:
            Lists of arrays: new trainable variables, new optimizer variables.

        Raises:
            ValueError: the optimizer is not built, or a list has the wrong length.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built: "
                "call `optimizer.build(trainable_variables)` first."
            )
        own, trained = self.variables, self._trainable_variables
        for argument, given, known in (
            ("optimizer_variables", optimizer_variables, own),
            ("trainable_variables", trainable_variables, trained),
        ):
            if len(given) != len(known):
                raise ValueError(
                    f"Argument `{argument}` must match the {len(known)} variables of {self.name} one to one. "
                    f"Received a list of length {len(given)}."
                )
        values = dict(zip([*trained, *own], map(array_of, [*trainable_variables, *optimizer_variables]), strict=True))
        _, written = isolated(lambda: self.apply(grads), values)
        values.update(written)
        return [values[variable] for variable in trained], [values[variable] for variable in own]

    def minimize(self, loss: Any, var_list: Any, tape: GradientTape | None = None) -> Variable:
        """One step: gradients of a loss with respect to variables, then ``apply_gradients``.

        Args:
            loss: function without arguments that computes it, or a tensor (then ``tape`` is needed).
            var_list: variables, or a function that gives them.
            tape: the tape that recorded ``loss``.
        """
        if not callable(loss) or isinstance(loss, Tensor):
            if tape is None:
                raise ValueError("`tape` is required when a tensor is passed as `loss`; or pass a function as `loss`.")
        else:
            tape = tape or GradientTape()
            with tape:
                loss = loss()
        variables: list[Variable] = list(var_list() if callable(var_list) else var_list)  # type: ignore[arg-type]
        return self.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def scale_loss(self, loss: Any) -> Any:
        """The loss multiplied by ``loss_scale_factor``, if there is one; take gradients of this."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor
