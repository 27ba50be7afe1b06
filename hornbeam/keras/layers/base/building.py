"""How layers are built: shapes in, weights made, under the right names."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

from hornbeam.base import check, shapes, trees
from hornbeam.base.errors import ShapeError, explain
from hornbeam.base.positions import name_may_come_first
from hornbeam.core.scopes import name_scope, scopes
from hornbeam.core.variable import Variable
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.layers.base.call_arguments import shapes_of
from hornbeam.keras.layers.base.call_spec import build_spec
from hornbeam.keras.layers.base.state import LayerState

build_lock = threading.RLock()
"""Two threads that call a new layer at once must not both create its weights."""


class LayerBuilding(LayerState):
    """Building and ``add_weight``; mixed into ``Layer``."""

    input_spec: Any

    def build(self, input_shape: Any) -> None:
        """Create the layer's variables for inputs of a shape. Overridden by layers that have any."""
        self._check_super_called()
        self.built = True

    def _build_at_init(self) -> None:
        """Count as built from the start, unless a subclass has a ``build`` of its own."""
        if type(self).build is LayerBuilding.build:
            self.built = True

    def _check_super_called(self) -> None:
        if "_dtype_policy" not in vars(self):
            raise RuntimeError(
                f"Layer class '{type(self).__name__}': `__init__` must call `super().__init__()` at once.\n"
                "  fix:      make it the first line of `__init__`"
            )

    def _build_once(self, bound: dict[str, Any]) -> None:
        """Build for the shapes of the call's arguments, unless built already."""
        if self.built:
            return
        with build_lock:
            if self.built:
                return
            with name_scope(self.name):
                self._build_for(_without_stand_in(shapes_of(bound)))
            self.built = True
            self._lock_note()

    def _build_for(self, shapes_by_name: dict[str, Any]) -> None:
        spec = build_spec(self)
        self._build_shapes = shapes_by_name
        if type(self).build is LayerBuilding.build:
            return
        if len(spec.names) == 1 and not spec.variadic:
            self.build(next(iter(shapes_by_name.values()), None))
            return
        known = {f"{name}_shape" if not name.endswith("_shape") else name: s for name, s in shapes_by_name.items()}
        if spec.variadic:
            self.build(**known)
            return
        taken = {name: known[name] for name in spec.names if name in known}
        if not taken and spec.names:
            self.build(next(iter(shapes_by_name.values()), None))
            return
        self.build(**taken)

    def _lock_note(self) -> None:
        spec = self.input_spec
        if spec is not None and not trees.flatten(spec):
            self.input_spec = None

    def get_build_config(self) -> dict[str, Any] | None:
        """Shapes the layer was built for, as stored in model files."""
        found = vars(self).get("_build_shapes")
        if not found:
            return None
        if len(found) == 1:
            return {"input_shape": next(iter(found.values()))}
        return {"shapes_dict": {f"{name}_shape": shape for name, shape in found.items()}}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build from what ``get_build_config`` gave."""
        if not config or self.built:
            return
        by_name = {name.removesuffix("_shape"): as_shape(shape) for name, shape in config.items()}
        if "shapes_dict" in config:
            by_name = {name.removesuffix("_shape"): as_shape(shape) for name, shape in config["shapes_dict"].items()}
        with name_scope(self.name):
            self._build_for(by_name)
        self.built = True

    @name_may_come_first(("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint"))
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> Variable:
        """Create a variable that belongs to the layer.

        Args:
            shape: sizes; a scalar if not given.
            initializer: name, object or function; ``glorot_uniform`` for floats, zeros otherwise.
            dtype: element type; the layer's variable dtype if not given.
            trainable: whether it is trained.
            autocast: read it in the compute dtype.
            regularizer: penalty on it.
            constraint: projection after each update.
            aggregation: how replicas are combined.
            overwrite_with_gradient: the optimizer assigns the gradient instead of applying it.
            name: name.
        """
        self._check_super_called()
        kwargs.pop("use_resource", None)
        synchronization = kwargs.pop("synchronization", "auto")
        check.no_unknown(kwargs, owner=f"{type(self).__name__}.add_weight", known=("shape", "initializer", "trainable"))
        shape = shapes.standardize(() if shape is None else shape)
        if None in shape:
            raise ShapeError(
                explain(
                    f'{type(self).__name__} "{self.name}" cannot create weight {name!r}: its shape is not known.',
                    expected="all sizes known",
                    received=f"shape {shape}",
                    fix="build the layer on an input whose last axis is known",
                )
            )
        dtype = self.variable_dtype if dtype is None else dtype
        if initializer is None:
            initializer = "glorot_uniform" if str(dtype).startswith(("float", "bfloat")) else "zeros"
        with name_scope(self.name) if self.name not in scopes.names[-1:] else nullcontext():
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                synchronization=synchronization,
                name=name,
                constraint=constraints.get(constraint),
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.overwrite_with_gradient = overwrite_with_gradient
        if not self._trainable:
            variable.trainable = False
        self._weights.append(variable)
        return variable

    add_variable = add_weight


def _without_stand_in(shapes_by_name: dict[str, Any]) -> dict[str, Any]:
    """While shapes are inferred, batches have a made-up size, which must not be remembered."""
    if not scopes.symbolic:
        return shapes_by_name

    def free(shape: Any) -> Any:
        if isinstance(shape, tuple) and shape and isinstance(shape[0], int):
            return (None, *shape[1:])
        if isinstance(shape, dict):
            return {key: free(one) for key, one in shape.items()}
        return type(shape)(free(one) for one in shape) if isinstance(shape, (list, tuple)) else shape

    return {name: free(shape) for name, shape in shapes_by_name.items()}


def as_shape(shape: Any) -> Any:
    """A shape from a config: lists of sizes become tuples."""
    if isinstance(shape, dict):
        return {key: as_shape(one) for key, one in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(size is None or isinstance(size, int) for size in shape):
            return tuple(shape)
        return [as_shape(one) for one in shape]
    return shape
