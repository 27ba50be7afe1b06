"""Bad calls: what was wrong, what was expected and what to do; and the model is as it was."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import DataError
from hornbeam.keras.trainers import checks
from tests.keras.trainers.small import X, Y, model, same_weights

LABELS = (X[:, 0] * 3).astype("int64")


def classifier(loss="sparse_categorical_crossentropy", **more):
    net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    net.compile("sgd", loss, **more)
    return net


BAD = {
    "features": (
        dict(x=X[:, :3]),
        "fit.. of model .*, input .*\n.*expected: shape .None, 4.\n.*received: shape .50, 3.",
    ),
    "rank": (dict(x=X[:, :, None, None]), "expected: shape .None, 4.\n.*received: shape .50, 4, 1, 1."),
    "one row too few": (dict(y=Y[:-1]), "ambiguous.*\n.*x: 50 samples.*\n.*y: 49 samples, shape .49, 1."),
    "weights too short": (dict(sample_weight=np.ones(9)), "sample_weight: 9 samples"),
    "weights of a wrong shape": (
        dict(sample_weight=np.ones((50, 3))),
        "`sample_weight` does not fit.*\n.*shape .32,. .one per",
    ),
    "no targets": (dict(y=None), "Target data are missing.*'mse'"),
    "no rows": (dict(x=X[:0], y=Y[:0]), "no samples"),
    "no data": (dict(x=None), "got no data"),
    "text": (dict(x=X.astype(str)), "text cannot be computed with.*\n.*\n.*dtype <U.*\n.*astype"),
    "dates": (dict(x=np.zeros((50, 4), "datetime64[s]")), "Dates and times"),
    "uneven rows": (
        dict(x=[[1, 2, 3, 4]] * 49 + [[1, 2]]),
        "`x` is a list of rows of unequal length.*\n.*\n.*row 49 with 2",
    ),
    "objects": (dict(x=np.array([[1], {}] * 25, object)), "`x` is an array of objects.*\n.*\n.*dict, list"),
    "symbolic": (dict(x=keras.Input((4,))), "`x` is a symbolic tensor"),
    "scalar": (dict(x=np.float32(3)), "`x` has no samples axis"),
    "two inputs": (dict(x=[X, X]), "expected: 1 arrays.*\n.*2 arrays of shapes"),
    "batch size": (dict(batch_size=0), "`batch_size` must be at least 1"),
    "batch size of a fraction": (dict(batch_size=2.5), "`batch_size` must be an int"),
    "epochs": (dict(epochs=1.5), "`epochs` must be an int"),
    "steps": (dict(steps_per_epoch=0), "`steps_per_epoch` must be an int of at least 1"),
    "verbose": (dict(verbose=3), "`verbose` must be 0, 1, 2 or 'auto'"),
    "shuffle": (dict(shuffle="rows"), "`shuffle` must be True, False or 'batch'"),
    "validation split": (dict(validation_split=1.5), "`validation_split` must lie between 0 and 1"),
    "validation split of one row": (dict(x=X[:1], y=Y[:1], validation_split=0.5), "leaves one of the two parts empty"),
    "validation frequency": (dict(validation_data=(X, Y), validation_freq=0), "`validation_freq`"),
    "validation tuple": (dict(validation_data=(X, Y, Y, Y)), "`validation_data` has a wrong form.*\n.*\n.*4 items"),
    "validation features": (dict(validation_data=(X[:, :2], Y)), "validation.. of model .*\n.*None, 4.\n.*50, 2."),
    "class weight": (dict(class_weight=[1, 2]), "`class_weight` must be a dict"),
    "class weight keys": (dict(class_weight={"cat": 2}), "keys of `class_weight`"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
def test_what_is_wrong_is_named_and_nothing_changes(name, eager):
    arguments, said = BAD[name]
    net = model(optimizer="adam", run_eagerly=eager)
    before = net.get_weights()
    with pytest.raises(ValueError, match=said):
        net.fit(**{"x": X, "y": Y, "verbose": 0, **arguments})
    assert same_weights(before, net) and not net.optimizer.built
    net.fit(X, Y, verbose=0)
    assert int(net.optimizer.iterations) == 2


@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("metrics", [None, ["accuracy"]])
def test_an_unbuilt_model_stays_unbuilt(eager, metrics):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(3), keras.Sequential([keras.layers.Dense(2)])

        def call(self, inputs):
            return self.second(self.first(inputs))

    for net in (Net(), keras.Sequential([keras.layers.Dense(5), keras.layers.Dense(2)])):
        net.compile("adam", "mse", metrics=metrics, run_eagerly=eager)
        with pytest.raises(DataError, match="different shapes"):
            net.fit(X[:, :3], np.ones((50, 7)), verbose=0)
        assert not net.built and not any(layer.built for layer in net._flatten_layers())
        assert net._training.compiled_loss.built is False and not net.optimizer.built
        net.fit(X, X[:, :2], verbose=0)
        assert net.predict(X, verbose=0).shape == (50, 2)
        assert int(net.optimizer.iterations) == 2


@pytest.mark.parametrize(
    "method", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"]
)
def test_every_method_checks_the_inputs(method):
    net = model()
    data = (X[:, :3],) if "predict" in method else (X[:, :3], Y)
    with pytest.raises(DataError, match=rf"{method}\(\) of model .*\n.*None, 4.\n.*50, 3."):
        getattr(net, method)(*data)


# --- labels --------------------------------------------------------------------------------------
@pytest.mark.parametrize("run", ["fit", "evaluate", "train_on_batch", "test_on_batch", "generator", "eager"])
@pytest.mark.parametrize("bad", [3, -1, 250])
def test_labels_outside_of_the_classes(run, bad):
    net = classifier(run_eagerly=run == "eager")
    labels = LABELS.copy()
    labels[17] = bad
    before = net.get_weights()
    with pytest.raises(DataError, match=rf"expected: class numbers from 0 to 2.*\n.*first bad one is {bad} in row 17"):
        if run == "generator":
            net.fit(iter([(X[:40], labels[:40])]), verbose=0)
        else:
            getattr(net, "fit" if run == "eager" else run)(X, labels)
    assert same_weights(before, net)


def test_labels_that_may_be_anything():
    labels = LABELS.copy()
    labels[17] = -1
    net = classifier(keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
    assert np.isfinite(net.evaluate(X, labels, verbose=0))
    weights = np.ones(50, "float32")
    weights[17] = 0
    net = classifier()
    assert np.isfinite(net.evaluate(X, labels, sample_weight=weights, verbose=0))


def test_labels_of_one_of_two_outputs():
    x = keras.Input((4,))
    net = keras.Model(x, {"kind": keras.layers.Dense(3, name="kind")(x), "size": keras.layers.Dense(1, name="size")(x)})
    loss = {"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "size": "mse"}
    net.compile("sgd", loss)
    net.fit(X, {"kind": LABELS, "size": Y * 100}, verbose=0)
    with pytest.raises(DataError, match=r"Labels of output 'kind' are outside.*\n.*0 to 2.*\n.*from 1 to 3"):
        net.fit(X, {"kind": LABELS + 1, "size": Y}, verbose=0)


def test_one_hot_labels_and_class_numbers_are_told_apart():
    one_hot = keras.utils.to_categorical(LABELS, 3) if hasattr(keras.utils, "to_categorical") else np.eye(3)[LABELS]
    with pytest.raises(DataError, match=r"look one-hot.*\n.*\n.*\n.*'categorical_crossentropy'"):
        classifier().fit(X, one_hot, verbose=0)
    with pytest.raises(DataError, match=r"look like class numbers.*\n.*\n.*\n.*'sparse_categorical_crossentropy'"):
        classifier("categorical_crossentropy").fit(X, LABELS, verbose=0)
    with pytest.raises(DataError, match="different shapes"):
        classifier("categorical_crossentropy").fit(X, np.eye(5)[LABELS], verbose=0)


def test_the_check_of_labels_costs_little():
    """One pass over 32-bit labels; against a loss on 1e6 labels that is nothing."""
    passes = []

    class Counted(np.ndarray):
        def max(self, *args, **kwargs):
            passes.append("max")
            return super().max(*args, **kwargs)

        def min(self, *args, **kwargs):
            passes.append("min")
            return super().min(*args, **kwargs)

    labels = np.zeros(1000, np.int32).view(Counted)
    assert checks._all_below(labels, 3)
    assert passes == ["max"]


# --- values --------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_warned_about(value):
    x = X.copy()
    x[3, 2] = value
    net = model()
    with pytest.warns(UserWarning, match="fit.*first batch of `x` .*in row 3, column 2"):
        net.fit(x, Y, verbose=0, shuffle=False)
    with pytest.warns(UserWarning, match="predict.*`x`"):
        net.predict(x, verbose=0)
    y = Y.copy()
    y[0] = value
    with pytest.warns(UserWarning, match="evaluate.*`y` .*in row 0"):
        net.evaluate(X, y, verbose=0)


# --- names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "wrong", "near"),
    [
        ("fit", "batch_szie", "batch_size"),
        ("fit", "epoch", "epochs"),
        ("fit", "callback", "callbacks"),
        ("fit", "validation_step", "validation_steps"),
        ("evaluate", "sample_weights", "sample_weight"),
        ("predict", "step", "steps"),
        ("compile", "optimiser", "optimizer"),
        ("compile", "metric", "metrics"),
    ],
)
def test_a_misspelt_argument(method, wrong, near):
    with pytest.raises(TypeError, match=f"{wrong}.*did you mean '{near}'"):
        getattr(model(), method)(**{"x": X, wrong: 1} if method != "compile" else {wrong: 1})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"optimizer": "adm"}, "adam"),
        ({"loss": "mean_square_error"}, "mean_squared_error"),
        ({"metrics": ["acuracy"]}, "accuracy"),
        ({"metrics": {"dense": ["mean_absolute_eror"]}}, "mean_absolute_error"),
        ({"metrics": keras.metrics.Mean()}, "a metric of values"),
        ({"loss": 3}, "`loss` must be"),
        ({"loss_weights": "2"}, "`loss_weights` must be"),
        ({"loss_weights": ["accuracy"]}, r"metrics by name, `metrics="),
        ({"loss_weights": [keras.metrics.MeanAbsoluteError()]}, r"metrics by name, `metrics="),
        ({"loss_weights": {"dense": True}}, "`loss_weights` must be"),
        ({"steps_per_execution": 0}, "`steps_per_execution` must be"),
    ],
)
def test_a_misspelt_name_leaves_the_model_compiled_as_it_was(arguments, said):
    net = model()
    before = net.evaluate(X, Y, verbose=0)
    optimizer = net.optimizer
    with pytest.raises(ValueError, match=said):
        net.compile(**{"optimizer": "adam", "loss": "mae", **arguments})
    assert net.optimizer is optimizer and net.evaluate(X, Y, verbose=0) == before


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_not_compiled(method):
    with pytest.raises(ValueError, match=rf"call `compile\(\)` before calling `{method}"):
        getattr(model(compiled=False), method)(X, Y)


def test_one_sample_and_a_loss_that_returns_nothing():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(DataError, match=r"np.newaxis"):
        model.predict(np.zeros((4, 4, 1)), verbose=0)
    with pytest.raises(DataError, match=r"reshape the data"):
        model.predict(np.zeros((2, 5, 4, 1)), verbose=0)
    model.compile("sgd", lambda y_true, y_pred: None)
    with pytest.raises(ValueError, match=r"(?s)gave None.*return"):
        model.fit(np.zeros((2, 4, 4, 1)), np.zeros((2, 2)), verbose=0)


def test_no_loss_at_all():
    net = model(loss=None)
    with pytest.raises(ValueError, match="No loss to compute"):
        net.fit(X, Y, verbose=0)
    net.predict(X, verbose=0)


@pytest.mark.parametrize("source", [lambda: iter([]), list, dict], ids=["generator", "list", "dict"])
def test_empty_sources(source):
    net = model()
    for method in ("fit", "evaluate", "predict"):
        with pytest.raises(ValueError, match=r"no (samples|data)"):
            getattr(net, method)(source(), verbose=0)


def test_targets_beside_a_source():
    with pytest.raises(DataError, match="`y` cannot be given when `x` is a source of batches"):
        model().fit(iter([(X, Y)]), Y, verbose=0)
    with pytest.raises(DataError, match="a tuple of 4 items"):
        model().fit(iter([(X, Y, Y, Y)]), verbose=0)
    with pytest.raises(DataError, match=r"parts of a batch have different numbers.*\n.*\n.*x: ..50, 4.., y: ..3, 1"):
        model().fit(iter([(X, Y[:3])]), verbose=0)


def test_rows_of_one_and_batches_larger_than_the_data():
    net = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    for rows in (1, 2, 33):
        history = net.fit(X[:rows], Y[:rows], batch_size=32, verbose=0).history
        assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(w).all() for w in net.get_weights())
    whole = net.evaluate(X, Y, batch_size=1000, verbose=0)
    assert net.evaluate(X, Y, batch_size=7, verbose=0) == pytest.approx(whole, rel=1e-5)


def test_a_metric_that_pairs_all_labels_with_all_predictions_is_warned_of():
    def crossed(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred))

    def straight(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred[:, 0]))

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[crossed, straight])
    x = np.float32([[0, 1], [1, 2], [3, 4]])
    with pytest.warns(UserWarning, match="'crossed' pairs every label") as told:
        _, pairs, each = model.evaluate(x, np.float32([1, 3, 7]), verbose=0)
    assert len(told) == 1
    # As in Keras: the mean over all nine pairs.
    assert (pairs, each) == (pytest.approx(24 / 9), 0.0)


def test_a_generator_that_ends_between_epochs_ends_the_run():
    def batches(count):
        for _ in range(count):
            yield X[:8], LABELS[:8]

    net = classifier()
    with pytest.warns(UserWarning, match="ran out of data") as told:
        history = net.fit(batches(3), steps_per_epoch=2, epochs=5, verbose=0)
    assert all(text in str(one.message) for text, one in zip(("the epoch ends", "the run ends"), told, strict=True))
    assert len(history.history["loss"]) == 2 and int(net.optimizer.iterations) == 3
    with pytest.raises(DataError, match="no samples"):
        net.fit(batches(0), steps_per_epoch=2, epochs=5, verbose=0)
