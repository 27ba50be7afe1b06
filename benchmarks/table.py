"""Facts about the machine, and the tables a comparison prints. Standard library only."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

QUIET = 0.05  # share of the cores that other processes may use before the figures are called unfit to publish

Figures = Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]


def machine_busy_s() -> float | None:
    """CPU seconds all cores have worked since boot, or None where the system does not say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.read_text().split(maxsplit=9)[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def machine_facts() -> dict[str, Any]:
    """Processor, cores, system, and the load average now."""
    cpuinfo, model = Path("/proc/cpuinfo"), platform.processor()
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"processor": model, "cores": cores, "system": platform.platform(), "load_average_before": load}


def summarise(labels: Sequence[str], figures: Figures) -> dict[str, dict[str, dict[str, Any]]]:
    """Metric -> label -> {unit, min, median, cpu, spread, ratio, ratio_range} or {missing}.

    `min` is the minimum over the rounds, `median` the middle of the rounds' medians, `spread` how far the worst round's
    minimum lies above the best one's (0.1 = 10 %; None for a single round). `ratio` is the first label's minimum over
    this label's, and `ratio_range` the least and largest of the same ratio taken round by round.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    minima: dict[tuple[str, str], list[float]] = {}
    for label in labels:
        for line in (line for lines in figures.get(label, ()) for line in lines):
            if line["bench"] == "missing":
                found.setdefault(line["metric"], {})[label] = {"missing": line["reason"]}
            elif line["bench"] == "value":
                minima.setdefault((line["metric"], label), []).append(line["min"])
                row = found.setdefault(line["metric"], {}).setdefault(label, {"unit": line["unit"], "rounds": []})
                row.setdefault("rounds", []).append(line)
    for metric, rows in found.items():
        for label, row in rows.items():
            rounds = row.pop("rounds", None)
            if not rounds or "missing" in row:
                continue
            values = minima[metric, label]
            row["min"], row["median"] = min(values), statistics.median(line["median"] for line in rounds)
            cpus = [line["cpu"] for line in rounds if line["cpu"] is not None]
            row["cpu"] = min(cpus) if cpus else None
            row["spread"] = max(values) / min(values) - 1 if len(values) > 1 and min(values) > 0 else None
            ours = minima.get((metric, labels[0]))
            if ours and label != labels[0] and min(*values, *ours) > 0:
                paired = [mine / other for mine, other in zip(ours, values, strict=False)]
                row["ratio"], row["ratio_range"] = min(ours) / min(values), [min(paired), max(paired)]
    return found


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"


def _row(label: str, row: Mapping[str, Any], width: int) -> str:
    if "missing" in row:
        return f"  {label:{width}}  missing: {row['missing'][:90]}"
    spread = "-" if row["spread"] is None else f"{row['spread']:.0%}"
    text = f"  {label:{width}}" + "".join(f"  {_number(row[name]):>9}" for name in ("min", "median", "cpu"))
    text += f"  {spread:>6}"
    if "ratio" in row:
        least, most = row["ratio_range"]
        text += f"   {row['ratio']:7.2f}  ({least:.2f} to {most:.2f})"
    return text


def print_tables(
    title: str,
    labels: Sequence[str],
    figures: Figures,
    missing: Mapping[str, str],
    facts: Mapping[str, Any],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Print one table per metric, what each variant was, and the state of the machine; return the summary."""
    summary = summarise(labels, figures)
    first, width = labels[0] if labels else "", max(map(len, labels), default=0)
    print(f"{title}\n{'=' * len(title)}")
    for metric, rows in summary.items():
        unit = next((row["unit"] for row in rows.values() if "unit" in row), "-")
        print(f"\n{metric} [{unit}]")
        print(f"  {'':{width}}  {'minimum':>9}  {'median':>9}  {'CPU time':>9}  {'spread':>6}   {first} / peer")
        for label in labels:
            if label in rows:
                print(_row(label, rows[label], width).rstrip())
    print()
    for label in labels:
        _print_variant(label, figures.get(label, ()), width)
    for label, reason in missing.items():
        print(f"  {label:{width}}  MISSING: {reason}")
    _print_machine(facts)
    return summary


def _print_variant(label: str, rounds: Sequence[Sequence[Mapping[str, Any]]], width: int) -> None:
    if not rounds:
        return
    infos = [line for lines in rounds for line in lines if line["bench"] == "info"]
    checks = [line for line in rounds[-1] if line["bench"] == "check"]
    parts = []
    if infos:
        parts += [f"{name} {version}" for name, version in infos[0]["versions"].items()]
        parts.append(f"Python {infos[0]['python']}")
        if "cores" in infos[0]:
            parts.append(f"{infos[0]['cores']} cores, peak {max(info['peak_mb'] for info in infos):.0f} MB")
    parts += [f"{name} {_number(value)}" for line in checks for name, value in line.items() if name != "bench"]
    print(f"  {label:{width}}  {', '.join(parts)}; rounds: {len(rounds)}")


def _print_machine(facts: Mapping[str, Any]) -> None:
    other, before = facts.get("other_load"), facts["load_average_before"]
    print(f"\n{facts['processor']}, {facts['cores']} cores, {facts['system']}")
    print(f"load average before: {before}, after (our workers included): {facts.get('load_average_after')}")
    if other is not None:
        print(f"other processes used {other:.0%} of the cores during the run")
    if facts.get("quick"):
        print("QUICK RUN: it shows that everything runs; the times mean nothing.")
    if (other is not None and other > QUIET) or (other is None and (before or 0) > 0.3 * (facts["cores"] or 1)):
        print("THE MACHINE WAS BUSY: compare roughly inside this run, and do not publish these figures.")
