"""ImageDataGenerator against Keras's own, number by number, from the same NumPy seed."""

import numpy as np
import pytest

from hornbeam.base.errors import DataError
from hornbeam.keras.preprocessing.image import ImageDataGenerator, NumpyArrayIterator

# SciPy's own notice that Keras's import path of it is old.
pytestmark = pytest.mark.filterwarnings("ignore:.*scipy.ndimage.interpolation.*:DeprecationWarning")

GEOMETRY = [
    {"rotation_range": 40},
    {"shear_range": 25.0},
    {"zoom_range": 0.4},
    {"zoom_range": [0.5, 2.0], "rotation_range": 10},
    {"horizontal_flip": True, "vertical_flip": True},
    {"rotation_range": 15, "shear_range": 10, "zoom_range": 0.2, "horizontal_flip": True, "vertical_flip": True},
]
COLOURS = [
    {"channel_shift_range": 40.0},
    {"brightness_range": (0.3, 1.8)},
    {"brightness_range": (0.3, 1.8), "rescale": 1 / 255, "rotation_range": 30},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"channel_shift_range": 9.0, "horizontal_flip": True, "zoom_range": 0.3, "rescale": 0.5},
]


@pytest.fixture(scope="module")
def oracle():
    from keras.src.legacy.preprocessing import image

    return image


def pictures(shape=(7, 12, 12, 3), seed=0, low=0, high=255):
    return np.random.RandomState(seed).uniform(low, high, shape).astype("float32")


def both(oracle, options, x, *, batches=2, **flow):
    """The same batches of the two generators."""
    found = []
    for kind in (ImageDataGenerator, oracle.ImageDataGenerator):
        iterator = kind(**options).flow(x, batch_size=4, seed=3, **flow)
        found.append([next(iterator) for _ in range(batches)])
    return found


@pytest.mark.numeric
@pytest.mark.parametrize("fill_mode", ["nearest", "constant", "reflect"])
@pytest.mark.parametrize("options", GEOMETRY)
def test_geometry_equals_keras(oracle, options, fill_mode):
    x = pictures()
    ours, theirs = both(oracle, {**options, "fill_mode": fill_mode, "cval": 7.0}, x)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


@pytest.mark.numeric
@pytest.mark.parametrize("options", COLOURS)
def test_colours_equal_keras(oracle, options):
    for x in (pictures(), pictures(low=-3, high=5), pictures(high=900, shape=(5, 9, 9, 1))):
        ours, theirs = both(oracle, options, x)
        for one, other in zip(ours, theirs, strict=True):
            # A rounding error before the cut to 256 levels may move a value by one level.
            level = 0 if "brightness_range" not in options else np.ptp(x) / 255 * 2
            assert np.mean(np.abs(one - other) > 1e-3) < 1e-2
            np.testing.assert_allclose(one, other, atol=1e-3 + level)


@pytest.mark.numeric
def test_large_batches_take_the_compiled_path_and_equal_keras(oracle):
    x = pictures((5, 70, 60, 3))
    options = {"rotation_range": 30, "shear_range": 10, "zoom_range": 0.3, "horizontal_flip": True}
    for fill_mode in ("nearest", "constant", "reflect"):
        ours, theirs = both(oracle, {**options, "fill_mode": fill_mode}, x)
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, atol=5e-4)


@pytest.mark.numeric
@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("transform", [{"theta": 30}, {"tx": 2.5}, {"ty": -3}, {"shear": 20}, {"zx": 0.7, "zy": 1.3}])
def test_apply_transform_equals_keras(oracle, transform, order):
    x = pictures((1, 11, 17, 3))[0]
    ours = ImageDataGenerator(interpolation_order=order).apply_transform(x, transform)
    theirs = oracle.ImageDataGenerator(interpolation_order=order).apply_transform(x, transform)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.numeric
def test_channels_first_equals_keras(oracle):
    x = pictures((6, 3, 10, 14))
    options = {"rotation_range": 25, "zoom_range": 0.2, "horizontal_flip": True, "data_format": "channels_first"}
    ours, theirs = both(oracle, options, x)
    for one, other in zip(ours, theirs, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=2e-4)


@pytest.mark.numeric
@pytest.mark.parametrize("width", [0, 0.3, 3, [1, 4], [0.1, 0.4], 2.5, np.float32(0.2)])
@pytest.mark.parametrize("height", [0, 0.2, 2, (0.3, 0.1)])
def test_drawn_parameters_equal_keras(oracle, width, height):
    options = {
        "width_shift_range": width,
        "height_shift_range": height,
        "rotation_range": 7,
        "shear_range": 5,
        "zoom_range": (0.8, 1.1),
        "channel_shift_range": 3,
        "brightness_range": (1, 2),
        "horizontal_flip": True,
        "vertical_flip": True,
    }
    for seed in range(6):
        ours = ImageDataGenerator(**options).get_random_transform((20, 30, 3), seed=seed)
        theirs = oracle.ImageDataGenerator(**options).get_random_transform((20, 30, 3), seed=seed)
        assert ours == theirs


def test_a_width_shift_moves_sideways_by_the_drawn_pixels():
    ramp = np.tile(np.arange(40, dtype="float32"), (30, 1))[..., None]
    generator = ImageDataGenerator(width_shift_range=[6], height_shift_range=0)
    np.random.seed(5)
    shift = generator.get_random_transform(ramp.shape)["ty"]
    moved = generator.random_transform(ramp, seed=5)
    assert abs(shift) == 6
    np.testing.assert_allclose(moved[0, 10:20, 0], np.arange(10, 20) + shift, atol=1e-4)
    down = generator.random_transform(ramp.transpose(1, 0, 2), seed=5)
    np.testing.assert_allclose(down, ramp.transpose(1, 0, 2), atol=1e-4)


def test_wrap_repeats_the_picture_whole():
    row = np.arange(8, dtype="float32")
    x = np.tile(row, (8, 1))[..., None]
    for shift in (-11, -3, 5, 16):
        moved = ImageDataGenerator(fill_mode="wrap").apply_transform(x, {"tx": shift})
        np.testing.assert_allclose(moved[0, :, 0], np.roll(row, -shift), atol=1e-4)


@pytest.mark.numeric
@pytest.mark.parametrize(
    "options",
    [
        {"featurewise_center": True},
        {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 0.1},
        {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 1e-3},
    ],
)
def test_fitted_statistics_equal_keras(oracle, options):
    x = pictures((30, 4, 4, 3))
    found = []
    for kind in (ImageDataGenerator, oracle.ImageDataGenerator):
        generator = kind(**options)
        generator.fit(x)
        found.append((generator, next(generator.flow(x, batch_size=30, shuffle=False))))
    (ours, batch), (theirs, other) = found
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-6)
    np.testing.assert_allclose(batch, other, atol=2e-3)


@pytest.mark.numeric
def test_fit_on_changed_pictures_equals_keras(oracle):
    x = pictures((6, 8, 8, 1))
    found = []
    for kind in (ImageDataGenerator, oracle.ImageDataGenerator):
        generator = kind(featurewise_center=True, featurewise_std_normalization=True, rotation_range=20)
        generator.fit(x, augment=True, rounds=2, seed=4)
        found.append(generator)
    np.testing.assert_allclose(found[0].mean, found[1].mean, rtol=1e-5)
    np.testing.assert_allclose(found[0].std, found[1].std, rtol=1e-5)


@pytest.mark.numeric
@pytest.mark.parametrize("draws", [False, True])
def test_preprocessing_functions_see_the_same_random_stream(oracle, draws):
    def function(picture):
        return picture * 2 + (np.random.random() if draws else 1)

    x = pictures((6, 9, 9, 3))
    ours, theirs = both(oracle, {"rotation_range": 20, "preprocessing_function": function}, x)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=5e-4)


def test_shuffled_order_targets_and_weights_equal_keras(oracle):
    x, y, weights = pictures((7, 4, 4, 1)), np.arange(7), np.linspace(0, 1, 7)
    ours, theirs = both(oracle, {}, x, batches=5, y=y, sample_weight=weights)
    for one, other in zip(ours, theirs, strict=True):
        for part, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, expected)
    by_number = [kind().flow(x, y, batch_size=3, seed=1)[2] for kind in (ImageDataGenerator, oracle.ImageDataGenerator)]
    np.testing.assert_array_equal(by_number[0][1], by_number[1][1])


def test_parts_take_their_own_weights():
    x, y, weights = pictures((10, 4, 4, 1)), np.arange(10) % 2, np.arange(10.0)
    generator = ImageDataGenerator(validation_split=0.4)
    part = generator.flow(x, y, sample_weight=weights, subset="training", shuffle=False)
    np.testing.assert_array_equal(next(part)[2], np.arange(4.0, 10.0))
    with pytest.raises(ValueError, match="same classes"):
        generator.flow(x, np.arange(10), subset="validation")


def test_further_inputs_pass_through():
    x, other = pictures((4, 5, 5, 1)), np.arange(8).reshape(4, 2)
    (picture, beside), target = next(ImageDataGenerator().flow((x, other), np.arange(4), shuffle=False))
    np.testing.assert_array_equal(picture, x)
    np.testing.assert_array_equal(beside, other)
    np.testing.assert_array_equal(target, np.arange(4))


def test_inputs_are_never_changed():
    x = pictures((4, 8, 8, 3))
    kept = x.copy()
    next(ImageDataGenerator(rescale=0.1, horizontal_flip=True, brightness_range=(0.5, 2)).flow(x, seed=1))
    ImageDataGenerator(rotation_range=9, rescale=2).random_transform(x[0], seed=1)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize(
    "options",
    [
        {"fill_mode": "neareat"},
        {"data_format": "sideways"},
        {"validation_split": 1.5},
        {"zoom_range": [1, 2, 3]},
        {"brightness_range": [1.0]},
    ],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ImageDataGenerator(**options)


def test_options_that_need_others_switch_them_and_say_so():
    with pytest.warns(UserWarning, match="featurewise_center"):
        generator = ImageDataGenerator(zca_whitening=True)
    assert generator.featurewise_center
    with pytest.warns(UserWarning, match="fit"):
        next(generator.flow(pictures((2, 3, 3, 1))))


def test_subclasses_see_each_picture():
    class Doubling(ImageDataGenerator):
        def apply_transform(self, x, transform_parameters):
            return 2 * super().apply_transform(x, transform_parameters)

    x = pictures((3, 6, 6, 1))
    np.testing.assert_allclose(next(Doubling().flow(x, shuffle=False)), 2 * x)


def test_iterators_travel_to_other_processes():
    import pickle

    iterator = ImageDataGenerator(horizontal_flip=True).flow(pictures((4, 5, 5, 1)), batch_size=2, seed=2)
    first = next(iterator)
    copy = pickle.loads(pickle.dumps(ImageDataGenerator(horizontal_flip=True).flow(iterator.x, batch_size=2, seed=2)))
    np.testing.assert_array_equal(next(copy), first)


def test_an_empty_source_is_an_error_and_not_an_endless_loop():
    empty = NumpyArrayIterator(np.zeros((0, 4, 4, 1)), None, ImageDataGenerator())
    assert len(empty) == 0
    with pytest.raises(DataError, match="no samples"):
        next(empty)
