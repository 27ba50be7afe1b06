"""What is in a SavedModel folder or a TensorFlow checkpoint, for ``hornbeam inspect`` and ``verify``. Needs no JAX."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.protos import Message
from hornbeam.saving.report import note_config
from hornbeam.saving.saved_model.folder import Folder, check_files, open_folder
from hornbeam.saving.saved_model.metadata import keras_nodes, root_node
from hornbeam.saving.texts import printable
from hornbeam.saving.tf_checkpoint.bundle import OBJECT_GRAPH, Bundle
from hornbeam.saving.tf_checkpoint.kinds import dtype_name
from hornbeam.saving.tf_checkpoint.state import checkpoint_prefix

__all__ = ["examine_checkpoint", "examine_saved_model"]

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_STATE = frozenset({"optimizer", ".OPTIMIZER_SLOT", "save_counter", "keras_api"})
"""Parts of names whose arrays are no parameters."""
_REACHING_OUT = frozenset(
    {
        "EagerPyFunc", "LoadLibrary", "MatchingFiles", "PrintV2", "PyFunc", "PyFuncStateless", "ReadFile",
        "TensorArrayWriteV3File", "TextLineReaderV2", "WholeFileReaderV2", "WriteFile", "TFRecordReaderV2",
        "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDatasetV2", "RpcClient", "RpcCall",
        "SaveDataset", "SaveDatasetV2", "LoadDataset", "LookupTableImport", "ShellExecute", "DebugIdentityV2",
        "WriteSummary", "WriteRawProtoSummary", "CreateSummaryFileWriter", "FileSystemSetConfiguration",
    }
)  # fmt: skip
"""Operations by which a graph could read or write files, open connections or run Python."""


def examine_checkpoint(path: str, found: dict[str, Any], read_all: bool) -> None:
    """Fill in the report of a checkpoint: its prefix, index file, or folder."""
    prefix = checkpoint_prefix(path)
    if prefix is None:
        raise CorruptFileError(f"{path}: the `checkpoint` file names no checkpoint whose files are there.")
    bundle = Bundle(prefix)
    if not os.path.isdir(path):
        found["bytes"] = sum(os.path.getsize(one) for one in bundle.files())
    elif os.path.basename(prefix):
        found["notes"].append(f"the newest checkpoint of the folder is {printable(os.path.basename(prefix))}")
    _arrays(bundle, found, read_all)
    if OBJECT_GRAPH not in bundle:
        found["notes"].append("holds tensors by name only (no object graph), as programs of TensorFlow 1 write them")


def examine_saved_model(path: str, found: dict[str, Any], read_all: bool) -> None:
    """Fill in the report of a SavedModel folder."""
    folder = open_folder(path)
    info = folder.graph.meta_info_def
    writer = str(info.tensorflow_git_version)
    found["producer"] = (
        f"Hornbeam {printable(writer.removeprefix('hornbeam-'))}"
        if writer.startswith("hornbeam-")
        else f"TensorFlow {printable(info.tensorflow_version)}"
    )
    _keras_part(folder, found)
    check_files(folder.path)
    for name, signature in sorted(folder.graph.signature_def.items()):
        if not name.startswith("__"):
            inputs, outputs = (_tensors(part) for part in (signature.inputs, signature.outputs))
            found["notes"].append(f"signature {printable(name)}: {inputs} -> {outputs}")
    reaching = sorted(set(_operations(folder.graph)) & _REACHING_OUT)
    if reaching:
        found["notes"].append(f"asks for operations that reach out of the program, which are refused: {reaching}")
    if folder.bundle is not None:
        _arrays(folder.bundle, found, read_all)
    assets = os.path.join(path, "assets")
    for name in sorted(os.listdir(assets)) if os.path.isdir(assets) else ():
        size = os.path.getsize(folder.asset(name))
        found["notes"].append(f"asset {printable(name)} ({size} bytes)")


def _keras_part(folder: Folder, found: dict[str, Any]) -> None:
    root = root_node(keras_nodes(folder))
    if root is None:
        found["notes"].append("no Keras model: it runs as the functions in it")
        return
    version = root.config.get("keras_version")
    if version and not str(found["producer"]).startswith("Hornbeam"):
        found["producer"] += f", Keras {printable(version)}"
    config = root.config.get("model_config")
    if isinstance(config, dict) and config.get("config"):
        note_config(config, found)
    else:
        found["notes"].append(f"a model of the class {printable(root.config.get('class_name'))}, without a config")
    found["compiled"] = bool(root.config.get("training_config"))


def _tensors(part: Any) -> str:
    shown = []
    for name, tensor in sorted(part.items()):
        shape = tensor.tensor_shape
        sizes = "?" if shape.unknown_rank else tuple(dim.size if dim.size >= 0 else None for dim in shape.dim)
        shown.append(f"{printable(name)} {dtype_name(tensor.dtype)} {sizes}")
    return ", ".join(shown) or "nothing"


def _operations(graph: Message) -> Iterator[str]:
    for node in graph.graph_def.node:
        yield node.op
    for function in graph.graph_def.library.function:
        for node in function.node_def:
            yield node.op


def _arrays(bundle: Bundle, found: dict[str, Any], read_all: bool) -> None:
    for name in bundle.names():
        if name != OBJECT_GRAPH:
            shown = printable(name.removesuffix(_VALUE))
            state = not _STATE.isdisjoint(name.split("/"))
            entry = {"name": shown, "shape": list(bundle.shape(name)), "dtype": bundle.dtype(name), "optimizer": state}
            found["arrays"].append(entry)
            found["checked"] += read_all
        if read_all:
            bundle.read(name)
    found["compiled"] = found["compiled"] or any("optimizer" in one["name"].split("/") for one in found["arrays"])
