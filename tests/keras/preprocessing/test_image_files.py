"""Pictures out of folders and tables, against Keras's own iterators."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from hornbeam.base.errors import DataError
from hornbeam.keras.preprocessing.image import ImageDataGenerator, load_img

# SciPy's own notice that Keras's import path of it is old.
pytestmark = pytest.mark.filterwarnings("ignore:.*scipy.ndimage.interpolation.*:DeprecationWarning")


@pytest.fixture(scope="module")
def oracle():
    from keras.src.legacy.preprocessing import image

    return image


@pytest.fixture
def folder(tmp_path):
    rng = np.random.RandomState(1)
    for name, count in (("ant", 5), ("bee", 4), ("cow", 3)):
        (tmp_path / name).mkdir()
        for number in range(count):
            size = (14, 11) if number % 2 else (9, 16)
            data = rng.randint(0, 255, (*size, 3), dtype="uint8")
            Image.fromarray(data).save(tmp_path / name / f"p{number}.{'png' if number % 3 else 'jpg'}")
    (tmp_path / "ant" / "notes.txt").write_text("not a picture")
    return str(tmp_path)


@pytest.mark.numeric
@pytest.mark.parametrize(
    "flow",
    [
        {"class_mode": "categorical"},
        {"class_mode": "sparse", "color_mode": "grayscale", "interpolation": "bilinear"},
        {"class_mode": "binary", "classes": ["cow", "ant"], "color_mode": "rgba"},
        {"class_mode": "input", "subset": "training", "keep_aspect_ratio": True},
        {"class_mode": None, "subset": "validation", "shuffle": False},
    ],
)
def test_folders_equal_keras(oracle, folder, flow):
    options = {"rotation_range": 20, "horizontal_flip": True, "rescale": 1 / 255, "validation_split": 0.4}
    found = []
    for kind in (ImageDataGenerator, oracle.ImageDataGenerator):
        iterator = kind(**options).flow_from_directory(folder, target_size=(10, 12), batch_size=5, seed=6, **flow)
        batches = [next(iterator) for _ in range(3)]
        found.append((iterator, batches))
    (ours, one), (theirs, other) = found
    assert ours.class_indices == theirs.class_indices
    assert (ours.samples, ours.num_classes, len(ours)) == (theirs.samples, theirs.num_classes, len(theirs))
    assert ours.filenames == theirs.filenames and list(ours.classes) == list(theirs.classes)
    assert ours.filepaths == theirs.filepaths and ours.image_shape == theirs.image_shape
    for batch, expected in zip(one, other, strict=True):
        batch, expected = (batch, expected) if isinstance(batch, tuple) else ((batch,), (expected,))
        for part, whole in zip(batch, expected, strict=True):
            np.testing.assert_allclose(part, whole, atol=1e-5)


def test_missing_files_and_folders_are_named():
    with pytest.raises(FileNotFoundError, match=r"no folder 'traain'.*current folder"):
        ImageDataGenerator().flow_from_directory("traain")
    with pytest.raises(FileNotFoundError, match=r"no file 'nope.png'.*current folder"):
        load_img("nope.png")


def test_saved_pictures_are_named_by_number(folder, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    iterator = ImageDataGenerator().flow_from_directory(
        folder, classes=["bee"], save_to_dir=str(target), save_prefix="new", save_format="jpeg", shuffle=False
    )
    next(iterator)
    names = sorted(os.listdir(target))
    assert [name.split("_")[:2] for name in names] == [["new", str(number)] for number in range(4)]
    assert all(name.endswith(".jpeg") for name in names)


def test_bad_files_and_empty_classes_are_named(folder):
    with open(os.path.join(folder, "bee", "p1.png"), "r+b") as file:
        file.truncate(60)
    iterator = ImageDataGenerator().flow_from_directory(folder, classes=["bee"], shuffle=False)
    with pytest.raises(DataError, match=r"p1\.png"):
        next(iterator)
    os.mkdir(os.path.join(folder, "dog"))
    with pytest.warns(UserWarning, match="dog"):
        ImageDataGenerator().flow_from_directory(folder)


@pytest.mark.numeric
@pytest.mark.parametrize(
    ("mode", "columns"),
    [
        ("categorical", {"y_col": "label"}),
        ("categorical", {"y_col": "several", "classes": ["a", "c"]}),
        ("sparse", {"y_col": "label", "weight_col": "weight"}),
        ("binary", {"y_col": "label", "classes": ["bee", "ant"]}),
        ("raw", {"y_col": "weight", "subset": "validation"}),
        ("raw", {"y_col": ["weight", "row"]}),
        ("multi_output", {"y_col": ["weight", "row"]}),
        ("input", {}),
        (None, {"subset": "training"}),
    ],
)
def test_tables_equal_keras(oracle, folder, mode, columns):
    import pandas

    names = sorted(os.path.join(d, f) for d in ("ant", "bee", "cow") for f in os.listdir(os.path.join(folder, d)))
    names = [name for name in names if not name.endswith("txt")]
    table = pandas.DataFrame(
        {
            "filename": [*names, "nowhere.png"],
            "label": [*(os.path.dirname(name) for name in names), "ant"],
            "several": [[["a"], ["b"], ["a", "c"]][row % 3] for row in range(len(names) + 1)],
            "weight": np.linspace(0, 1, len(names) + 1),
            "row": range(len(names) + 1),
        }
    )
    found = []
    for kind in (ImageDataGenerator, oracle.ImageDataGenerator):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            iterator = kind(validation_split=0.25, rescale=1 / 255).flow_from_dataframe(
                table, folder, class_mode=mode, target_size=(8, 8), batch_size=5, seed=2, **columns
            )
        assert any("invalid" in str(warning.message) for warning in caught)
        found.append((iterator, [next(iterator) for _ in range(2)]))
    (ours, one), (theirs, other) = found
    assert ours.filenames == theirs.filenames
    assert getattr(ours, "class_indices", None) == getattr(theirs, "class_indices", None)
    for batch, expected in zip(one, other, strict=True):
        batch, expected = (batch, expected) if isinstance(batch, tuple) else ((batch,), (expected,))
        for part, whole in zip(batch, expected, strict=True):
            for array, reference in zip(*((p if isinstance(p, list) else [p]) for p in (part, whole)), strict=True):
                np.testing.assert_allclose(array, reference, atol=1e-5)


def test_tables_with_wrong_columns_are_refused(folder):
    import pandas

    table = pandas.DataFrame({"filename": ["a.png", "b.png"], "class": [1, 2], "weight": ["x", "y"]})
    generator = ImageDataGenerator()
    with pytest.raises(TypeError, match="row"):
        generator.flow_from_dataframe(table, folder, class_mode="sparse")
    with pytest.raises(TypeError, match="list"):
        generator.flow_from_dataframe(table, folder, class_mode="multi_output", y_col="class")
    with pytest.raises(KeyError, match="no column 'label' in the table"):
        generator.flow_from_dataframe(table, folder, y_col="label")
    with pytest.raises(ValueError, match="class_mode"):
        generator.flow_from_dataframe(table, folder, class_mode="dense")
    with pytest.raises(TypeError, match="weight"):
        generator.flow_from_dataframe(table, folder, class_mode="raw", weight_col="weight")


@pytest.mark.train
@pytest.mark.parametrize("workers", [1, 2])
def test_fit_on_a_folder_makes_each_batch_once_an_epoch(folder, workers):
    import hornbeam as tf

    iterator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True).flow_from_directory(
        folder, target_size=(8, 8), class_mode="sparse", batch_size=5, seed=1
    )
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    iterator.workers = workers
    history = model.fit(iterator, epochs=2, verbose=0)
    assert isinstance(iterator, tf.keras.utils.Sequence) and len(iterator) == 3
    assert len(history.history["loss"]) == 2 and int(model.optimizer.iterations.numpy()) == 6
    assert model.predict(iterator, verbose=0).shape == (12, 3)
