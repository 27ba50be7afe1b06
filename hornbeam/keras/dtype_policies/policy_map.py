"""``DTypePolicyMap``: different dtype policies for different layers inside one."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from hornbeam.keras.dtype_policies.lookup import get
from hornbeam.keras.dtype_policies.policy import DTypePolicy
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["DTypePolicyMap"]


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Mapping from layer paths to dtype policies; a path that is not in it gets the default.

    Keys are paths, or regular expressions that have to match a whole path.

    Args:
        default_policy: policy of all other layers; ``None`` for the global one, asked for each time.
        policy_map: path or expression to policy.

    Raises:
        ValueError: the default is a map itself.
        TypeError: ``policy_map`` is no ``dict``.

    Example:
        >>> policies = DTypePolicyMap("float32", {"encoder/.*": DTypePolicy("bfloat16")})
        >>> policies["encoder/dense"].name
        'bfloat16'

    References: Keras ``keras.dtype_policies.DTypePolicyMap``.
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                f"DTypePolicyMap: expected a dict of paths and policies, or None. Received: policy_map={policy_map!r}"
            )
        self._default_policy_arg = default_policy
        self._default_policy = get(default_policy)
        self._policy_map = policy_map or {}

    @property
    def name(self) -> str:
        """``"map_"`` and the default policy's name."""
        return f"map_{self.default_policy._name}"

    @property
    def default_policy(self) -> DTypePolicy:
        """Policy of layers that are not in the map."""
        return get(self._default_policy)

    @property
    def variable_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """That of the default policy."""
        return self.default_policy.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        """Policy of a layer path: the equal key, else the one matching expression, else the default."""
        if key in self._policy_map:
            return self._policy_map[key]
        matches = [pattern for pattern in self._policy_map if re.fullmatch(pattern, key)]
        if len(matches) > 1:
            raise ValueError(
                f"DTypePolicyMap: expected one pattern for the path '{key}'. Received: {matches} all fit it. Make the "
                "patterns narrower."
            )
        return self._policy_map[matches[0]] if matches else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        """Add the policy of a path or expression that has none yet."""
        if key in self._policy_map:
            raise ValueError(
                f"DTypePolicyMap: '{key}' already has the policy {self._policy_map[key]}. Delete it first: "
                f"`del policies[{key!r}]`."
            )
        try:
            self._policy_map[key] = get(policy)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"DTypePolicyMap: expected a policy or the name of one for '{key}'. Received: {policy!r}"
            ) from error

    def __delitem__(self, key: str) -> None:
        del self._policy_map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policy_map

    def __len__(self) -> int:
        return len(self._policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DTypePolicyMap):
            return False
        return self.default_policy == other.default_policy and self._policy_map == other._policy_map

    __hash__ = None  # type: ignore[assignment]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        if self._default_policy_arg is None:
            # Keras stores the policies of such a map without names, so that a reader puts in its own global policy.
            policies: Any = {}
            for key, policy in self._policy_map.items():
                config = serialize_keras_object(policy)
                config["config"] = {**config["config"], "name": None}
                policies[key] = config
            return {"default_policy": None, "policy_map": policies}
        return {
            "default_policy": self._default_policy_arg,
            "policy_map": serialize_keras_object(self._policy_map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicyMap:
        """The map that ``get_config`` described."""
        config = dict(config)
        config["policy_map"] = deserialize_keras_object(config["policy_map"], custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policy_map.items()]
        return f"<DTypePolicyMap at {hex(id(self))} default_policy={self._default_policy.name}, mapping={mapping}>"
