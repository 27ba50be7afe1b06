"""Driver and worker side shared by all comparisons.

A comparison is a list of `Variant`s and a function `work(name, options, report)`. The driver starts one worker process
per variant and round, in the order A B C A B C ..., so that a drift of the machine hits everybody. A worker imports one
framework, measures, and prints JSON lines; the driver takes the minimum over the rounds and prints ratios.

Needs only the standard library: frameworks are imported by the workers alone, inside their own environments.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import peers as peers_module
from peers import PEERS, MissingPeerError
from table import machine_busy_s, machine_facts, print_tables

MARK = '{"bench":'  # how a worker's JSON lines begin; everything else a framework prints is ignored
WORKER_LIMIT_S = 1800
CHECKOUT = Path(__file__).resolve().parent.parent
TIME_ORIGIN = "HORNBEAM_BENCH_TIME_ORIGIN"
# A setting left over in the caller's shell must not reach some of the workers only: these names are dropped for all,
# and set again for all with `--set NAME=VALUE`.
DROPPED = ("KERAS_", "TF_", "JAX_", "XLA_", "HORNBEAM_", "MALLOC_", "GLIBC_", "OMP_", "MKL_", "KMP_", "TORCH_")
COMMON = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
TUNED_MALLOC = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**62),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


@dataclass(frozen=True)
class Variant:
    """One row of a table: a peer, under a label, with environment variables of its own.

    In `variables`, "{fresh}" stands for a new empty folder in every round, "{kept}" for one that lives as long as the
    run and is filled by an untimed worker first.
    """

    label: str
    peer: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """What the command line asks of the workers.

    Attributes:
        quick: small sizes; proves that everything runs, its times mean nothing.
        rounds: worker processes per variant.
        cores: number of cores a worker is pinned to; 0 leaves it alone.
        only: the subjects to measure, where a comparison has several; all if empty.
    """

    quick: bool
    rounds: int
    cores: int = 0
    only: Sequence[str] = ()


class Report:
    """Collects what a worker measures and prints it as JSON lines."""

    def __init__(self) -> None:
        self.started = float(os.environ.get(TIME_ORIGIN, "nan"))

    def since_start(self) -> float:
        """Seconds since the driver started this process (the monotonic clock is shared by all processes)."""
        return time.monotonic() - self.started

    def emit(self, **values: Any) -> None:
        """Print one JSON line for the driver."""
        print(json.dumps({"bench": values.pop("kind"), **values}), flush=True)

    def values(self, metric: str, unit: str, values: Sequence[float], *, cpu: float | None = None) -> None:
        """Report repeated measurements of one quantity, in `unit`; `cpu` is the process CPU time in the same unit."""
        self.emit(
            kind="value",
            metric=metric,
            unit=unit,
            min=min(values),
            median=statistics.median(values),
            repeats=len(values),
            cpu=cpu,
        )

    def time(self, metric: str, call: Callable[[], object], *, repeats: int, steps: int, unit: str = "us") -> None:
        """Time `repeats` runs of `call`, which makes `steps` steps each, after one untimed run."""
        call()
        walls, cpu_before = [], time.process_time()
        for _ in range(repeats):
            before = time.perf_counter()
            call()
            walls.append(time.perf_counter() - before)
        scale = UNITS[unit] / steps
        cpu = (time.process_time() - cpu_before) / repeats * scale
        self.values(metric, unit, [wall * scale for wall in walls], cpu=cpu)

    def time_call(
        self, metric: str, call: Callable[[], object], wait: Callable[[Any], object], options: Options
    ) -> None:
        """Time a call of microseconds: loops of at least 50 ms (quick: 2 ms), closed by waiting for the last result."""
        least_s, repeats = (0.002, 3) if options.quick else (0.05, 20)

        def loop(count: int) -> None:
            result = None
            for _ in range(count):
                result = call()
            wait(result)

        loop(20)  # compiles, fills caches
        count = 20
        while True:
            before = time.perf_counter()
            loop(count)
            spent = time.perf_counter() - before
            if spent >= least_s:
                break
            count = max(count * 2, int(count * least_s / max(spent, 1e-9)))
        gc.collect()
        self.time(metric, lambda: loop(count), repeats=repeats, steps=count)

    @contextmanager
    def attempt(self, metric: str) -> Iterator[None]:
        """Report a measurement that fails as missing, with the reason, and go on with the next one."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            self.emit(kind="missing", metric=metric, reason=f"{type(error).__name__}: {error}".splitlines()[0])

    def check(self, **values: float) -> None:
        """Report results (loss, accuracy) that show whether all variants did the same work."""
        self.emit(kind="check", **values)


UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0}


def framework(name: str) -> tuple[Any, Any]:
    """Import a peer: (the `tf`-like module or torch or jax, its `keras` or None)."""
    module = importlib.import_module("tensorflow" if name == "tf_keras" else PEERS[name].module)
    if name == "keras-jax":
        return None, module
    return module, None if name in {"torch", "jax"} else module.keras


def peak_mb() -> float:
    """Peak resident memory of this process, in MB of 10^6 bytes."""
    if os.name == "nt":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def resident_mb() -> float:
    """Resident memory now, in MB; the peak where the system has no /proc."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return peak_mb()
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _run_worker(work: Callable[[str, Options, Report], None], name: str, options: Options) -> int:
    if options.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: options.cores]))
    report = Report()
    work(name, options, report)
    versions = {"hornbeam": importlib.import_module("hornbeam.version").__version__} if name == "hornbeam" else {}
    for package in PEERS[name].packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    report.emit(
        kind="info", versions=versions, python=platform.python_version(), cores=cores, peak_mb=round(peak_mb(), 1)
    )
    return 0


def worker_environment(variant: Variant, settings: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of a worker: the caller's without framework settings, then ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    kept.pop("PYTHONPATH", None)
    ours = {"HORNBEAM_BENCH_ENVS": str(peers_module.folder()), **PEERS[variant.peer].variables}
    if variant.peer == "hornbeam":
        ours["PYTHONPATH"] = str(CHECKOUT)
    return kept | COMMON | ours | dict(variant.variables) | dict(settings)


@dataclass
class Run:
    """One comparison on the command line: parsed arguments and everything collected so far."""

    title: str
    options: Options
    hornbeam_python: str
    settings: dict[str, str]
    scratch: Path
    figures: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)  # label -> rounds -> JSON lines
    missing: dict[str, str] = field(default_factory=dict)  # label -> reason

    def folders(self, variant: Variant, turn: int) -> Variant:
        """`variant` with its "{fresh}" and "{kept}" folders made."""
        places = {"{fresh}": self.scratch / f"fresh-{turn}-{variant.label}", "{kept}": self.scratch / variant.label}
        found = {}
        for name, value in variant.variables.items():
            if value in places:
                places[value].mkdir(parents=True, exist_ok=True)
            found[name] = str(places.get(value, value))
        return Variant(variant.label, variant.peer, found)

    def work(self, variant: Variant, python: str, turn: int) -> list[dict[str, Any]]:
        """Run one worker and return its JSON lines.

        Raises:
            MissingPeerError: the worker failed or took too long.
        """
        environment = worker_environment(self.folders(variant, turn), self.settings)
        command = [python, sys.argv[0], "--worker", variant.peer, "--options", json.dumps(vars(self.options))]
        environment[TIME_ORIGIN] = repr(time.monotonic())
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, timeout=WORKER_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise MissingPeerError(f"the worker did not end within {WORKER_LIMIT_S} s") from error
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise MissingPeerError(f"the worker failed (exit status {done.returncode}): {reason}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(MARK)]


def _parse(title: str, arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--quick", action="store_true", help="one round of small sizes: shows that everything runs")
    parser.add_argument("--rounds", type=int, default=0, help="worker processes per variant (default 5, quick 1)")
    parser.add_argument("--cores", type=int, default=0, help="pin every worker to this many cores (default: all)")
    parser.add_argument("--hornbeam-python", default=sys.executable, help="interpreter that has Hornbeam")
    parser.add_argument("--peers", default="", help=f"comma-separated part of {', '.join(PEERS)}; default all")
    parser.add_argument(
        "--only", default="", help="comma-separated part of the subjects of the comparison; default all"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="variable for every worker")
    parser.add_argument("--tuned-malloc", action="store_true", help="give every worker glibc settings for large blocks")
    parser.add_argument("--json", metavar="FILE", help="also write all figures there")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--options", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.peers.split(",") if name and name not in PEERS]
    if unknown:
        parser.error(f"--peers: unknown {', '.join(unknown)}; expected names out of {', '.join(PEERS)}")
    if any("=" not in item for item in chosen.set):
        parser.error("--set expects NAME=VALUE")
    return chosen


def compare(
    title: str,
    variants: Sequence[Variant],
    work: Callable[[str, Options, Report], None] | None,
    *,
    rows: Callable[[bool], int] | None = None,
    measure: Callable[[Run, Variant, str, int], list[dict[str, Any]]] = Run.work,
) -> int:
    """Entry point of every comparison: the driver, or (with `--worker`) one worker.

    Args:
        title: heading of the tables.
        variants: rows; the first one is what the others are compared with.
        work: what a worker does; None if `measure` starts none.
        rows: number of rows of data to prepare, given `quick`; None if the comparison needs none.
        measure: how the driver obtains one worker's JSON lines.

    Returns:
        The exit status: 0 if every variant ran, 1 if one is missing.
    """
    chosen = _parse(title, sys.argv[1:])
    if chosen.worker and work:
        return _run_worker(work, chosen.worker, Options(**json.loads(chosen.options)))
    rounds = chosen.rounds or (1 if chosen.quick else 5)
    settings = (TUNED_MALLOC if chosen.tuned_malloc else {}) | dict(item.split("=", 1) for item in chosen.set)
    wanted = [variant for variant in variants if not chosen.peers or variant.peer in chosen.peers.split(",")]
    with tempfile.TemporaryDirectory(prefix="hornbeam-bench-") as scratch:
        options = Options(chosen.quick, rounds, chosen.cores, [name for name in chosen.only.split(",") if name])
        run = Run(title, options, chosen.hornbeam_python, settings, Path(scratch))
        facts = {"quick": chosen.quick} | _measure_all(run, wanted, measure, rows(chosen.quick) if rows else 0)
    summary = print_tables(run.title, [variant.label for variant in wanted], run.figures, run.missing, facts)
    if chosen.json:
        everything = {"title": title, "machine": facts, "options": vars(run.options), "settings": settings}
        everything |= {"summary": summary, "missing": run.missing, "rounds": run.figures}
        Path(chosen.json).write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    return 1 if run.missing else 0


def _measure_all(
    run: Run,
    variants: Sequence[Variant],
    measure: Callable[[Run, Variant, str, int], list[dict[str, Any]]],
    rows: int,
) -> dict[str, Any]:
    pythons: dict[str, str] = {}
    for variant in variants:
        try:
            variables = worker_environment(variant, run.settings)
            pythons[variant.label] = peers_module.interpreter(variant.peer, run.hornbeam_python, variables)
        except MissingPeerError as error:
            run.missing[variant.label] = str(error)
    checkout = {python for label, python in pythons.items() if label in _of_checkout(variants)}
    for python in sorted(checkout):
        # Packages that pip copies, as it does the peers, come with their byte code.
        subprocess.run([python, "-m", "compileall", "-q", str(CHECKOUT / "hornbeam")], check=True)
    if rows and pythons:
        # By a worker's interpreter (the driver's needs no NumPy), before the first timing and outside every peak.
        code = f"import digits; digits.prepare({rows})"
        subprocess.run([next(iter(pythons.values())), "-c", code], cwd=Path(__file__).parent, check=True)
    for variant in variants:
        if variant.label in pythons and "{kept}" in variant.variables.values():
            _one(run, variant, pythons, measure, -1)
    facts = machine_facts()
    busy_before, own_before, wall_before = machine_busy_s(), _own_cpu_s(), time.monotonic()
    for turn in range(run.options.rounds):
        for variant in variants:
            lines = _one(run, variant, pythons, measure, turn)
            if lines is not None:
                run.figures.setdefault(variant.label, []).append(lines)
    wall = time.monotonic() - wall_before
    if busy_before is not None and (busy_after := machine_busy_s()) is not None and wall > 0:
        foreign = (busy_after - busy_before - (_own_cpu_s() - own_before)) / (wall * (os.cpu_count() or 1))
        facts["other_load"] = round(max(0.0, foreign), 3)
    facts["load_average_after"] = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return facts


def _of_checkout(variants: Sequence[Variant]) -> set[str]:
    return {variant.label for variant in variants if variant.peer == "hornbeam"}


def _one(
    run: Run,
    variant: Variant,
    pythons: Mapping[str, str],
    measure: Callable[[Run, Variant, str, int], list[dict[str, Any]]],
    turn: int,
) -> list[dict[str, Any]] | None:
    if variant.label in run.missing:
        return None
    _progress(f"{'warm-up' if turn < 0 else f'round {turn + 1} of {run.options.rounds}'}: {variant.label}")
    try:
        return measure(run, variant, pythons[variant.label], turn)
    except MissingPeerError as error:
        run.missing[variant.label] = str(error)
        return None
    finally:
        _progress("")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:70}\r", end="", file=sys.stderr, flush=True)


def _own_cpu_s() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
