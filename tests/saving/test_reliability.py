"""Saving survives crashes and full disks; damage is found; a failed load changes nothing (RELIABILITY rows "
"R-01 to R-09a)."""

import errno
import gc
import os
import resource
import subprocess
import sys
import threading

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import CorruptFileError, FileFormatError
from hornbeam.saving import atomic
from hornbeam.saving.background import BackgroundWriter
from tests.saving.saved import MODEL_NAMES, WEIGHT_NAMES, content, data_file, load, make_model, save

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]


# --- failures ------------------------------------------------------------------------------------
class FailingCalls:
    """Makes the n-th file operation of a save fail."""

    def __init__(self, monkeypatch, number, error):
        self.count, self.number, self.error = 0, number, error
        for name in ("fsync", "replace", "mkdir", "rename"):
            monkeypatch.setattr(atomic.os, name, self.wrap(getattr(os, name)))
        monkeypatch.setattr(atomic, "open", self.open, raising=False)

    def step(self):
        self.count += 1
        if self.count == self.number:
            raise self.error

    def wrap(self, function):
        def call(*args, **kwargs):
            self.step()
            return function(*args, **kwargs)

        return call

    def open(self, *args, **kwargs):
        self.step()
        file = open(*args, **kwargs)  # noqa: SIM115 - closed by the proxy
        inner = file.write

        class Proxy:
            def __init__(proxy):
                proxy.file = file

            def __getattr__(proxy, name):
                return getattr(file, name)

            def write(proxy, data):
                self.step()
                return inner(data)

            def __enter__(proxy):
                return proxy

            def __exit__(proxy, *error):
                file.close()

        return Proxy()


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), MemoryError()], ids=["disk", "memory"]
)
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.safetensors", "folder"])
def test_whatever_step_fails_the_old_file_stays(tmp_path, monkeypatch, name, error):
    """R-03, R-04: every file operation fails once; then the same model saves."""
    path = tmp_path / name
    old, model = make_model(1.0), make_model(2.0)
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for number in range(1, 200):
        save(old, path)
        before = content(path)
        with monkeypatch.context() as patch:
            failing = FailingCalls(patch, number, error)
            try:
                save(model, path)
            except (OSError, MemoryError, RuntimeError) as caught:
                assert failing.count >= number
                # Only after the last move may memory run out with the new file in place.
                moved = isinstance(caught, MemoryError) and float(load(path).get_weights()[0][0, 0]) == 2.0
                assert moved or content(path) == before
                if isinstance(caught, OSError) and caught.errno == errno.ENOSPC and caught.filename is not None:
                    assert str(caught.filename) == str(path)
            else:
                if failing.count < number:
                    break
    else:
        pytest.fail("the save never succeeded")
    assert number > 2
    assert not [entry for entry in os.listdir(tmp_path) if entry.endswith(".tmp")]
    gc.collect()
    if descriptors:
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 1
    assert float(load(path).get_weights()[0][0, 0]) == 2.0


LIMITED = """
import sys, resource, signal, numpy as np
from hornbeam import keras
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
model = keras.Sequential([keras.Input((500,)), keras.layers.Dense(500)])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    model.save(sys.argv[1])
except OSError as error:
    print("refused", error.filename, "bytes free" in str(error))
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs limits of file sizes")
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_full_disk_is_reported_with_path_and_room(tmp_path, name):
    """R-03."""
    path = tmp_path / name
    make_model(1.0).save(path)
    before = content(path)
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    assert result.stdout.strip() == f"refused {path} True", result.stderr[-2000:]
    assert content(path) == before


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        make_model().save(tmp_path / "nowhere" / "m.keras")


# --- damage --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [*MODEL_NAMES, *WEIGHT_NAMES])
def test_flipped_bits_are_found(tmp_path, name, count=60):
    """R-05: a load after one flipped bit fails cleanly, or gives exactly what was saved."""
    path = tmp_path / name
    save(make_model(1.5), path)
    good = load(path)
    expected, config = good.get_weights(), good.get_config()
    files = [data_file(path)] if name != "w.weights.json" else sorted(tmp_path.glob("w_*.weights.h5"))
    rng = np.random.default_rng(0)
    silent = 0
    for _ in range(count):
        file = files[int(rng.integers(len(files)))]
        original = file.read_bytes()
        changed = bytearray(original)
        changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
        file.write_bytes(bytes(changed))
        try:
            again = load(path)
            same = all(np.array_equal(a, b) for a, b in zip(again.get_weights(), expected, strict=True))
            silent += not (same and (name in WEIGHT_NAMES or str(again.get_config()) == str(config)))
        except (FileFormatError, FileNotFoundError, ValueError):
            pass
        finally:
            file.write_bytes(original)
    assert silent == 0


@pytest.mark.parametrize("name", ["m.keras", "w.npz"])
def test_members_said_to_lie_before_the_file_are_damage(tmp_path, name):
    """R-05: the place of the table of a zip file moves the places of all members."""
    path = tmp_path / name
    save(make_model(), path)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x05\x06") + 16
    table = int.from_bytes(content[place : place + 4], "little")
    content[place : place + 4] = (table + 64).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="damaged"):
        load(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MODEL_NAMES, *WEIGHT_NAMES])
def test_a_thousand_flipped_bits_are_found(tmp_path, name):
    """R-05, the long form."""
    test_flipped_bits_are_found(tmp_path, name, count=1000)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.npz", "w.safetensors"])
def test_files_cut_short_are_found(tmp_path, name):
    """R-06."""
    path = tmp_path / name
    save(make_model(), path)
    whole = path.read_bytes()
    for part in range(64):
        path.write_bytes(whole[: len(whole) * part // 64])
        with pytest.raises(CorruptFileError):
            load(path)


@pytest.mark.parametrize(
    "text, word",
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "LFS"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"\0" * 1000, "zeros"),
        (b"some text", "no format"),
        (b"\x89HDF\r\n\x1a\n" + b"x" * 100, "damaged"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
    ],
)
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_what_is_no_model_is_named(tmp_path, text, word, name):
    """R-06: never "not found" for a file that exists."""
    path = tmp_path / name
    path.write_bytes(text)
    with pytest.raises(CorruptFileError, match=word):
        keras.models.load_model(path)


def test_a_wrong_ending_does_not_matter(tmp_path):
    make_model(3.0).save(tmp_path / "m.keras")
    make_model(4.0).save(tmp_path / "m.h5")
    (tmp_path / "a.h5").write_bytes((tmp_path / "m.keras").read_bytes())
    (tmp_path / "b.keras").write_bytes((tmp_path / "m.h5").read_bytes())
    assert float(keras.models.load_model(tmp_path / "a.h5").get_weights()[0][0, 0]) == 3.0
    assert float(keras.models.load_model(tmp_path / "b.keras").get_weights()[0][0, 0]) == 4.0


# --- all or nothing ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_a_failed_load_changes_nothing(tmp_path, name):
    """R-07, R-08: nothing is set before everything fits, and the report lists all that does not."""
    path = tmp_path / name
    make_model(2.0, units=5).save_weights(path)
    model = make_model(7.0)
    with pytest.raises(ValueError) as caught:
        model.load_weights(path)
    assert all((weight == 7.0).all() for weight in model.get_weights())
    text = str(caught.value)
    assert "(4, 3)" in text and "(4, 5)" in text and "(3,)" in text and "(5,)" in text


def test_skipped_weights_are_listed(tmp_path):
    """R-08."""
    make_model(2.0, units=5).save_weights(tmp_path / "w.weights.h5")
    model = make_model(7.0)
    with pytest.warns(UserWarning, match=r"(?s)dense.*batch_normalization"):
        model.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True)
    assert (model.get_weights()[0] == 7.0).all()


# --- paths, processes, threads -------------------------------------------------------------------
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "folder"])
def test_any_path_works(tmp_path, monkeypatch, name):
    """R-09a."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for path in (name, f"./{name}", f"~/{name}", str(tmp_path / f"ä ö {name}"), tmp_path / ("x" * 200 + name)):
        kwargs = {"zipped": False} if name == "folder" else {}
        make_model(2.0).save(path, **kwargs)
        assert float(keras.models.load_model(path).get_weights()[0][0, 0]) == 2.0


def test_writers_and_readers_at_once(tmp_path):
    """R-09: every load is whole while two threads save to the same path."""
    path = tmp_path / "w.weights.h5"
    models = [make_model(1.0), make_model(2.0)]
    models[0].save_weights(path)
    stop, errors = threading.Event(), []

    def write(model):
        while not stop.is_set():
            try:
                model.save_weights(path)
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=write, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            values = {float(value) for weight in load(path).get_weights() for value in weight.ravel()}
            assert values in ({1.0}, {2.0})
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors


def test_saving_in_the_background_keeps_the_values_of_then(tmp_path):
    model = make_model()
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    model.fit(x, x[:, :3], verbose=0)
    before = model.get_weights()
    with BackgroundWriter() as writer:
        writer.save_weights(model, tmp_path / "w.weights.h5")
        writer.save_model(model, tmp_path / "m.keras")
        model.fit(x, x[:, :3], verbose=0, epochs=3)
    after = model.get_weights()
    loaded = keras.models.load_model(tmp_path / "m.keras")
    model.load_weights(tmp_path / "w.weights.h5")
    for then, one, other in zip(before, loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(then, one)
        np.testing.assert_array_equal(then, other)
    assert not np.array_equal(before[0], after[0])


def test_errors_of_background_saves_are_not_lost(tmp_path):
    writer = BackgroundWriter()
    writer.save_weights(make_model(), tmp_path / "nowhere" / "w.weights.h5")
    with pytest.raises(FileNotFoundError):
        writer.close()


def test_shards_are_replaced_as_a_set(tmp_path):
    """The parts that an index names stay until the new index stands; then they go."""
    path = tmp_path / "w.weights.json"
    make_model(1.0).save_weights(path, max_shard_size="50B")
    assert (tmp_path / "w_00000.weights.h5").exists()
    make_model(2.0).save_weights(path, max_shard_size="50B")
    assert not (tmp_path / "w_00000.weights.h5").exists()
    assert float(load(path).get_weights()[0][0, 0]) == 2.0
