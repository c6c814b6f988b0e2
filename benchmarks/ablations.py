"""Train with one choice of the paper switched at a time, and compare the scores with what the paper found.

    python -m benchmarks.ablations relation_context span_pooling --config configs/conll04_bundled_fast.yaml
    python -m benchmarks.ablations all --dataset scierc --seeds 3 -- --num_train_epochs 5

Models are trained on train and scored on dev (ADE, which has no dev: on the test part of the recipe's fold), all at the
budget of the recipe and of the arguments after `--`, which go to train_accelerate.py. The unchanged recipe is run
once and serves every ablation. The same command resumes a job that was stopped and keeps what is finished. Writes
OUTPUT/ablations.md, OUTPUT/ablations.json and OUTPUT/ablations.png.
"""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.published import ABLATIONS, Ablation
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
from modeling_spert import SpertConfig
from modeling_spert.shared.markdown import table
from modeling_spert.training.arguments import MODEL_SETTINGS, model_settings

BASELINE = "recipe"
# What is shown: score name, column.
COLUMNS = {
    "ner_f1_micro": "NER F1",
    "rel_strict_precision_micro": "relation precision",
    "rel_strict_recall_micro": "relation recall",
    "rel_strict_f1_micro": "relation F1",
}
Summary = Mapping[str, tuple[float, float | None]]


def list_settings(ablation: Ablation, configured: str) -> dict[str, str]:
    """Name of the runs by value: the recipe's own value is the recipe's run; it is the first, listed or not.

    >>> list_settings(ABLATIONS["span_pooling"], "max")
    {'max': 'recipe', 'mean': 'span_pooling=mean', 'sum': 'span_pooling=sum'}
    >>> list_settings(ABLATIONS["neg_entity_count"], "50")["50"]
    'recipe'
    """
    others = {value: f"{ablation.flag}={value}" for value in ablation.values if value != configured}
    return {configured: BASELINE, **others}


def plan_jobs(settings: Mapping[str, Mapping[str, str]], seeds: Sequence[int], flags: Sequence[str]) -> list[Job]:
    """A job for each distinct setting and seed, the recipe's first.

    >>> [job.name for job in plan_jobs({"span_pooling": {"max": "recipe", "sum": "span_pooling=sum"}}, [42], [])]
    ['recipe_seed42', 'span_pooling=sum_seed42']
    """
    switched = {BASELINE: ()} | {
        name: (f"--{ABLATIONS[key].flag}", value)
        for key, names in settings.items()
        for value, name in names.items()
        if name != BASELINE
    }
    return [
        Job(f"{name}_seed{seed}", (*flags, *switch, "--seed", str(seed)))
        for name, switch in switched.items()
        for seed in seeds
    ]


def summarize(runs: Sequence[Mapping[str, float]]) -> Summary:
    """Mean and deviation over the seeds of each score shown.

    >>> summarize([dict.fromkeys(COLUMNS, 1.0), dict.fromkeys(COLUMNS, 3.0)])["ner_f1_micro"][0]
    2.0
    """
    return {name: mean_and_deviation([scores[name] for scores in runs]) for name in COLUMNS}


def format_section(key: str, names: Mapping[str, str], summaries: Mapping[str, Summary], dataset: str) -> str:
    """Table and finding of one ablation, in Markdown."""
    ablation = ABLATIONS[key]
    rows = []
    for value, name in names.items():
        if name not in summaries:
            continue
        summary = summaries[name]
        difference = summary["rel_strict_f1_micro"][0] - summaries[BASELINE]["rel_strict_f1_micro"][0]
        change = "" if name == BASELINE else f"{difference:+.2f}"
        rows.append([value, *(format_score(*summary[column]) for column in COLUMNS), change])
        figures = ablation.figures.get(value, {}) if dataset == "conll04" else {}
        if figures:
            published = [f"{figures[column]:.1f}" if column in figures else "" for column in COLUMNS]
            rows.append([f"{value}, in the paper", *published, ""])
    header = [ablation.flag, *COLUMNS.values(), "change of relation F1"]
    return f"## {key}\n\n{table(header, rows)}\n\n{ablation.finding}"


def draw(
    path: Path, settings: Mapping[str, Mapping[str, str]], summaries: Mapping[str, Summary], dataset: str, note: str
) -> None:
    """One panel per ablation: bars of the scores shown by value; diamonds are the paper's figures."""
    from matplotlib.figure import Figure  # no pyplot: nothing global, no display

    figure = Figure(figsize=(9, 3 * len(settings) + 1), layout="constrained")
    panels = figure.subplots(len(settings), 1, squeeze=False)[:, 0]
    legend: dict[str, Any] = {}
    for panel, (key, names) in zip(panels, settings.items(), strict=True):
        ablation, done = ABLATIONS[key], {value: name for value, name in names.items() if name in summaries}
        _draw_bars(panel, done, summaries)
        if dataset == "conll04":
            _mark_published(panel, ablation, list(done))
        panel.set_xticks(range(len(done)), list(done))
        panel.set_title(f"{key}\n" + textwrap.fill(ablation.finding, 100), fontsize=9)
        panel.set_ylim(0, 100)
        panel.set_ylabel("percent")
        handles, titles = panel.get_legend_handles_labels()
        legend |= dict(zip(titles, handles, strict=True))
    figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=len(legend), fontsize=8)
    figure.suptitle(note, fontsize=10)
    figure.savefig(path, dpi=130)


_BAR = 0.8 / len(COLUMNS)


def _bar_position(column: int, value: int) -> float:
    return value + (column - (len(COLUMNS) - 1) / 2) * _BAR


def _draw_bars(panel: Any, names: Mapping[str, str], summaries: Mapping[str, Summary]) -> None:
    for index, (column, title) in enumerate(COLUMNS.items()):
        found = [summaries[name][column] for name in names.values()]
        spread = [deviation or 0 for _, deviation in found] if any(deviation for _, deviation in found) else None
        positions = [_bar_position(index, value) for value in range(len(found))]
        panel.bar(positions, [mean for mean, _ in found], _BAR, yerr=spread, label=title)


def _mark_published(panel: Any, ablation: Ablation, values: Sequence[str]) -> None:
    points = [
        (_bar_position(index, position), ablation.figures[value][column])
        for position, value in enumerate(values)
        for index, column in enumerate(COLUMNS)
        if column in ablation.figures.get(value, {})
    ]
    if points:
        panel.plot(*zip(*points, strict=True), "D", color="black", markersize=5, label="the paper (BERT base)")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line of this script."""
    parser = build_parser("ablations", __doc__ or "")
    names = [*ABLATIONS, "all"]
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--dataset", choices=BENCHMARK_NAMES, default="conll04")
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds")
    args = parse_command(parser, argv)
    args.names = list(ABLATIONS) if "all" in args.names else list(dict.fromkeys(args.names))
    if importlib.util.find_spec("matplotlib") is None:
        parser.error("the plot needs matplotlib: pip install 'modeling-spert[plot]'")
    return args


def ablate(args: argparse.Namespace) -> None:
    """Run everything; write the report and the plot after each setting."""
    eval_split = "test" if args.dataset == "ade" else "dev"
    flags = training_flags(args, "--train_split", "train", "--eval_split", eval_split)
    training = Job("", flags).arguments(args.output)
    model = SpertConfig(**model_settings(training))  # fills what the recipe leaves to the model's defaults
    configured = {**asdict(training), **{name: getattr(model, name) for name in MODEL_SETTINGS}}
    settings = {key: list_settings(ABLATIONS[key], str(configured[ABLATIONS[key].flag])) for key in args.names}
    jobs = plan_jobs(settings, args.seeds, flags)
    scores: dict[str, list[dict[str, float]]] = {}
    for done, (job, results) in enumerate(run_jobs(jobs, args.output, shlex.split(args.launch)), 1):
        name = job.name.rpartition("_seed")[0]
        scores.setdefault(name, []).append(results["scores"])
        if done % len(args.seeds):
            continue
        summaries = {name: summarize(runs) for name, runs in scores.items()}
        facts = describe(training, "ablations", args.command, [args.output / job.name for job in jobs[:done]])
        facts["Scored on"] = f"{results['split']}, after {results['step']} steps"
        facts["Seeds"] = ", ".join(map(str, args.seeds))
        if done < len(jobs):
            facts["Incomplete"] = f"{done} of {len(jobs)} runs"
        write_results(args, settings, summaries, facts)
    print(f"\n{(args.output / 'ablations.md').read_text(encoding='utf-8')}")


def write_results(
    args: argparse.Namespace,
    settings: Mapping[str, Mapping[str, str]],
    summaries: Mapping[str, Summary],
    facts: Mapping[str, str],
) -> None:
    """The report as Markdown and JSON, and the plot."""
    spread = "Mean ± sample standard deviation over the seeds." if len(args.seeds) > 1 else "One run each."
    intro = f"Micro averages in percent; relations strict. {spread} `{BASELINE}` is run once for all tables."
    sections = [format_section(key, names, summaries, args.dataset) for key, names in settings.items()]
    text = "\n\n".join([f"# Ablations on {args.dataset}", format_facts(facts), intro, *sections]) + "\n"
    content = {
        "dataset": args.dataset,
        "facts": dict(facts),
        "ablations": {
            key: {
                "finding": ABLATIONS[key].finding,
                "values": {
                    value: {
                        column: {"mean": mean, "deviation": deviation}
                        for column, (mean, deviation) in summaries[name].items()
                    }
                    for value, name in names.items()
                    if name in summaries
                },
            }
            for key, names in settings.items()
        },
    }
    write_report(args.output, "ablations", text, content)
    note = f"{args.dataset}, {facts['Encoder']}, {facts['Recipe']}"
    draw(args.output / "ablations.png", settings, summaries, args.dataset, note)


if __name__ == "__main__":
    sys.exit(run_script(ablate, parse_arguments(sys.argv[1:])))
