"""The frameworks Hornbeam is compared with, and the virtual environments they live in.

An environment is built once, under `HORNBEAM_BENCH_ENVS` (default `~/.cache/hornbeam-bench`), by the Python that runs
the script. Run this file alone to build all of them and see what is installed.

Needs only the standard library.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

JAX = "jax==0.10.2"  # the peers' JAX, and the version Hornbeam is developed with: the compiler is not what is compared
KERAS = "keras==3.15.1"
INSTALL_LIMIT_S = 3600


@dataclass(frozen=True)
class Environment:
    """Requirements of one virtual environment; `bare` ones are installed without their dependencies."""

    requirements: tuple[str, ...]
    bare: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peer:
    """One row of a comparison.

    Attributes:
        title: name in the tables.
        environment: key of `ENVIRONMENTS`, or None for Hornbeam's own interpreter.
        module: what `import` has to find; also what `import_time.py` imports.
        packages: distributions whose versions are reported.
        variables: environment variables of the worker.
    """

    title: str
    environment: str | None
    module: str
    packages: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


ENVIRONMENTS = {
    "tensorflow": Environment(
        (
            "tensorflow-cpu==2.21.*; sys_platform != 'darwin'",
            "tensorflow==2.21.*; sys_platform == 'darwin'",
            KERAS,
        ),
        # Without dependencies, because they name `tensorflow` and not the smaller CPU package.
        ("tf_keras==2.21.*",),
    ),
    "keras-jax": Environment((JAX, KERAS)),
    "torch": Environment(("torch==2.13.0", "numpy")),
}

PEERS = {
    "hornbeam": Peer("hornbeam", None, "hornbeam", ("jax", "jaxlib", "numpy")),
    "tf.keras": Peer(
        "tf.keras (Keras 3)",
        "tensorflow",
        "tensorflow",
        ("tensorflow-cpu", "tensorflow", "keras", "numpy"),
        {"KERAS_BACKEND": "tensorflow"},
    ),
    "tf_keras": Peer(
        "tf.keras (Keras 2)",
        "tensorflow",
        "tf_keras",
        ("tensorflow-cpu", "tensorflow", "tf_keras", "numpy"),
        {"TF_USE_LEGACY_KERAS": "1"},
    ),
    "keras-jax": Peer(
        "Keras 3 on JAX", "keras-jax", "keras", ("keras", "jax", "jaxlib", "numpy"), {"KERAS_BACKEND": "jax"}
    ),
    "torch": Peer("PyTorch", "torch", "torch", ("torch", "numpy")),
    "jax": Peer("bare JAX", None, "jax", ("jax", "jaxlib", "numpy")),  # in Hornbeam's interpreter
}


class MissingPeerError(Exception):
    """A peer's environment could not be built, or lacks the module; the text says why."""


def folder() -> Path:
    """Folder of the environments and of the prepared data."""
    return (
        Path(os.environ.get("HORNBEAM_BENCH_ENVS") or Path.home() / ".cache" / "hornbeam-bench").expanduser().absolute()
    )


def python_of(environment: str) -> Path:
    """Path of an environment's interpreter (which need not exist yet)."""
    root = folder() / environment
    return root / "Scripts" / "python.exe" if os.name == "nt" else root / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["no message"]
        raise MissingPeerError(f"`{' '.join(command[1:])}` failed: {errors[-1]}")


def ensure(environment: str) -> Path:
    """Build an environment if it is absent or its requirements changed, and return its interpreter.

    Raises:
        MissingPeerError: the environment cannot be made or a package not installed (no wheel, no network, ...).
    """
    wanted = ENVIRONMENTS[environment]
    python, root = python_of(environment), folder() / environment
    stamp, contents = root / "installed.json", json.dumps([*wanted.requirements, "--no-deps", *wanted.bare])
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == contents:
        return python
    print(f"building the environment {environment!r} in {root} (once) ...", file=sys.stderr, flush=True)
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        _run([sys.executable, "-m", "venv", str(root)])
        _run([*install, *wanted.requirements])
        if wanted.bare:
            _run([*install, "--no-deps", *wanted.bare])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPeerError(f"the environment {environment!r} could not be built: {error}") from error
    stamp.write_text(contents, encoding="utf-8")
    return python


def interpreter(name: str, hornbeam_python: str, variables: Mapping[str, str]) -> str:
    """Interpreter for a peer, proved to import it with the environment `variables` of its workers.

    Raises:
        MissingPeerError: the peer cannot be installed or imported.
    """
    peer = PEERS[name]
    python = str(ensure(peer.environment)) if peer.environment else hornbeam_python
    # Also a warm-up: byte code gets compiled and files reach the page cache, before anything is timed.
    probe = "import hornbeam; hornbeam.keras.Sequential" if name == "hornbeam" else f"import {peer.module}"
    try:
        done = subprocess.run(
            [python, "-c", probe],
            capture_output=True,
            text=True,
            env=dict(variables),
            cwd=Path(__file__).parent,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPeerError(f"`{python}` cannot be run: {error}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingPeerError(f"`{probe}` fails in {python}: {reason}")
    return python


def installed(environment: str) -> str:
    """Versions of what an environment was built for, as one line."""
    wanted = ENVIRONMENTS[environment]
    names = {re.split(r"[=;<>~ ]", text)[0].replace("-", "_").lower() for text in (*wanted.requirements, *wanted.bare)}
    command = [str(python_of(environment)), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return ", ".join(line for line in listing if line.split("==")[0].replace("-", "_").lower() in names)


def main() -> int:
    """Build every environment and print its state; exit status 1 if one is missing."""
    status = 0
    for name in ENVIRONMENTS:
        try:
            ensure(name)
            state = installed(name)
        except MissingPeerError as error:
            state, status = f"MISSING: {error}", 1
        print(f"{name:12} {state}")
    return status


if __name__ == "__main__":
    sys.exit(main())
