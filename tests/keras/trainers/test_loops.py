"""Callbacks, sources of batches, steps and stops: what the loops do between the steps."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from tests.keras.trainers.small import X, Y, model, same_weights


class Recorder(keras.callbacks.Callback):
    """Notes every hook with its number and the names (or values) of its logs."""

    def __init__(self, values=False):
        super().__init__()
        self.events, self.values = [], values

    def note(self, hook, *args, logs=None):
        self.events.append((hook, *args, dict(logs or {}) if self.values else sorted(logs or {})))


def _hooked(name, numbered):
    def with_number(self, number, logs=None):
        self.note(name, number, logs=logs)

    def without(self, logs=None):
        self.note(name, logs=logs)

    return with_number if numbered else without


for _mode in ("train", "test", "predict"):
    for _end in ("begin", "end"):
        setattr(Recorder, f"on_{_mode}_{_end}", _hooked(f"{_mode}_{_end}", False))
        setattr(Recorder, f"on_{_mode}_batch_{_end}", _hooked(f"{_mode}_batch_{_end}", True))
for _end in ("begin", "end"):
    setattr(Recorder, f"on_epoch_{_end}", _hooked(f"epoch_{_end}", True))


def test_order_of_hooks_and_names_of_logs():
    recorder = Recorder()
    net = model(metrics=["mae"])
    net.fit(X, Y, batch_size=25, epochs=1, validation_data=(X[:5], Y[:5]), callbacks=[recorder], verbose=0)
    train, both = ["loss", "mae"], ["loss", "mae", "val_loss", "val_mae"]
    assert recorder.events == [
        ("train_begin", []),
        ("epoch_begin", 0, []),
        ("train_batch_begin", 0, []),
        ("train_batch_end", 0, train),
        ("train_batch_begin", 1, []),
        ("train_batch_end", 1, train),
        ("test_begin", []),
        ("test_batch_begin", 0, []),
        ("test_batch_end", 0, train),
        ("test_end", train),
        ("epoch_end", 0, both),
        ("train_end", both),
    ]
    recorder.events.clear()
    net.predict(X, batch_size=25, callbacks=[recorder], verbose=0)
    assert [event[:2] for event in recorder.events if "batch" in event[0]] == [
        (f"predict_batch_{end}", number) for number in (0, 1) for end in ("begin", "end")
    ]
    assert recorder.events[2][2] == ["outputs"]


def test_logs_of_batches_are_running_means():
    recorder = Recorder(values=True)
    net = model(optimizer=keras.optimizers.SGD(0.0))
    net.fit(X, Y, batch_size=20, shuffle=False, callbacks=[recorder], verbose=0)
    seen = [event[2]["loss"] for event in recorder.events if event[0] == "train_batch_end"]
    expected = [net.evaluate(X[:stop], Y[:stop], verbose=0) for stop in (20, 40, 50)]
    assert seen == pytest.approx(expected, rel=1e-5)


def test_hooks_follow_steps_per_execution():
    recorder = Recorder()
    model(steps_per_execution=2).fit(X, Y, batch_size=10, callbacks=[recorder], verbose=0)
    assert [e[1] for e in recorder.events if e[0] == "train_batch_begin"] == [0, 2, 4]
    assert [e[1] for e in recorder.events if e[0] == "train_batch_end"] == [1, 3, 4]


def test_ways_to_run_give_equal_weights():
    plain = model()
    plain.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for options in ({"callbacks": [Recorder()]}, {}):
        other = model(**({} if options else {"steps_per_execution": 3}))
        other.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, **options)
        for a, b in zip(plain.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end"])
def test_stop_training(hook):
    class Stop(keras.callbacks.Callback):
        pass

    def stop(self, number, logs=None):
        if number == 1:
            self.model.stop_training = True

    setattr(Stop, hook, stop)
    net = model()
    history = net.fit(X, Y, batch_size=10, epochs=5, callbacks=[Stop()], verbose=0)
    assert history.epoch == ([0] if hook == "on_train_batch_end" else [0, 1])
    assert int(net.optimizer.iterations) == (2 if hook == "on_train_batch_end" else 10)


def test_stop_evaluating_and_predicting():
    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 1

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 1

    net = model()
    assert net.evaluate(X, Y, batch_size=10, callbacks=[Stop()], verbose=0) == pytest.approx(
        net.evaluate(X[:20], Y[:20], verbose=0), rel=1e-5
    )
    assert net.predict(X, batch_size=10, callbacks=[Stop()], verbose=0).shape == (20, 1)


def test_evaluation_in_a_batch_hook_leaves_the_metrics_of_training_alone():
    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(X[:7], Y[:7], verbose=0)

    plain, looking = model(), model()
    plain.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    looking.fit(X, Y, batch_size=10, shuffle=False, verbose=0, callbacks=[Look()])
    assert looking.history.history["loss"] == pytest.approx(plain.history.history["loss"], rel=1e-6)


def test_weights_seen_and_set_by_callbacks_are_the_current_ones():
    class Zero(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            weights = self.model.get_weights()
            self.model.set_weights([0 * w for w in weights])

    net = model()
    net.fit(X, Y, batch_size=10, callbacks=[Zero()], verbose=0)
    assert all(np.all(w == 0) for w in net.get_weights())


def test_learning_rate_set_by_a_callback_needs_no_new_program():
    class Half(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0

    net = model()
    net.fit(X, Y, epochs=1, callbacks=[Half()], verbose=0)
    before = net.get_weights()
    net.fit(X, Y, epochs=3, verbose=0)
    assert same_weights(before, net)
    assert len(net._runner("train")._programs) == 2


# --- sources of batches --------------------------------------------------------------------------
class Batches(keras.callbacks.Callback):
    """Counts training batches."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


def batches(size=10, form=tuple, weights=False):
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        yield form((X[rows], Y[rows], np.ones(len(X[rows]), "float32")) if weights else (X[rows], Y[rows]))


class ByIndex:
    """What ``PyDataset`` and ``Sequence`` look like."""

    def __init__(self, size=10):
        self.size, self.begun, self.ended = size, 0, 0

    def __len__(self):
        return -(-len(X) // self.size)

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return X[rows], Y[rows]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


class Rewindable:
    """An iterable that can be read again, as data sets and loaders can."""

    def __init__(self):
        self.opened, self.given = 0, 0

    def __iter__(self):
        self.opened += 1
        for batch in batches():
            self.given += 1
            yield batch


@pytest.mark.parametrize(
    "source",
    [
        batches,
        lambda: batches(form=list),
        lambda: batches(weights=True),
        ByIndex,
        Rewindable,
        lambda: iter(list(batches())),
    ],
    ids=["generator", "lists", "with weights", "by index", "iterable", "iterator"],
)
def test_sources_equal_arrays(source):
    arrays, other = model(), model()
    arrays.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    other.fit(source(), shuffle=False, verbose=0)
    assert other.history.history["loss"] == pytest.approx(arrays.history.history["loss"], rel=1e-6)
    for a, b in zip(arrays.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert other.evaluate(source(), verbose=0) == pytest.approx(arrays.evaluate(X, Y, verbose=0), rel=1e-5)
    np.testing.assert_allclose(other.predict(source(), verbose=0), arrays.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_a_generator_goes_on_over_epochs():
    def endless():
        while True:
            yield from batches()

    arrays, other = model(), model()
    arrays.fit(X, Y, batch_size=10, epochs=2, shuffle=False, verbose=0)
    other.fit(endless(), steps_per_epoch=2, epochs=5, verbose=0)
    assert same_weights(arrays, other)
    assert other.evaluate(endless(), steps=5, verbose=0) == pytest.approx(arrays.evaluate(X, Y, verbose=0), rel=1e-5)
    assert other.predict(endless(), steps=3, verbose=0).shape == (30, 1)


def test_a_generator_for_several_epochs_is_refused_at_once():
    net, source = model(), batches()
    with pytest.raises(ValueError, match=r"can be read once only.*\n.*steps_per_epoch"):
        net.fit(source, epochs=2, verbose=0)
    assert next(source)[0].shape == (10, 4)


def test_a_source_that_runs_dry_says_so():
    net = model()
    with pytest.warns(UserWarning, match="gave 5 of 7 batches"):
        net.fit(batches(), steps_per_epoch=7, verbose=0)
    assert int(net.optimizer.iterations) == 5
    with pytest.warns(UserWarning, match="gave 1 of 4 batches"):
        net.fit(X, Y, batch_size=10, steps_per_epoch=4, epochs=2, verbose=0)


def test_by_index_sources_are_told_and_shuffled():
    import random

    class Seen(ByIndex):
        order: list = []

        def __getitem__(self, index):
            self.order.append(index)
            return super().__getitem__(index)

    source, net = Seen(), model()
    random.seed(1)
    net.fit(source, epochs=2, verbose=0)
    assert (source.begun, source.ended) == (2, 2)
    asked = source.order[1:]  # the first was for the shapes
    assert sorted(asked[:5]) == sorted(asked[5:]) == list(range(5)) and asked[:5] != asked[5:]
    source.order.clear()
    net.fit(source, shuffle=False, verbose=0)
    assert source.order[-5:] == list(range(5))


def test_validation_source_is_opened_once_an_epoch_and_read_as_far_as_asked():
    source, net = Rewindable(), model()
    net.fit(X, Y, epochs=3, validation_data=source, verbose=0)
    assert (source.opened, source.given) == (3, 15)
    source = Rewindable()
    net.fit(X, Y, epochs=3, validation_data=source, validation_steps=2, verbose=0)
    assert (source.opened, source.given) == (3, 6)


def test_lengths_of_unknown_sources_are_learned():
    net, steps = model(), []

    class Steps(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            steps.append(self.params["steps"])

    net.fit(Rewindable(), epochs=2, callbacks=[Steps()], verbose=0)
    net.fit(ByIndex(), epochs=1, callbacks=[Steps()], verbose=0)
    net.fit(X, Y, batch_size=20, callbacks=[Steps()], verbose=0)
    assert steps == [None, 5, 3]


def test_class_weights_with_sources():
    labels = (X[:, 0] > 0.5).astype("int32")

    def pairs():
        for start in range(0, 50, 10):
            yield X[start : start + 10], labels[start : start + 10]

    arrays, other = model(), model()
    arrays.fit(X, labels, batch_size=10, class_weight={0: 1.0, 1: 4.0}, shuffle=False, verbose=0)
    other.fit(pairs(), class_weight={0: 1.0, 1: 4.0}, verbose=0)
    for a, b in zip(arrays.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    third = model()
    third.fit(
        X,
        labels,
        batch_size=10,
        class_weight={0: 1.0, 1: 2.0},
        sample_weight=np.where(labels == 1, 2.0, 1.0),
        shuffle=False,
        verbose=0,
    )
    for a, b in zip(arrays.get_weights(), third.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


# --- limits and old arguments --------------------------------------------------------------------
def test_limits_for_debugging():
    net = model()
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(3)
    try:
        with pytest.warns(UserWarning, match="Limiting"):
            history = net.fit(X, Y, batch_size=5, epochs=5, verbose=0)
        assert len(history.epoch) == 2 and int(net.optimizer.iterations) == 6
        with pytest.warns(UserWarning, match="Limiting"):
            assert net.predict(X, batch_size=10, verbose=0).shape == (30, 1)
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)


def test_arguments_of_older_versions_are_taken():
    old = {"max_queue_size": 20, "workers": 4, "use_multiprocessing": True}
    net = model()
    net.fit(ByIndex(), verbose=0, shuffle=False, **old)
    plain = model()
    plain.fit(ByIndex(), verbose=0, shuffle=False)
    assert same_weights(net, plain)
    assert net.evaluate(X, Y, verbose=0, **old) == net.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(net.predict(X, verbose=0, **old), net.predict(X, verbose=0))


def test_plain_output_is_a_line_an_epoch(capsys):
    net = model()
    net.fit(X, Y, epochs=2)
    net.evaluate(X, Y)
    net.predict(X)
    text = capsys.readouterr().out
    assert text.count("\n") == 6 and not {"\r", "\b", "\x1b"} & set(text)
    net.fit(X, Y, verbose=1)
    assert "ETA" in capsys.readouterr().out
