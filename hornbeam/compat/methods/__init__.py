"""Methods and attributes that left Keras's classes: tables of where each class's are, loaded with the class."""

ADDED = {
    ("core", "KerasTensor"): "compat.methods.tensors:TENSOR",
    ("core", "Tensor"): "compat.methods.tensors:TENSOR",
    ("models", "Model"): "compat.methods.models:MODEL",
    ("models", "Sequential"): "compat.methods.models:SEQUENTIAL",
    ("layers", "Layer"): "compat.methods.layers:LAYER",
    ("layers", "RNN"): "compat.methods.layers:RNN",
    ("layers", "Dense"): "compat.methods.layers:DENSE",
    ("layers", "Conv"): "compat.methods.layers:CONVOLUTION",
    ("layers", "Embedding"): "compat.methods.layers:EMBEDDING",
    ("layers", "IndexLookup"): "compat.methods.adapting:LOOKUP",
    ("optimizers", "Optimizer"): "compat.methods.optimizers:OPTIMIZER",
    ("optimizers", "LossScaleOptimizer"): "compat.methods.optimizers:LOSS_SCALE_OPTIMIZER",
    ("callbacks", "CallbackList"): "compat.old_callbacks:CALLBACK_LIST",
    ("callbacks", "LazyLogs"): "compat.methods.records:LOGS",
    ("metrics", "Metric"): "compat.methods.records:METRIC",
}
"""(part of ``keras``, class) to a dict of attributes that are added where the class has none of the name."""

AROUND: dict[tuple[str, str], str] = {
    ("core", "Variable"): "compat.methods.variables:AROUND_VARIABLE",
    ("layers", "Layer"): "compat.methods.layers:AROUND_LAYER",
    ("layers", "Embedding"): "compat.methods.words:AROUND_EMBEDDING",
    ("layers", "LayerBuilding"): "compat.methods.layers:AROUND_BUILDING",
    ("layers", "RNN"): "compat.methods.layers:AROUND_RNN",
    ("layers", "RecurrentCell"): "compat.methods.layers:AROUND_CELL",
    ("layers", "Bidirectional"): "compat.methods.layers:AROUND_STATES",
    ("layers", "LayerState"): "compat.methods.layers:AROUND_STATE",
    ("layers", "Discretization"): "compat.methods.adapting:AROUND_ADAPT",
    ("layers", "Normalization"): "compat.methods.adapting:AROUND_ADAPT",
    ("layers", "VocabularyLearning"): "compat.methods.adapting:AROUND_ADAPT",
    ("optimizers", "OptimizerState"): "compat.methods.optimizers:AROUND_STATE",
    ("optimizers", "Optimizer"): "compat.methods.optimizers:AROUND_OPTIMIZER",
    ("optimizers", "LossScaleOptimizer"): "compat.methods.optimizers:AROUND_LOSS_SCALE",
    ("optimizers", "OptimizerWrapper"): "compat.methods.optimizers:AROUND_WRAPPER",
    ("callbacks", "History"): "compat.methods.records:AROUND_HISTORY",
    ("callbacks", "LazyLogs"): "compat.methods.records:AROUND_LOGS",
    ("callbacks", "Callback"): "compat.methods.records:AROUND_CALLBACK",
    ("callbacks", "ModelCheckpoint"): "compat.methods.records:AROUND_CHECKPOINT",
    ("callbacks", "MonitorCallback"): "compat.methods.records:AROUND_MONITOR",
    ("models", "Sequential"): "compat.methods.models:AROUND_SEQUENTIAL",
    ("trainers", "Compilation"): "compat.outside_tensors:AROUND_COMPILATION",
    ("trainers", "Trainer"): "compat.methods.models:AROUND_TRAINER",
    ("trainers", "Steps"): "compat.methods.results:AROUND_STEPS",
    ("trainers", "CompiledMetrics"): "compat.methods.results:AROUND_METRICS",
    ("trainers", "CompiledLoss"): "compat.methods.results:AROUND_LOSS",
} | {
    ("initializers", name): "compat.methods.initial_values:AROUND_INITIALIZER"
    for name in (
        "Constant",
        "Identity",
        "Ones",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Zeros",
    )
}
"""(part of ``keras``, class) to a dict of attribute to a function from the class's own attribute to a new one."""
