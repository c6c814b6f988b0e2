"""Several trainings as one resumable job: finished ones are kept, a stopped one resumes, the rest run in order.

Used by reproduce.py, ablations.py and sweep.py. Each run is a process of train_accelerate.py with its own folder; a run
is finished when its eval_results.json is there with the arguments asked for, and the training went to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml

from benchmarks.environment import describe_commit
from modeling_spert.shared.commands import CommandParser, command
from modeling_spert.training.arguments import TrainingArguments, public_arguments
from modeling_spert.training.checkpoints import check_same_run, find_checkpoint, read_progress
from modeling_spert.training.command_line import parse_arguments

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = "all-MiniLM-L6-v2 (bundled)"
BENCHMARK_NAMES = ("conll04", "scierc", "ade")
_MADE_WITH = "made_with.json"
# Arguments that change where files are and what is written next to the scores, but no score.
_WITHOUT_EFFECT = frozenset(
    "config data_dir output_dir overwrite_output_dir resume_from_checkpoint verbose num_workers log_every save_every "
    "report_to push_to_hub hub_model_id hub_private hub_strategy".split()
)


class RunError(Exception):
    """A training that ended without scores; `code` is the exit code to pass on."""

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        name: Its folder below the output folder.
        flags: Of train_accelerate.py, without `--output_dir`.
    """

    name: str
    flags: tuple[str, ...]

    def arguments(self, output: Path) -> TrainingArguments:
        """What the flags mean; wrong ones end the program with a message."""
        return parse_arguments([*self.flags, "--output_dir", str(output / self.name)])


def run_jobs(jobs: Sequence[Job], output: Path, launcher: Sequence[str] = ()) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Run what is not finished, one after the other.

    Args:
        jobs: With distinct names.
        output: Folder of the runs' folders.
        launcher: What starts the script, such as `accelerate launch --num_processes 2`; default: this Python.

    Yields:
        Each job with the content of its eval_results.json, as soon as it has one.

    Raises:
        ValueError: Before anything is run, if a folder holds a run with other arguments.
        RunError: If a training fails or is interrupted.
    """
    assert len({job.name for job in jobs}) == len(jobs), "two jobs share a folder"
    for job in jobs:
        find_state(job, output)
    for position, job in enumerate(jobs, 1):
        results, checkpoint = find_state(job, output)
        made_with = describe_code()
        state = "finished before" if results else "resumes" if checkpoint else "starts"
        print(f"[{position}/{len(jobs)}] {job.name}: {state}", flush=True)
        if results is None:
            _train(job, output, launcher, is_resumed=checkpoint is not None)
            mark_finished(job, output, made_with)
            results, _ = find_state(job, output)
            if results is None:
                raise RunError(f"{job.name} ended without {output / job.name / 'eval_results.json'}", 1)
        yield job, results


def find_state(job: Job, output: Path) -> tuple[dict[str, Any] | None, Path | None]:
    """Results of a finished run, or the checkpoint to resume from, or neither.

    Raises:
        ValueError: If they belong to a run with other arguments.
    """
    folder, args = output / job.name, job.arguments(output)
    with suppress(OSError, json.JSONDecodeError):  # absent, or killed while writing it: then the checkpoint is there
        results = json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))
        changed = changed_arguments(results["arguments"], public_arguments(args))
        if changed:
            raise ValueError(
                f"{folder} holds a finished run with other arguments ({'; '.join(changed)}): choose another --output, "
                "or remove the folder"
            )
        # Evaluations during a training write scores too.
        if any((folder / name).is_file() for name in (_MADE_WITH, "training_state.json")):
            return results, None
    try:
        checkpoint = find_checkpoint("last", folder)
    except ValueError:
        return None, None
    try:
        check_same_run(read_progress(checkpoint)[1], asdict(args))
    except ValueError as error:
        raise ValueError(f"{folder} holds an unfinished run that cannot be resumed: {error}") from error
    return None, checkpoint


def mark_finished(job: Job, output: Path, made_with: Mapping[str, str]) -> None:
    """Write down that a training went to its end, and with which code (`describe_code`)."""
    (output / job.name / _MADE_WITH).write_text(json.dumps(dict(made_with), indent=1), encoding="utf-8")


def changed_arguments(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The arguments with an effect on scores that differ, in words.

    >>> changed_arguments({"seed": 1, "output_dir": "a"}, {"seed": 2, "output_dir": "b"})
    ['--seed was 1, is 2']
    """
    return [
        f"--{name} was {before[name]!r}, is {value!r}"
        for name, value in now.items()
        if name not in _WITHOUT_EFFECT and name in before and before[name] != value
    ]


def training_command(job: Job, output: Path, launcher: Sequence[str], *, is_resumed: bool) -> list[str]:
    """What starts or resumes a training; what one without a checkpoint has left in its folder is overwritten."""
    resume = ("--resume_from_checkpoint", "last") if is_resumed else ("--overwrite_output_dir",)
    script = str(ROOT / "train_accelerate.py")
    return [*(launcher or [sys.executable]), script, *job.flags, "--output_dir", str(output / job.name), *resume]


def _train(job: Job, output: Path, launcher: Sequence[str], *, is_resumed: bool) -> None:
    command = training_command(job, output, launcher, is_resumed=is_resumed)
    code, stopped = _call(command)
    if stopped or code == 130:
        raise RunError(f"Stopped in {job.name}. To resume, give the same command again", 130)
    if code:
        raise RunError(f"{job.name} failed with exit code {code}: {shlex.join(command)}", code if code > 0 else 1)


def _call(command: Sequence[str]) -> tuple[int, bool]:
    """Exit code of a command, and whether a signal arrived while it ran.

    The training saves its state at the first Ctrl-C and gives up at the second, so it must get each signal once. It
    therefore has its own process group, which the terminal does not reach, and this process passes its signals on.
    """
    process: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def pass_on(signal_number: int, _: Any) -> None:
        received.append(signal_number)
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal_number)

    previous = {known: signal.signal(known, pass_on) for known in (signal.SIGINT, signal.SIGTERM)}
    try:
        process = subprocess.Popen(command, start_new_session=True)
        if received:  # it arrived while the process was being started
            os.killpg(process.pid, received[0])
        return process.wait(), bool(received)
    finally:
        for known, handler in previous.items():
            signal.signal(known, handler)


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); None for a single value.

    >>> mean_and_deviation([1.0, 2.0, 3.0]), mean_and_deviation([4.0])
    ((2.0, 1.0), (4.0, None))
    """
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def format_score(mean: float, deviation: float | None) -> str:
    """Two decimals, with the deviation if there is one.

    >>> format_score(70.456, 1.2), format_score(70.456, None)
    ('70.46 ± 1.20', '70.46')
    """
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ± {deviation:.2f}"


def describe(args: TrainingArguments, script: str, command: Sequence[str], folders: Sequence[Path]) -> dict[str, str]:
    """How the figures of some finished runs were made: command, commit, dates, encoder, recipe, versions."""
    epochs = "as many epochs as the data need" if args.num_train_epochs is None else f"{args.num_train_epochs} epochs"
    length = epochs if args.max_steps < 0 else f"{args.max_steps} steps"
    batch = args.per_device_train_batch_size * args.gradient_accumulation_steps
    facts = {
        "Command": shlex.join(["python", "-m", f"benchmarks.{script}", *map(_without_folders, command)]),
        "Encoder": BUNDLED if args.backbone == "bundled" else public_arguments(args)["backbone"],
        "Recipe": f"{length}, batch {batch} per process, learning rate {args.learning_rate:g}, trained on "
        f"{args.train_split}",
    }
    made_with = [read_made_with(folder) for folder in folders]
    for name in ("Commit", "Date", "Versions"):  # runs of one job may have been made on different days
        facts[name] = ", ".join(dict.fromkeys(made.get(name, "not recorded") for made in made_with))
    return facts


def _without_folders(word: str) -> str:
    """A report may be shown to others: an absolute path is reduced to its name."""
    return Path(word).name if os.path.isabs(word) else word


def read_made_with(folder: Path) -> dict[str, str]:
    """Commit, date and versions of a run."""
    with suppress(OSError, json.JSONDecodeError):
        return json.loads((folder / _MADE_WITH).read_text(encoding="utf-8"))
    return {}  # a run that was not made by these scripts


def describe_code() -> dict[str, str]:
    """Commit, date and versions, for the record of a run."""
    return {
        "Commit": describe_commit() or "not a git checkout",
        "Date": time.strftime("%Y-%m-%d"),
        "Versions": f"torch {torch.__version__}, transformers {transformers.__version__}",
    }


def format_facts(facts: Mapping[str, str]) -> str:
    """The facts of `describe` as a Markdown list.

    >>> print(format_facts({"Date": "2020-01-02", "Command": "python x"}))
    - Date: 2020-01-02
    - Command: `python x`
    """
    return "\n".join(f"- {name}: " + (f"`{text}`" if name == "Command" else text) for name, text in facts.items())


def write_report(output: Path, name: str, text: str, content: Mapping[str, Any]) -> None:
    """Write OUTPUT/name.md and OUTPUT/name.json."""
    output.mkdir(parents=True, exist_ok=True)
    (output / f"{name}.md").write_text(text, encoding="utf-8")
    (output / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def build_parser(script: str, doc: str) -> argparse.ArgumentParser:
    """The arguments that both scripts take."""
    parser = CommandParser(prog=f"python -m benchmarks.{script}", description=doc.splitlines()[0])
    parser.epilog = "What comes after -- goes to train_accelerate.py."
    parser.add_argument("--first_seed", type=int, default=42, help="the other seeds follow it")
    parser.add_argument("--config", help="recipe; default: configs/DATASET.yaml, the paper's")
    parser.add_argument("--data_dir", help="folder of the benchmark's files; default: download them")
    parser.add_argument("--output", type=Path, help=f"folder to write; default: runs/{script}/NAME_OF_THE_RECIPE")
    parser.add_argument("--launch", default="", help="launcher, as 'accelerate launch --num_processes 2'")
    return parser


def parse_command(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, checked and with their defaults; `extra` holds those after `--`."""
    own = list(argv)
    place = own.index("--") if "--" in own else len(own)
    args = parser.parse_args(own[:place])
    args.extra, args.command = own[place + 1 :], own
    if args.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {args.seeds}")
    args.seeds = range(args.first_seed, args.first_seed + args.seeds)
    args.config = args.config or str(ROOT / "configs" / f"{args.dataset}.yaml")
    args.output = args.output or Path("runs") / parser.prog.rpartition(".")[2] / Path(args.config).stem
    try:
        settings = yaml.safe_load(Path(args.config).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        parser.error(f"--config {args.config} cannot be read: {error}")
    named = settings.get("dataset", args.dataset) if isinstance(settings, dict) else args.dataset
    if named != args.dataset:
        parser.error(f"--config {args.config} is a recipe for {named}, not for {args.dataset}")
    return args


def training_flags(args: argparse.Namespace, *flags: str) -> tuple[str, ...]:
    """Flags of train_accelerate.py that all runs share; later ones override earlier ones and the recipe."""
    data = ("--data_dir", args.data_dir) if args.data_dir else ()
    return ("--config", args.config, "--dataset", args.dataset, *data, *flags, *args.extra)


@command()
def run_script(function: Callable[[argparse.Namespace], None], args: argparse.Namespace) -> None:
    """Call the script's function; a training that fails passes its exit code on, a stopped job ends with 130."""
    try:
        function(args)
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.code)
