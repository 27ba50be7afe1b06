"""Names that modules had in former times: tables of where the object is now, loaded when a name is used."""

from __future__ import annotations

from hornbeam.compat.names import keras, tensorflow

MODULES: dict[str, dict[str, str]] = {**keras.MODULES, **tensorflow.MODULES}
"""Module to old name to ``module:attribute`` below ``hornbeam``; a module's own names win."""

STARRED = frozenset({"hornbeam.keras.layers"})
"""Modules whose old names come with ``from module import *`` too."""

FIRST: dict[str, dict[str, str]] = keras.FIRST
"""Like ``MODULES``, for names that mean something more general in old programs; these win over the module's own."""

STORED: dict[str, str] = (
    {
        f"hornbeam>{name}": f"hornbeam.compat.old_layers.{module}:{name}"
        for module, kinds in {
            "activations": "ParametricSoftplus SReLU",
            "crossing": "CategoryCrossing",
            "dense": "Highway MaxoutDense",
            "fourier": "RandomFourierFeatures",
            "local": "LocallyConnected1D LocallyConnected2D",
            "merge": "Merge",
        }.items()
        for name in kinds.split()
    }
    | {
        f"hornbeam>{name}": f"hornbeam.compat.premade_models:{name}"
        for name in ("LinearModel", "SharpnessAwareMinimization", "WideDeepModel")
    }
    | {
        f"hornbeam>{name}": f"hornbeam.compat.feature_column.layers:{name}"
        for name in ("CategoryNumbers", "DenseFeatures")
    }
)
"""Registered names of old layers and models that files of today may hold."""
