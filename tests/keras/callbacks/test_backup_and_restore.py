"""A run that is interrupted and started again ends as if nothing had happened (RELIABILITY rows R-10 to R-15)."""

from __future__ import annotations

import os
import pathlib
import shutil

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import ResumeError
from hornbeam.keras.callbacks import run_state

pytestmark = pytest.mark.train

RNG = np.random.RandomState(5)
X = RNG.rand(22, 4).astype("float32")
Y = X.sum(axis=1, keepdims=True) + 0.1 * RNG.rand(22, 1).astype("float32")
BATCH, EPOCHS = 6, 3
STEPS = 4


class Killed(Exception):
    """Stands for the end of a process."""


class Kill(keras.callbacks.Callback):
    """Ends a run at one batch."""

    state_names = ()

    def __init__(self, at):
        super().__init__()
        self.at, self.seen = at, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.at:
            raise Killed


class Counter(keras.callbacks.Callback):
    """A callback of the user's that knows nothing of backups."""

    batch_interval = 0

    def __init__(self):
        super().__init__()
        self.losses, self.best, self.noise = [], {"epoch": None}, np.random.RandomState(1)

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"] + self.noise.rand())
        self.best["epoch"] = epoch


class Batches(keras.utils.PyDataset):
    """Rows in an order of its own that it changes after each epoch."""

    def __init__(self):
        super().__init__()
        self.rows, self.random = np.arange(len(X)), np.random.default_rng(7)

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        rows = self.rows[index * BATCH : (index + 1) * BATCH]
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.random.shuffle(self.rows)


def endless(seed=3):
    random = np.random.RandomState(seed)
    while True:
        rows = random.randint(0, len(X), BATCH)
        yield X[rows], Y[rows]


def pipeline(mapped=False):
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    if mapped:
        data = data.map(lambda x, y: (x + 0.1 * tf.random.uniform((4,)), y))
    return data.shuffle(10, seed=2).batch(BATCH)


SOURCES = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": BATCH},
    "arrays in order": lambda: {"x": X, "y": Y, "batch_size": BATCH, "shuffle": False},
    "arrays by steps": lambda: {"x": X, "y": Y, "batch_size": BATCH, "steps_per_epoch": 2},
    "PyDataset": lambda: {"x": Batches()},
    "generator": lambda: {"x": endless(), "steps_per_epoch": STEPS},
    "data set of arrays": lambda: {"x": pipeline()},
    "data set": lambda: {"x": pipeline(mapped=True)},
    "data set by steps": lambda: {"x": pipeline(mapped=True).repeat(), "steps_per_epoch": 3},
}


@pytest.fixture(scope="module")
def net():
    """One model for all tests, as compiling is what takes time."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    inner = [layers.Dense(6, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(1)]
    model = keras.Sequential([keras.Input((4,)), *inner])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=BATCH, validation_data=(X, Y), verbose=0)
    model.optimizer.iterations.assign(0)
    model.first = [(one, np.asarray(one)) for one in run_state.variables_of(model)]
    return model


def restart(model, seed=11):
    """Everything as in a new process."""
    for variable, value in model.first:
        variable.assign(np.zeros_like(value) if "optimizer" in variable.path or "adam" in variable.path else value)
    model.optimizer.learning_rate = 0.01
    keras.utils.set_random_seed(seed)


def state_of(model, history, others=()):
    values = [np.asarray(one).tobytes() for one, _ in model.first]
    return (
        values,
        history.history,
        history.epoch,
        [vars(other)["losses"] for other in others],
        float(np.asarray(model.optimizer.learning_rate)),
        np.random.rand(),
    )


def callbacks():
    plateau = keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=0.1)
    stop = keras.callbacks.EarlyStopping("val_mae", patience=5, restore_best_weights=True, mode="min")
    return [plateau, stop, Counter()]


def run(model, source, backup=None, kill=None, epochs=EPOCHS):
    """A run from the beginning of a process to its end."""
    restart(model)
    used = callbacks()
    more = [Kill(kill)] if kill else []
    front = [] if backup is None else [backup]
    history = model.fit(
        **SOURCES[source](), epochs=epochs, validation_data=(X, Y), verbose=0, callbacks=front + used + more
    )
    return state_of(model, history, used[2:])


@pytest.mark.filterwarnings("ignore:The source of batches:UserWarning")
@pytest.mark.parametrize("source", SOURCES)
def test_killed_at_every_batch(net, tmp_path, source):
    """R-10: weights, optimizer, metrics, random numbers, callbacks and History are equal bit for bit."""
    wanted = run(net, source)
    steps = EPOCHS * SOURCES[source]().get("steps_per_epoch", STEPS)
    frequencies = (1, 3, "epoch") if source == "arrays" else (1, "epoch")
    for frequency in frequencies:
        for kill in range(1, steps + 1, 1 if source == "arrays" else 3):
            folder = tmp_path / f"{frequency}-{kill}"
            with pytest.raises(Killed):
                run(net, source, keras.callbacks.BackupAndRestore(folder, save_freq=frequency), kill=kill)
            found = run(net, source, keras.callbacks.BackupAndRestore(folder, save_freq=frequency))
            assert found == wanted, (frequency, kill)
            assert not folder.exists()


def test_killed_several_times_and_gone_on_longer(net, tmp_path):
    wanted = run(net, "arrays", epochs=4)
    for kill in (3, 2, 5):
        with pytest.raises(Killed):
            run(net, "arrays", keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=1), kill=kill)
    assert run(net, "arrays", keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=1), epochs=4) == wanted


def test_a_plain_generator_is_told_and_keeps_the_number_of_steps(net, tmp_path):
    """R-11."""
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=3)
    with pytest.warns(UserWarning, match=r"generator.* cannot tell its place"), pytest.raises(Killed):
        run(net, "generator", backup, kill=8)
    with pytest.warns(UserWarning, match="cannot tell its place"):
        run(net, "generator", keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=3))
    assert int(net.optimizer.iterations) == EPOCHS * STEPS


def test_the_same_generator_goes_on_where_it_stands(net, tmp_path):
    source, seen = endless(), []

    def noting():
        for batch in source:
            seen.append(1)
            yield batch

    data = noting()
    restart(net)
    with pytest.warns(UserWarning, match="cannot tell its place"), pytest.raises(Killed):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=1)
        net.fit(data, steps_per_epoch=STEPS, epochs=2, verbose=0, callbacks=[backup, Kill(4)])
    taken = len(seen)
    assert taken == 4
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=False)
    with pytest.warns(UserWarning, match="1 batches further"):
        # One batch was trained on after the last backup; it cannot come again.
        net.fit(data, steps_per_epoch=STEPS, epochs=2, verbose=0, callbacks=[backup])
    assert len(seen) == taken + 2 * STEPS - 3


def killed_run(net, folder, **options):
    with pytest.raises(Killed):
        run(net, "arrays", keras.callbacks.BackupAndRestore(folder, save_freq=1, **options), kill=6)
    return sorted(os.listdir(folder))


def damage(path):
    data = bytearray(pathlib.Path(path).read_bytes())
    data[len(data) // 2] ^= 4
    pathlib.Path(path).write_bytes(bytes(data))


def test_two_generations(net, tmp_path):
    """R-12."""
    wanted = run(net, "arrays")
    folder = tmp_path / "b"
    names = killed_run(net, folder)
    assert len(names) == 2
    damage(folder / names[1])
    shutil.copytree(folder, tmp_path / "copy")
    with pytest.warns(UserWarning, match=r"(?s)is damaged.*goes on from the backup before it"):
        assert run(net, "arrays", keras.callbacks.BackupAndRestore(folder, save_freq=1)) == wanted
    damage(tmp_path / "copy" / names[0])
    with pytest.raises(ResumeError, match=rf"(?s){names[1]}.*{names[0]}"):
        run(net, "arrays", keras.callbacks.BackupAndRestore(tmp_path / "copy", save_freq=1))


@pytest.mark.parametrize("cut", [0, 1, 50, 0.3, 0.9, 0.999])
def test_a_backup_that_was_cut_short(net, tmp_path, cut):
    folder = tmp_path / "b"
    names = killed_run(net, folder)
    path = folder / names[1]
    size = path.stat().st_size
    os.truncate(path, int(cut if cut >= 1 or cut == 0 else cut * size))
    with pytest.warns(UserWarning, match="goes on from the backup before it"):
        run(net, "arrays", keras.callbacks.BackupAndRestore(folder, save_freq=1))


def test_what_differs_is_listed(net, tmp_path):
    """R-13."""
    folder = tmp_path / "b"
    killed_run(net, folder)

    def go_on(x=X, y=Y, batch_size=BATCH, model=net, **options):
        restart(net)
        backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False, **options)
        model.fit(x, y, batch_size=batch_size, epochs=EPOCHS, verbose=0, callbacks=[backup])

    with pytest.raises(ResumeError, match="batch_size: 6 then, 5 now"):
        go_on(batch_size=5)
    with pytest.raises(ResumeError, match="samples: 22 then, 18 now"):
        go_on(X[:18], Y[:18])
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(7), keras.layers.Dense(1)])
    other.compile("sgd", "mse")
    before = other.get_weights()
    with pytest.raises(ResumeError, match=r"(?s)kernel \(4, 6\) float32 then, kernel \(4, 7\).*class: Adam then, SGD"):
        go_on(model=other)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))
    go_on(batch_size=5, allow_changed=["batch_size"])
    # The epoch in progress is run anew with the new batches: 4 steps were made before it.
    assert int(net.optimizer.iterations) == 5 + 2 * 5


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match="needs a folder"):
        keras.callbacks.BackupAndRestore("")
    for wrong in ("batch", 0, 1.5, True):
        with pytest.raises(ValueError, match="save_freq"):
            keras.callbacks.BackupAndRestore(tmp_path, save_freq=wrong)
    with pytest.raises(ValueError, match="allow_changed"):
        keras.callbacks.BackupAndRestore(tmp_path, allow_changed=["weights"])


def test_backups_stay_if_asked_for(net, tmp_path):
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    first = run(net, "arrays", backup)
    assert len(os.listdir(tmp_path / "b")) == 2
    # The run is over: another fit has nothing left to do, and knows what happened.
    assert run(net, "arrays", keras.callbacks.BackupAndRestore(tmp_path / "b"))[:3] == first[:3]


def test_files_of_other_callbacks(net, tmp_path):
    """R-15: ModelCheckpoint knows its best; CSVLogger has each row once."""

    def go(folder, kill=None):
        restart(net)
        others = [
            keras.callbacks.BackupAndRestore(folder / "b", save_freq=2),
            keras.callbacks.CSVLogger(folder / "log.csv"),
            keras.callbacks.ModelCheckpoint(folder / "{epoch}.weights.h5", monitor="loss", save_best_only=True),
        ]
        net.fit(X, Y, batch_size=BATCH, epochs=4, verbose=0, callbacks=[*others, *([Kill(kill)] if kill else [])])
        return others[2].best

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir(), broken.mkdir()
    best = go(whole)
    with pytest.raises(Killed):
        go(broken, kill=10)
    assert go(broken) == best
    assert (whole / "log.csv").read_bytes() == (broken / "log.csv").read_bytes()
    assert sorted(path.name for path in whole.iterdir()) == sorted(path.name for path in broken.iterdir())


def test_attributes_that_cannot_be_kept_are_told(net, tmp_path):
    class Holder(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.file = open(os.devnull)  # noqa: SIM115 - closed at the end

        def on_train_end(self, logs=None):
            self.file.close()

    restart(net)
    with pytest.warns(UserWarning, match="attribute `file` of Holder"):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "b")
        net.fit(X, Y, batch_size=BATCH, epochs=1, verbose=0, callbacks=[backup, Holder()])


def small_model(optimizer="adam"):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def broken_run(folder, make, kill, **arguments):
    """Values and losses of a run that was killed once, each part with a model of its own."""
    for at in (kill, None):
        model = make()
        backup = keras.callbacks.BackupAndRestore(folder, save_freq=2)
        try:
            history = model.fit(epochs=2, verbose=0, callbacks=[backup, *([Kill(at)] if at else [])], **arguments)
        except Killed:
            continue
        return [one.tobytes() for one in model.get_weights()], history.history
    raise AssertionError("the second run does not end by itself")


def test_a_scaled_loss_goes_on_with_its_scale(tmp_path):
    def make():
        inner = keras.optimizers.Adam(0.05)
        return small_model(keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=2))

    wanted = broken_run(tmp_path / "whole", make, 100, x=X, y=Y, batch_size=BATCH)
    assert broken_run(tmp_path / "b", make, 3, x=X, y=Y, batch_size=BATCH) == wanted


def test_validation_on_a_shuffled_data_set_goes_on_with_its_pass(tmp_path):
    def arguments():
        data = pipeline()
        return {"x": data, "validation_data": data.take(2)}

    wanted = broken_run(tmp_path / "whole", small_model, 100, **arguments())
    # Before the first validation, and after it.
    for kill in (3, 6):
        assert broken_run(tmp_path / str(kill), small_model, kill, **arguments()) == wanted


def test_an_optimizer_of_former_times_is_no_part_of_a_run():
    model = small_model()
    model.fit(X, Y, batch_size=BATCH, verbose=0)
    assert any("adam" in one.path for one in run_state.variables_of(model))
    model.compile("sgd", "mse")
    assert not any("adam" in one.path for one in run_state.variables_of(model))
