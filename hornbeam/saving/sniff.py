"""Which format a file is, by its content; and what a file is that is none. Needs no JAX."""

from __future__ import annotations

import os
import re
import zipfile

import h5py

from hornbeam.base.errors import CorruptFileError

__all__ = ["H5_MAGIC", "diagnose", "identify", "is_checkpoint"]

H5_MAGIC = b"\x89HDF\r\n\x1a\n"
_PACKED = re.compile(rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd|Rar!")
_TABLE_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")


def identify(path: str) -> str:
    """The format of a file or folder.

    Returns:
        ``"keras"`` (zip), ``"keras-folder"``, ``"saved_model"``, ``"tf_checkpoint"``, ``"h5-model"`` (whole model),
        ``"h5-layers"`` (weights by layer name), ``"h5-numbered"`` (weights by layer number), ``"weights-h5"`` (weights
        by object path), ``"sharded"``, ``"npz"``, ``"safetensors"``, ``"json"`` or ``"yaml"``.

    Raises:
        FileNotFoundError: there is no such file or folder.
        CorruptFileError: it is none of these; the message says what it looks like.
    """
    if os.path.isdir(path):
        return _folder(path)
    if not os.path.exists(path):
        if os.path.exists(path + ".index"):
            return "tf_checkpoint"
        raise FileNotFoundError(
            f"There is no file or folder {path!r}. Check the name, and the current folder ({os.getcwd()}).{_near(path)}"
        )
    if not os.path.isfile(path):
        raise CorruptFileError(f"{path} is neither a file nor a folder (a device or pipe?), and no model.")
    with open(path, "rb") as file:
        head = file.read(512)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip(path)
    if head.startswith(H5_MAGIC):
        return _h5(path)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return "sharded" if path.endswith(".weights.json") else "json"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < os.path.getsize(path):
        return "safetensors"
    if path.endswith((".yaml", ".yml")):
        return "yaml"
    if path.endswith(".index") and _is_table(path):
        return "tf_checkpoint"
    raise CorruptFileError(diagnose(path))


def _near(path: str) -> str:
    """A hint if there is a file whose name has an ending besides."""
    folder, name = os.path.split(path)
    try:
        found = [entry for entry in sorted(os.listdir(folder or ".")) if name and entry.startswith(f"{name}.")]
    except OSError:
        return ""
    return f" There is {os.path.join(folder, found[0])!r}." if found else ""


def _is_table(path: str) -> bool:
    """Whether a file ends as the index of a checkpoint does."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - len(_TABLE_MAGIC)))
        return file.read() == _TABLE_MAGIC


def _folder(path: str) -> str:
    inside = set(os.listdir(path))
    if "saved_model.pb" in inside or "saved_model.pbtxt" in inside:
        return "saved_model"
    if {"config.json", "metadata.json"} <= inside:
        return "keras-folder"
    if is_checkpoint(path):
        return "tf_checkpoint"
    raise CorruptFileError(
        f"{path} is a folder, but no model: it holds neither saved_model.pb, nor config.json with metadata.json, nor a "
        f"checkpoint. It holds {sorted(inside)[:8]}{' ...' if len(inside) > 8 else ''}.{_within(path, inside)}"
    )


def _within(path: str, inside: set[str]) -> str:
    """A hint if a folder holds what was meant."""
    prefix = next((name.removesuffix(".index") for name in sorted(inside) if name.endswith(".index")), None)
    if prefix is not None:
        return f" Weights of a checkpoint are loaded by `load_weights({os.path.join(path, prefix)!r})`."
    for name in sorted(inside):
        whole = os.path.join(path, name)
        if name.endswith((".keras", ".h5", ".hdf5")) or os.path.isfile(os.path.join(whole, "saved_model.pb")):
            return f" Give the path of the model in it: {whole!r}."
    return ""


def is_checkpoint(path: str) -> bool:
    """Whether a path is a folder of TensorFlow checkpoints, or the prefix of one."""
    if os.path.isdir(path):
        return os.path.exists(os.path.join(path, "checkpoint"))
    return os.path.exists(path + ".index")


def _zip(path: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CorruptFileError(diagnose(path)) from error
    if "config.json" in names or "metadata.json" in names:
        return "keras"
    if all(name.endswith(".npy") for name in names) and (names or path.endswith(".npz")):
        return "npz"
    inside = next((name for name in names if name.endswith(("saved_model.pb", ".keras", ".h5", "config.json"))), None)
    if inside is not None:
        advice = f"Unpack it, and give the path of what is in it ({os.path.dirname(inside) or 'the folder'}"
        advice += ")." if inside.endswith(("saved_model.pb", "config.json")) else f"/{os.path.basename(inside)})."
    elif any(name.endswith("data.pkl") for name in names):
        advice = "It looks like a PyTorch file; save its weights as `.safetensors` there, and load those."
    else:
        advice = "Use another copy of the file."
    raise CorruptFileError(
        f"{path} is a zip file, but no model: its member config.json is missing. It holds {names[:8]}"
        f"{' ...' if len(names) > 8 else ''}. {advice}"
    )


def _h5(path: str) -> str:
    # Its own checksum, if it has one, is compared by whoever reads it; here only the names at the root are looked at.
    try:
        with h5py.File(path, "r") as file:
            attributes, names = set(file.attrs), set(file)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise CorruptFileError(diagnose(path)) from error
    if "model_config" in attributes:
        return "h5-model"
    if attributes & {"layer_names", "layer_names0"} or "model_weights" in names:
        return "h5-layers"
    if "nb_layers" in attributes:
        return "h5-numbered"
    return "weights-h5"


def diagnose(path: str, wanted: str = "a model file") -> str:
    """What a file is that could not be read, in one sentence, with what to do."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(512)
    low = head.lstrip().lower()
    if not size:
        what = "the file is empty; save the model again"
    elif head.startswith(b"version https://git-lfs"):
        what = "it is a Git LFS pointer, not the file itself; run `git lfs pull`"
    elif low.startswith((b"<!doctype", b"<html", b"<head")):
        what = "it is a web page; the download went wrong, fetch it again"
    elif low.startswith(b"<?xml"):
        what = "it is an XML document, perhaps the error message of a download"
    elif head.startswith(H5_MAGIC):
        what = "it begins as an HDF5 file, but is damaged or cut short; use another copy"
    elif _PACKED.match(head) or head[257:262] == b"ustar":
        what = "it is a compressed or packed file; unpack it, and give the file or folder that was in it"
    elif head.startswith(b"\x93NUMPY"):
        what = "it is one NumPy array; use `np.load` and `layer.set_weights`"
    elif head[4:8] == b"TFL3":
        what = "it is a TensorFlow Lite model, from which no layers can be made; load the model that it was made of"
    elif path.endswith(".onnx"):
        what = "it is an ONNX model; load the model that it was made of, or convert it to a Keras model first"
    elif re.match(rb"\x80[\x02-\x05]", head):
        what = "it is a Python pickle, which may run any program when it is opened; only you know whether to trust it"
    elif head.startswith(b"PK"):
        what = "it begins as a zip file, but is damaged or cut short; use another copy"
    elif re.search(r"\.data-\d{5}-of-\d{5}$", path):
        what = "it holds the numbers of a TensorFlow checkpoint; give the path without this ending"
    elif path.endswith(".pb"):
        what = "it may be the graph of a SavedModel; give the folder that holds saved_model.pb"
    elif not head.strip(b"\0"):
        what = "it begins with zeros, as a file does that was cut short by a crash; use another copy"
    else:
        what = "its content is of no format that is known here, or damaged"
    return f"{path} is not {wanted} ({size} bytes): {what}."
