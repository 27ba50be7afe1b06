import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam.keras import callbacks as ours
from tests.keras.callbacks.fakes import FakeModel, drive

EPOCHS = [{"loss": loss, "val_loss": val} for loss, val in ((1.0, 0.5), (0.5, 0.7), (0.25, 0.3), (0.2, 0.3))]
BATCHES = [{"loss": 1.0 / (n + 1)} for n in range(5)]


def saves(module, filepath, epochs=EPOCHS, batches=(), **options):
    model = FakeModel()
    drive(module.CallbackList, [module.ModelCheckpoint(filepath, **options)], epochs, model, batches)
    return model.saved


CASES = {
    "every epoch": {},
    "best": {"save_best_only": True},
    "best, max": {"save_best_only": True, "mode": "max"},
    "best, threshold": {"save_best_only": True, "initial_value_threshold": 0.4},
    "weights": {"save_weights_only": True},
    "batches": {"save_freq": 3},
    "one batch": {"save_freq": 1},
    "many batches": {"save_freq": 7},
}


@pytest.mark.parametrize("case", CASES)
def test_as_the_oracle(case, tmp_path, capsys):
    options = CASES[case]
    ending = ".weights.h5" if options.get("save_weights_only") else ".keras"
    pattern = "{epoch:02d}-{batch:03d}-{loss:.2f}" if "save_freq" in options else "{epoch:02d}-{val_loss:.2f}"
    found = []
    for module in (ours, keras.callbacks):
        path = tmp_path / "folder" / (pattern + ending)
        found.append((saves(module, path, batches=BATCHES, verbose=1, **options), capsys.readouterr().out))
    assert found[0] == found[1] and found[0][0]
    assert (tmp_path / "folder").is_dir()


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=4), save_freq=st.integers(1, 9), skip=st.integers(1, 3))
def test_batch_counting_as_the_oracle(counts, save_freq, skip):
    """Also when hooks are called once in several batches."""
    found = []
    for module in (ours, keras.callbacks):
        callback = module.ModelCheckpoint("x.keras", save_freq=save_freq)
        found.append(
            [callback._should_save_on_batch(batch) for count in counts for batch in range(skip - 1, count * skip, skip)]
        )
    assert found[0] == found[1]


def test_period():
    assert [path for _, path, _ in saves(ours, "{epoch}.keras", period=2)] == ["2.keras", "4.keras"]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("a.keras", {"save_freq": "batch"}),
        ("a.keras", {"save_freq": 0.5}),
    ],
)
def test_refused_arguments(path, options):
    for module in (ours, keras.callbacks):
        with pytest.raises(ValueError, match=rf"save_freq.*{options['save_freq']}"):
            module.ModelCheckpoint(path, **options)


def test_other_endings_choose_other_formats():
    assert saves(ours, "{epoch}.ckpt", save_weights_only=True)[0] == ("weights", "1.ckpt", True)
    assert saves(ours, "folder_{epoch}")[0] == ("model", "folder_1", True)


def test_unknown_placeholder():
    for module in (ours, keras.callbacks):
        with pytest.raises(KeyError, match=r"cannot fill|Failed to format"):
            saves(module, "{mape:.2f}.keras")


def test_placeholders_know_both_names_of_a_metric():
    assert saves(ours, "{val_acc:.1f}.keras", [{"val_accuracy": 0.5}]) == [("model", "0.5.keras", True)]


def test_a_folder_in_the_way(tmp_path):
    path = tmp_path / "there.keras"
    path.mkdir()
    with pytest.raises(OSError, match="there is a folder of that name"):
        saves(ours, path)


def test_wrong_monitor():
    with pytest.raises(ValueError, match="did you mean 'val_loss'"):
        saves(ours, "a.keras", monitor="val_los", save_best_only=True, mode="min")
    # Without `save_best_only` nothing is monitored.
    assert len(saves(ours, "a.keras", monitor="val_los")) == 4


def test_best_without_validation_saves_and_warns():
    for module in (ours, keras.callbacks):
        with pytest.warns(UserWarning, match="finds no metric `val_loss`|only with val_loss available"):
            assert len(saves(module, "a.keras", [{"loss": 1.0}], save_best_only=True)) == 1


def test_best_of_batches():
    expected = [("model", "1.keras", True), ("model", "2.keras", True)]
    batches = [{"loss": 1.0}, {"loss": 0.5}, {"loss": 0.7}]
    assert (
        saves(ours, "{batch}.keras", EPOCHS[:1], batches, monitor="loss", save_best_only=True, save_freq=1) == expected
    )


def test_array_metric_saves_and_warns():
    with pytest.warns(UserWarning, match="which of several numbers is best"):
        assert len(saves(ours, "a.keras", [{"v": [1.0, 2.0]}], monitor="v", save_best_only=True, mode="min")) == 1
