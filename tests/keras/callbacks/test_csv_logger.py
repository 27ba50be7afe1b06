import os

import keras
import numpy as np
import pytest

from hornbeam.keras import callbacks as ours
from tests.keras.callbacks.fakes import drive

EPOCHS = {
    "plain": [{"loss": 0.1 + epoch, "acc": 1 / 3} for epoch in range(3)],
    "validation": [{"loss": 1.0, "val_loss": 2.0, "acc": 0.5, "val_acc": 1e-9}],
    "late validation": [{"loss": 1.0}, {"loss": 1.0, "val_loss": 3.0}],
    "arrays": [{"loss": np.arange(3.0), "text": 'a,b "c"', "scalar": np.float32(0.25)}],
    "nothing": [{}],
    "lost": [{"loss": 1.0, "mae": 1.0}, {"loss": 1.0}],
}


def write(module, path, *runs, **options):
    callback = module.CSVLogger(path, **options)
    for epochs in runs:
        drive(module.CallbackList, [callback], epochs)
    return path.read_bytes()


@pytest.mark.parametrize("case", EPOCHS)
@pytest.mark.parametrize("options", [{}, {"separator": ";"}, {"append": True}], ids=str)
@pytest.mark.parametrize("runs", [1, 2])
def test_files_equal_those_of_the_oracle(case, options, runs, tmp_path):
    epochs = [EPOCHS[case]] * runs
    one = write(ours, tmp_path / "one.csv", *epochs, **options)
    assert one == write(keras.callbacks, tmp_path / "other.csv", *epochs, **options)
    assert one.startswith(b"epoch")


def test_appends_to_the_file_of_another_run(tmp_path):
    for module, name in ((ours, "one"), (keras.callbacks, "other")):
        for _ in range(2):
            write(module, tmp_path / name, EPOCHS["plain"], append=True)
    text = (tmp_path / "one").read_bytes()
    assert text == (tmp_path / "other").read_bytes()
    assert text.count(b"epoch") == 1 and text.count(b"\n") == 7


def test_rows_are_there_at_once_and_no_file_stays_open(tmp_path):
    path = tmp_path / "log.csv"
    callback = ours.CSVLogger(path)
    callback.on_train_begin()
    assert path.read_bytes() == b""
    callback.on_epoch_end(0, {"loss": 1.0})
    assert path.read_bytes() == b"epoch,loss,val_loss\r\n0,1.0,NA\r\n"
    open_files = [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_link(number)]
    assert str(path) not in open_files


def _is_link(number):
    return os.path.islink(f"/proc/self/fd/{number}")


def test_a_change_of_folder_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    callback = ours.CSVLogger("log.csv")
    callback.on_train_begin()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    callback.on_epoch_end(0, {"loss": 1.0})
    assert (tmp_path / "log.csv").read_bytes().endswith(b"0,1.0,NA\r\n")


def test_a_wrong_path_fails_before_the_first_epoch(tmp_path):
    with pytest.raises(FileNotFoundError):
        ours.CSVLogger(tmp_path / "no" / "log.csv").on_train_begin()
