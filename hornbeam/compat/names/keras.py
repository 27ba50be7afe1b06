"""Old names below ``keras``."""

from __future__ import annotations


def _all(home: str, names: str) -> dict[str, str]:
    return {name: f"{home}:{name}" for name in names.split()}


_PUBLIC = (
    "activations applications backend callbacks config constraints datasets distribution dtype_policies export "
    "initializers layers losses metrics mixed_precision models ops optimizers preprocessing random regularizers saving "
    "tree utils wrappers"
)

_SERIALIZERS = "activations constraints initializers losses metrics regularizers"

FIRST: dict[str, dict[str, str]] = {
    **{f"hornbeam.keras.{room}": {"serialize": f"compat.old_forms:{room}"} for room in _SERIALIZERS.split()},
    "hornbeam.keras.optimizers.schedules": {"serialize": "compat.old_forms:schedules"},
    "hornbeam.keras.layers": {
        "serialize": "compat.old_forms:layers",
        **_all("compat.old_layers.renamed", "Convolution1D Convolution2D Convolution3D SeparableConvolution2D"),
    },
    "hornbeam.keras.backend": {
        "backend": "compat.backend_name:backend",
        "batch_dot": "compat.methods.batch_products:batch_dot",
        **_all("compat.methods.own_updates", "variable zeros ones update update_add update_sub moving_average_update"),
    },
    "hornbeam.keras.config": {"backend": "compat.backend_name:config_backend"},
    "hornbeam.keras.utils": {"to_categorical": "compat.categorical:to_categorical"},
    # Modules of ours have these names too; old programs mean the classes.
    "hornbeam.keras.optimizers": {
        "serialize": "compat.old_forms:optimizers",
        "adadelta": "keras.optimizers:Adadelta",
        "adagrad": "keras.optimizers:Adagrad",
        "adam": "keras.optimizers:Adam",
        "adamax": "keras.optimizers:Adamax",
        "nadam": "keras.optimizers:Nadam",
        "rmsprop": "keras.optimizers:RMSprop",
        "sgd": "keras.optimizers:SGD",
    },
}

_REFUSED_LAYERS = "PeepholeLSTMCell SequenceFeatures DynamicEmbedding DynamicLookup ConvRNN2D ConvRecurrent2D Recurrent"

ARCHITECTURES = {
    "convnext": "ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge",
    "densenet": "DenseNet121 DenseNet169 DenseNet201",
    "efficientnet": " ".join(f"EfficientNetB{number}" for number in range(8)),
    "inception_resnet_v2": "InceptionResNetV2",
    "inception_v3": "InceptionV3",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "nasnet": "NASNetLarge NASNetMobile",
    "resnet": "ResNet50 ResNet101 ResNet152",
    "resnet_v2": "ResNet50V2 ResNet101V2 ResNet152V2",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "xception": "Xception",
}
"""Networks of the time of ``keras_applications``, by their module."""

MODULES: dict[str, dict[str, str]] = {
    **{f"hornbeam.keras.applications.{name}": {} for name in ARCHITECTURES},
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
        "warnings": "compat.old_utils:warnings",  # once imported by the module; published networks take it from there
        **_all("compat.old_layers.dense", "MaxoutDense Highway"),
        **_all("compat.old_layers.activations", "ParametricSoftplus SReLU"),
        **_all("compat.old_layers.local", "LocallyConnected1D LocallyConnected2D"),
        **_all("compat.old_layers.fourier", "RandomFourierFeatures"),
        **_all("compat.old_layers.crossing", "CategoryCrossing"),
        **_all("compat.old_layers.base", "AbstractRNNCell PreprocessingLayer"),
        **_all("compat.feature_column.layers", "DenseFeatures"),
        **_all("compat.refused", _REFUSED_LAYERS),
    },
    "hornbeam.keras.models": {
        **_all("compat.refused", "Graph"),
        **_all("compat.premade_models", "SharpnessAwareMinimization LinearModel WideDeepModel"),
        **_all("compat.old_models", "export_saved_model"),
        "load_from_saved_model": "keras.models:load_model",
        "Container": "keras.models:Model",
        "Network": "keras.models:Model",
        "Functional": "keras.models.functional:Functional",
        "Node": "core.node:Node",
        **_all("compat.old_utils", "make_batches slice_arrays"),
        "slice_X": "compat.old_utils:slice_arrays",
        "Layer": "keras.layers:Layer",
        "Input": "keras.layers:Input",
        "InputSpec": "keras.layers:InputSpec",
        "get_source_inputs": "keras.utils:get_source_inputs",
    },
    "hornbeam.keras.optimizers": {
        "optimizer_from_config": "keras.optimizers:deserialize",
        "OptimizerV2": "keras.optimizers:Optimizer",
        "TFOptimizer": "compat.refused:TFOptimizer",
    },
    "hornbeam.keras.wrappers": _all("compat.old_sklearn", "KerasClassifier KerasRegressor BaseWrapper"),
    "hornbeam.keras.losses": _all("compat.measures", "cosine cosine_proximity"),
    "hornbeam.keras.metrics": _all(
        "compat.measures",
        "cosine cosine_proximity precision recall fmeasure fbeta_score matthews_correlation MeanRelativeError "
        "MeanTensor",
    )
    | {"PyMetric": "compat.python_metric:PyMetric"},
    "hornbeam.keras.initializers": {
        "_compute_fans": "compat.old_utils:compute_fans",
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
    "hornbeam.keras.callbacks": {
        "BaseLogger": "compat.old_callbacks:BaseLogger",
        "Progbar": "keras.utils:Progbar",
    },
    "hornbeam.keras.preprocessing.text": {"base_filter": "compat.old_utils:base_filter"},
    "hornbeam.keras.mixed_precision": {
        "set_policy": "keras.mixed_precision:set_global_policy",
        "global_policy": "keras.mixed_precision:dtype_policy",
    },
    "hornbeam.keras.utils": {
        **_all(
            "compat.old_utils",
            "HDF5Matrix categorical_probas_to_classes convert_all_kernels_in_model convert_kernel get_from_module "
            "layer_from_config multi_gpu_model print_summary probas_to_classes to_ordinal "
            "SequenceEnqueuer OrderedEnqueuer GeneratorEnqueuer make_batches slice_arrays",
        ),
        "slice_X": "compat.old_utils:slice_arrays",
        "normalize_data_format": "base.settings:standardize_data_format",
        "plot": "keras.utils:plot_model",
        **_all("compat.refused", "SidecarEvaluator DatasetCreator"),
    },
    "hornbeam.keras.backend": {
        **_all(
            "compat.old_backend",
            "_get_available_gpus experimental get_session get_variable_shape image_dim_ordering legacy_weight_ordering "
            "set_image_dim_ordering set_legacy_weight_ordering set_session",
        ),
        **_all("compat.backend_name", "_BACKEND _EPSILON _FLOATX _IMAGE_DATA_FORMAT _IMAGE_DIM_ORDERING is_variable"),
        "eager": "compat.backend_name:as_written",
        "symbolic": "compat.backend_name:as_written",
        "normalize_data_format": "base.settings:standardize_data_format",
        "tf": ":",
    },
    "hornbeam.keras.preprocessing.image": _all(
        "compat.old_images", "apply_transform flip_axis list_pictures transform_matrix_offset_center"
    ),
    "hornbeam.keras.applications": {
        "MusicTaggerCRNN": "compat.refused:MusicTaggerCRNN",
        **_all(
            "compat.old_applications",
            "_KERAS_BACKEND _KERAS_LAYERS _KERAS_MODELS _KERAS_UTILS correct_pad get_keras_submodule "
            "get_submodules_from_kwargs keras_modules_injection set_keras_submodules",
        ),
    },
    "hornbeam.keras.applications.mobilenet": {
        "relu6": "keras.activations:relu6",
        "DepthwiseConv2D": "keras.layers:DepthwiseConv2D",
    },
    "hornbeam.keras.datasets": {},
    "hornbeam.keras.datasets.imdb": {},
    "hornbeam.keras.datasets.reuters": {},
    "hornbeam.keras.applications.imagenet_utils": {
        "_obtain_input_shape": "compat.old_applications:obtain_input_shape",
        "_preprocess_numpy_input": "keras.applications.imagenet_utils:preprocess_input",
        "_preprocess_symbolic_input": "keras.applications.imagenet_utils:preprocess_input",
        **_all("compat.old_applications", "obtain_input_shape correct_pad"),
    },
    "hornbeam.keras.optimizers.schedules": {},
    "hornbeam.keras.optimizers.legacy": {},
}
"""Modules without old names are listed for their functions, and for a helpful error where a name is missing."""
