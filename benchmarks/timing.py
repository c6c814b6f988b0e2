"""Timing for the benchmarks: interleaved runs, medians and quartiles, wall and CPU time, tables and JSON.

Method. Candidates are lists of equally many units of work (a batch, a step, a call). In every repetition each unit is
run by all candidates before the next unit, in an order that is reversed from one repetition to the next, so that a
machine that is slow for a while slows all of them. Each candidate's time in a repetition is the sum over its units.
Wall time comes with the process's CPU time (all threads), which other processes on a shared host disturb less. A ratio
is the ratio of two medians; its spread is given by the quartiles of the ratios of single repetitions.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from modeling_spert.shared.markdown import table

Unit = Callable[[], object]


@dataclass(frozen=True)
class Sample:
    """Seconds of one repetition."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interleave(
    candidates: Mapping[str, Sequence[Unit]], repetitions: int, warmup: int = 1, device: str = "cpu"
) -> dict[str, list[Sample]]:
    """Run all candidates in turn.

    Args:
        candidates: Units of each candidate, equally many.
        repetitions: Timed passes over all units.
        warmup: Passes before them that are not timed.
        device: "cuda" waits for the device before the clock is read.

    Returns:
        A sample per repetition for each candidate.
    """
    names = list(candidates)
    (count,) = {len(units) for units in candidates.values()}
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for repetition in range(-warmup, repetitions):
        sums = {name: [0.0, 0.0] for name in names}
        for index in range(count):
            for name in names if (repetition + index) % 2 else reversed(names):
                sample = run_once(candidates[name][index], device)
                sums[name][0] += sample.wall
                sums[name][1] += sample.cpu
        if repetition >= 0:
            for name in names:
                found[name].append(Sample(*sums[name]))
    return found


def run_once(unit: Unit, device: str = "cpu") -> Sample:
    """Time one unit."""
    _wait(device)
    wall, cpu = time.perf_counter(), time.process_time()
    unit()
    _wait(device)
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def summarize(samples: Mapping[str, Sequence[Sample]], baseline: str) -> dict[str, Any]:
    """Seconds of every candidate and its ratio to the baseline, by wall and by CPU time, as plain data."""
    seconds, ratios = {}, {}
    for name, own in samples.items():
        seconds[name] = {clock: asdict(_spread(own, clock)) for clock in ("wall", "cpu")}
        if name != baseline:
            ratios[name] = {clock: asdict(_ratio(own, samples[baseline], clock)) for clock in ("wall", "cpu")}
    return {"baseline": baseline, "repetitions": len(samples[baseline]), "seconds": seconds, "ratio": ratios}


def _spread(samples: Sequence[Sample], clock: str) -> Spread:
    return Spread.of([getattr(sample, clock) for sample in samples])


def _ratio(samples: Sequence[Sample], baseline: Sequence[Sample], clock: str) -> Spread:
    single = [getattr(a, clock) / getattr(b, clock) for a, b in zip(samples, baseline, strict=True)]
    spread = Spread.of(single)
    return Spread(_spread(samples, clock).median / _spread(baseline, clock).median, spread.low, spread.high)


def show_spread(spread: Mapping[str, float]) -> str:
    """Median and quartiles for a table."""
    return str(Spread(**spread))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A Markdown table with aligned columns."""
    print(table(header, rows, align=True))


def print_unmeasured(rows: Sequence[Mapping[str, Any]]) -> None:
    """Name the settings of the rows that this machine could not run."""
    settings = dict.fromkeys(f"{row['device']} {row['dtype']}" for row in rows if not row["measured"])
    if settings:
        print(f"\nnot measured, because the device is missing: {', '.join(settings)}")


def write_json(path: str | None, default_name: str, results: Mapping[str, Any]) -> None:
    """Write the results; an empty path means benchmarks/results/<default_name>.json, None means nowhere."""
    if path is None:
        return
    target = Path(path) if path else Path(__file__).parent / "results" / f"{default_name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"\nWritten to {target}")
