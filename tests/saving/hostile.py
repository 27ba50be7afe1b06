"""Builders of files that ask for what must be refused, and a watch over what a load does."""

import io
import json
import sys
import zipfile
from contextlib import contextmanager

import h5py
import numpy as np

from hornbeam import keras
from hornbeam.keras.saving import registration

WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "marshal.load", "pickle.",
           "ctypes.dlopen", "exec", "import")  # fmt: skip
_events: list[str] = []
_watching = False


def _hook(event, arguments):
    if not _watching:
        return
    if event == "open" and isinstance(arguments[0], str) and not arguments[0].endswith((".py", ".pyc", ".so")):
        _events.append(f"open {arguments[0]} {arguments[1]}")
    elif event.startswith(WATCHED):
        name = str(arguments[0]) if arguments else ""
        if event == "exec" or (
            event == "import" and name.split(".")[0] in ("hornbeam", "jax", "jaxlib", "numpy", "yaml")
        ):
            return
        _events.append(f"{event} {name}")


sys.addaudithook(_hook)


@contextmanager
def watched():
    """Collect what the process does: opened files, imports, sockets, processes, unpickling."""
    global _watching
    for folder in registration.FOLDERS:
        registration._listed(folder, "nothing")
    _events.clear()
    _watching = True
    try:
        yield _events
    finally:
        _watching = False


def good_config():
    """Serialised config of a small model."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="d")], name="good")
    return json.loads(json.dumps(keras.saving.serialize_keras_object(model)))


def weights_bytes(fill=None):
    """Content of a weights file that fits ``good_config``."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        if fill is not None:
            fill(file)
        else:
            file["layers/dense/vars/0"] = np.ones((4, 3), "float32")
            file["layers/dense/vars/1"] = np.zeros(3, "float32")
    return buffer.getvalue()


METADATA = json.dumps({"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"})


def write_zip(path, config=None, weights=None, extra=(), metadata=METADATA, compression=zipfile.ZIP_STORED):
    """A `.keras` file of any content."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", metadata)
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config or good_config()))
        archive.writestr("model.weights.h5", weights_bytes() if weights is None else weights)
        for name, content in extra:
            archive.writestr(name, content)
    return str(path)


def write_h5(path, config, training=None, version="2.15.0"):
    """A whole-model `.h5` file of a given architecture, without weights."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([], "S1")
        group.attrs["keras_version"] = version
        group.attrs["backend"] = "tensorflow"
    return str(path)


def with_layer(class_name, config, module="keras.layers", **more):
    """A Sequential config with one layer more."""
    found = good_config()
    found["config"]["layers"].append({"module": module, "class_name": class_name, "config": config, **more})
    return found
