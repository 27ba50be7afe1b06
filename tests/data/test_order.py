"""Shuffle, repeat and their kin: which elements come, and in what order."""

import numpy as np
import pytest

from hornbeam import data, keras
from hornbeam.data.shuffling import _DRAWS, ShuffledNumbers

Dataset = data.Dataset


def values(dataset):
    return [int(value) for value in dataset.as_numpy_iterator()]


def naive_buffer(size, buffer, seed):
    """A shuffle buffer as the text books have it, with the draws that the quick one makes."""
    generator = np.random.default_rng(seed)
    held = list(range(min(buffer, size)))
    incoming, out = len(held), []
    while incoming < size:
        for slot in generator.integers(0, len(held), _DRAWS)[: size - incoming]:
            out.append(held[slot])
            held[slot] = incoming
            incoming += 1
    return out + [held[place] for place in generator.permutation(len(held))]


@pytest.mark.parametrize(
    ("size", "buffer"), [(1, 1), (10, 3), (10, 10), (10, 50), (9000, 7), (9000, 1000), (20000, 19999)]
)
def test_numbers_are_those_of_a_plain_buffer(size, buffer):
    numbers = ShuffledNumbers(size, buffer, 5)
    found = []
    while len(part := numbers.next(777)):
        found.extend(part.tolist())
    assert sorted(found) == list(range(size))
    if buffer >= size:
        assert found == np.random.default_rng(5).permutation(np.arange(size)).tolist()
    else:
        assert found == naive_buffer(size, buffer, 5)


@pytest.mark.parametrize("through_elements", [False, True])
def test_no_element_comes_before_it_is_in_the_buffer(through_elements):
    dataset = Dataset.range(500)
    if through_elements:
        dataset = dataset.filter(lambda value: value >= 0)
    found = values(dataset.shuffle(20, seed=3))
    assert sorted(found) == list(range(500))
    assert found != list(range(500))
    assert all(value < place + 20 for place, value in enumerate(found))


def test_orders_follow_from_the_seed_and_the_pass():
    first, second = Dataset.range(50).shuffle(50, seed=4), Dataset.range(50).shuffle(50, seed=4)
    passes = [values(first) for _ in range(3)]
    assert passes == [values(second) for _ in range(3)]
    assert passes[0] != passes[1] != passes[2]
    assert values(Dataset.range(50).shuffle(50, seed=5)) != passes[0]
    repeated = values(Dataset.range(50).shuffle(50, seed=4).repeat(3))
    assert repeated == [value for one in passes for value in one]


def test_without_reshuffling_every_pass_is_alike():
    dataset = Dataset.range(30).shuffle(30, reshuffle_each_iteration=False, seed=1)
    assert values(dataset) == values(dataset)
    assert values(dataset.repeat(2)) == values(dataset) * 2
    unseeded = Dataset.range(30).shuffle(30)
    assert values(unseeded) != values(unseeded)


def test_the_process_seed_makes_orders_repeatable():
    def two_passes():
        dataset = Dataset.range(40).shuffle(40)
        return values(dataset), values(dataset)

    keras.utils.set_random_seed(7)
    one = two_passes()
    keras.utils.set_random_seed(7)
    assert two_passes() == one
    keras.utils.set_random_seed(8)
    assert two_passes() != one


def test_every_place_is_as_likely():
    """Position of element 0 after a full shuffle of 8: each of 8 places in 1/8 of 1600 passes."""
    dataset = Dataset.range(8).shuffle(8, seed=0).repeat(1600).batch(8)
    places = [int(np.argmin(batch)) for batch in dataset.as_numpy_iterator()]
    counts = np.bincount(places, minlength=8)
    assert counts.sum() == 1600
    assert np.abs(counts - 200).max() < 60  # 4.5 standard deviations


def test_split_after_a_fixed_shuffle_is_disjoint():
    shuffled = Dataset.range(20).shuffle(20, seed=1, reshuffle_each_iteration=False)
    assert sorted(values(shuffled.take(15)) + values(shuffled.skip(15))) == list(range(20))


def test_sizes():
    count = Dataset.range(10)
    assert len(count.batch(3)) == 4
    assert len(count.batch(3, drop_remainder=True)) == 3
    assert len(count.repeat(2).take(15).shard(2, 1)) == 7
    assert len(count.window(4, shift=2, drop_remainder=True)) == 4
    assert int(count.repeat().cardinality()) == data.INFINITE_CARDINALITY
    assert int(count.filter(lambda value: value > 3).cardinality()) == data.UNKNOWN_CARDINALITY
    with pytest.raises(TypeError, match="no end"):
        len(count.repeat())
    with pytest.raises(TypeError, match="not known"):
        len(count.filter(lambda value: value > 3))
    assert bool(Dataset.range(0))


def test_empty_data_sets_repeat_to_nothing():
    assert values(Dataset.range(0).repeat()) == []
    assert values(Dataset.range(5).filter(lambda value: value > 9).repeat()) == []
    assert values(Dataset.range(0).shuffle(3).batch(2)) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.batch(0), "batch_size"),
        (lambda d: d.shuffle(0), "buffer_size"),
        (lambda d: d.shard(2, 2), "index"),
        (lambda d: d.window(0), "size"),
        (lambda d: d.prefetch(-5), "buffer_size"),
        (lambda d: d.rebatch(0), "batch_size"),
    ],
)
def test_wrong_numbers_are_refused_at_once(call, message):
    with pytest.raises(ValueError, match=message):
        call(Dataset.range(3))
    with pytest.raises(TypeError, match="integer"):
        Dataset.range(3).batch(2.5)


def test_sampling_follows_its_weights_and_seed():
    parts = [Dataset.from_tensors(kind).repeat() for kind in (0, 1, 2)]
    mixed = Dataset.sample_from_datasets(parts, weights=[0.5, 0.3, 0.2], seed=3).take(3000)
    found = values(mixed)
    assert np.abs(np.bincount(found) / 3000 - [0.5, 0.3, 0.2]).max() < 0.04
    assert found == values(mixed)


def test_rejection_resampling_evens_out_classes():
    skewed = Dataset.from_tensor_slices(np.repeat([0, 1], [900, 100])).shuffle(1000, seed=1)
    even = skewed.rejection_resample(lambda label: label, [0.5, 0.5], initial_dist=[0.9, 0.1], seed=2)
    labels = np.array([int(label) for label, _ in even.as_numpy_iterator()])
    assert 150 < len(labels) < 260
    assert abs(labels.mean() - 0.5) < 0.1
