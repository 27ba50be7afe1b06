"""Old names below ``keras``."""

from __future__ import annotations


def _all(home: str, names: str) -> dict[str, str]:
    return {name: f"{home}:{name}" for name in names.split()}


_PUBLIC = (
    "activations applications backend callbacks config constraints datasets distribution dtype_policies export "
    "initializers layers losses metrics mixed_precision models ops optimizers preprocessing random regularizers saving "
    "tree utils wrappers"
)

FIRST: dict[str, dict[str, str]] = {
    "hornbeam.keras.layers": _all(
        "compat.old_layers.renamed",
        "Convolution1D Convolution2D Convolution3D SeparableConvolution2D",
    ),
    "hornbeam.keras.backend": {"backend": "compat.plaidml.keras:backend"},
    "hornbeam.keras.config": {"backend": "compat.plaidml.keras:backend"},
    "hornbeam.keras.utils": {"to_categorical": "compat.categorical:to_categorical"},
    # Modules of ours have these names too; old programs mean the classes.
    "hornbeam.keras.optimizers": {
        "adadelta": "keras.optimizers:Adadelta",
        "adagrad": "keras.optimizers:Adagrad",
        "adam": "keras.optimizers:Adam",
        "adamax": "keras.optimizers:Adamax",
        "nadam": "keras.optimizers:Nadam",
        "rmsprop": "keras.optimizers:RMSprop",
        "sgd": "keras.optimizers:SGD",
    },
}

_REFUSED_LAYERS = (
    "PeepholeLSTMCell DenseFeatures SequenceFeatures DynamicEmbedding DynamicLookup ConvRNN2D ConvRecurrent2D Recurrent"
)

MODULES: dict[str, dict[str, str]] = {
    **{f"hornbeam.keras.{room}": {} for room in _PUBLIC.split()},
    "hornbeam.keras": {
        "estimator": "compat.estimator",
    },
    "hornbeam.keras.layers": {
        **_all(
            "compat.old_layers.renamed",
            "AtrousConv1D AtrousConv2D AtrousConvolution1D AtrousConvolution2D Deconv2D Deconvolution2D Deconv3D "
            "Deconvolution3D CuDNNGRU CuDNNLSTM TimeDistributedDense SyncBatchNormalization",
        ),
        **_all("compat.old_layers.merge", "Merge merge"),
        "_Merge": "keras.layers.merging.merge:Merge",
        **_all("compat.old_layers.dense", "MaxoutDense Highway"),
        **_all("compat.old_layers.activations", "ParametricSoftplus SReLU"),
        **_all("compat.old_layers.local", "LocallyConnected1D LocallyConnected2D"),
        **_all("compat.old_layers.fourier", "RandomFourierFeatures"),
        **_all("compat.old_layers.crossing", "CategoryCrossing"),
        **_all("compat.old_layers.base", "AbstractRNNCell PreprocessingLayer"),
        **_all("compat.refused", _REFUSED_LAYERS),
    },
    "hornbeam.keras.models": {
        **_all("compat.refused", "Graph SharpnessAwareMinimization LinearModel WideDeepModel"),
        **_all("compat.old_models", "export_saved_model"),
        "load_from_saved_model": "keras.models:load_model",
        "Container": "keras.models:Model",
        "Layer": "keras.layers:Layer",
        "Input": "keras.layers:Input",
        "InputSpec": "keras.layers:InputSpec",
        "get_source_inputs": "keras.utils:get_source_inputs",
    },
    "hornbeam.keras.optimizers": {
        "optimizer_from_config": "keras.optimizers:deserialize",
        "TFOptimizer": "compat.refused:TFOptimizer",
    },
    "hornbeam.keras.wrappers": _all("compat.old_sklearn", "KerasClassifier KerasRegressor BaseWrapper"),
    "hornbeam.keras.losses": _all("compat.measures", "cosine cosine_proximity"),
    "hornbeam.keras.metrics": _all(
        "compat.measures",
        "cosine cosine_proximity precision recall fmeasure fbeta_score matthews_correlation MeanRelativeError "
        "MeanTensor",
    ),
    "hornbeam.keras.initializers": {
        "normal": "keras.initializers:RandomNormal",
        "one": "keras.initializers:Ones",
        "uniform": "keras.initializers:RandomUniform",
        "zero": "keras.initializers:Zeros",
    },
    "hornbeam.keras.constraints": {
        "maxnorm": "keras.constraints:MaxNorm",
        "nonneg": "keras.constraints:NonNeg",
        "unitnorm": "keras.constraints:UnitNorm",
        **_all("compat.measures", "RadialConstraint"),
        "radial_constraint": "compat.measures:RadialConstraint",
    },
    "hornbeam.keras.regularizers": {
        "activity_l1": "keras.regularizers:L1",
        "activity_l1l2": "keras.regularizers:L1L2",
        "activity_l2": "keras.regularizers:L2",
        "l1l2": "keras.regularizers:L1L2",
        "ActivityRegularizer": "keras.regularizers:L1L2",
        "L1L2Regularizer": "keras.regularizers:L1L2",
        "WeightRegularizer": "keras.regularizers:L1L2",
        "EigenvalueRegularizer": "compat.refused:EigenvalueRegularizer",
    },
    "hornbeam.keras.callbacks": {"BaseLogger": "compat.old_callbacks:BaseLogger"},
    "hornbeam.keras.mixed_precision": {
        "set_policy": "keras.mixed_precision:set_global_policy",
        "global_policy": "keras.mixed_precision:dtype_policy",
    },
    "hornbeam.keras.utils": {
        **_all(
            "compat.old_utils",
            "HDF5Matrix categorical_probas_to_classes convert_all_kernels_in_model convert_kernel get_from_module "
            "layer_from_config multi_gpu_model print_summary probas_to_classes to_ordinal "
            "SequenceEnqueuer OrderedEnqueuer GeneratorEnqueuer",
        ),
        "plot": "keras.utils:plot_model",
        **_all("compat.refused", "SidecarEvaluator DatasetCreator"),
    },
    "hornbeam.keras.backend": {
        **_all(
            "compat.old_backend",
            "_get_available_gpus experimental get_session get_variable_shape image_dim_ordering legacy_weight_ordering "
            "set_image_dim_ordering set_legacy_weight_ordering set_session",
        ),
        "tf": ":",
    },
    "hornbeam.keras.preprocessing.image": _all(
        "compat.old_images", "apply_transform flip_axis list_pictures transform_matrix_offset_center"
    ),
    "hornbeam.keras.applications": {"MusicTaggerCRNN": "compat.refused:MusicTaggerCRNN"},
    "hornbeam.keras.applications.mobilenet": {
        "relu6": "keras.activations:relu6",
        "DepthwiseConv2D": "keras.layers:DepthwiseConv2D",
    },
    "hornbeam.keras.datasets": {},
    "hornbeam.keras.datasets.imdb": {},
    "hornbeam.keras.datasets.reuters": {},
    "hornbeam.keras.applications.imagenet_utils": {},
    "hornbeam.keras.optimizers.schedules": {},
    "hornbeam.keras.optimizers.legacy": {},
}
"""Modules without old names are listed for their functions, and for a helpful error where a name is missing."""
