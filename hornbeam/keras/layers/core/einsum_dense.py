"""``EinsumDense``: a fully connected layer over any axes, described by an equation."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hornbeam import ops
from hornbeam.base import check
from hornbeam.base.errors import ShapeError
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer, refuse_variants
from hornbeam.keras.layers.base.low_rank import LowRank
from hornbeam.keras.layers.base.quantizable import checked_config
from hornbeam.keras.layers.base.variants import MadeByBuild
from hornbeam.keras.layers.core.quantized_kernels import QuantizableKernel


class EinsumDense(LowRank, QuantizableKernel, Layer):
    """``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: such as ``"abc,cd->abd"``; letters name axes of the inputs, the kernel and the outputs. An ellipsis
            stands for any number of axes of inputs and outputs, at the beginning or at the end.
        output_shape: sizes of the outputs without the batch axis (and the axes of the ellipsis); None where the size is
            that of the inputs.
        activation: function applied to the result; none by default.
        bias_axes: letters of the output axes along which the bias varies; no bias by default.
        kernel_initializer: initial values of the kernel.
        bias_initializer: initial values of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        kernel_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.
        lora_rank: if given, the kernel is frozen and this many columns of low-rank factors are trained; see
            ``enable_lora``.
        lora_alpha: how much the factors count, times the rank; the rank by default.
        gptq_unpacked_column_size: must be None.
        quantization_config: how the weights are quantised, where the dtype policy says that they are.

    Input shape: as the equation says, batch first.
    Output shape: as the equation says, in the layer's compute dtype.

    Raises:
        ValueError: at build, if the equation does not fit the shapes.
        NotSupportedError: weights quantised by GPTQ.

    References: Keras ``layers.EinsumDense``.
    """

    kernel: Any = MadeByBuild("kernel")

    pure = True
    unserialized = frozenset({"output_shape", "lora_rank", "lora_alpha", "gptq_unpacked_column_size"})

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse_variants(self, gptq_unpacked_column_size=gptq_unpacked_column_size)
        self._take_lora(lora_rank, lora_alpha)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = checked_config(self, quantization_config)

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        plan = plan_einsum(self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape)
        for axis, size in enumerate(plan.kernel):
            if size is None:
                check.known_axis(plan.kernel, axis, owner=self)
        initializer = self.kernel_initializer
        if isinstance(initializer, initializers.VarianceScaling) and (
            initializer.input_axes is None or initializer.output_axes is None
        ):
            # Which axes of the kernel are inputs is known from the equation only.
            config = {**initializer.get_config(), "seed": initializer.seed}
            config.update(input_axes=plan.input_axes, output_axes=plan.output_axes)
            initializer = type(initializer).from_config(config)
        self.input_spec = InputSpec(ndim=len(input_shape))
        self._make_kernel(plan.kernel, initializer)
        self.bias = None
        if plan.bias is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=plan.bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True
        self._begin_lora()

    def call(self, inputs: Any, training: Any = None) -> Any:
        """``activation(einsum(equation, inputs, kernel) + bias)``."""
        if self._is_quantized:
            return self.quantized_call(inputs, training=training)
        outputs = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _equation(self) -> str:
        return self.equation

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape that the equation gives."""
        return plan_einsum(self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape).output

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }


class EinsumPlan(NamedTuple):
    """Shapes that an equation gives, and which axes of the kernel run over inputs and outputs."""

    kernel: tuple
    bias: tuple | None
    output: tuple
    input_axes: list[int]
    output_axes: list[int]


_LEFT = re.compile(r"\.\.\.([a-zA-Z]+),([a-zA-Z]+)->\.\.\.([a-zA-Z]+)")
_RIGHT = re.compile(r"([a-zA-Z]{2,})\.\.\.,([a-zA-Z]+)->([a-zA-Z]+)\.\.\.")
_NONE = re.compile(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)")


def plan_einsum(equation: str, bias_axes: str | None, input_shape: tuple, output_shape: tuple) -> EinsumPlan:
    """Shapes of kernel, bias and outputs.

    Args:
        equation: of the forms ``X,Y->Z``, ``...X,Y->...Z`` or ``X...,Y->Z...``.
        bias_axes: letters of output axes, or None.
        input_shape: with the batch axis.
        output_shape: without the batch axis and the axes of the ellipsis.

    Raises:
        ValueError: another form, or sizes or letters that do not fit.
    """
    found = next((match for form in (_NONE, _LEFT, _RIGHT) if (match := form.match(equation))), None)
    if found is None:
        raise ValueError(
            f"EinsumDense: expected an equation like 'ab,bc->ac', '...b,bc->...c' or 'ab...,bc->ac...'. "
            f"Received: equation={equation!r}"
        )
    left_elided = equation.startswith("...")
    inputs, kernel, outputs = found.groups()
    elided = len(input_shape) - len(inputs)
    if elided < 0 or (elided and "..." not in equation):
        raise ShapeError(f"Equation '{equation}' does not fit inputs of shape {input_shape}.")
    full = [input_shape[0], *output_shape]
    if left_elided:
        full[1:1] = input_shape[1:elided]
    else:
        full += input_shape[len(input_shape) - elided :]
    skip = elided if left_elided else 0
    input_sizes = {letter: input_shape[i + skip] for i, letter in enumerate(inputs)}
    if len(full) < len(outputs) + skip:
        raise ShapeError(f"Equation '{equation}' does not fit `output_shape` {tuple(output_shape)}: a size is missing.")
    output_sizes = {letter: full[i + skip] for i, letter in enumerate(outputs)}
    for letter in set(inputs) & set(outputs):
        if output_sizes[letter] is not None and output_sizes[letter] != input_sizes[letter]:
            raise ShapeError(
                f"EinsumDense: axis '{letter}' is in input and output, and must have one size. Received: "
                f"{input_sizes[letter]} in the input, {output_sizes[letter]} in `output_shape`."
            )
    for letter in outputs:
        if letter not in inputs and letter not in kernel:
            raise ValueError(
                f"EinsumDense: axis '{letter}' of the output '{outputs}' comes from neither the input '{inputs}' nor "
                f"the kernel '{kernel}'. Name it in one of them."
            )
    kernel_shape = []
    for letter in kernel:
        if letter not in output_sizes and letter not in input_sizes:
            raise ValueError(
                f"EinsumDense: axis '{letter}' of the kernel has no size, as neither the input '{inputs}' nor the "
                f"output '{outputs}' has it. Leave it out, or sum it elsewhere."
            )
        kernel_shape.append(output_sizes[letter] if letter in output_sizes else input_sizes[letter])
    return EinsumPlan(
        tuple(kernel_shape),
        _bias_shape(bias_axes, outputs, output_sizes, 0 if left_elided else elided),
        tuple(full),
        [axis for axis, letter in enumerate(kernel) if letter not in output_sizes],
        [axis for axis, letter in enumerate(kernel) if letter in output_sizes],
    )


def _bias_shape(bias_axes: str | None, outputs: str, sizes: dict[str, Any], trailing: int) -> tuple | None:
    if bias_axes is None:
        return None
    for letter in bias_axes:
        if letter not in outputs:
            raise ValueError(f"EinsumDense: `bias_axes` takes letters of the output '{outputs}'. Received: '{letter}'")
    first = min(outputs.find(letter) for letter in bias_axes)
    return (*(sizes[letter] if letter in bias_axes else 1 for letter in outputs[first:]), *[1] * trailing)
