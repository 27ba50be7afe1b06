"""Names that only the backend modules of older versions had: axis orders as "th" and "tf", sessions."""

from __future__ import annotations

import types
from typing import Any

from hornbeam.compat.notes import note
from hornbeam.compat.v1.session import Session, default_session
from hornbeam.config.devices import list_logical_devices
from hornbeam.keras import backend as K

_NAMES = {"th": "channels_first", "tf": "channels_last"}


def image_dim_ordering() -> str:
    """The order of a picture's axes: "th" (channels first) or "tf" (channels last)."""
    note("K.image_dim_ordering: `image_data_format` is its name now.")
    return next(old for old, new in _NAMES.items() if new == K.image_data_format())


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set the order of a picture's axes.

    Raises:
        ValueError: neither "th" nor "tf".
    """
    note("K.set_image_dim_ordering: `set_image_data_format` is its name now.")
    if dim_ordering not in _NAMES:
        raise ValueError(f"The order is 'th' (channels first) or 'tf' (channels last). Received: {dim_ordering!r}")
    K.set_image_data_format(_NAMES[dim_ordering])


def get_variable_shape(x: Any) -> tuple:
    """Sizes of a variable."""
    return tuple(x.shape)


def legacy_weight_ordering() -> bool:
    """False: weights are in today's order."""
    return False


def set_legacy_weight_ordering(value: bool) -> None:
    """Accept today's order of weights, the only one.

    Raises:
        ValueError: the old order is asked for.
    """
    if value:
        raise ValueError("Weights are kept in today's order. Files in the old order are read as they are.")


def _get_available_gpus() -> list[str]:
    """Names of the GPUs."""
    return [device.name for device in list_logical_devices("GPU")]


def get_session(op_input_list: Any = ()) -> Session:
    """The session in force: a stand-in that gives values of tensors."""
    return default_session()


def set_session(session: Any) -> None:
    """Accept a session; computations need none. Options of its configuration have no effect."""
    note("K.set_session: there are no sessions; memory is taken as it is needed. Leave it out.")


def _switch_random_generator() -> None:
    note("K.experimental: random generators are always those of Hornbeam; leave the switch out.")


experimental = types.SimpleNamespace(
    enable_tf_random_generator=_switch_random_generator,
    disable_tf_random_generator=_switch_random_generator,
    is_tf_random_generator_enabled=lambda: True,
)
"""Switches of the random generator, without effect."""
