"""``hornbeam doctor``: versions, devices and extras at hand, and a self-check of about a second on every device."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
import time
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.engine import onednn
from hornbeam.version import KERAS_VERSION, VERSION, __version__

CORE = ("jax", "jaxlib", "numpy", "ml_dtypes", "h5py", "rich", "pooch", "filelock")

EXTRAS: dict[str, tuple[tuple[str, ...], str]] = {
    "image": (("pillow", "simplejpeg"), "read, write and augment pictures; fast JPEG decoding"),
    "data": (("grain",), "Grain's loaders as input of fit, evaluate and predict"),
    "tensorboard": (("tensorboard",), "the viewer of the logs that callbacks.TensorBoard writes"),
    "plot": (("matplotlib", "pydot"), "curves of a training run, pictures of a model"),
    "sklearn": (("scikit-learn",), "wrappers for scikit-learn"),
    "yaml": (("PyYAML",), "models kept as YAML"),
    "orbax": (("orbax-checkpoint",), "callbacks.OrbaxCheckpoint"),
    "optax": (("optax",), "optax transformations as optimizers"),
    "onednn": (("hornbeam-onednn",), "faster convolutions, matrix products and recurrent layers on the CPU, by oneDNN"),
}
"""Each extra, the packages that make it complete, and what it gives."""


def main(words: list[str]) -> int:
    """Print the report; return 0 if all is well, 1 if a device, a core package or an installed oneDNN is not."""
    parser = argparse.ArgumentParser(
        prog="hornbeam doctor", description="Show versions, devices and extras, and check that every device computes."
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    options = parser.parse_args(words)
    found = examine()
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    return 0 if found["ok"] else 1


def examine() -> dict[str, Any]:
    """The whole report as plain data; `ok` is False if something is missing, broken or computes wrong."""
    packages = {name: installed(name) for name in CORE}
    devices = [check_device(device) for device in jax.devices()]
    kernels = _kernels()
    return {
        "ok": all(packages.values()) and all(device["ok"] for device in devices) and kernels["ok"],
        "hornbeam": __version__,
        "follows": {"tensorflow": VERSION, "keras": KERAS_VERSION},
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": packages,
        "backend": jax.default_backend(),
        "devices": devices,
        "kernels": kernels,
        "extras": {name: _extra(needs, gives) for name, (needs, gives) in EXTRAS.items()},
    }


def _kernels() -> dict[str, Any]:
    """Whose convolutions, products and recurrent layers run on the CPU, and why."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # the report says the same
        used, text = onednn.status()
    return {"onednn": used, "detail": text, "ok": not text.startswith(onednn.BROKEN)}


def installed(package: str) -> str | None:
    """The installed version of a package, without importing it; ``None`` if it is not there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_device(device: Any) -> dict[str, Any]:
    """Compile and run a small network's gradient on a device and compare it with NumPy in float64.

    Returns:
        `name`, `kind`, `ok`, the largest relative error `error` (about 1e-6 in float32, 1e-2 where matrix units round
        more), `seconds` with compilation, and `problem`: the text of an exception or None.
    """
    start = time.perf_counter()
    error, problem = None, None
    try:
        error = _gradient_error(device)
    except Exception as raised:  # whatever a driver may raise belongs into the report
        problem = f"{type(raised).__name__}: {raised}"
    return {
        "name": str(device),
        "kind": device.device_kind,
        "ok": error is not None and error < 3e-2,
        "error": error,
        "seconds": round(time.perf_counter() - start, 2),
        "problem": problem,
    }


def _gradient_error(device: Any) -> float:
    rng = np.random.default_rng(0)
    x, w, v = rng.normal(size=(32, 16)), rng.normal(size=(16, 8)), rng.normal(size=(8, 4))

    def loss(w: jax.Array, x: jax.Array, v: jax.Array) -> jax.Array:
        return jnp.mean(jnp.square(jnp.tanh(x @ w) @ v))

    args = [jax.device_put(np.asarray(array, "float32"), device) for array in (w, x, v)]
    received = np.asarray(jax.jit(jax.grad(loss))(*args), "float64")
    hidden = np.tanh(x @ w)
    expected = x.T @ ((2.0 / (32 * 4)) * (hidden @ v) @ v.T * (1 - hidden**2))
    return float(np.abs(received - expected).max() / np.abs(expected).max())


def _extra(needs: tuple[str, ...], gives: str) -> dict[str, Any]:
    packages = {name: installed(name) for name in needs}
    return {"complete": all(packages.values()), "packages": packages, "gives": gives}


def as_text(found: dict[str, Any]) -> str:
    """The report for people: plain lines, at most about 100 columns wide."""
    follows = found["follows"]
    lines = [
        f"hornbeam {found['hornbeam']} (follows TensorFlow {follows['tensorflow']} and Keras {follows['keras']})",
        f"python   {found['python']} at {sys.executable}",
        f"system   {found['system']}",
        "",
        "core packages",
        *(f"  {name:<12} {version or 'MISSING'}" for name, version in found["packages"].items()),
        "",
        f"devices (JAX uses {found['backend']!r})",
    ]
    for device in found["devices"]:
        verdict = "computes right" if device["ok"] else f"WRONG: {device['problem'] or 'its numbers are off'}"
        size = "" if device["error"] is None else f", relative error {device['error']:.0e}"
        lines.append(f"  {device['name']} ({device['kind']}): {verdict}{size}, {device['seconds']} s")
    kernels = found["kernels"]
    used = "" if kernels["onednn"] else "XLA; oneDNN "
    lines.append(f"  convolutions, products, LSTM and GRU on the CPU: {used}{kernels['detail']}")
    lines += ["", "extras"]
    for name, extra in found["extras"].items():
        missing = [package for package, version in extra["packages"].items() if version is None]
        state = "yes" if extra["complete"] else f"no, lacks {', '.join(missing)}"
        if name == "onednn" and extra["complete"] and not kernels["onednn"]:
            state = "installed, not in use (see above)"
        lines.append(f"  {name:<12} {extra['gives']}: {state}")
    if not all(extra["complete"] for extra in found["extras"].values()):
        lines.append('  To add one: pip install "hornbeam[NAME]"')
        if not found["extras"]["onednn"]["complete"]:
            lines.append("  onednn is built from a copy of the sources: pip install ./native/onednn")
    lines += ["", "all well" if found["ok"] else "something is wrong, see above"]
    return "\n".join(lines)
