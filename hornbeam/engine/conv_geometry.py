"""The arithmetic of sliding windows: sizes, paddings, and what they become in gradients.

One convolution, along one axis, is ``out[o] = sum_t in'[o * stride - before + t * spread] * kernel[t]``, where
``in'`` has ``input_dilation - 1`` zeros between its elements. The gradients of such a convolution are
convolutions of the same kind, so strided, dilated and transposed convolutions and all their derivatives are one
family, of which ``Geometry`` names a member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbeam.engine.unknown_sizes import are_known, not_below

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Geometry:
    """How a window moves over an input with its channels last.

    Attributes:
        strides: step of the window per spatial axis.
        padding: zeros (before, after) per spatial axis; negative numbers cut off.
        input_dilation: distance between elements of the input; the gaps hold zeros.
        kernel_dilation: distance between elements of the kernel.
        groups: the channels are split into this many parts with kernels of their own.
    """

    strides: tuple[int, ...]
    padding: Pairs
    input_dilation: tuple[int, ...]
    kernel_dilation: tuple[int, ...]
    groups: int = 1

    @property
    def is_plain(self) -> bool:
        """True if nothing is padded or dilated."""
        ones = (1,) * len(self.strides)
        return self.input_dilation == ones and self.kernel_dilation == ones and not any(map(any, self.padding))

    def out_sizes(self, sizes: Sequence[Any], window: Sequence[int]) -> tuple[Any, ...]:
        """Spatial sizes of the result; 0 where the window does not fit."""
        axes = zip(sizes, window, self.strides, self.padding, self.input_dilation, self.kernel_dilation, strict=True)
        out = [
            (_spread(n, gap) + sum(pads) - _spread(k, spread)) // stride + 1 for n, k, stride, pads, gap, spread in axes
        ]
        # Sizes that are symbols (of an exported program) cannot be compared.
        return tuple(max(0, size) if isinstance(size, int) else size for size in out)

    def of_input_gradient(self, sizes: Sequence[Any], window: Sequence[int]) -> Geometry:
        """The convolution that takes the result's gradient, with the kernel turned round, to the input's."""
        padding = tuple(
            (_spread(k, spread) - 1 - before, _spread(n, gap) - _spread(out, stride) + before)
            for n, k, out, stride, (before, _), gap, spread in self._axes(sizes, window)
        )
        return Geometry(self.input_dilation, padding, self.strides, self.kernel_dilation, self.groups)

    def of_kernel_gradient(self, sizes: Sequence[Any], window: Sequence[int]) -> Geometry:
        """The convolution that takes input and result's gradient (as kernel) to the kernel's gradient."""
        padding = tuple(
            (before, _spread(k, spread) - 1 + _spread(out, stride) - _spread(n, gap) - before)
            for n, k, out, stride, (before, _), gap, spread in self._axes(sizes, window)
        )
        return Geometry(self.kernel_dilation, padding, self.input_dilation, self.strides, self.groups)

    def _axes(self, sizes: Sequence[Any], window: Sequence[int]) -> Any:
        out = self.out_sizes(sizes, window)
        return zip(
            sizes, window, out, self.strides, self.padding, self.input_dilation, self.kernel_dilation, strict=True
        )


def _spread(count: Any, distance: int) -> Any:
    """Length of ``count`` elements that lie ``distance`` apart."""
    return (count - 1) * distance + 1 if distance != 1 else count


def pads_of(
    padding: str | Pairs, sizes: Sequence[Any], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Pairs:
    """Padding as numbers. "same" gives ``ceil(size / stride)`` windows; an odd zero goes to the end.

    Args:
        padding: "valid", "same", "causal" (all zeros before), or (before, after) per spatial axis.
        sizes: spatial sizes of the input.
        window: sizes of the window.
        strides: steps of the window.
        dilation: distances between elements of the window.
    """
    if not isinstance(padding, str):
        return tuple((int(before), int(after)) for before, after in padding)
    reach = [_spread(k, spread) - 1 for k, spread in zip(window, dilation, strict=True)]
    if padding == "valid":
        return ((0, 0),) * len(reach)
    if padding == "causal":
        return tuple((width, 0) for width in reach)
    if padding != "same":
        raise ValueError(f"`padding` must be 'valid', 'same' or pairs of ints. Received: padding={padding!r}")
    pads = []
    for size, stride, width in zip(sizes, strides, reach, strict=True):
        total = (-(-size // stride) - 1) * stride + width + 1 - size
        if are_known([size]):
            total = max(total, 0)
        # With an unknown size the end may be negative: what no window reaches is cut off, and the size of the result
        # is the plain quotient, equal to that of other layers.
        before = not_below(total, 0) // 2
        pads.append((before, total - before))
    return tuple(pads)


def transposed_pads(
    padding: str, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int], extra: Sequence[int] | None
) -> Pairs:
    """Zeros around the spread-out input of a transposed convolution.

    Args:
        padding: "valid" (every output that an input reaches) or "same" (``stride`` outputs per input).
        window: sizes of the kernel.
        strides: outputs per input.
        dilation: distances between elements of the kernel.
        extra: further outputs at the end ("output padding") instead of those that ``padding`` implies.

    References: Keras ``layers.Conv2DTranspose``; TensorFlow's rule, where "same" with ``output_padding`` counts
    from half a kernel.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f"A transposed convolution takes padding='valid' or 'same'. Received: {padding!r}")
    pads = []
    for axis, (k, stride, spread) in enumerate(zip(window, strides, dilation, strict=True)):
        size = _spread(k, spread)
        if padding == "valid":
            more = max(size, stride) - size if extra is None else extra[axis]
            pads.append((size - 1, size - 1 + more))
            continue
        total = stride + size - 2 if extra is None else size + size % 2 - 2 + extra[axis]
        before = min(total // 2 + total % 2, size - 1)
        pads.append((before, total - before))
    return tuple(pads)


def transposed_size(size: Any, k: int, stride: int, spread: int, padding: str, extra: int | None) -> Any:
    """Size of one axis of the result of a transposed convolution; None if the input's is unknown."""
    if size is None:
        return None
    k = _spread(k, spread)
    if padding == "valid":
        return (size - 1) * stride + k + (max(k, stride) - k if extra is None else extra)
    return size * stride if extra is None else (size - 1) * stride + k % 2 + extra
