"""Every kind of source trains a model as the arrays do."""

import threading
import warnings

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras.trainers.feeds.datasets import DatasetArrayFeed, DatasetFeed
from hornbeam.keras.trainers.feeds.opening import open_feed
from tests.keras.trainers.feeds.numbered import Numbered

X = np.random.default_rng(0).random((22, 3), np.float32)
Y = X.sum(axis=1, keepdims=True)


def make_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def losses(*args, **kwargs):
    return make_model().fit(*args, epochs=3, verbose=0, **kwargs).history["loss"]


@pytest.fixture(scope="module")
def expected():
    return losses(X, Y, batch_size=5, shuffle=False)


def _rows():
    return tf.data.Dataset.from_tensor_slices((X, Y))


DATASETS = {
    "arrays": lambda: _rows().batch(5),
    "prefetched": lambda: _rows().cache().batch(5).prefetch(tf.data.AUTOTUNE),
    "mapped": lambda: tf.data.Dataset.from_tensor_slices((X * 4, Y)).map(lambda x, y: (x / 4, y)).batch(5),
    "streamed": lambda: _rows().filter(lambda x, y: x[0] >= 0).batch(5),
    "threads": lambda: _rows().map(lambda x, y: (tf.constant(x.numpy()), y), num_parallel_calls=2).batch(5),
    "generator": lambda: tf.data.Dataset.from_generator(
        lambda: zip(X, Y, strict=True),
        output_signature=(tf.TensorSpec((3,), tf.float32), tf.TensorSpec((1,), tf.float32)),
    ).batch(5),
}


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.filterwarnings("ignore:The function given to Dataset:UserWarning")
def test_datasets_give_the_losses_of_the_arrays(name, expected):
    np.testing.assert_allclose(losses(DATASETS[name]()), expected, rtol=1e-6)


def test_rows_in_arrays_are_seen_through():
    assert isinstance(open_feed((DATASETS["mapped"](), None, None), "fit"), DatasetArrayFeed)
    assert isinstance(open_feed((DATASETS["streamed"](), None, None), "fit"), DatasetFeed)
    noisy = _rows().map(lambda x, y: (x + tf.random.normal((3,)), y)).batch(5)
    assert isinstance(open_feed((noisy, None, None), "fit"), DatasetFeed)


def test_a_shuffled_dataset_seen_through_gives_the_order_of_its_iterator():
    seen = open_feed((_rows().shuffle(8, seed=3).batch(5), None, None), "fit")
    plain = _rows().shuffle(8, seed=3).batch(5)
    for _ in range(2):
        order = seen.order()
        batches = [seen.batch(number, order)[0] for number in range(seen.num_batches)]
        for found, (x, _) in zip(batches, plain.as_numpy_iterator(), strict=True):
            np.testing.assert_array_equal(found, x)


def test_short_last_batches_are_dropped_when_asked():
    feed = open_feed((_rows().batch(5, drop_remainder=True), None, None), "fit")
    assert (feed.num_batches, feed.batch(3)[0].shape) == (4, (5, 3))
    model = make_model()
    model.fit(_rows().batch(5, drop_remainder=True), epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 8


def test_predictions_keep_the_order_of_the_dataset():
    model = make_model()
    whole = model.predict(X, verbose=0)
    np.testing.assert_allclose(model.predict(_rows().batch(5), verbose=0), whole, rtol=1e-5)
    shuffled = _rows().shuffle(22, seed=4, reshuffle_each_iteration=False).batch(5)
    inputs = np.concatenate([x for x, _ in shuffled.as_numpy_iterator()])
    np.testing.assert_allclose(model.predict(shuffled, verbose=0), model.predict(inputs, verbose=0), rtol=1e-5)


def test_steps_go_on_in_an_endless_dataset():
    model = make_model()
    history = model.fit(_rows().repeat().batch(5), epochs=3, steps_per_epoch=4, verbose=0)
    assert int(model.optimizer.iterations) == 12
    assert len(history.history["loss"]) == 3


def test_class_weights_and_validation_on_datasets():
    labels = (np.arange(22) % 2).astype("int64")
    rows = tf.data.Dataset.from_tensor_slices((X, labels))

    def run(train, validation, **kwargs):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        options = {"class_weight": {0: 1.0, 1: 3.0}, "validation_data": validation, "shuffle": False, **kwargs}
        return model.fit(*train, epochs=2, verbose=0, **options).history

    one = run((rows.batch(5),), rows.batch(11))
    other = run((X, labels), (X, labels), batch_size=5, validation_batch_size=11)
    assert sorted(one) == sorted(other)
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_numbered_batches_train_alike_for_any_number_of_workers(workers):
    source = Numbered(count=6, workers=workers)
    found = losses(source, shuffle=False)
    assert source.epochs == 3
    stacked = [Numbered(count=6)[number] for number in range(6)]
    x, y = (np.concatenate(part) for part in zip(*stacked, strict=True))
    np.testing.assert_allclose(found, losses(x, y, batch_size=4, shuffle=False), rtol=1e-6)


def test_workers_of_the_call_win_over_those_of_the_source():
    names = []

    class Named(Numbered):
        def __getitem__(self, index):
            names.append(threading.current_thread().name.split("_")[0])
            return super().__getitem__(index)

    losses(Named(count=4), workers=2, max_queue_size=3, use_multiprocessing=False)
    assert "hornbeam-worker" in names


def test_shuffling_numbered_batches_takes_each_once():
    source = Numbered(count=9, workers=2)
    make_model().fit(source, epochs=2, shuffle=True, verbose=0)
    asked = source.asked[-9:]
    assert sorted(asked) == list(range(9))


def test_a_class_without_super_init_is_read_with_a_warning():
    class Plain(keras.utils.Sequence):
        def __init__(self):
            self.made = True

        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[index : index + 4], Y[index : index + 4]

    with pytest.warns(UserWarning, match="super"):
        assert len(losses(Plain())) == 3
    assert len(list(Plain())) == 3


def test_an_endless_pydataset_needs_steps():
    class Endless(keras.utils.PyDataset):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            return X[:4], Y[:4]

    model = make_model()
    model.fit(Endless(), steps_per_epoch=3, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 6


def test_loaders_of_torch_and_grain_kind(expected):
    class Loader:
        """Yields lists of things with ``detach``, as torch's loader does."""

        def __len__(self):
            return 5

        def __iter__(self):
            for start in range(0, 22, 5):
                yield [_Torchlike(X[start : start + 5]), _Torchlike(Y[start : start + 5])]

    np.testing.assert_allclose(losses(Loader()), expected, rtol=1e-6)


class _Torchlike:
    def __init__(self, array):
        self._array = array

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self._array


def test_frames_and_columns(expected):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    target = pandas.Series(Y[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(losses(frame, target, batch_size=5, shuffle=False), expected, rtol=1e-5)


def test_tables_of_pyarrow_kind(expected):
    class Column:
        def __init__(self, values):
            self._values = values

        def to_numpy(self, zero_copy_only=True):
            return self._values

    class Table:
        column_names = ("a", "b", "c")

        def column(self, name):
            return Column(X[:, self.column_names.index(name)])

        def __len__(self):
            return len(X)

    Table.__module__ = "pyarrow.lib"
    np.testing.assert_allclose(losses(Table(), Y, batch_size=5, shuffle=False), expected, rtol=1e-6)


def test_datasets_of_the_hub_kind(expected):
    class HubSet:
        column_names = ("features", "label")

        def with_format(self, kind):
            assert kind == "numpy"
            return _Formatted()

        def __len__(self):
            return 22

        def __getitem__(self, index):
            raise AssertionError("read as a whole")

    class _Formatted:
        def __getitem__(self, rows):
            return {"features": X[rows], "label": Y[rows]}

    HubSet.__module__ = "datasets.arrow_dataset"
    keras.utils.set_random_seed(1)
    inputs = {"features": keras.layers.Input((3,), name="features")}
    hidden = keras.layers.Dense(4, "relu")(inputs["features"])
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    found = model.fit(HubSet(), Y, batch_size=5, shuffle=False, epochs=3, verbose=0).history["loss"]
    assert found[-1] < found[0]
