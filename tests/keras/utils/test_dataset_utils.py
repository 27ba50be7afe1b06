"""Data sets over folders and arrays: order and labels against Keras's, pixels against closed forms."""

import os
import struct
import warnings
import wave

import numpy as np
import pytest
from PIL import Image

import hornbeam as tf
from hornbeam.base.errors import DataError, NotSupportedError
from hornbeam.keras.utils import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    split_dataset,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.RandomState(0)
    for name, count in (("b_cat", 6), ("a_dog", 5), (".hidden", 1), ("c_eel", 3)):
        (root / name / "deep").mkdir(parents=True)
        for number in range(count):
            place = root / name / ("deep" if number == 2 else ".") / f"p{number}.{'PNG' if number % 2 else 'png'}"
            Image.fromarray(rng.randint(0, 255, (12 + number, 17, 3), dtype="uint8")).save(place)
        (root / name / "readme.md").write_text("no picture")
    return str(root)


def everything(dataset):
    return [element for element in dataset.as_numpy_iterator()]


def linear(pixels, size):
    """Bilinear interpolation between pixel centres, axis by axis, in float64."""
    found = pixels.astype("float64")
    for axis, new in enumerate(size):
        old = found.shape[axis]
        centre = (np.arange(new) + 0.5) * old / new - 0.5
        low = np.floor(centre).astype(int)
        share = (centre - low).reshape([-1 if i == axis else 1 for i in range(found.ndim)])
        one, other = (found.take(np.clip(place, 0, old - 1), axis) for place in (low, low + 1))
        found = one * (1 - share) + other * share
    return found


@pytest.mark.numeric
@pytest.mark.parametrize("mode", ["int", "categorical", "binary", None])
@pytest.mark.parametrize("channels", ["rgb", "grayscale", "rgba"])
def test_pictures_and_labels_in_order(folder, mode, channels):
    names = ["c_eel", "b_cat"] if mode else None
    dataset = image_dataset_from_directory(
        folder, shuffle=False, batch_size=4, image_size=(7, 9), label_mode=mode, color_mode=channels, class_names=names
    )
    assert dataset.class_names == names
    found = everything(dataset)
    pictures = np.concatenate([element[0] if mode else element for element in found])
    paths = dataset.file_paths
    assert pictures.dtype == np.float32 and len(found) == -(-len(paths) // 4)
    kind = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}[channels]
    for picture, path in zip(pictures, paths, strict=True):
        pixels = np.asarray(Image.open(path).convert(kind))
        expected = linear(pixels.reshape(*pixels.shape[:2], -1), (7, 9))
        # Decoders round the mean of red, green and blue to different levels, one apart at most.
        np.testing.assert_allclose(picture, expected, atol=1.001 if channels == "grayscale" else 2e-4)
    if mode:
        labels = np.concatenate([element[1] for element in found])
        numbers = np.array([names.index(os.path.relpath(path, folder).split(os.sep)[0]) for path in paths])
        forms = {"int": numbers, "categorical": np.eye(2)[numbers], "binary": numbers[:, None]}
        np.testing.assert_array_equal(labels, forms[mode])
        assert labels.dtype == (np.int32 if mode == "int" else np.float32)


@pytest.mark.numeric
@pytest.mark.parametrize("labels", ["inferred", None, "list"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_the_order_of_files_is_that_of_keras(folder, labels, shuffle):
    from keras.src.utils import dataset_utils as oracle

    formats = (".png",)
    labels = [number % 3 for number in range(15)] if labels == "list" else labels
    paths, numbers, names = oracle.index_directory(folder, labels, formats, shuffle=shuffle, seed=5, verbose=False)
    for subset in ("training", "validation", "both"):
        found = image_dataset_from_directory(
            folder, labels=labels, shuffle=shuffle, seed=5, subset=subset, validation_split=0.3, verbose=False
        )
        for part, name in zip(found if subset == "both" else [found], ("training", "validation"), strict=False):
            expected, _ = oracle.get_training_or_validation_split(
                paths, numbers, 0.3, name if subset == "both" else subset
            )
            assert [os.path.normpath(path) for path in part.file_paths] == [os.path.normpath(path) for path in expected]
            assert part.class_names == names
            given = everything(part.unbatch())
            assert len(given) == len(expected)


def test_each_pass_is_complete_and_in_another_order(folder):
    dataset = image_dataset_from_directory(folder, seed=2, image_size=4, batch_size=3, verbose=False)
    passes = [np.concatenate([x for x, _ in everything(dataset)]) for _ in range(2)]
    assert not np.array_equal(*passes)
    np.testing.assert_array_equal(*(np.unique(one.reshape(len(one), -1), axis=0) for one in passes))


@pytest.mark.numeric
def test_nothing_is_distorted_when_cropped_or_padded(folder):
    options = {"labels": None, "shuffle": False, "batch_size": None, "image_size": (6, 6), "verbose": False}
    plain = image_dataset_from_directory(folder, **options)
    cropped = everything(image_dataset_from_directory(folder, crop_to_aspect_ratio=True, **options))
    padded = everything(image_dataset_from_directory(folder, pad_to_aspect_ratio=True, **options))
    for path, crop, pad in zip(plain.file_paths, cropped, padded, strict=True):
        pixels = np.asarray(Image.open(path))
        side = min(pixels.shape[:2])
        top, left = ((size - side) // 2 for size in pixels.shape[:2])
        np.testing.assert_allclose(crop, linear(pixels[top : top + side, left : left + side], (6, 6)), atol=2e-4)
        ratio = max(pixels.shape[:2]) / 6
        rows, columns = (int(size / ratio + 1e-6) for size in pixels.shape[:2])
        top, left = int((6 - pixels.shape[0] / ratio) / 2), int((6 - pixels.shape[1] / ratio) / 2)
        np.testing.assert_allclose(
            pad[top : top + rows, left : left + columns], linear(pixels, (rows, columns)), atol=2e-4
        )
        assert pad.sum() == pytest.approx(pad[top : top + rows, left : left + columns].sum())


def test_channels_first_and_nearest(folder):
    first = everything(
        image_dataset_from_directory(folder, None, shuffle=False, image_size=(5, 8), data_format="channels_first")
    )[0]
    last = everything(image_dataset_from_directory(folder, None, shuffle=False, image_size=(5, 8)))[0]
    np.testing.assert_array_equal(first, np.moveaxis(last, -1, 1))
    near = image_dataset_from_directory(folder, None, shuffle=False, image_size=(12, 17), interpolation="Nearest")
    assert near.element_spec.dtype == tf.uint8
    np.testing.assert_array_equal(everything(near)[0][0], np.asarray(Image.open(near.file_paths[0])))


@pytest.mark.parametrize(
    "options",
    [
        {"label_mode": "dense"},
        {"labels": 3},
        {"labels": [0, 1], "class_names": ["a"]},
        {"labels": [0, 1]},
        {"labels": None, "class_names": ["b_cat"]},
        {"class_names": ["b_cat", "fish"]},
        {"label_mode": "binary"},
        {"color_mode": "rbg"},
        {"image_size": (1, 2, 3)},
        {"interpolation": "magic"},
        {"format": "torch"},
        {"validation_split": 0.2},
        {"subset": "training"},
        {"validation_split": 2.0, "subset": "training"},
        {"validation_split": 0.2, "subset": "testing", "seed": 1},
        {"validation_split": 0.2, "subset": "training"},
        {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
        {"validation_split": 0.01, "subset": "validation", "seed": 1},
    ],
)
def test_wrong_arguments_are_refused(folder, options):
    with pytest.raises(ValueError, match=r"\w"):
        image_dataset_from_directory(folder, **options)
    with pytest.raises(NotSupportedError, match="grain"):
        image_dataset_from_directory(folder, format="grain")


def test_damaged_pictures_and_missing_folders_are_named(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "a" / "good.jpg")
    (tmp_path / "a" / "bad.jpg").write_bytes((tmp_path / "a" / "good.jpg").read_bytes()[:300])
    dataset = image_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    with pytest.raises(DataError, match=r"bad\.jpg"):
        everything(dataset)
    (tmp_path / "a" / "bad.jpg").write_bytes(b"not at all")
    with pytest.raises(DataError, match=r"bad\.jpg"):
        everything(dataset)
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        image_dataset_from_directory(tmp_path / "nowhere")
    (tmp_path / "empty" / "a").mkdir(parents=True)
    with pytest.raises(DataError, match="empty"):
        image_dataset_from_directory(tmp_path / "empty")


@pytest.mark.train
def test_fit_on_a_folder(folder):
    train, validation = image_dataset_from_directory(
        folder, image_size=(8, 8), validation_split=0.3, subset="both", seed=1, batch_size=4, verbose=False
    )
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(train.map(lambda x, y: (x / 255.0, y)), validation_data=validation, epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_texts(tmp_path):
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.txt").write_text(f"{name} {number} naïve", encoding="utf-8")
    dataset = text_dataset_from_directory(tmp_path, shuffle=False, batch_size=4, label_mode="binary")
    texts, labels = everything(dataset)[0]
    assert texts.tolist()[0] == "neg 0 naïve".encode() and labels.shape == (4, 1)
    assert dataset.class_names == ["neg", "pos"]
    cut = text_dataset_from_directory(tmp_path, labels=None, max_length=5, shuffle=False)
    assert everything(cut)[0].tolist() == [b"neg 0", b"neg 1", b"neg 2", b"pos 0", b"pos 1", b"pos 2"]
    train, validation = text_dataset_from_directory(tmp_path, validation_split=0.5, subset="both", seed=3)
    seen = [text for part in (train, validation) for batch, _ in everything(part) for text in batch.tolist()]
    assert len(set(seen)) == 6


def write_wav(path, samples, width=2, rate=8000):
    limit = 1 << (8 * width - 1)
    numbers = np.round(samples * (limit - 1)).astype("int64")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        if width == 1:
            file.writeframes((numbers + 128).astype("uint8").tobytes())
        elif width == 3:
            file.writeframes(b"".join(struct.pack("<i", number)[:3] for number in numbers.ravel()))
        else:
            file.writeframes(numbers.astype(f"<i{width}").tobytes())
    return numbers / limit


def test_sounds(tmp_path):
    rng = np.random.RandomState(0)
    (tmp_path / "x").mkdir()
    waves = [
        write_wav(tmp_path / "x" / f"{width}.wav", rng.uniform(-1, 1, (30 + width, 2)), width) for width in (1, 2, 3, 4)
    ]
    sounds, labels = everything(audio_dataset_from_directory(tmp_path, shuffle=False))[0]
    assert sounds.shape == (4, 34, 2) and sounds.dtype == np.float32 and labels.tolist() == [0] * 4
    for sound, expected in zip(sounds, waves, strict=True):
        np.testing.assert_allclose(sound[: len(expected)], expected, atol=1e-6)
        assert not sound[len(expected) :].any()
    cut = audio_dataset_from_directory(tmp_path, shuffle=False, output_sequence_length=32, labels=None)
    assert cut.element_spec.shape == (None, 32, None)
    found = everything(cut)[0]
    np.testing.assert_allclose(found[3], waves[3][:32], atol=1e-6)
    slower = audio_dataset_from_directory(tmp_path, shuffle=False, sampling_rate=4000, labels=None, batch_size=None)
    assert [len(sound) for sound in everything(slower)] == [-(-len(expected) // 2) for expected in waves]
    ragged = next(iter(audio_dataset_from_directory(tmp_path, shuffle=False, ragged=True, labels=None)))
    assert [len(row) for row in ragged] == [len(expected) for expected in waves]
    for wrong in ({"ragged": True, "output_sequence_length": 3}, {"sampling_rate": 0}, {"sampling_rate": 0.5}):
        with pytest.raises(ValueError, match=r"\w"):
            audio_dataset_from_directory(tmp_path, **wrong)
    (tmp_path / "x" / "2.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(DataError, match=r"2\.wav"):
        everything(audio_dataset_from_directory(tmp_path, shuffle=False))


@pytest.mark.numeric
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sequence_stride": 3, "sampling_rate": 2},
        {"start_index": 4, "end_index": 30, "batch_size": None},
        {"sampling_rate": 3, "batch_size": 4},
    ],
)
@pytest.mark.parametrize("has_targets", [True, False])
def test_windows_of_a_series(options, has_targets):
    data = np.arange(80, dtype="float32").reshape(40, 2)
    targets = np.arange(35) * 10 if has_targets else None
    dataset = timeseries_dataset_from_array(data, targets, 5, **options)
    start, stop = options.get("start_index", 0), options.get("end_index", 40)
    rate, stride = options.get("sampling_rate", 1), options.get("sequence_stride", 1)
    count = stop - start - 4 * rate
    places = np.arange(0, min(count, 35) if has_targets else count, stride)
    flat = dataset if options.get("batch_size", 1) is None else dataset.unbatch()
    found = everything(flat)
    windows = np.stack([element[0] if has_targets else element for element in found])
    np.testing.assert_array_equal(windows, np.stack([data[start:stop][p : p + 5 * rate : rate] for p in places]))
    if has_targets:
        np.testing.assert_array_equal([element[1] for element in found], targets[start:][places])


def test_shuffled_windows_are_all_there_and_wrong_ranges_refused():
    data = np.arange(50)
    found = everything(timeseries_dataset_from_array(data, data, 3, shuffle=True, seed=1).unbatch())
    assert sorted(int(target) for _, target in found) == list(range(48))
    assert [int(target) for _, target in found] != list(range(48))
    assert all(np.array_equal(window, target + np.arange(3)) for window, target in found)
    for wrong in (
        {"start_index": 50},
        {"start_index": -1},
        {"end_index": 50},
        {"start_index": 9, "end_index": 9},
        {"sampling_rate": 0},
        {"sequence_stride": 50},
        {"format": "x"},
    ):
        with pytest.raises(ValueError, match=r"\w"):
            timeseries_dataset_from_array(data, None, 3, **wrong)


def test_split_dataset():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    left, right = split_dataset((x, y), left_size=0.7)
    np.testing.assert_array_equal([target for _, target in everything(left)], range(7))
    np.testing.assert_array_equal(np.stack([row for row, _ in everything(right)]), x[7:])
    left, right = split_dataset(x, left_size=2, right_size=3)
    assert len(left) == 2 and len(right) == 3
    given = tf.data.Dataset.from_tensor_slices({"a": x, "b": y}).batch(4)
    left, right = split_dataset(given, right_size=0.5, shuffle=True, seed=3)
    assert everything(left)[0]["a"].shape == (4, 2)
    seen = [int(b) for part in (left, right) for element in everything(part) for b in element["b"]]
    assert sorted(seen) == list(range(10)) and seen != list(range(10))
    for wrong in ({}, {"left_size": 11}, {"left_size": 0.8, "right_size": 0.4}, {"left_size": 0}, {"left_size": 0.01}):
        with pytest.raises(ValueError, match=r"\w"):
            split_dataset(x, **wrong)
    for data, options in (("text", {"left_size": 1}), (x, {"left_size": "half"})):
        with pytest.raises(TypeError, match=r"\w"):
            split_dataset(data, **options)
    with pytest.raises(ValueError, match="length"):
        split_dataset([x, y[1:]], left_size=1)


@pytest.mark.numeric
def test_split_shuffles_as_keras_does():
    import random

    expected = list(range(12))
    random.seed(9)
    random.shuffle(expected)
    left, right = split_dataset(np.arange(12), left_size=5, shuffle=True, seed=9)
    assert [int(value) for part in (left, right) for value in everything(part)] == expected


@pytest.mark.slow
def test_pixels_equal_tensorflow(folder):
    tensorflow = pytest.importorskip("tensorflow")
    for method in ("bilinear", "bicubic", "area", "lanczos3", "lanczos5", "mitchellcubic", "nearest"):
        dataset = image_dataset_from_directory(
            folder, None, shuffle=False, batch_size=None, image_size=(9, 21), interpolation=method, verbose=False
        )
        for path, picture in zip(dataset.file_paths, everything(dataset), strict=True):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pixels = tensorflow.io.decode_image(tensorflow.io.read_file(path), channels=3)
                expected = tensorflow.image.resize(pixels, (9, 21), method=method).numpy()
            np.testing.assert_allclose(picture, expected, atol=5e-3)


def test_pictures_stay_in_memory_until_their_file_changes(tmp_path, monkeypatch):
    from hornbeam.keras.utils import image_dataset_memory, image_dataset_reading

    (tmp_path / "a").mkdir()
    for number in range(3):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(tmp_path / "a" / f"{number}.png")
    read = []
    decoded = image_dataset_reading._decoded
    monkeypatch.setattr(image_dataset_reading, "_decoded", lambda *given: read.append(1) or decoded(*given))

    def reds(dataset):
        return [int(picture[0, 0, 0]) for batch, _ in everything(dataset) for picture in batch]

    dataset = image_dataset_from_directory(tmp_path, shuffle=False, image_size=(9, 9), batch_size=2, verbose=False)
    assert reds(dataset) == reds(dataset) == [0, 1, 2] and len(read) == 6
    assert reds(dataset) == reds(dataset) == [0, 1, 2] and len(read) == 6
    with pytest.raises(ValueError, match="read-only"):
        everything(dataset)[0][0][...] = 5
    path = tmp_path / "a" / "1.png"
    Image.new("RGB", (9, 9), (77, 0, 0)).save(path)
    os.utime(path, (1, 1))
    assert reds(dataset) == reds(dataset) == reds(dataset) == [0, 77, 2] and len(read) == 8
    for switch in (
        lambda: monkeypatch.setattr(image_dataset_memory, "free_bytes", lambda: 1000),
        lambda: monkeypatch.setenv("HORNBEAM_KEEP_PICTURES", "0"),
    ):
        switch()
        dataset = image_dataset_from_directory(tmp_path, shuffle=False, image_size=(9, 9), verbose=False)
        read.clear()
        assert reds(dataset) == reds(dataset) == reds(dataset) and len(read) == 9
    assert image_dataset_memory.free_bytes() >= 0


def test_batches_can_be_passed_over_and_resumed(folder):
    dataset = image_dataset_from_directory(folder, seed=4, image_size=3, batch_size=2, verbose=False)
    iterator = iter(dataset)
    first = [next(iterator) for _ in range(3)]
    state = iterator.get_state()
    rest = [x.numpy() for x, _ in iterator]
    again = iter(dataset)
    again.set_state(state)
    for one, (other, _) in zip(rest, again, strict=True):
        np.testing.assert_array_equal(one, other.numpy())
    assert len(first) + len(rest) == len(dataset)
    tail = everything(image_dataset_from_directory(folder, shuffle=False, image_size=3, batch_size=2).skip(5))
    whole = everything(image_dataset_from_directory(folder, shuffle=False, image_size=3, batch_size=2))
    for (one, label), (other, expected) in zip(tail, whole[5:], strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(label, expected)
