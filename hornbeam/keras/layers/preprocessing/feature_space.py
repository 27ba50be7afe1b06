"""``FeatureSpace``: a table's columns as one vector, or one each."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import names, registry, trees
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.input_layer import Input
from hornbeam.keras.layers.preprocessing import data_batches
from hornbeam.keras.layers.preprocessing.category_encoding import CategoryEncoding
from hornbeam.keras.layers.preprocessing.columns import column, narrow_tensor
from hornbeam.keras.layers.preprocessing.discretization import Discretization
from hornbeam.keras.layers.preprocessing.feature_parts import Cross, Feature, TFDConcat, TFDIdentity
from hornbeam.keras.layers.preprocessing.hashed_crossing import HashedCrossing
from hornbeam.keras.layers.preprocessing.hashing import Hashing
from hornbeam.keras.layers.preprocessing.index_lookup import IndexLookup
from hornbeam.keras.layers.preprocessing.integer_lookup import IntegerLookup
from hornbeam.keras.layers.preprocessing.normalization import Normalization
from hornbeam.keras.layers.preprocessing.rescaling import Rescaling
from hornbeam.keras.layers.preprocessing.string_lookup import StringLookup
from hornbeam.keras.layers.preprocessing.text_vectorization import TextVectorization
from hornbeam.keras.saving import serialization

__all__ = ["Cross", "Feature", "FeatureSpace", "TFDConcat", "TFDIdentity"]


class FeatureSpace(Layer):
    """Preprocessing of tables: each named feature by a layer of its own, and crosses of features.

    Args:
        features: by name, what each feature is: the name of a kind (``"float"``, ``"float_normalized"``,
            ``"float_rescaled"``, ``"float_discretized"``, ``"integer_categorical"``, ``"string_categorical"``,
            ``"integer_hashed"``, ``"string_hashed"``), or the result of the class method of that name.
        output_mode: ``concat`` (one vector) or ``dict`` (a tensor by name).
        crosses: features to cross: tuples of names, or results of ``FeatureSpace.cross``.
        crossing_dim: bins of crosses given as tuples.
        hashing_dim: bins of the kinds ``*_hashed``.
        num_discretization_bins: bins of the kind ``float_discretized``.
        name: name.

    Example:
        >>> space = FeatureSpace({"age": "float_normalized", "city": "string_categorical"})
        >>> data = {"age": np.array([20.0, 40.0], "float32"), "city": np.array(["a", "b"])}
        >>> space.adapt(data)
        >>> space(data).shape
        TensorShape([2, 4])

    References: Keras ``utils.FeatureSpace``.
    """

    saved_alone = True

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Combinations of features, in ``crossing_dim`` bins."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a preprocessing layer of the user's choice."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number as it is."""
        name = name or names.auto_name("float")
        return Feature("float32", TFDIdentity(dtype="float32", name=f"{name}_preprocessor"), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """A number times ``scale`` plus ``offset``."""
        name = name or names.auto_name("float_rescaled")
        return Feature("float32", Rescaling(scale=scale, offset=offset, name=f"{name}_preprocessor"), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number, with mean 0 and variance 1 over the data adapted to."""
        name = name or names.auto_name("float_normalized")
        return Feature("float32", Normalization(axis=-1, name=f"{name}_preprocessor"), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """A number as one of some bins."""
        name = name or names.auto_name("float_discretized")
        layer = Discretization(num_bins=num_bins, bin_boundaries=bin_boundaries, name=f"{name}_preprocessor")
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """An integer as one of those in the data adapted to."""
        name = name or names.auto_name("integer_categorical")
        layer = IntegerLookup(name=f"{name}_preprocessor", max_tokens=max_tokens, num_oov_indices=num_oov_indices)
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A text as one of those in the data adapted to."""
        name = name or names.auto_name("string_categorical")
        layer = StringLookup(name=f"{name}_preprocessor", max_tokens=max_tokens, num_oov_indices=num_oov_indices)
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """A text as one of some hash bins."""
        name = name or names.auto_name("string_hashed")
        return Feature("string", Hashing(name=f"{name}_preprocessor", num_bins=num_bins), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """An integer as one of some hash bins."""
        name = name or names.auto_name("integer_hashed")
        return Feature("int32", Hashing(name=f"{name}_preprocessor", num_bins=num_bins), output_mode)

    def __init__(
        self,
        features: Any,
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("FeatureSpace: `features` must name at least one feature.")
        if output_mode not in ("dict", "concat"):
            raise ValueError(f"FeatureSpace: `output_mode` must be 'dict' or 'concat'. Received: {output_mode!r}")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins, self.output_mode = num_discretization_bins, output_mode
        self.features = {key: self._standardized(key, value) for key, value in features.items()}
        self.crosses = [self._standardized_cross(cross, features) for cross in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.inputs = {key: Input(shape=(1,), dtype=one.dtype, name=key) for key, one in self.features.items()}
        self.preprocessors = {key: one.preprocessor for key, one in self.features.items()}
        self.crossers = {one.name: HashedCrossing(one.crossing_dim, name=one.name) for one in self.crosses}
        self.one_hot_encoders: dict[str, Any] = {}
        self.encoded_features: Any = None
        self.concat: Any = None
        self._is_adapted = False
        self._sublayers_built = False

    def _standardized(self, name: str, value: Any) -> Feature:
        if isinstance(value, Feature):
            return value
        if isinstance(value, dict):
            return serialization.deserialize_keras_object(value)
        sizes = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        if value in sizes:
            return getattr(self, value)(sizes[value], name=name)
        if value in ("float", "float_normalized", "float_rescaled", "integer_categorical", "string_categorical"):
            return getattr(self, value)(name=name)
        raise ValueError(f"FeatureSpace: {value!r} is no kind of feature (feature '{name}').")

    def _standardized_cross(self, cross: Any, features: Any) -> Cross:
        if isinstance(cross, dict):
            cross = serialization.deserialize_keras_object(cross)
        if isinstance(cross, Cross):
            return cross
        if not self.crossing_dim:
            raise ValueError("FeatureSpace: with `crosses` of names, give `crossing_dim`, the number of bins.")
        unknown = [name for name in cross if name not in features]
        if unknown:
            raise ValueError(f"FeatureSpace: `crosses` names features that are not there: {unknown}.")
        return Cross(cross, crossing_dim=self.crossing_dim)

    # --- learning --------------------------------------------------------------------------------
    def _adaptable(self) -> list[str]:
        found = []
        for name, layer in self.preprocessors.items():
            given = (isinstance(layer, Normalization) and layer.input_mean is not None) or (
                isinstance(layer, (TextVectorization, IndexLookup)) and layer._has_input_vocabulary
            )
            fixed = isinstance(layer, Discretization) and layer.num_bins is None
            if hasattr(layer, "adapt") and not given and not fixed:
                found.append(name)
        return found

    def adapt(self, dataset: Any) -> None:
        """Let all preprocessing layers learn from data.

        Args:
            dataset: dataset of dicts, of single rows or of batches; or a dict of arrays.

        Raises:
            ValueError: no such data.
        """
        if not isinstance(dataset, dict) and not data_batches.is_dataset(dataset):
            raise ValueError(
                "FeatureSpace.adapt learns from a dict of arrays or from a data set that gives such dicts. Received: "
                f"{type(dataset).__name__}"
            )
        for name in self._adaptable():
            self.preprocessors[name].adapt(column(dataset, name))
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True
        self._sublayers_built = True

    # --- symbolic --------------------------------------------------------------------------------
    def get_inputs(self) -> dict[str, Any]:
        """Symbolic inputs by name, to build a model on."""
        self._check_built()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Symbolic output for these inputs."""
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encode(self.inputs)
        return self.encoded_features

    def _check_adapted(self) -> None:
        if not self._is_adapted:
            if self._adaptable():
                raise ValueError(
                    f"FeatureSpace '{self.name}' has not learned from data yet: call `adapt(dataset)` first."
                )
            self._is_adapted = True

    def _check_built(self) -> None:
        if not self._sublayers_built:
            self._check_adapted()
            self.get_encoded_features()
            self._sublayers_built = True

    # --- running ---------------------------------------------------------------------------------
    def _encode(self, data: dict[str, Any]) -> Any:
        """Preprocess, cross, encode and merge."""
        preprocessed = {name: self.preprocessors[name](value) for name, value in data.items()}
        crossed = {
            cross.name: self.crossers[cross.name]([preprocessed[name] for name in cross.feature_names])
            for cross in self.crosses
        }
        merged: dict[str, Any] = {}
        for name in sorted(preprocessed):
            merged[name] = self._encoded(name, preprocessed[name], self.features[name])
        for name in sorted(crossed):
            merged[name] = self._encoded(name, crossed[name], self.crosses_by_name[name])
        if self.output_mode == "dict":
            return merged
        for name, value in merged.items():
            if not value.dtype.is_floating:
                raise ValueError(
                    f"FeatureSpace: feature '{name}' is of dtype {value.dtype.name}, not encoded, so it cannot "
                    "be joined "
                    "with the others. Use output_mode='dict'."
                )
        if self.concat is None:
            self.concat = TFDConcat(axis=-1)
        return self.concat(list(merged.values()))

    def _encoded(self, name: str, value: Any, spec: Any) -> Any:
        if spec.output_mode != "one_hot":
            return value
        if name not in self.one_hot_encoders:
            self.one_hot_encoders[name] = CategoryEncoding(self._cardinality(name, value), output_mode="multi_hot")
        return self.one_hot_encoders[name](value)

    def _cardinality(self, name: str, value: Any) -> int:
        layer = self.preprocessors.get(name) or self.crossers.get(name)
        if not value.dtype.is_integer:
            raise ValueError(
                f"FeatureSpace: feature '{name}' has output_mode='one_hot', but its layer gives "
                f"{value.dtype.name}, not "
                "integers."
            )
        if isinstance(layer, IndexLookup):
            return layer.vocabulary_size()
        if isinstance(layer, CategoryEncoding):
            return layer.num_tokens
        if isinstance(layer, Discretization):
            return layer.num_bins if layer.num_bins is not None else len(layer.bin_boundaries or ()) + 1
        if isinstance(layer, (HashedCrossing, Hashing)):
            return layer.num_bins
        raise ValueError(
            f"FeatureSpace: how many categories feature '{name}' has is not known, so it cannot be one-hot "
            "encoded. Use "
            "output_mode='int'."
        )

    def __call__(self, data: Any) -> Any:
        """Encode a dict of features: one row, or a batch.

        Args:
            data: by name, numbers or texts: scalars, (batch,) or (batch, 1).
        """
        self._check_built()
        if not isinstance(data, dict):
            raise ValueError(f"FeatureSpace '{self.name}' takes a dict of features. Received: {type(data).__name__}")
        values, single = {}, False
        for name in self.features:
            if name not in data:
                raise ValueError(f"FeatureSpace '{self.name}' misses feature '{name}'. Received: {sorted(data)}")
            value = narrow_tensor(data[name])
            rank = len(value.shape)
            single = single or rank == 0
            values[name] = (
                ops.reshape(value, (1, 1)) if rank == 0 else ops.expand_dims(value, -1) if rank == 1 else value
            )
        merged = self._encode(values)
        if not single:
            return merged
        return trees.map_structure(lambda one: ops.squeeze(one, axis=0), merged)

    # --- storing ---------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """Arguments, features with their layers' configs."""
        return {
            "features": serialization.serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialization.serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureSpace:
        """A feature space from its config."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """What the preprocessing layers were built for."""
        return {name: feature.preprocessor.get_build_config() for name, feature in self.features.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the preprocessing layers."""
        for name, one in config.items():
            layer = self.features[name].preprocessor
            if not layer.built and one:
                layer.build_from_config(one)
        self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Write the feature space to a ``.keras`` file; ``keras.models.load_model`` reads it."""
        registry.find("saving", "save_model")(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """Nothing of its own: its layers store theirs."""
        return

    def load_own_variables(self, store: Any) -> None:
        """Nothing of its own: its layers load theirs."""
        return
