"""Old arguments of models, optimizers and callbacks."""

from __future__ import annotations

from typing import Any

from hornbeam.compat.loading import load
from hornbeam.compat.notes import note
from hornbeam.compat.spellings.table import Translator, chain, spell


# --- models --------------------------------------------------------------------------------------
def _metrics_in_third_place(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``compile(optimizer, loss, ["accuracy"])``: what cannot be a weight of a loss is a metric."""
    if len(args) > 2 and args[2] is not None and not _are_numbers(args[2]):
        note("compile: give metrics by name, `metrics=...`; the third argument is `loss_weights` now.")
        rest = dict(zip(("metrics", "loss_weights"), args[2:4], strict=False))
        return args[:2] + args[4:], {**rest, **kwargs}
    return args, kwargs


def _are_numbers(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_are_numbers(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return bool(value) and all(_are_numbers(one) for one in value)
    return isinstance(value, (int, float)) or (hasattr(value, "dtype") and not callable(value))


_MODEL = spell("Model", {"input": "inputs", "output": "outputs"})
_COMPILE = spell(
    "compile",
    dropped=["class_mode", "experimental_run_tf_function"],
    only={
        "distribute": ((None,), "make and compile the model inside `with strategy.scope():`"),
        "options": ((None,), "it was for sessions, which are gone"),
        "run_metadata": ((None,), "it was for sessions, which are gone"),
    },
    before=_metrics_in_third_place,
)
_FIT = spell(
    "fit",
    {"nb_epoch": "epochs", "X": "x", "max_q_size": "max_queue_size", "nb_worker": "workers"},
    values={"pickle_safe": bool},
)
_EVALUATE = spell("evaluate", {"X": "x"})


def _without_inputs(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """``add_loss(loss, inputs)``: losses are not kept by input."""
    return args[:1], kwargs


_ADD_LOSS = spell("add_loss", {"losses": "loss"}, dropped=["inputs"], before=_without_inputs)

METHODS: dict[tuple[str, str], dict[str, Translator]] = {
    ("models", "Model"): {"__new__": _MODEL, "__init__": _MODEL},
    ("models", "Functional"): {"__init__": _MODEL},
    ("trainers", "Compilation"): {"compile": _COMPILE},
    ("trainers", "Trainer"): {"fit": _FIT, "evaluate": _EVALUATE, "predict": spell("predict", {"X": "x"})},
    ("layers", "Layer"): {"add_loss": _ADD_LOSS},
    ("metrics", "Metric"): {"add_weight": spell("Metric.add_weight", dropped=["aggregation", "synchronization"])},
    ("callbacks", "CallbackList"): {"__init__": spell("CallbackList", dropped=["queue_length"])},
}
"""(part of ``keras``, class) to method to the translator of its arguments."""


# --- optimizers ----------------------------------------------------------------------------------
def _optimizer(owner: str) -> Translator:
    def decay(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        value = kwargs.get("decay")
        if value is None:
            return args, {name: one for name, one in kwargs.items() if name != "decay"}
        kwargs = dict(kwargs)
        del kwargs["decay"]
        if value:
            rate = args[0] if args else kwargs.pop("learning_rate", _RATES.get(owner, 0.001))
            kwargs["learning_rate"] = load("compat.decay:falling")(rate, value)
            args = args[1:]
        return args, kwargs

    def epsilon(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        if "epsilon" in kwargs and kwargs["epsilon"] is None:
            kwargs = {**kwargs, "epsilon": load("base.settings:epsilon")()}
        return args, kwargs

    rename = spell(
        owner,
        {"lr": "learning_rate"},
        dropped=["jit_compile", "is_legacy_optimizer", "mesh"],
        only={
            "schedule_decay": ((0.004, None), "leave it out; the momentum schedule is fixed"),
            "adaptive_epsilon": ((False, None), "leave it out; epsilon is constant"),
            "gradient_aggregator": ((None,), "aggregate the gradients before `apply_gradients`"),
            "gradient_transformers": ((None,), "transform the gradients before `apply_gradients`"),
        },
    )
    return chain(rename, decay, epsilon)


_RATES = {"SGD": 0.01}
"""Default rates other than 0.001, for optimizers that are given a decay alone."""

_OPTIMIZERS = (
    "SGD Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Nadam RMSprop Optimizer RuleOptimizer "
    "LossScaleOptimizer"
)


# --- callbacks -----------------------------------------------------------------------------------
def _named_embeddings(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """The layers that ``embeddings_layer_names`` picks, as keys of ``embeddings_metadata``."""
    kwargs = dict(kwargs)
    picked = kwargs.pop("embeddings_layer_names", None)
    metadata = kwargs.get("embeddings_metadata")
    if picked and metadata is not None and not isinstance(metadata, dict):
        kwargs["embeddings_metadata"] = dict.fromkeys(picked, metadata)
    return args, kwargs


_CALLBACKS: dict[str, Translator] = {
    "ModelCheckpoint": spell(
        "ModelCheckpoint",
        only={"load_weights_on_restart": ((False, None), "use `BackupAndRestore` to go on after a break")},
    ),
    "ReduceLROnPlateau": spell("ReduceLROnPlateau", {"epsilon": "min_delta"}),
    "ProgbarLogger": spell("ProgbarLogger", dropped=["count_mode", "stateful_metrics"]),
    "BackupAndRestore": spell("BackupAndRestore", dropped=["save_before_preemption"]),
    "TensorBoard": spell(
        "TensorBoard",
        before=_named_embeddings,
        dropped=["batch_size"],
        only={
            "write_grads": ((False, None), "write gradients with `tf.summary.histogram` in a `train_step`"),
            "embeddings_data": ((None,), "leave it out; embeddings are read from the layers"),
        },
    ),
}

CONSTRUCTORS: dict[tuple[str, str], Translator] = {
    ("optimizers", name): _optimizer(name) for name in _OPTIMIZERS.split()
} | {("callbacks", name): row for name, row in _CALLBACKS.items()}
"""(part of ``keras``, class) to the translator of its constructor's arguments."""
