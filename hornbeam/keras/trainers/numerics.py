"""``fit(check_numerics=True)``: stops at the first batch with NaN or infinity, and says where it came from.

Steps stay compiled; after each of them one small program looks at the logs and the weights. If something is not finite,
the state of before the batch is put back and the batch is run again operation by operation, with a look at the outputs
of each layer, the loss, the gradients and the new weights, in this order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.core.scopes import override
from hornbeam.core.tensor import HostTensor, Tensor
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer
from hornbeam.keras.optimizers import LossScaleOptimizer
from hornbeam.keras.trainers.snapshot import Snapshot
from hornbeam.keras.trainers.state_steps import step_of


@jax.jit
def _all_finite(arrays: list[Any]) -> Any:
    return jnp.stack([jnp.all(jnp.isfinite(array)) for array in arrays]).all()


class _Found(Exception):
    """The place was found; ends the search."""

    def __init__(self, where: str, value: Any, fix: str) -> None:
        super().__init__(where)
        self.where, self.value, self.fix = where, value, fix


class NumericsWatch:
    """Runs the steps of one ``fit`` and looks at what they leave.

    Args:
        model: the model that is being trained.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.epoch, self.batch = 0, 0

    def begin_epoch(self, epoch: int) -> None:
        """Note the number of the epoch, from 0."""
        self.epoch, self.batch = epoch, 0

    def run(self, step: Callable[[], Any], batch: Any) -> Any:
        """Run a step on a batch.

        Raises:
            FloatingPointError: it leaves NaN or infinity; the state is that of before the batch.
        """
        before = Snapshot(self.model)
        outputs = step()
        left = [leaf for leaf in jax.tree_util.tree_leaves(outputs) if _is_inexact(leaf)]
        left += [one._array for one in self.model.trainable_variables if _is_inexact(one._array)]
        if left and not bool(_all_finite(left)):
            before.restore()
            found = self._search(batch)
            before.restore()
            raise self._error(found, outputs) from None
        self.batch += 1
        return outputs

    # --- search ----------------------------------------------------------------------------------
    def _search(self, batch: Any) -> _Found | Exception | None:
        """Where the first value that is not finite comes from; None if the second run had none."""
        model = self.model
        optimizer = model.optimizer
        replaced = {"_track_loss": self._looking_at_loss(model._track_loss)}
        vars(model).update(replaced)
        if optimizer is not None and not isinstance(optimizer, LossScaleOptimizer):
            # An optimizer with a loss scale expects infinite gradients and leaves such steps out.
            optimizer.__dict__["apply"] = self._looking_at_gradients(optimizer.apply)
        for layer in model._flatten_layers():
            layer._plans.clear()
        try:
            self._look_at_state(batch)
            with override(inspect=_look_at_layer, eager_functions=True):
                step_of(model, "train")(_as_tensors(batch))
            for variable in model.trainable_variables:
                _look(f"variable {variable.path} after the update", variable._array, "use a lower learning rate")
        except _Found as found:
            return found
        except Exception as error:  # the search must not hide what it searches for
            return error
        finally:
            vars(model).pop("_track_loss", None)
            if optimizer is not None:
                optimizer.__dict__.pop("apply", None)
        return None

    def _look_at_state(self, batch: Any) -> None:
        for number, leaf in enumerate(jax.tree_util.tree_leaves(batch)):
            _look(f"the data: array {number} of the batch", leaf, "clean the data: np.isfinite(x).all()")
        for variable in self.model.variables:
            _look(f"variable {variable.path} before the batch", variable._array, "set or load finite weights")

    def _looking_at_loss(self, track: Callable[..., None]) -> Callable[..., None]:
        def look(loss: Any, x: Any) -> None:
            fix = "look at the loss function: log(0), division by 0, labels outside of its range, logits or not"
            _look("the loss; the outputs of all layers are finite", loss, fix)
            track(loss, x)

        return look

    def _looking_at_gradients(self, apply: Callable[..., None]) -> Callable[..., None]:
        def look(grads: Any, trainable_variables: Any = None) -> None:
            variables = self.model.trainable_variables if trainable_variables is None else trainable_variables
            # The pass goes from the last layer to the first, so the last one is where it began.
            for gradient, variable in reversed(list(zip(grads, variables, strict=False))):
                fix = "look at the functions after this variable: sqrt(0), norm of zeros, where() with a NaN branch"
                _look(f"the gradient of variable {variable.path}; the loss is finite", gradient, fix)
            apply(grads, trainable_variables)

        return look

    # --- report ----------------------------------------------------------------------------------
    def _error(self, found: Any, outputs: Any) -> FloatingPointError:
        where, received, fix = "the compiled step", "values that are not finite", "run with run_eagerly=True"
        if isinstance(found, _Found):
            where, received, fix = found.where, _described(found.value), found.fix
        else:
            wrong = [
                name
                for name, value in (outputs.items() if isinstance(outputs, dict) else ())
                if not np.isfinite(np.asarray(value)).all()
            ]
            received = f"{', '.join(wrong) or 'the weights'} not finite; run operation by operation, the batch " + (
                "has finite values only" if found is None else f"raised {type(found).__name__}: {found}"
            )
        return FloatingPointError(
            explain(
                f"fit(check_numerics=True): NaN or infinity in epoch {self.epoch + 1}, batch {self.batch} (from 0) "
                f"of model '{self.model.name}'. It first shows in {where}.",
                received=received,
                fix=fix,
            )
        )


def _look_at_layer(layer: Any, inputs: Any, outputs: Any) -> None:
    """Called after each layer call, those of inner layers first."""
    name = f"layer '{layer.name}' ({type(layer).__name__})"
    for leaf in trees.flatten(inputs):
        _look(f"the input of {name}: an operation between it and the layers before", leaf, "look at that operation")
    for leaf in trees.flatten(outputs):
        _look(f"the output of {name}", leaf, "look at what the layer computes, its weights and the size of its inputs")


def _look(where: str, value: Any, fix: str) -> None:
    if isinstance(value, HostTensor):
        return
    array = value._value if isinstance(value, Tensor) else value._array if isinstance(value, Variable) else value
    if _is_inexact(array) and not bool(jnp.isfinite(array).all()):
        raise _Found(where, np.asarray(array), fix)


def _is_inexact(array: Any) -> bool:
    if isinstance(array, Tracer) or not hasattr(array, "dtype"):
        return False
    return jnp.issubdtype(array.dtype, jnp.inexact)


def _described(array: np.ndarray) -> str:
    array = array.astype(np.float64) if array.dtype.kind != "c" else array
    nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    finite = np.abs(array[np.isfinite(array)])
    largest = f"; largest finite magnitude {finite.max():.3g}" if finite.size else ""
    return f"{nan} NaN and {infinite} infinite of {array.size} values of shape {array.shape}{largest}"


def _as_tensors(batch: Any) -> Any:
    def convert(leaf: Any) -> Any:
        return leaf if leaf is None or isinstance(leaf, Tensor) else Tensor(jnp.asarray(leaf))

    return trees.map_structure(convert, batch)
