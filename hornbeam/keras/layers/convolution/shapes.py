"""Checks and output shapes that layers with windows share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.base import check
from hornbeam.base.errors import ShapeError, explain


def padding_name(padding: Any, *, causal: bool = False) -> str:
    """Padding in small letters: "valid", "same" or "causal".

    Raises:
        ValueError: anything else.
    """
    allowed = {"valid", "same", "causal"} if causal else {"valid", "same"}
    name = padding.lower() if isinstance(padding, str) else padding
    if not isinstance(name, str) or name not in allowed:
        raise ValueError(f"The `padding` argument must be one of {sorted(allowed)}. Received: padding={padding!r}")
    return name


def spatial(shape: Sequence[Any], data_format: str) -> tuple[Any, ...]:
    """The spatial sizes in a shape."""
    return tuple(shape[2:]) if data_format == "channels_first" else tuple(shape[1:-1])


def channel_axis(data_format: str) -> int:
    """The axis of the channels."""
    return 1 if data_format == "channels_first" else -1


def channels_of(shape: Sequence[Any], data_format: str, owner: Any) -> int:
    """Number of channels, which has to be known.

    Raises:
        ShapeError: it is not.
    """
    return check.known_axis(shape, channel_axis(data_format), owner=owner)


def with_space(shape: Sequence[Any], sizes: Sequence[Any], channels: Any, data_format: str) -> tuple[Any, ...]:
    """A shape with other spatial sizes and channels."""
    batch = shape[0]
    return (batch, channels, *sizes) if data_format == "channels_first" else (batch, *sizes, channels)


def window_sizes(
    shape: Sequence[Any],
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilation: Sequence[int] | None = None,
    owner: Any = None,
) -> tuple[Any, ...]:
    """Number of places of a window per spatial axis; None where the input's size is unknown.

    Raises:
        ShapeError: the rank does not fit the window, or a size would be zero or negative.
    """
    sizes = spatial(shape, data_format)
    if len(sizes) != len(window):
        raise ShapeError(
            f"{check.owner_text(owner)}: inputs must have {len(window)} spatial axes, besides those of batch and "
            f"channels. Received: input shape {tuple(shape)}"
        )
    dilation = dilation or (1,) * len(window)
    least = tuple((k - 1) * spread + 1 for k, spread in zip(window, dilation, strict=True))
    out = []
    for size, reach, stride in zip(sizes, least, strides, strict=True):
        if size is None:
            out.append(None)
            continue
        if stride == 0:
            raise ValueError(f"{check.owner_text(owner)}: `strides` must not be 0. Received: strides={tuple(strides)}")
        out.append((size - (reach if padding == "valid" else 1)) // stride + 1)
    if any(size is not None and size <= 0 for size in out):
        raise ShapeError(
            explain(
                f"{check.owner_text(owner)}: the window does not fit, so that an output size is zero or negative.",
                expected=f"spatial sizes of at least {least}",
                received=f"input shape {tuple(shape)}, data_format={data_format!r}, padding={padding!r}",
                fix="feed larger inputs, make the window smaller, or use padding='same'",
            )
        )
    return tuple(out)
