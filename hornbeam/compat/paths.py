"""Where the modules of TensorFlow and Keras live in Hornbeam: tables of names, and the few rules that read them.

Every name is first brought to one of two spellings, ``tensorflow.X`` or ``keras.X`` (``PREFIXES``), then looked up
among the places that moved (``MOVED``) or went away (``REFUSED``); a name in neither keeps its path below ``hornbeam``.
"""

from __future__ import annotations

HOMES = {
    "tensorflow": "hornbeam",
    "keras": "hornbeam.keras",
    "plaidml": "hornbeam.compat.plaidml",
    "tensorflow_datasets": "hornbeam.tfds",
    "tensorflow_hub": "hornbeam.hub",
    "tensorflow_examples": "hornbeam.compat.tensorflow_examples",
}
"""The two spellings that everything else is brought to, and the packages behind them."""

ROOTS = frozenset(
    (
        "keras",
        "keras_applications",
        "keras_preprocessing",
        "plaidml",
        "tensorflow",
        "tensorflow_datasets",
        "tensorflow_examples",
        "tensorflow_hub",
        "tf_keras",
    )
)
"""Top-level import names that are answered."""

# A package that is the same as another one, with all that is below it. Longer entries are tried first.
PREFIXES = {
    "tf_keras": "keras",
    "keras_preprocessing": "keras.preprocessing",
    "keras_applications": "keras.applications",
    "tensorflow.keras": "keras",
    "tensorflow.python.keras": "keras",
    "tensorflow.python.keras.api": "keras",
    "tensorflow.python.keras.api._v2.keras": "keras",
    "tensorflow.compat.v1.keras": "keras",
    "tensorflow.compat.v2.keras": "keras",
    "tensorflow._api.v2.v2.keras": "keras",
    "tensorflow.compat.v2": "tensorflow",
    "tensorflow._api": "tensorflow",
    "tensorflow._api.v2": "tensorflow",
    "tensorflow._api.v2.v2": "tensorflow",
    "keras.src": "keras",
    "keras.api": "keras",
    "keras.api._v2": "keras",
    "keras.api._v2.keras": "keras",
    "keras._tf_keras": "keras",
    "keras._tf_keras.keras": "keras",
}

# Files that Keras once had in a public folder, whose names all live in the folder itself now.
_FORMER_FILES = {
    "keras.activations": "activations",
    "keras.backend": "cntk_backend common load_backend tensorflow_backend theano_backend",
    "keras.callbacks": (
        "backup_and_restore callback callback_list csv_logger early_stopping experimental history lambda_callback "
        "learning_rate_scheduler model_checkpoint progbar_logger reduce_lr_on_plateau remote_monitor swap_ema_weights "
        "tensorboard tensorboard_v1 terminate_on_nan"
    ),
    "keras.constraints": "constraints",
    "keras.initializers": "constant_initializers initializer initializers_v1 initializers_v2 random_initializers",
    "keras.layers": (
        "activation activations advanced_activations attention convolutional convolutional_recurrent core "
        "cudnn_recurrent dense_attention einsum_dense embeddings experimental input_spec kernelized layer "
        "local locally_connected merge merging noise normalization normalization_v2 pooling preprocessing "
        "recurrent recurrent_v2 regularization reshaping rnn rnn_cell_wrapper_v2 wrappers"
    ),
    "keras.losses": "loss losses",
    "keras.metrics": (
        "accuracy_metrics base_metric confusion_metrics experimental f_score_metrics hinge_metrics iou_metrics metric "
        "metrics probabilistic_metrics reduction_metrics regression_metrics"
    ),
    "keras.mixed_precision": "autocast_variable experimental loss_scale_optimizer policy",
    "keras.models": "cloning experimental functional model sequential",
    "keras.optimizers": (
        "adadelta adafactor adagrad adam adamax adamw base_optimizer experimental ftrl legacy lion "
        "loss_scale_optimizer "
        "nadam optimizer optimizer_experimental optimizer_v1 optimizer_v2 rmsprop sgd"
    ),
    "keras.optimizers.schedules": "learning_rate_schedule",
    "keras.preprocessing.image": "affine_transformations dataframe_iterator directory_iterator image_data_generator "
    "iterator numpy_array_iterator utils",
    "keras.regularizers": "regularizers",
    "keras.utils": (
        "audio_dataset audio_dataset_utils conv_utils data_utils dataset_utils experimental file_utils generic_utils "
        "image_dataset image_dataset_utils image_utils io_utils layer_utils losses_utils metrics_utils "
        "model_visualization multi_gpu_utils np_utils numerical_utils text_dataset tf_utils timeseries_dataset "
        "timeseries_dataset_utils traceback_utils training_utils version_utils vis_utils visualize_util"
    ),
    "keras.wrappers": "scikit_learn sklearn_wrapper",
}

# A place, with everything below it, whose names are found in other places now (in the first of them that has the name).
MOVED = {f"{folder}.{name}": folder for folder, names in _FORMER_FILES.items() for name in names.split()}
MOVED |= {
    f"keras.engine.{name}": "keras keras.layers keras.models keras.utils"
    for name in (
        "base_layer",
        "functional",
        "input_layer",
        "input_spec",
        "keras_tensor",
        "network",
        "node",
        "sequential",
        "topology",
        "training",
        "training_utils",
    )
}
MOVED |= {
    "keras.applications.resnet_common": "keras.applications.resnet keras.applications.resnet_v2",
    "keras.callbacks_v1": "keras.callbacks",
    "keras.datasets.data_utils": "keras.utils",
    "keras.distribute": "keras.distribution",
    "keras.engine": "keras keras.layers keras.models",
    "keras.engine.saving": "keras.models keras.saving",
    "keras.experimental": "keras.optimizers.schedules keras.models keras.layers",
    "keras.initializations": "keras.initializers",
    "keras.legacy.interfaces": "tensorflow.compat.old_interfaces",
    "keras.legacy.layers": "keras.layers",
    "keras.legacy.models": "keras.models",
    "keras.objectives": "keras.losses",
    "keras.optimizer_v2": "keras.optimizers",
    "keras.optimizers.learning_rate_schedule": "keras.optimizers.schedules",
    "keras.optimizers.optimizer_v2.learning_rate_schedule": "keras.optimizers.schedules",
    "keras.optimizers.schedules.learning_rate_schedule": "keras.optimizers.schedules",
    "keras.saving.hdf5_format": "keras.saving keras.models",
    "keras.saving.save": "keras.saving keras.models",
    "keras.saving.saved_model": "keras.saving keras.models",
    "keras.saving.saving_api": "keras.saving keras.models",
    "keras.saving.saving_lib": "keras.saving keras.models",
    "keras.layers.convolutional": "keras.layers tensorflow.compat.inner_names",
    "keras.layers.experimental.preprocessing": "keras.layers",
    "keras.layers.normalization": "keras.layers tensorflow.compat.inner_names",
    "keras.backend_config": "keras.backend",
    "keras.feature_column": "keras.layers",
    "keras.optimizer_v1": "keras.optimizers",
    "keras.optimizer_v2.learning_rate_schedule": "keras.optimizers.schedules",
    "keras.optimizer_v2.optimizer_v2": "keras.optimizers tensorflow.compat.inner_names",
    "keras.optimizers.base_optimizer": "keras.optimizers tensorflow.compat.inner_names",
    "keras.saving.legacy": "keras.saving keras.models keras.utils",
    "keras.saving.object_registration": "keras.saving keras.utils",
    "keras.saving.serialization_lib": "keras.saving",
    "keras.utils.losses_utils": "keras.utils keras.losses tensorflow.compat.inner_names",
    # TensorFlow's short names for parts of Keras.
    "tensorflow.initializers": "keras.initializers",
    "tensorflow.losses": "keras.losses",
    "tensorflow.metrics": "keras.metrics",
    "tensorflow.optimizers": "keras.optimizers",
    # Private places that much code reaches into; only names that are public elsewhere are found.
    "tensorflow.python": "tensorflow",
    "tensorflow.python.client.device_lib": "tensorflow.compat.device_lib",
    "tensorflow.python.data": "tensorflow.data tensorflow.data.experimental tensorflow.compat.inner_names tensorflow",
    "tensorflow.python.framework": "tensorflow tensorflow.compat.inner_names",
    "tensorflow.python.framework.errors": "tensorflow.errors tensorflow",
    "tensorflow.python.framework.errors_impl": "tensorflow.errors tensorflow",
    "tensorflow.python.lib.io.file_io": "tensorflow.compat.inner_names tensorflow.io.gfile",
    "tensorflow.python.lib.io.tf_record": "tensorflow.io tensorflow.data",
    "tensorflow.python.ops.init_ops": "keras.initializers tensorflow tensorflow.compat.v1",
    "tensorflow.python.ops.init_ops_v2": "keras.initializers tensorflow",
    "tensorflow.python.ops.math_ops": "tensorflow.math tensorflow",
    "tensorflow.python.ops.nn": "tensorflow.nn tensorflow",
    "tensorflow.python.ops.nn_ops": "tensorflow.nn tensorflow",
    "tensorflow.python.ops.image_ops": "tensorflow.image tensorflow",
    "tensorflow.python.ops.random_ops": "tensorflow.random tensorflow",
    "tensorflow.python.ops.image_ops_impl": "tensorflow.image tensorflow",
    "tensorflow.python.ops.linalg_ops": "tensorflow.linalg tensorflow",
    "tensorflow.python.ops.string_ops": "tensorflow.strings tensorflow",
    "tensorflow.python.ops.losses": "keras.losses tensorflow.compat.inner_names tensorflow",
    "tensorflow.python.ops.lookup_ops": "tensorflow.lookup tensorflow",
    "tensorflow.python.ops.numpy_ops": "tensorflow.experimental.numpy tensorflow.compat.inner_names",
    "tensorflow.python.ops.resource_variable_ops": "tensorflow.compat.inner_names tensorflow",
    "tensorflow.python.platform.gfile": "tensorflow.compat.v1.gfile",
    "tensorflow.python.platform.tf_logging": "tensorflow.compat.v1.logging",
    "tensorflow.python.trackable": "tensorflow.compat.inner_names tensorflow.train tensorflow",
    "tensorflow.python.training": (
        "tensorflow.train tensorflow.compat.v1.train tensorflow.compat.inner_names tensorflow"
    ),
}

REFUSED = {
    "keras.applications.music_tagger_crnn": "The network was withdrawn in Keras 2 and its weights are gone.",
    "keras.contrib": "It was never part of Keras; copy the layer you need and build it with `keras.layers.Layer`.",
    "tensorflow.contrib": "It ended with TensorFlow 1; layers, losses and optimizers of it are in `tf.keras`.",
    "tensorflow.examples.tutorials.mnist": "It ended with TensorFlow 1; use `tf.keras.datasets.mnist.load_data()`.",
}
"""Places without a successor, and what to do instead."""

PRIVATE = frozenset({"base", "cli", "core", "engine", "ops", "saving", "tensors", "tfds"})
"""Rooms of ``hornbeam`` that TensorFlow has no public module for: not reachable as ``tensorflow.X``."""


def spell(name: str) -> str:
    """Bring a module name to its ``tensorflow.X`` or ``keras.X`` spelling."""
    while (found := _longest(name, PREFIXES)) is not None:
        name = PREFIXES[found] + name[len(found) :]
    return name


def advice(name: str) -> str | None:
    """What to do instead of a place that is refused; ``None`` if it is not."""
    found = _longest(spell(name), REFUSED)
    return None if found is None else REFUSED[found]


def moved(name: str) -> list[str]:
    """The Hornbeam modules that a former place's names are in now; empty for a place that stayed.

    Example: ``moved("tf_keras.layers.core") == ["hornbeam.keras.layers"]``.
    """
    found = _longest(spell(name), MOVED)
    return [] if found is None else [_below_hornbeam(place) for place in MOVED[found].split()]


def home(name: str) -> str | None:
    """The Hornbeam module of the same path, for a place that stayed; ``None`` for a private room. It need not exist."""
    name = spell(name)
    root, _, rest = name.partition(".")
    if root == "tensorflow" and rest.partition(".")[0] in PRIVATE:
        return None
    return _below_hornbeam(name)


def former_files(module: str) -> list[str]:
    """Last parts of all former places directly below a Hornbeam module."""
    spelled = spelling_of(module)
    return [place.rpartition(".")[2] for place in MOVED if place.rpartition(".")[0] == spelled]


def spelling_of(module: str) -> str | None:
    """The ``tensorflow.X`` or ``keras.X`` spelling of a module of Hornbeam; ``None`` for any other module."""
    for spelled, package in sorted(HOMES.items(), key=lambda pair: -len(pair[1])):
        if module == package or module.startswith(f"{package}."):
            return spelled + module[len(package) :]
    return None


def _below_hornbeam(spelled: str) -> str:
    root, dot, rest = spelled.partition(".")
    return HOMES[root] + dot + rest


def _longest(name: str, table: dict[str, str]) -> str | None:
    """The longest entry of a table that is the name itself or a package above it."""
    while name and name not in table:
        name = name.rpartition(".")[0]
    return name or None
