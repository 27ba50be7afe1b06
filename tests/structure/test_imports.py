"""The house rules for imports, checked on the syntax trees: direction, cycles, late imports, private JAX."""

from __future__ import annotations

import ast

import pytest

from tests.structure.source_tree import Import, imports, imports_of, modules, parsed

# Rooms from the bottom. A room that is not named is a face that mirrors a part of `tf.*`; those that other faces
# build on have heights of their own.
# fmt: off
ROOMS = {
    "version": -1, "base": 0, "engine": 0, "core": 1, "errors": 1.5, "config": 1.6, "ops": 2,
    "tensors": 2.2, "math": 2.4, "linalg": 2.5, "random": 2.5,
    "sparse": 2.6, "nn": 2.7, "ragged": 2.8, "summary": 3.2, "data": 3.5,
    "keras": 4, "tfds": 4.5, "saving": 5, "compat": 6, "cli": 7,
}
# fmt: on
FACES = 3
TOP = 8  # `hornbeam/__init__.py` and `hornbeam/__main__.py`: they may name anything, and nobody names them

# Imports between rooms of one height, each with its reason.
SIDEWAYS = {
    ("engine", "hornbeam.base.errors"): "a lowering that refuses must raise the house's errors",
    ("engine", "hornbeam.base.folders"): "compiled programs are kept in the cache folder",
    ("distribute", "hornbeam.train.cluster"): "a resolver gives a `tf.train.ClusterSpec`",
}

# The order inside `keras`, from the bottom; what stands in one line is of one height and does not import each other.
KERAS_ORDER = [
    "initializers regularizers constraints activations",
    "losses",
    "metrics",
    "optimizers",
    "layers",
    "callbacks",
    "trainers",
    "models",
    "applications distillation",
]
KERAS_HEIGHT = {name: height for height, line in enumerate(KERAS_ORDER) for name in line.split()}

# Modules of other parties that may be imported inside a function: they are of an extra, belong to the user,
# or are of the core but loaded only when something is shown, read or fetched.
# fmt: off
OPTIONAL = frozenset([
    "PIL", "simplejpeg", "cv2", "grain", "array_record", "tensorboard", "google", "onnx", "onnxruntime",
    "jax2onnx", "flax", "matplotlib", "pydot", "sklearn",
    "huggingface_hub", "yaml", "safetensors", "orbax", "optax", "tensorstore",
    "pandas", "polars", "pyarrow", "torch", "tensorflow", "xarray", "scipy", "IPython", "datasets",
    "wandb", "mlflow", "ray",
    "rich", "pooch", "filelock", "h5py",
])
# fmt: on

# Other imports inside functions, (importer, target) with the reason.
LATE: dict[tuple[str, str], str] = {}

# JAX's public face without its insides: these parts change from release to release without notice.
PRIVATE_JAX = ("jax._", "jax.interpreters", "jax.extend", "jax.lib", "jaxlib")
JAX_COMPAT = "hornbeam.engine.jax_compat"


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def height(module: str) -> int:
    name = room(module)
    return TOP if name in ("", "__main__") else ROOMS.get(name, FACES)


def keras_part(module: str) -> str:
    parts = module.split(".")
    return parts[2] if len(parts) > 2 and parts[1] == "keras" else ""


def is_ours(found: Import) -> bool:
    return found.target.split(".")[0] == "hornbeam"


def breaks_room_order(found: Import) -> bool:
    own, other = room(found.importer), room(found.target)
    if own == other or not is_ours(found) or found.lazy:
        return False
    if height(found.target) == height(found.importer):
        return (own, found.target) not in SIDEWAYS
    return height(found.target) > height(found.importer)


def breaks_keras_order(found: Import) -> bool:
    own, other = keras_part(found.importer), keras_part(found.target)
    if own == other or found.lazy or own not in KERAS_HEIGHT:
        return False
    if found.target == "hornbeam.keras":
        return True
    return other in KERAS_HEIGHT and KERAS_HEIGHT[other] >= KERAS_HEIGHT[own]


def is_private_jax(name: str) -> bool:
    return any(
        name == prefix or name.startswith(prefix if prefix.endswith("_") else f"{prefix}.") for prefix in PRIVATE_JAX
    )


def report(found: list[Import]) -> str:
    return "\n".join(sorted(map(str, found)))


def test_imports_between_rooms_only_go_down():
    wrong = [found for found in imports() if breaks_room_order(found)]
    assert not wrong, f"Upward or sideways imports between rooms:\n{report(wrong)}"


def test_imports_inside_keras_only_go_down():
    wrong = [found for found in imports() if breaks_keras_order(found)]
    assert not wrong, f"Against the order {' < '.join(KERAS_ORDER)}:\n{report(wrong)}"


def test_no_cycle_of_modules():
    edges: dict[str, set[str]] = {name: set() for name in modules()}
    for found in imports():
        if not found.late and found.target in edges and found.target != found.importer:
            edges[found.importer].add(found.target)
    # Every module that is not in a cycle, nor above one, can be taken away from the bottom up.
    while free := {name for name, targets in edges.items() if not targets}:
        edges = {name: targets - free for name, targets in edges.items() if name not in free}
    assert not edges, f"Modules in, or above, a cycle: {cycle_in(edges)}"


def cycle_in(edges: dict[str, set[str]]) -> str:
    """One cycle, as text: every module left over has a target left over, so a walk must come back to itself."""
    path = [min(edges)]
    while (following := min(edges[path[-1]])) not in path:
        path.append(following)
    return " -> ".join([*path[path.index(following) :], following])


def test_imports_inside_functions_are_of_optional_packages_only():
    wrong = [
        found
        for found in imports()
        if found.late
        and not found.lazy
        and found.target.split(".")[0] not in OPTIONAL
        and (found.importer, found.target) not in LATE
    ]
    assert not wrong, f"Imports inside functions (move them up, or find the part by base.registry):\n{report(wrong)}"


def test_optional_packages_are_not_imported_at_module_level():
    """Only the core's own packages may be: everything else must be absent without harm."""
    core = {"rich", "pooch", "filelock", "h5py"}
    wrong = [found for found in imports() if not found.late and found.target.split(".")[0] in OPTIONAL - core]
    assert not wrong, f"Packages of extras imported at module level:\n{report(wrong)}"


def test_private_jax_is_named_in_one_file_only():
    wrong = [str(found) for found in imports() if is_private_jax(found.target) and found.importer != JAX_COMPAT]
    for name, file in modules().items():
        if name != JAX_COMPAT:
            chains = (ast.unparse(node) for node in ast.walk(parsed(file)) if isinstance(node, ast.Attribute))
            wrong += [f"{file}: {chain}" for chain in chains if chain.startswith("jax") and is_private_jax(chain)]
    assert not wrong, "Private JAX outside engine/jax_compat.py:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "source", "is_wrong"),
    [
        ("hornbeam.core.tensor", "from hornbeam.ops import nn", True),
        ("hornbeam.core.tensor", "import hornbeam", True),
        ("hornbeam.base.shapes", "from hornbeam.engine import rng", True),
        ("hornbeam.engine.rng", "from hornbeam.base import trees", True),
        ("hornbeam.engine.rng", "from hornbeam.base.errors import ShapeError", False),
        ("hornbeam.math", "from hornbeam.nn import relu", True),
        ("hornbeam.signal", "from hornbeam.debugging import Assert", True),
        ("hornbeam.nn", "from hornbeam.math import add", False),
        ("hornbeam.nn", "from hornbeam.ops import nn", False),
        ("hornbeam.keras.models.model", "from ...saving import formats", True),
        ("hornbeam.cli.run", "from hornbeam.compat.install import install", False),
    ],
)
def test_the_rule_for_rooms_sees_what_it_should(importer, source, is_wrong):
    found = list(imports_of(ast.parse(source), importer, "one_file.py"))
    assert [breaks_room_order(one) for one in found] == [is_wrong]


@pytest.mark.parametrize(
    ("importer", "source", "is_wrong"),
    [
        ("hornbeam.keras.losses.base", "from hornbeam.keras.layers import Layer", True),
        ("hornbeam.keras.losses.base", "from hornbeam.keras.metrics import Mean", True),
        ("hornbeam.keras.losses.base", "import hornbeam.keras", True),
        ("hornbeam.keras.layers.core.dense", "from hornbeam.keras.activations import get", False),
        ("hornbeam.keras.layers.core.dense", "from hornbeam.keras.utils import io", False),
    ],
)
def test_the_rule_for_keras_sees_what_it_should(importer, source, is_wrong):
    found = list(imports_of(ast.parse(source), importer, "one_file.py"))
    assert [breaks_keras_order(one) for one in found] == [is_wrong]


def test_late_lazy_and_type_checking_imports_are_told_apart():
    source = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import never
def work():
    import late
def __getattr__(name):
    import lazy
class Thing:
    def __getattr__(self, name):
        import late_too
"""
    found = {one.target: (one.late, one.lazy) for one in imports_of(ast.parse(source), "hornbeam.x", "x.py")}
    assert found == {
        "typing": (False, False),
        "late": (True, False),
        "lazy": (True, True),
        "late_too": (True, False),
    }


@pytest.mark.parametrize("name", ["jax._src.core", "jax.interpreters.mlir", "jaxlib.xla_client", "jax.lib"])
def test_private_jax_names_are_recognised(name):
    assert is_private_jax(name)
    assert not is_private_jax("jax.lax.linalg")
    assert not is_private_jax("jax.experimental.pallas")
