"""Old arguments of layers, initializers, regularizers and constraints."""

from __future__ import annotations

from typing import Any

from hornbeam.compat.notes import note
from hornbeam.compat.spellings.table import Translator, chain, data_format, initializer, spell

_INIT = {"init": initializer}
_KERNEL = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_CONV = _KERNEL | {
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate",
    "dim_ordering": "data_format",
}
_CONV_VALUES = _INIT | {"dim_ordering": data_format}
_RECURRENT = {
    "output_dim": "units",
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "dim_ordering": "data_format",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "forget_bias_init": "unit_forget_bias",
}
_RECURRENT_ONLY = {
    "time_major": (
        (False, None),
        "put the batch axis first: `keras.ops.transpose(x, (1, 0, 2))` before and after the layer",
    ),
}
_SIZES = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
_OLD_CONV_ONLY = frozenset(_CONV) | frozenset(name for names in _SIZES for name in names)


def _forget_bias(value: Any) -> bool:
    """``"one"`` as True and ``"zero"`` as False."""
    name = value if isinstance(value, str) else getattr(value, "__name__", str(value))
    return name.lower() in ("one", "ones")


def window_sizes(owner: str, rank: int, *, always: bool = False, output_shape: bool = False) -> Translator:
    """Sizes of a window as separate arguments, brought together in ``kernel_size``.

    Args:
        owner: class, for notes.
        rank: number of spatial axes.
        always: sizes by position are separate whatever the other arguments; otherwise only if one of these is old.
        output_shape: the next positional argument is the output's shape.
    """
    named = _SIZES[rank - 2]

    def translate(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        old = always or not _OLD_CONV_ONLY.isdisjoint(kwargs)
        kwargs = dict(kwargs)
        sizes = args[1 : 1 + rank]
        if old and len(sizes) == rank and all(isinstance(size, int) for size in sizes):
            note(f"{owner}: give the window as one argument, `kernel_size={sizes}`.")
            rest = args[1 + rank :]
            args = (*args[:1], sizes)
            if rest and output_shape:
                kwargs["output_shape"], rest = rest[0], rest[1:]
            for name, value in zip(("init", "activation", "weights", "border_mode", "subsample"), rest, strict=False):
                kwargs[name] = value
        found = [kwargs.pop(name) for name in named if name in kwargs]
        if found:
            # The first size may stand by position, with the others by name.
            window = (*(args[1:2] if len(found) == rank - 1 and len(args) == 2 else ()), *found)
            args = args[:1] if len(window) > len(found) else args
            note(f"{owner}: give the window as one argument, `kernel_size={window}`.")
            kwargs["kernel_size"] = window
        return args, kwargs

    return translate


def conv(owner: str, rank: int, *, always: bool = False, output_shape: bool = False) -> Translator:
    """Old arguments of a convolution."""
    rename = chain(
        spell(owner, _CONV, values=_CONV_VALUES, dropped=["output_shape"] if output_shape else []), _one_group
    )
    if rank == 1:
        return chain(_conv1d_places, rename) if always else rename
    return chain(window_sizes(owner, rank, always=always, output_shape=output_shape), rename)


def _one_group(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``groups=None`` as 1."""
    return args, {**kwargs, "groups": 1} if kwargs.get("groups", 1) is None else kwargs


def _conv1d_places(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """A text in third place is the initializer: strides are numbers."""
    if len(args) > 2 and isinstance(args[2], str):
        kwargs = dict(kwargs)
        for name, value in zip(("init", "activation", "weights", "border_mode"), args[2:], strict=False):
            kwargs[name] = value
        args = args[:2]
    return args, kwargs


def _second_is_initializer(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``Dense(10, "uniform")``: a name that only initializers have, in the place of the activation."""
    if len(args) > 1 and isinstance(args[1], str) and _names_initializer(args[1]):
        note(f"Dense: give {args[1]!r} as `kernel_initializer={args[1]!r}`.")
        kwargs = {**kwargs, "kernel_initializer": args[1]}
        if len(args) > 2:
            kwargs["activation"] = args[2]
        args = args[:1]
    return args, kwargs


def _names_initializer(name: str) -> bool:
    stem = name.lower()
    return stem.startswith(("glorot_", "he_", "lecun_")) or stem in ("uniform", "normal", "zero", "one", "orthogonal")


def _norm_places(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``BatchNormalization(1e-6, 0, 1, 0.9)``: epsilon, mode, axis, momentum; an axis is never a fraction."""
    if args and isinstance(args[0], float):
        kwargs = {**dict(zip(("epsilon", "mode", "axis", "momentum"), args, strict=False)), **kwargs}
        args = ()
    return args, kwargs


def _fixed_length(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``Embedding(1000, 16, input_length=20)``: the length is the shape of the input, and a first layer builds."""
    if kwargs.get("input_length") is not None:
        kwargs = dict(kwargs)
        length = kwargs.pop("input_length")
        if not {"input_shape", "batch_input_shape", "batch_shape"} & set(kwargs):
            kwargs["input_shape"] = tuple(length) if isinstance(length, (list, tuple)) else (length,)
    return args, kwargs


def _padding_sides(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``{"top_pad": 1, "left_pad": 2}`` and ``(top, bottom, left, right)`` as ``((top, bottom), (left, right))``."""
    given = args[0] if args else kwargs.get("padding")
    if isinstance(given, dict):
        top, bottom, left, right = (given.get(f"{name}_pad", 0) for name in ("top", "bottom", "left", "right"))
    elif isinstance(given, (tuple, list)) and len(given) == 4:
        top, bottom, left, right = given
    else:
        return args, kwargs
    padding = ((top, bottom), (left, right))
    note(f"ZeroPadding2D: write the padding as {padding}.")
    return args[1:], {**kwargs, "padding": padding}


def _default_pool(rank: int) -> Translator:
    """Pooling without a size pools by 2."""
    size = 2 if rank == 1 else (2,) * rank

    def translate(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        if not args and "pool_size" not in kwargs:
            kwargs = {**kwargs, "pool_size": size}
        return args, kwargs

    return translate


def _pooling(owner: str, rank: int) -> Translator:
    renamed = {
        "pool_length": "pool_size",
        "stride": "strides",
        "border_mode": "padding",
        "dim_ordering": "data_format",
    }
    return chain(spell(owner, renamed, values={"dim_ordering": data_format}), _default_pool(rank))


def _format_only(owner: str, renamed: dict[str, str] | None = None, before: Translator | None = None) -> Translator:
    names = {"dim_ordering": "data_format", **(renamed or {})}
    return spell(owner, names, values={"dim_ordering": data_format}, before=before)


def _recurrent(owner: str) -> Translator:
    values = {
        "init": initializer,
        "inner_init": initializer,
        "forget_bias_init": _forget_bias,
        "dim_ordering": data_format,
    }
    dropped = ("consume_less", "implementation") if owner not in _KNOWS_IMPLEMENTATION else ("consume_less",)
    rename = spell(owner, _RECURRENT, values=values, dropped=dropped, only=_RECURRENT_ONLY)
    return chain(window_sizes(owner, 2), rename) if owner == "ConvLSTM2D" else rename


def _both_kernels(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """One initializer for the depthwise and for the pointwise kernel."""
    if "kernel_initializer" in kwargs:
        kwargs = dict(kwargs)
        found = kwargs.pop("kernel_initializer")
        kwargs = {"depthwise_initializer": found, "pointwise_initializer": found, **kwargs}
    return args, kwargs


_KNOWS_IMPLEMENTATION = ("GRU", "LSTM", "GRUCell", "LSTMCell")

_BATCH_NORM_ONLY = {
    "mode": ((0,), "normalise per sample with `LayerNormalization`; mode 2 has no successor"),
    "renorm": ((False, None), "use `LayerNormalization` or `GroupNormalization` for small batches"),
    "renorm_clipping": ((None,), "it belongs to `renorm`, which is not offered"),
    "renorm_momentum": ((0.99, None), "it belongs to `renorm`, which is not offered"),
    "virtual_batch_size": ((None,), "call the layer on smaller batches"),
    "adjustment": ((None,), "write it as a layer of your own before this one"),
}
_RATE = {"p": "rate"}

_LAYERS: dict[str, Translator] = {
    "Dense": spell("Dense", {"output_dim": "units", **_KERNEL}, values=_INIT, before=_second_is_initializer),
    "Embedding": spell(
        "Embedding",
        {
            "init": "embeddings_initializer",
            "W_regularizer": "embeddings_regularizer",
            "W_constraint": "embeddings_constraint",
        },
        values=_INIT,
        only={
            "sparse": ((False, None), "leave it out; gradients of the table are dense here"),
        },
        before=_fixed_length,
    ),
    "Conv1D": conv("Conv1D", 1),
    "Conv2D": conv("Conv2D", 2),
    "Conv3D": conv("Conv3D", 3),
    "Conv2DTranspose": conv("Conv2DTranspose", 2, output_shape=True),
    "Conv3DTranspose": conv("Conv3DTranspose", 3, output_shape=True),
    "SeparableConv2D": chain(conv("SeparableConv2D", 2), _both_kernels),
    "LocallyConnected1D": conv("LocallyConnected1D", 1),
    "LocallyConnected2D": conv("LocallyConnected2D", 2),
    "ConvLSTM2D": _recurrent("ConvLSTM2D"),
    "SimpleRNN": _recurrent("SimpleRNN"),
    "GRU": _recurrent("GRU"),
    "LSTM": _recurrent("LSTM"),
    "RNN": spell("RNN", only=_RECURRENT_ONLY),
    "Dropout": spell("Dropout", _RATE),
    "GaussianDropout": spell("GaussianDropout", _RATE),
    "AlphaDropout": spell("AlphaDropout", _RATE),
    "SpatialDropout1D": spell("SpatialDropout1D", _RATE),
    "SpatialDropout2D": _format_only("SpatialDropout2D", _RATE),
    "SpatialDropout3D": _format_only("SpatialDropout3D", _RATE),
    "GaussianNoise": spell("GaussianNoise", {"sigma": "stddev"}),
    "UpSampling1D": spell("UpSampling1D", {"length": "size"}),
    "UpSampling2D": _format_only("UpSampling2D"),
    "UpSampling3D": _format_only("UpSampling3D"),
    "ZeroPadding2D": _format_only("ZeroPadding2D", before=_padding_sides),
    "ZeroPadding3D": _format_only("ZeroPadding3D"),
    "Cropping2D": _format_only("Cropping2D"),
    "Cropping3D": _format_only("Cropping3D"),
    "PReLU": spell("PReLU", {"init": "alpha_initializer"}, values=_INIT),
    "BatchNormalization": spell(
        "BatchNormalization",
        {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
        values={"beta_init": initializer, "gamma_init": initializer},
        dropped=["fused"],
        only=_BATCH_NORM_ONLY,
        before=_norm_places,
    ),
    "Softmax": spell("Softmax", dropped=["robust_masking"]),
    "MultiHeadAttention": spell("MultiHeadAttention", dropped=["softmax_robust_masking"]),
    "InputLayer": spell(
        "InputLayer", {"input_dtype": "dtype"}, only={"type_spec": ((None,), "give `shape` and `dtype`")}
    ),
}
for _kind in ("Max", "Average"):
    for _rank in (1, 2, 3):
        _LAYERS[f"{_kind}Pooling{_rank}D"] = _pooling(f"{_kind}Pooling{_rank}D", _rank)
for _kind in ("GlobalMax", "GlobalAverage"):
    for _rank in (2, 3):
        _LAYERS[f"{_kind}Pooling{_rank}D"] = _format_only(f"{_kind}Pooling{_rank}D")

CONSTRUCTORS: dict[tuple[str, str], Translator] = {("layers", name): row for name, row in _LAYERS.items()} | {
    ("regularizers", "L1"): spell("l1", {"l": "l1"}),
    ("regularizers", "L2"): spell("l2", {"l": "l2"}),
    ("constraints", "MaxNorm"): spell("MaxNorm", {"m": "max_value"}),
    ("constraints", "MinMaxNorm"): spell("MinMaxNorm", {"low": "min_value", "high": "max_value"}),
}
"""(part of ``keras``, class) to the translator of its constructor's arguments."""
