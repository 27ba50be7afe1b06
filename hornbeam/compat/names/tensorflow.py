"""Names of TensorFlow 1, which old programs use beside Keras."""

from __future__ import annotations

_SESSION = (
    "Session InteractiveSession ConfigProto GPUOptions OptimizerOptions RunOptions Graph get_default_graph "
    "get_default_session reset_default_graph global_variables_initializer local_variables_initializer "
    "tables_initializer initialize_all_variables variables_initializer placeholder placeholder_with_default "
    "global_variables trainable_variables set_random_seed "
    "get_variable variable_scope get_variable_scope enable_eager_execution disable_eager_execution "
    "enable_v2_behavior disable_v2_behavior disable_v2_tensorshape enable_resource_variables "
    "disable_resource_variables executing_eagerly_outside_functions"
)
_OPS = (
    "log to_float to_int32 to_int64 to_double random_normal random_uniform truncated_normal multinomial "
    "random_shuffle arg_max arg_min div mod ceil is_nan is_inf matrix_inverse matrix_determinant matrix_transpose diag "
    "diag_part global_norm reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_all reduce_any "
    "log_sigmoid rsqrt erf lgamma expm1 log1p assign assign_add assign_sub"
)

_RENAMED = {
    "math": "squared_difference unsorted_segment_sum unsorted_segment_mean unsorted_segment_max segment_sum "
    "segment_mean segment_max real imag conj angle digamma polygamma betainc erfc igamma floordiv count_nonzero "
    "is_finite accumulate_n confusion_matrix bincount invert_permutation rint zeta cumprod "
    "sub=subtract mul=multiply neg=negative div_no_nan=divide_no_nan",
    "linalg": "set_diag cholesky svd cross trace matrix_band_part=band_part matrix_diag=diag "
    "matrix_diag_part=diag_part matrix_set_diag=set_diag matrix_solve=solve matrix_triangular_solve=triangular_solve",
    "nn": "space_to_depth depth_to_space",
    "signal": "fft ifft fft2d",
    "io": "read_file write_file decode_raw decode_csv decode_base64 parse_single_example parse_example parse_tensor "
    "serialize_tensor FixedLenFeature VarLenFeature",
    "strings": "regex_replace substr string_join=join string_to_number=to_number "
    "string_to_hash_bucket_fast=to_hash_bucket_fast",
    "sparse": "sparse_tensor_to_dense=to_dense sparse_reorder=reorder",
    "random": "random_gamma=gamma",
    "image": "random_crop",
    "debugging": "verify_tensor_all_finite=assert_all_finite",
    "tensors.host": "py_func=numpy_function",
    "": "lin_space=linspace",
}
"""Names that only moved: module to words ``name`` or ``old=new``."""

_IMAGES = {
    **{
        name: f"compat.v1.images:{name}"
        for name in ("resize_area", "resize_bilinear", "resize_images", "resize_nearest_neighbor")
    },
    "resize_image_with_crop_or_pad": "image:resize_with_crop_or_pad",
    "resize_image_with_pad": "image:resize_with_pad",
}

V1 = {
    **{
        word.partition("=")[0]: f"{module}:{word.rpartition('=')[2]}"
        for module, words in _RENAMED.items()
        for word in words.split()
    },
    "extract_image_patches": "compat.v1.images:extract_image_patches",
    **{name: f"compat.v1.session:{name}" for name in _SESSION.split()},
    **{name: f"compat.v1.operations:{name}" for name in _OPS.split()},
    "logging": "compat.v1.logging",
    "app": "compat.v1.app",
    "flags": "compat.v1.app:flags",
    "gfile": "compat.v1.gfile",
    "train": "compat.v1.train",
    "layers": "compat.v1.layers",
    "estimator": "compat.estimator",
    "AUTO_REUSE": "compat.v1.session:AUTO_REUSE",
    "GraphKeys": "compat.v1.session:GraphKeys",
    "Dimension": "compat.v1.operations:dimension",
    "variance_scaling_initializer": "keras.initializers:VarianceScaling",
    "glorot_uniform_initializer": "keras.initializers:GlorotUniform",
    "glorot_normal_initializer": "keras.initializers:GlorotNormal",
    "truncated_normal_initializer": "keras.initializers:TruncatedNormal",
    "orthogonal_initializer": "keras.initializers:Orthogonal",
    "VERSION": "version:VERSION",
    "keras": "keras",
}
"""Names of ``tf.compat.v1`` that ``tf`` lacks or means otherwise; all others are those of ``tf``."""

MODULES: dict[str, dict[str, str]] = {
    "hornbeam": {
        name: home for name, home in V1.items() if not name.startswith("reduce_") and name not in ("train", "keras")
    },
    "hornbeam.image": {**_IMAGES, "extract_image_patches": "compat.v1.images:extract_image_patches"},
    "hornbeam.nn": {"softmax_cross_entropy_with_logits_v2": "nn:softmax_cross_entropy_with_logits"},
    "hornbeam.train": {
        name: f"compat.v1.train:{name}"
        for name in (
            "AdadeltaOptimizer",
            "AdagradOptimizer",
            "AdamOptimizer",
            "GradientDescentOptimizer",
            "MomentumOptimizer",
            "RMSPropOptimizer",
        )
    },
}
