"""``JaxLayer``: a function of JAX, with its parameters, as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import ArgumentError, FileFormatError, NotSupportedError, explain
from hornbeam.core.conversion import as_array
from hornbeam.core.random_state import SeedGenerator, draw_seed, make_default_seed
from hornbeam.core.scopes import override
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import is_tracing
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.keras.tree import map_shape_structure

_CALL_ARGUMENTS = ("params", "state", "rng", "inputs", "training")
_INIT_ARGUMENTS = ("rng", "inputs", "training")


class JaxLayer(Layer):
    """A function of JAX arrays as a layer: it is trained, saved and called with the rest of a model.

    ``call_fn`` takes some of these arguments, by these names: ``params`` (trained), ``state`` (what calls change, but
    training does not), ``rng`` (a JAX key in training, otherwise None), ``inputs``, ``training`` (a bool). It returns
    the outputs; with ``state`` it returns ``(outputs, new_state)``.

    Args:
        call_fn: the function.
        init_fn: makes the parameters when the layer is built, from ``rng``, ``inputs`` and ``training`` as far as it
            takes them. It returns ``params``, or ``(params, state)`` where ``call_fn`` takes ``state``.
        params: parameters, any pytree of arrays; then ``init_fn`` is not called.
        state: state, any pytree of arrays.
        seed: start of the keys that ``call_fn`` gets.
        native_serialization_platforms: must be None; it tells how to convert the function for TensorFlow.
        **kwargs: as for ``Layer``.

    Raises:
        ValueError: a function with other arguments, or one that needs parameters where there is no way to get any.

    Example:
        >>> def call(params, inputs):
        ...     return inputs @ params["kernel"]
        >>> layer = keras.layers.JaxLayer(call, params={"kernel": np.ones((3, 2), "float32")})
        >>> layer(np.ones((1, 3), "float32")).shape
        TensorShape([1, 2])

    References: Keras ``layers.JaxLayer``.
    """

    pure = True
    unserialized = frozenset({"call_fn", "init_fn", "params", "state", "seed", "native_serialization_platforms"})
    # Trees of any classes; the variables in them belong to the layer by `add_weight`.
    _untracked = frozenset({"params", "state", "tracked_params", "tracked_state"})
    _traced = False

    def __init__(
        self,
        call_fn: Callable,
        init_fn: Callable | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if native_serialization_platforms is not None:
            raise NotSupportedError(
                f"JaxLayer '{self.name}': `native_serialization_platforms` concerns TensorFlow programs, which are not "
                f"made here. Received: {native_serialization_platforms!r}. Leave it out."
            )
        self.call_fn = call_fn
        self.init_fn = init_fn
        self.call_fn_arguments = _arguments(call_fn, "call_fn", _CALL_ARGUMENTS)
        self.call_fn_has_params = "params" in self.call_fn_arguments
        self.call_fn_has_state = "state" in self.call_fn_arguments
        self.init_fn_arguments = [] if init_fn is None else _arguments(init_fn, "init_fn", _INIT_ARGUMENTS)
        self.params, self.tracked_params = self._as_variables(params, trainable=True)
        self.state, self.tracked_state = self._as_variables(state, trainable=False)
        if init_fn is None and params is None and state is None and (self.call_fn_has_params or self.call_fn_has_state):
            raise ArgumentError(
                explain(
                    f"JaxLayer '{self.name}' has no way to get the parameters that `call_fn` takes.",
                    expected="`init_fn`, `params` or `state`",
                    received="none of them",
                    fix="give `init_fn`, a function that makes the parameters from `rng` and `inputs`",
                )
            )
        self.seed_generator = SeedGenerator(seed) if "rng" in self.call_fn_arguments else None

    def _as_variables(self, values: Any, trainable: bool) -> tuple[Any, list[Any]]:
        """A pytree with variables in place of arrays and numbers, and its leaves."""

        def variable(value: Any) -> Any:
            if isinstance(value, (Tensor, np.ndarray, np.generic, jax.Array, bool, int, float)):
                array = as_array(value)
                # Floats follow the layer's dtype policy; anything else keeps its dtype.
                dtype = None if dtypes.as_dtype(array.dtype).is_floating else dtypes.as_dtype(array.dtype).name
                return self.add_weight(
                    array.shape,
                    initializer=lambda shape, dtype=None: jnp.asarray(array, dtype),
                    dtype=dtype,
                    trainable=trainable,
                )
            return value

        found = jax.tree_util.tree_map(variable, values, is_leaf=_is_ours)
        return found, jax.tree_util.tree_leaves(found, is_leaf=_is_ours)

    # --- keys: overridden by layers that want several ---------------------------------------------
    def _get_init_seed(self) -> Any:
        # The global generator cannot move on inside somebody's trace, where a layer may come to be built.
        return draw_seed(make_default_seed() if self._traced else None)

    def _get_init_rng(self) -> Any:
        return self._get_init_seed()

    def _get_call_seed(self) -> Any:
        return self.seed_generator.next()  # type: ignore[union-attr]

    def _get_call_rng(self, training: bool) -> Any:
        return self._get_call_seed() if training else None

    # --- building --------------------------------------------------------------------------------
    def build(self, input_shape: Any = None) -> None:
        """Call ``init_fn`` on ones, unless parameters were given."""
        missing = self.params is None and self.state is None
        if missing and (self.call_fn_has_params or self.call_fn_has_state):
            self._initialize(input_shape)
        self.built = True

    def _initialize(self, input_shape: Any) -> None:
        self._traced = is_tracing()
        # Layers may be built while a model is traced; these are real numbers all the same.
        with jax.ensure_compile_time_eval(), override(frame=None, tapes=(), symbolic=False, autocast=None):
            given = {
                "rng": _plain(self._get_init_rng()) if "rng" in self.init_fn_arguments else None,
                "inputs": map_shape_structure(lambda shape: jnp.ones([size or 1 for size in shape]), input_shape),
                "training": True,
            }
        arguments = [given[name] for name in self.init_fn_arguments]
        init_fn: Any = self.init_fn
        if self._traced:
            with ThreadPoolExecutor(1) as outside:  # a trace belongs to its thread
                made = outside.submit(init_fn, *arguments).result()
        else:
            made = init_fn(*arguments)
        params, state = made if self.call_fn_has_state else (made, None)
        self.params, self.tracked_params = self._as_variables(params, trainable=True)
        self.state, self.tracked_state = self._as_variables(state, trainable=False)

    # --- calling ---------------------------------------------------------------------------------
    def call(self, inputs: Any, training: Any = False) -> Any:
        """``call_fn`` on arrays; a new state is kept."""
        training = bool(training)
        given = {
            "params": _plain(self.params),
            "state": _plain(self.state),
            "rng": _plain(self._get_call_rng(training)) if "rng" in self.call_fn_arguments else None,
            "inputs": _plain(inputs),
            "training": training,
        }
        result = self.call_fn(*(given[name] for name in self.call_fn_arguments))
        if self.call_fn_has_state:
            result, new_state = result
            jax.tree_util.tree_map(self._keep, new_state, self.state)
        return jax.tree_util.tree_map(lambda leaf: wrap(leaf) if isinstance(leaf, jax.Array) else leaf, result)

    def _keep(self, value: Any, variable: Any) -> None:
        if not isinstance(variable, Variable):
            raise ValueError(
                f"JaxLayer '{self.name}': the state that `call_fn` returned has another structure than the one the "
                f"layer began with: no array was at the place of {variable!r}. Return a tree like the one received."
            )
        variable.assign(value)

    # --- description -----------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "call_fn": serialize_keras_object(self.call_fn),
            "init_fn": serialize_keras_object(self.init_fn),
            "native_serialization_platforms": None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Make a layer from its config; the functions must be registered or importable.

        Raises:
            FileFormatError: one of them is anything else.
        """
        config = dict(config)
        for name in ("call_fn", "init_fn"):
            function = config[name] = deserialize_keras_object(config.get(name))
            if not callable(function) and (name == "call_fn" or function is not None):
                raise FileFormatError(
                    explain(
                        f"The config of a JaxLayer has no function under `{name}`.",
                        expected="the config of a registered function",
                        received=repr(function),
                        fix="save a JaxLayer whose functions are registered, and register them before loading",
                    )
                )
        return super().from_config(config)


def _arguments(function: Callable, name: str, allowed: tuple[str, ...]) -> list[str]:
    found = list(inspect.signature(function).parameters)
    wrong = [argument for argument in found if argument not in allowed]
    if wrong or "inputs" not in found:
        raise ArgumentError(
            explain(
                f"JaxLayer cannot call `{name}`.",
                expected=f"a function with the argument `inputs`, and no others than {', '.join(allowed)}",
                received=f"{getattr(function, '__name__', function)}({', '.join(found)})",
                fix="wrap it in a function with these arguments",
            )
        )
    return found


def _is_ours(leaf: Any) -> bool:
    return isinstance(leaf, (Tensor, Variable))


def _plain(structure: Any) -> Any:
    """JAX arrays in place of tensors and variables. A recording tape hears of it, by ``__jax_array__``."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf.__jax_array__() if _is_ours(leaf) else leaf, structure, is_leaf=_is_ours
    )
