"""Train variants of a recipe that a YAML file describes, side by side, and compare each with the baseline by seed.

    python -m benchmarks.sweep benchmarks/plus_levers.yaml --results benchmarks/results/sweep.jsonl --jobs 2
    python -m benchmarks.sweep benchmarks/plus_levers.yaml --results benchmarks/results/sweep.jsonl --table

The file names `common` flags of train_accelerate.py, the `baseline`, `seeds`, and `runs`: name → flags, with `extends`
(the run whose flags come first) and its own `seeds`. `$NAME` in a value is a variable of the environment. Under
`checks`, `relation_free` names a file for modeling_spert.evaluation.ordinary_text. The file is read anew before each
training, so it can be changed while the sweep runs. A sweep that was stopped resumes by the same command. A finished
run is a line of the results, with the scores of the evaluation split only: choose by dev.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.runs import (
    Job,
    changed_arguments,
    describe_code,
    find_state,
    format_score,
    mark_finished,
    mean_and_deviation,
    read_made_with,
    run_script,
)
from benchmarks.side_by_side import cpu_seconds, run_side_by_side
from modeling_spert import SpertModel
from modeling_spert.evaluation.ordinary_text import measure_ordinary_text
from modeling_spert.evaluation.sentence_files import read_sentences
from modeling_spert.shared.commands import CommandParser
from modeling_spert.shared.markdown import table
from modeling_spert.training.arguments import public_arguments
from modeling_spert.training.tokenizer import load_tokenizer

# Scores of the table: name, column.
SCORES = {"ner_f1_micro": "entities", "rel_f1_micro": "relations", "rel_strict_f1_micro": "relations, strict"}
CHECKS = {"relations_per_100_sentences": "invented per 100", "entity_f1": "entities there"}
_KEYS = {"baseline", "seeds", "common", "checks", "runs"}


@dataclass(frozen=True)
class SweepJob:
    """A training of a sweep: the name of its run, and its seed."""

    run: str
    seed: int
    job: Job


@dataclass(frozen=True)
class Plan:
    """What a sweep file says: the run that the others are compared with, the trainings in order, files to check on."""

    baseline: str
    jobs: tuple[SweepJob, ...]
    checks: Mapping[str, str]


def read_plan(path: Path) -> Plan:
    """The plan of a sweep file.

    Raises:
        ValueError: If it cannot be read, has an unknown key, or a run extends one that does not come before it.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("runs"), dict) or not content["runs"]:
        raise ValueError(f"{path} must have runs: name → flags")
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise ValueError(f"{path} has the unknown key {unknown[0]!r}; known ones are {', '.join(sorted(_KEYS))}")
    known: dict[str, dict[str, Any]] = {}
    jobs: list[SweepJob] = []
    for name, own in content["runs"].items():
        flags = dict(own or {})
        base, seeds = flags.pop("extends", None), flags.pop("seeds", content.get("seeds", [42]))
        if base is not None and base not in known:
            raise ValueError(f"{path}: run {name} extends {base!r}, which does not come before it")
        known[name] = {**(known[base] if base else content.get("common") or {}), **flags}
        words = [word for flag, value in known[name].items() for word in _flag(path, flag, value)]
        jobs += [SweepJob(name, seed, Job(f"{name}_seed{seed}", (*words, "--seed", str(seed)))) for seed in seeds]
    baseline = content.get("baseline", next(iter(known)))
    if baseline not in known:
        raise ValueError(f"{path}: baseline {baseline!r} is not among the runs {', '.join(known)}")
    checks = {name: _expand(path, value) for name, value in (content.get("checks") or {}).items()}
    if set(checks) - {"relation_free"}:
        raise ValueError(f"{path}: checks may have relation_free, got {', '.join(checks)}")
    return Plan(baseline, tuple(jobs), checks)


def _flag(path: Path, name: str, value: Any) -> list[str]:
    """A flag of the training script; none for a value of null."""
    if value is None:
        return []
    if isinstance(value, list):
        return [f"--{name}", *(_expand(path, item) for item in value)]
    return [f"--{name}={_expand(path, value)}"]


def _expand(path: Path, value: Any) -> str:
    text = os.path.expandvars(str(value))
    if "$" in text:
        raise ValueError(f"{path}: {value} names a variable of the environment that is not set")
    return text


def read_results(path: Path) -> list[dict[str, Any]]:
    """The lines of finished runs; a last line that a kill has cut is left out."""
    if not path.is_file():
        return []
    whole = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole if line.strip()]


def check_results(results: Sequence[Mapping[str, Any]], plan: Plan, output: Path) -> None:
    """Refuse a plan that changes the flags of a run that has results.

    Raises:
        ValueError: Naming the run and the flags; or, from its arguments, if the flags of a run are wrong.
    """
    lines = {(line["run"], line["seed"]): line for line in results}
    for member in plan.jobs:
        now = public_arguments(member.job.arguments(output))
        line = lines.get((member.run, member.seed))
        changed = changed_arguments(line["arguments"], now) if line else []
        if changed:
            raise ValueError(
                f"run {member.run}, seed {member.seed}, has results with other flags ({'; '.join(changed)}): give it "
                "another name, or remove its line"
            )


def run_sweep(path: Path, results: Path, output: Path, count: int) -> int:
    """Run what has no results yet.

    Args:
        path: The sweep file.
        results: JSON Lines to add to.
        output: Folder of the runs' folders.
        count: Trainings at a time.

    Returns:
        0 if all have results, 130 if a signal arrived, 1 if a training failed.
    """
    check_results(read_results(results), read_plan(path), output)
    taken: dict[str, tuple[SweepJob, dict[str, str]]] = {}
    done = {(line["run"], line["seed"]) for line in read_results(results)}

    def next_job() -> Job | None:
        for member in read_plan(path).jobs:
            if member.job.name in taken or (member.run, member.seed) in done:
                continue
            taken[member.job.name] = (member, describe_code())
            if find_state(member.job, output)[0] is None:
                print(f"{member.job.name} starts: {output / member.job.name}.log", flush=True)
                return member.job
            _record(member, read_plan(path), results, output)  # a kill came between its end and its line
        return None

    worst = 0
    for ended in run_side_by_side(next_job, output, count):
        member, made_with = taken[ended.job.name]
        if ended.code:
            print(f"{ended.job.name} ended with exit code {ended.code}: {ended.log}", flush=True)
            worst = max(worst, 130 if ended.code == 130 else 1)
            continue
        mark_finished(ended.job, output, made_with)
        _record(member, read_plan(path), results, output)
    return worst


def _record(member: SweepJob, plan: Plan, results: Path, output: Path) -> None:
    """Add the line of a finished run, unless its check fails: then the same command tries the check again."""
    try:
        line = describe_run(member, output, plan.checks)
    except ValueError as error:
        print(f"{member.job.name} has no line of results: {error}", flush=True)
        return
    results.parent.mkdir(parents=True, exist_ok=True)
    staged = results.with_name(f".{results.name}.part")
    lines = [json.dumps(each) + "\n" for each in (*read_results(results), line)]  # without what a kill has cut
    staged.write_text("".join(lines), encoding="utf-8")
    os.replace(staged, results)
    shown = ", ".join(f"{title} {line['scores'][score]:.2f}" for score, title in SCORES.items())
    print(f"{member.job.name}: {shown}", flush=True)


def describe_run(member: SweepJob, output: Path, checks: Mapping[str, str]) -> dict[str, Any]:
    """The results line of a finished run.

    Raises:
        ValueError: If it has no scores, or a check fails.
    """
    found, _ = find_state(member.job, output)
    if found is None:
        raise ValueError(f"{output / member.job.name} has no eval_results.json")
    folder = output / member.job.name
    line = {
        "run": member.run,
        "seed": member.seed,
        **{name.lower(): value for name, value in read_made_with(folder).items()},
        "arguments": found["arguments"],
        "split": found["split"],
        "step": found["step"],
        "scores": {name: round(value, 3) for name, value in found["scores"].items() if "/" not in name},
        "cpu_seconds": round(cpu_seconds(member.job, output)),
    }
    if "relation_free" in checks:
        model, file = SpertModel.from_pretrained(str(folder)), Path(checks["relation_free"])
        rows = read_sentences(file, model.config.segmentation)
        line["ordinary_text"] = {
            "file": file.name,
            **measure_ordinary_text(model, load_tokenizer(str(folder)), rows),
        }
    return line


def sign_flip_test(differences: Sequence[float]) -> float:
    """How probable a mean at least as far from 0 is, if every difference might as well have the other sign.

    Exact, over all 2^n signs, two-sided: with n pairs at least 2 / 2^n. Fisher, The Design of Experiments, 1935.

    >>> sign_flip_test([1.0, 2.0, 3.0]), sign_flip_test([1.0, -1.0])
    (0.25, 1.0)
    """
    observed = abs(sum(differences)) - 1e-9
    signs = itertools.product((1, -1), repeat=len(differences))
    sums = [abs(sum(s * d for s, d in zip(sign, differences, strict=True))) for sign in signs]
    return sum(value >= observed for value in sums) / len(sums)


def format_difference(differences: Sequence[float]) -> str:
    """Mean difference, its standard error over the pairs, and the probability of `sign_flip_test`.

    >>> format_difference([1.0, 3.0]), format_difference([1.0]), format_difference([])
    ('+2.00 ± 1.00 (p 0.5, n 2)', '+1.00', '')
    """
    if not differences:
        return ""
    mean = f"{statistics.fmean(differences):+.2f}"
    if len(differences) < 2:
        return mean
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return f"{mean} ± {error:.2f} (p {sign_flip_test(differences):.2g}, n {len(differences)})"


def table_rows(results: Sequence[Mapping[str, Any]], baseline: str) -> Iterator[list[str]]:
    """A row per run: seeds, each score and its paired difference from the baseline, checks, CPU minutes."""
    by_run: dict[str, dict[int, Mapping[str, Any]]] = {}
    for line in results:
        by_run.setdefault(line["run"], {})[line["seed"]] = line
    base = by_run.get(baseline, {})
    for name, lines in by_run.items():
        cells = [name, str(len(lines))]
        for score in SCORES:
            shared = sorted(lines.keys() & base.keys()) if name != baseline else []
            pairs = [lines[seed]["scores"][score] - base[seed]["scores"][score] for seed in shared]
            cells.append(format_score(*mean_and_deviation([line["scores"][score] for line in lines.values()])))
            cells.append(format_difference(pairs))
        for check in CHECKS:
            found = [line.get("ordinary_text", {}).get(check) for line in lines.values()]
            known = [value for value in found if value is not None]
            cells.append(format_score(*mean_and_deviation(known)) if known else "")
        cells.append(f"{statistics.fmean(line['cpu_seconds'] for line in lines.values()) / 60:.1f}")
        yield cells


def format_table(results: Sequence[Mapping[str, Any]], baseline: str) -> str:
    """The comparison, in Markdown."""
    scores = [cell for title in SCORES.values() for cell in (title, f"− {baseline}")]
    return table(["run", "n", *scores, *CHECKS.values(), "CPU minutes"], list(table_rows(results, baseline)))


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line of this script."""
    parser = CommandParser(prog="python -m benchmarks.sweep", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sweep", type=Path, help="YAML file of the sweep")
    parser.add_argument("--output", type=Path, help="folder of the runs; default: runs/sweep/NAME_OF_THE_FILE")
    parser.add_argument("--results", type=Path, help="JSON Lines to add to; default: OUTPUT/results.jsonl")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--table", action="store_true", help="print the comparison of what is finished, run nothing")
    args = parser.parse_args(argv)
    if args.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {args.jobs}")
    args.output = args.output or Path("runs") / "sweep" / args.sweep.stem
    args.results = args.results or args.output / "results.jsonl"
    return args


def sweep(args: argparse.Namespace) -> None:
    """Run the sweep, unless only the table is asked for, and print the table."""
    plan = read_plan(args.sweep)
    code = 0 if args.table else run_sweep(args.sweep, args.results, args.output, args.jobs)
    results = read_results(args.results)
    if results:
        print(f"\nMicro F1, mean ± sample standard deviation over n seeds.\n\n{format_table(results, plan.baseline)}")
    if code:
        sys.exit(code)


if __name__ == "__main__":
    sys.exit(run_script(sweep, parse_arguments(sys.argv[1:])))
