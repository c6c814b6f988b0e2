"""Train and score a benchmark over several seeds (for ADE: folds), next to the published figures.

    python -m benchmarks.reproduce conll04 --seeds 5
    python -m benchmarks.reproduce ade --config configs/ade_bundled.yaml --folds 0 --seeds 1 -- --num_workers 2

What comes after `--` goes to train_accelerate.py. The same command resumes a job that was stopped and keeps
what is finished. Scores of all conventions, with and without overlapping entities, go to OUTPUT/reproduce.md and
OUTPUT/reproduce.json, written anew after each run.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.published import PUBLISHED_F1, PUBLISHED_WITH
from benchmarks.runs import (
    BENCHMARK_NAMES,
    Job,
    build_parser,
    describe,
    format_facts,
    format_score,
    mean_and_deviation,
    parse_command,
    run_jobs,
    run_script,
    training_flags,
    write_report,
)
from modeling_spert.evaluation.conventions import CONVENTIONS
from modeling_spert.shared.markdown import table

VARIANTS = {"": "", "no_overlapping_": ", no overlapping"}
MEASURES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Scored:
    """A finished run: its seed, its fold (ADE) and its scores in percent."""

    seed: int
    fold: int | None
    scores: Mapping[str, float]


def plan_jobs(seeds: Sequence[int], folds: Sequence[int | None], flags: Sequence[str]) -> list[Job]:
    """A job for each seed and fold, all folds of a seed before the next seed.

    >>> [job.name for job in plan_jobs([42], [0, 1], [])]
    ['seed42_fold0', 'seed42_fold1']
    """
    jobs = []
    for seed in seeds:
        for fold in folds:
            name = f"seed{seed}" + ("" if fold is None else f"_fold{fold}")
            fold_flags = () if fold is None else ("--fold", str(fold))
            jobs.append(Job(name, (*flags, *fold_flags, "--seed", str(seed))))
    return jobs


def aggregate(runs: Sequence[Scored]) -> dict[str, tuple[float, float | None]]:
    """Mean and deviation of every score in every convention.

    Folds are averaged within a seed. The deviation is that of the seeds, or of the folds where there is one seed.

    >>> runs = [Scored(1, 0, {"ner_f1_micro": 50.0}), Scored(1, 1, {"ner_f1_micro": 60.0})]
    >>> aggregate(runs)["ner_f1_micro"]
    (55.0, 7.0710678118654755)
    """
    seeds = sorted({run.seed for run in runs})
    summary = {}
    for key in _score_names(runs[0].scores):
        by_seed = [[run.scores[key] for run in runs if run.seed == seed] for seed in seeds]
        values = by_seed[0] if len(seeds) == 1 else [statistics.fmean(scores) for scores in by_seed]
        summary[key] = mean_and_deviation(values)
    return summary


def _score_names(scores: Mapping[str, float]) -> list[str]:
    names = (
        f"{variant}{prefix}_{measure}_{average}"
        for variant in VARIANTS
        for prefix in CONVENTIONS
        for average in ("micro", "macro")
        for measure in MEASURES
    )
    return [name for name in names if name in scores]


def format_results(
    dataset: str, runs: Sequence[Scored], summary: Mapping[str, tuple[float, float | None]], facts: Mapping[str, str]
) -> str:
    """The report, in Markdown."""
    published = PUBLISHED_F1[dataset]
    rows = []
    for variant, note in VARIANTS.items():
        for prefix, convention in CONVENTIONS.items():
            for average in ("micro", "macro"):
                names = [f"{variant}{prefix}_{measure}_{average}" for measure in MEASURES]
                figure = published.get(names[-1])
                cells = [format_score(*summary[name]) for name in names]
                rows.append(
                    [f"{convention.title.lower()}{note}", average, *cells, "" if figure is None else f"{figure:.2f}"]
                )
    heads = [f"{prefix}_f1_micro" for prefix in CONVENTIONS]
    single = [[run_name(run), *(f"{run.scores[name]:.2f}" for name in heads)] for run in runs]
    header = ["counted", "average", "precision", "recall", "F1", "published F1"]
    return "\n\n".join(
        [
            f"# {dataset}: {_count(runs)}",
            format_facts(facts),
            f"Percent. {_deviation_note(runs)} Published: {PUBLISHED_WITH[dataset]}.",
            table(header, rows),
            "Micro F1 of each run:",
            table(["run", *(convention.title.lower() for convention in CONVENTIONS.values())], single) + "\n",
        ]
    )


def run_name(run: Scored) -> str:
    """The run in words.

    >>> run_name(Scored(42, 3, {}))
    'seed 42, fold 3'
    """
    return f"seed {run.seed}" + ("" if run.fold is None else f", fold {run.fold}")


def _count(runs: Sequence[Scored]) -> str:
    seeds, folds = sorted({run.seed for run in runs}), sorted({run.fold for run in runs if run.fold is not None})
    text = f"{len(runs)} run{'s' if len(runs) > 1 else ''}, seeds {', '.join(map(str, seeds))}"
    return text + (f", folds {', '.join(map(str, folds))}" if folds else "")


def _deviation_note(runs: Sequence[Scored]) -> str:
    if len(runs) == 1:
        return "One run."
    seeds, folds = len({run.seed for run in runs}), len({run.fold for run in runs})
    if seeds == 1:
        return f"Mean ± sample standard deviation over {folds} folds, one seed."
    each = f", each the mean over {folds} folds" if folds > 1 else ""
    return f"Mean ± sample standard deviation over {seeds} seeds{each}."


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line of this script."""
    parser = build_parser("reproduce", __doc__ or "")
    parser.add_argument("dataset", choices=BENCHMARK_NAMES)
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds")
    parser.add_argument("--folds", type=int, nargs="+", help="folds of ADE; default: all ten")
    args = parse_command(parser, argv)
    if args.folds and args.dataset != "ade":
        parser.error(f"--folds goes with ade only, got {args.folds} for {args.dataset}")
    if args.folds and not (set(args.folds) <= set(range(10)) and len(set(args.folds)) == len(args.folds)):
        parser.error(f"--folds must be different numbers from 0 to 9, got {args.folds}")
    return args


def reproduce(args: argparse.Namespace) -> None:
    """Run everything; write the report after each run."""
    folds: list[int | None] = [None] if args.dataset != "ade" else args.folds or list(range(10))
    jobs = plan_jobs(args.seeds, folds, training_flags(args, "--no_overlapping"))
    training = jobs[0].arguments(args.output)
    runs: list[Scored] = []
    folders: list[Path] = []
    for job, results in run_jobs(jobs, args.output, shlex.split(args.launch)):
        arguments = results["arguments"]
        runs.append(Scored(arguments["seed"], arguments["fold"], results["scores"]))
        folders.append(args.output / job.name)
        facts = describe(training, "reproduce", args.command, folders)
        facts["Scored on"] = f"{results['split']}, after {results['step']} steps"
        if len(runs) < len(jobs):
            facts["Incomplete"] = f"{len(runs)} of {len(jobs)} runs"
        summary = aggregate(runs)
        content: dict[str, Any] = {
            "dataset": args.dataset,
            "facts": facts,
            "seeds": sorted({run.seed for run in runs}),
            "folds": [fold for fold in folds if fold is not None],
            "scores": {name: {"mean": mean, "deviation": deviation} for name, (mean, deviation) in summary.items()},
            "published": PUBLISHED_F1[args.dataset],
            "runs": [{"seed": run.seed, "fold": run.fold, "scores": dict(run.scores)} for run in runs],
        }
        write_report(args.output, "reproduce", format_results(args.dataset, runs, summary, facts), content)
    print(f"\n{(args.output / 'reproduce.md').read_text(encoding='utf-8')}")


if __name__ == "__main__":
    sys.exit(run_script(reproduce, parse_arguments(sys.argv[1:])))
