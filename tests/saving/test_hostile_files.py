"""Files made to harm: refused with the right error, without a look at anything else (RELIABILITY rows S-01 to S-32)."""

import base64
import json
import marshal
import os
import pickle
import stat
import time
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base import settings
from hornbeam.base.errors import CorruptFileError, FileFormatError, UnsafeFileError
from tests.saving.hostile import METADATA, good_config, watched, weights_bytes, with_layer, write_h5, write_zip

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]
CODE = base64.b64encode(marshal.dumps((lambda x: x).__code__)).decode()


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported(tmp_path_factory):
    """A first load imports what loading needs; afterwards any import is a finding."""
    folder = tmp_path_factory.mktemp("good")
    model = keras.models.load_model(write_zip(folder / "m.keras"))
    model.save(folder / "m.h5")
    keras.models.load_model(folder / "m.h5")
    keras.models.model_from_yaml(model.to_yaml())
    "a".encode("cp437")


def refuse(path, error=UnsafeFileError, load=keras.models.load_model, match=None):
    """The load fails in the expected way, and has done nothing but open the file itself."""
    with watched() as events:
        with pytest.raises(error, match=match):
            load(path)
    other = [event for event in events if str(path) not in event]
    assert not other, other


def lambda_configs():
    stored = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
    yield "today", with_layer("Lambda", {"name": "l", "function": stored}), "3.15.0"
    older = {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "i"}},
                {
                    "class_name": "Lambda",
                    "config": {
                        "name": "l",
                        "function": [CODE, None, None],
                        "function_type": "lambda",
                        "output_shape": None,
                        "output_shape_type": "raw",
                        "arguments": {},
                    },
                },
            ],
        },
    }
    yield "older", older, "2.15.0"


@pytest.mark.parametrize("kind, config, version", list(lambda_configs()), ids=["today", "older"])
@pytest.mark.parametrize("form", ["zip", "folder", "h5", "json", "yaml"])
def test_bytecode_is_refused_in_every_format(tmp_path, kind, config, version, form):
    """S-02, S-06, S-07: no format, and no entry, runs or even decodes the code."""
    if form == "zip":
        metadata = json.dumps({"keras_version": version})
        refuse(write_zip(tmp_path / "m.keras", config, metadata=metadata))
    elif form == "folder":
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "metadata.json").write_text(json.dumps({"keras_version": version}))
        (tmp_path / "model.weights.h5").write_bytes(weights_bytes())
        refuse(str(tmp_path))
    elif form == "h5":
        refuse(write_h5(tmp_path / "m.h5", config, version=version))
    else:
        text = json.dumps(config)  # JSON is YAML, too
        load = keras.models.model_from_json if form == "json" else keras.models.model_from_yaml
        refuse(text, load=load)


@pytest.mark.parametrize(
    "module, name",
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.utils", "get_file"),
        ("tests.saving.hostile", "watched"),
    ],
)
@pytest.mark.parametrize("form", ["zip", "h5"])
def test_names_of_other_code_are_refused(tmp_path, module, name, form):
    """S-03, S-04, S-05, S-11: config entries name a closed table only; nothing is imported, no setting changes."""
    before = (settings.floatx(), settings.epsilon())
    config = with_layer(name, {}, module=module, registered_name=name)
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    activation = with_layer("Activation", {"name": "a", "activation": function})
    for number, one in enumerate((config, activation)):
        path = tmp_path / f"m{number}"
        path = write_zip(f"{path}.keras", one) if form == "zip" else write_h5(f"{path}.h5", one, version="3.15.0")
        refuse(path, FileFormatError)
    assert (settings.floatx(), settings.epsilon()) == before


@pytest.mark.parametrize("name", ["TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"])
def test_layers_that_run_stored_programs_are_refused(tmp_path, name):
    """S-08, S-10."""
    getattr(keras.layers, name, None)  # classes that are offered are imported on demand, from our own package
    config = with_layer(name, {"name": "t", "module": "x", "filepath": "/", "call_fn": CODE})
    refuse(write_zip(tmp_path / "m.keras", config), FileFormatError)


@pytest.mark.parametrize("layer", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_vocabularies_by_path_are_refused(tmp_path, layer):
    """S-09: a config must not make the loader read another file."""
    secret = tmp_path / "secret.txt"
    secret.write_text("one\ntwo\n")
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                {"module": "keras.layers", "class_name": layer, "config": {"name": "l", "vocabulary": str(secret)}}
            ],
        },
        "registered_name": None,
    }
    refuse(write_zip(tmp_path / "m.keras", config), FileFormatError)


# --- YAML, JSON ----------------------------------------------------------------------------------
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['echo owned']",
        "!!python/object/new:os.system ['echo owned']",
        "!!python/name:os.system",
        "!!python/module:os",
        "class_name: !!python/object/apply:os.getcwd []\nconfig: {}",
        "class_name: Sequential\nconfig: !!python/object/apply:numpy.load ['x']",
        "a: !!python/object/apply:numpy._core.multiarray.scalar [!!python/name:os.system , x]",
        "a: !custom {}",
        "a: &a [*a]",
        "base: &b {x: 1}\nderived: {<<: *b}",
        BOMB,
    ],
)
def test_yaml_is_plain_data(text):
    """S-01."""
    start = time.monotonic()
    refuse(text, FileFormatError, keras.models.model_from_yaml)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100 + "1" + "}" * 100,
        '{"class_name": "Sequential", "class_name": "Model", "config": {}}',
        '{"class_name": "Sequential", "config": {"name": "' + "9" * 10 + '", "layers": ' + "9" * 5000 + "}}",
        "not json",
        "[1, 2]",
        '"text"',
        "",
    ],
)
def test_json_is_bounded(tmp_path, text):
    """S-32: nesting, double keys, huge numbers: a clean error, never a RecursionError."""
    refuse(text, FileFormatError, keras.models.model_from_json)
    refuse(write_zip(tmp_path / "m.keras", text or " "), FileFormatError)


def test_names_with_control_characters_are_refused(tmp_path):
    """S-31."""
    config = with_layer("Dense", {"name": "\x1b[31mred", "units": 1})
    refuse(write_zip(tmp_path / "m.keras", config), match="control characters")
    with pytest.raises(UnsafeFileError) as caught:
        keras.models.model_from_json(json.dumps(config))
    assert "\x1b" not in str(caught.value)


# --- HDF5 ----------------------------------------------------------------------------------------
def claims_too_much(file):
    file.create_dataset("layers/dense/vars/0", (1 << 47,), "float32", chunks=(1 << 20,))


def small_but_much(file):
    file.create_dataset("layers/dense/vars/0", data=np.zeros(60 << 20, "uint8"), compression="gzip", chunks=True)
    file.create_dataset("layers/dense/vars/1", data=np.zeros(60 << 20, "uint8"), compression="gzip", chunks=True)


def external_storage(file):
    file.create_dataset("layers/dense/vars/0", (10,), "uint8", external=[("/etc/hostname", 0, 10)])


def external_link(file):
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/other.h5", "/x")


def soft_link(file):
    file["layers/dense/vars/1"] = np.zeros(3, "float32")
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/dense/vars/1")


def link_on_the_way(file):
    file["real/dense/vars/0"] = np.zeros(3, "float32")
    file["layers"] = h5py.SoftLink("/real")


def virtual(file):
    layout = h5py.VirtualLayout((10,), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", (10,))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def two_names(file):
    group = file.create_group("a")
    for level in range(30):
        inner = group.create_group("x")
        group["y"] = inner
        group = inner
        assert level < 30


def in_itself(file):
    group = file.create_group("a")
    group["b"] = group


def objects(file):
    file.create_dataset("layers/dense/vars/0", data=np.array(["a", "b"], object), dtype=h5py.string_dtype())


HDF5 = [
    claims_too_much,
    small_but_much,
    external_storage,
    external_link,
    soft_link,
    link_on_the_way,
    virtual,
    two_names,
    in_itself,
    objects,
]


@pytest.mark.parametrize("fill", HDF5, ids=[one.__name__ for one in HDF5])
@pytest.mark.parametrize("form", ["zip", "weights"])
def test_hdf5_tricks_are_refused(tmp_path, fill, form):
    """S-12, S-13, S-14."""
    weights = weights_bytes(fill)
    if form == "zip":
        refuse(write_zip(tmp_path / "m.keras", weights=weights))
        return
    path = tmp_path / "m.weights.h5"
    path.write_bytes(weights)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    before = model.get_weights()
    refuse(str(path), load=model.load_weights)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


# --- archives ------------------------------------------------------------------------------------
def test_bombs_of_all_members_together_are_refused(tmp_path):
    """S-15: each member is below any limit of its own."""
    extra = [(f"assets/f{i}.txt", b"\0" * (30 << 20)) for i in range(8)]
    path = write_zip(tmp_path / "m.keras", extra=extra, compression=zipfile.ZIP_DEFLATED)
    assert os.path.getsize(path) < 1 << 20
    refuse(path, match="claim")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "assets/../../x", "c:/x", "assets\\..\\x", "assets/nul", "a//b"])
def test_members_that_lead_outside_are_refused(tmp_path, name):
    """S-19, S-21."""
    refuse(write_zip(tmp_path / "m.keras", extra=[(name, b"x")]))


def test_two_members_of_one_name_are_refused(tmp_path):
    """S-30."""
    for name in ("config.json", "CONFIG.json"):
        with pytest.warns() if name == "config.json" else _nothing():
            path = write_zip(tmp_path / "m.keras", extra=[(name, "{}")])
        refuse(path, match="name")


class _nothing:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def test_links_in_folders_are_refused(tmp_path):
    """S-19: a link would show another file's content in the model."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    folder = tmp_path / "m"
    model.save(folder, zipped=False)
    (tmp_path / "secret").write_text("{}")
    (folder / "assets").mkdir()
    (folder / "assets" / "vocabulary.txt").symlink_to(tmp_path / "secret")
    refuse(str(folder), match="link")
    (folder / "assets" / "vocabulary.txt").unlink()
    os.mkfifo(folder / "assets" / "pipe")
    refuse(str(folder), match="device")


def test_link_members_of_zip_files_are_refused(tmp_path):
    path = write_zip(tmp_path / "m.keras")
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/hostname")
    refuse(path, match="link")


# --- arrays --------------------------------------------------------------------------------------
def test_pickled_arrays_are_refused(tmp_path):
    """S-17."""
    path = tmp_path / "w.npz"
    np.savez(path, **{"layers/dense/vars/0": np.array([{"a": 1}], object)})
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    refuse(str(path), load=model.load_weights)
    (tmp_path / "model.weights.npz").write_bytes(pickle.dumps({"a": 1}))
    refuse(str(tmp_path / "model.weights.npz"), CorruptFileError, load=model.load_weights)


# --- memory --------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["zip", "h5"])
def test_a_config_cannot_ask_for_memory(tmp_path, form):
    """S-29, P5: models are built abstractly; what the file does not hold is never allocated."""
    config = good_config()
    config["config"]["layers"][1]["config"]["units"] = 500_000_000
    config["config"]["layers"][1].pop("build_config")
    path = tmp_path / ("m.keras" if form == "zip" else "m.h5")
    path = write_zip(path, config) if form == "zip" else write_h5(path, config, version="3.15.0")
    tracemalloc.start()
    start = time.monotonic()
    refuse(path, FileFormatError)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20
    assert time.monotonic() - start < 10


def test_safe_mode_is_off_for_one_call_only(tmp_path):
    """P4: the flag belongs to the call and is shown afterwards."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", safe_mode=False)
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), x * 2)
    assert "safe_mode=False" in repr(loaded)
    with pytest.raises(UnsafeFileError):
        keras.models.load_model(tmp_path / "m.keras")


def test_the_good_file_itself_loads(tmp_path):
    """The builders above make files that are refused for their trick, not for the rest."""
    loaded = keras.models.load_model(write_zip(tmp_path / "m.keras", metadata=METADATA))
    np.testing.assert_array_equal(loaded.get_weights()[0], np.ones((4, 3)))
