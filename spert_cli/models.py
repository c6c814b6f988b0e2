"""`spert train`, `evaluate`, `extract` and `demo`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spert_cli.bulk import is_folder, run_bulk
from spert_cli.names import check_model_name
from spert_cli.texts import Inputs, read_inputs

Model = Annotated[str, typer.Argument(metavar="MODEL", help="model folder, or a repository on the Hub (org/name)")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    everything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("train", context_settings=everything, add_help_option=False)(train)
    app.command("evaluate")(evaluate)
    app.command("extract")(extract)
    app.command("demo")(demo)


def train(context: typer.Context) -> int:
    """Train a model: `spert train my_data --output_dir runs/mine`; the arguments of train_accelerate.py."""
    import train_accelerate

    arguments = list(context.args)
    processes = _take_value(arguments, "--num_processes")
    if processes is not None and (not processes.isdigit() or int(processes) < 1):
        raise ValueError(f"--num_processes must be an integer >= 1, got {processes}")
    program, sys.argv[0] = sys.argv[0], "spert train"  # what argparse calls the program in its help
    try:
        if processes is not None and int(processes) > 1:
            train_accelerate.parse_arguments(arguments)  # a mistake ends here, before the launcher adds its report
            return _launch(int(processes), arguments)
        train_accelerate.main(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    finally:
        sys.argv[0] = program
    return 0


def _launch(processes: int, arguments: list[str]) -> int:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(processes)]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--multi_gpu"]
    return subprocess.run([*launch, "-m", "train_accelerate", *arguments], check=False).returncode


def _take_value(arguments: list[str], flag: str) -> str | None:
    """The value of a flag, which is removed with it; None where the flag is absent."""
    for index, argument in enumerate(arguments):
        if argument == flag:
            if index + 1 == len(arguments):
                raise ValueError(f"{flag} needs a value")
            value = arguments[index + 1]
            del arguments[index : index + 2]
            return value
        if argument.startswith(f"{flag}="):
            del arguments[index]
            return argument.partition("=")[2]
    return None


def evaluate(
    model: Model,
    data: Annotated[str, typer.Argument(metavar="DATA", help="file or folder of data, or demo, conll04, scierc, ade")],
    split: Annotated[str, typer.Option("--split", help="split to score")] = "test",
    data_dir: Annotated[str | None, typer.Option("--data_dir", help="folder of a benchmark's files")] = None,
    fold: Annotated[int | None, typer.Option("--fold", help="fold of ADE, 0 to 9")] = None,
    predictions: Annotated[Path | None, typer.Option("--predictions", help="file for the predictions (JSON)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the scores as JSON")] = False,
    batch_size: Annotated[int, typer.Option("--batch_size", help="windows per forward pass", min=1)] = 32,
) -> None:
    """Score a model on annotated data.

    Example: spert evaluate runs/mine my_data --split test
    """
    from datasets_scripts import load_joint_dataset
    from modeling_spert.evaluation import extraction_to_example, format_report, predict_examples, score_examples

    name = check_model_name(model)
    dataset = load_joint_dataset(data, data_dir, fold)
    examples = list(dataset.select(split))
    extractions = predict_examples(*load_model(name), examples, batch_size=batch_size)
    found = [extraction_to_example(row, extraction) for row, extraction in zip(examples, extractions, strict=True)]
    labels: dict[str, Any] = {"entity_types": dataset.entity_types, "relation_types": dataset.relation_types}
    labels["symmetric_relation_types"] = dataset.symmetric_relation_types
    scores = score_examples(examples, found, **labels)
    if predictions is not None:
        predictions.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    if not as_json:
        typer.echo(f"{dataset.name}, {split}: {len(examples)} {dataset.unit}s")
    typer.echo(json.dumps(scores) if as_json else format_report(scores))


def extract(
    model: Model,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help='texts; "-" reads a pipe. In bulk: files, folders, globs, addresses'),
    ] = None,
    file: Annotated[list[Path] | None, typer.Option("--file", help="text, JSON or JSON Lines; may be repeated")] = None,
    lines: Annotated[bool, typer.Option("--lines", help="each line of a text file is a text of its own")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="file to write to; a folder: extract in bulk", rich_help_panel="Output"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON list", rich_help_panel="Output")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="a JSON object per line", rich_help_panel="Output")] = False,
    entity_threshold: Annotated[
        float | None, typer.Option("--entity_threshold", help="least probability", rich_help_panel="Extraction")
    ] = None,
    relation_threshold: Annotated[
        float | None, typer.Option("--relation_threshold", help="least probability", rich_help_panel="Extraction")
    ] = None,
    overlap: Annotated[
        Literal["allow", "nested", "flat"] | None,
        typer.Option(
            "--overlap", help="overlaps of entities to keep; default: the model's", rich_help_panel="Extraction"
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch_size", help="windows per forward pass", min=1, rich_help_panel="Extraction")
    ] = 32,
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"] | None,
        typer.Option("--precision", help="default: as the model was saved", rich_help_panel="Extraction"),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option("--text_column", help="column of the text (text)", rich_help_panel="Bulk")
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id_column", help="column of the id; default: file and row", rich_help_panel="Bulk"),
    ] = None,
    num_processes: Annotated[
        int | None, typer.Option("--num_processes", help="processes, or Ray's actors (1)", rich_help_panel="Bulk")
    ] = None,
    num_threads: Annotated[
        int | None, typer.Option("--num_threads", help="threads of each process (1)", rich_help_panel="Bulk")
    ] = None,
    shard_size: Annotated[
        int | None, typer.Option("--shard_size", help="documents in an output file (2000)", rich_help_panel="Bulk")
    ] = None,
    format_: Annotated[
        Literal["parquet", "jsonl"] | None,
        typer.Option("--format", help="of the output files (parquet)", rich_help_panel="Bulk"),
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", help="commit of a model on the Hub", rich_help_panel="Bulk")
    ] = None,
    engine: Annotated[
        Literal["local", "ray"] | None,
        typer.Option("--engine", help="this machine, or a Ray cluster (local)", rich_help_panel="Bulk"),
    ] = None,
    num_gpus: Annotated[
        float | None, typer.Option("--num_gpus", help="GPUs of each of Ray's actors (0)", rich_help_panel="Bulk")
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", help="folder of Ray's checkpoint (OUTPUT.checkpoint)", rich_help_panel="Bulk"),
    ] = None,
) -> None:
    """Extract entities and relations from texts, files or a pipe; with --output FOLDER, in bulk and resumable.

    Examples: spert extract runs/demo "Ada Lovelace lived in London."; cat notes.txt | spert extract runs/demo - --lines
    In bulk: spert extract runs/demo data/*.jsonl.gz --output rows --id_column id --num_processes 4
    """
    if as_json and as_jsonl:
        raise ValueError("--json and --jsonl exclude each other: --json prints one list, --jsonl a line per text")
    settings: dict[str, Any] = {"entity_threshold": entity_threshold, "relation_threshold": relation_threshold}
    settings |= {"overlap": overlap, "batch_size": batch_size}
    settings = {key: value for key, value in settings.items() if value is not None}
    bulk: dict[str, Any] = {"text_column": text_column, "id_column": id_column, "num_processes": num_processes}
    bulk |= {"num_threads": num_threads, "shard_size": shard_size, "format": format_, "revision": revision}
    bulk |= {"engine": engine, "num_gpus": num_gpus, "checkpoint": checkpoint}
    bulk = {name: value for name, value in bulk.items() if value is not None}
    if output is not None and is_folder(output):
        if file or as_json or as_jsonl:
            raise ValueError("--file, --json and --jsonl do not go with --output FOLDER: name the files as [TEXT]...")
        run_bulk(check_model_name(model), texts or [], output, settings, lines=lines, precision=precision, **bulk)
        return
    if bulk:
        raise ValueError(f"--{next(iter(bulk))} is for extraction in bulk: name a folder with --output")
    inputs = Inputs(read_inputs(texts or [], file or [], lines))
    pipe = load_pipeline(check_model_name(model), precision)
    with inputs.naming_places():
        _write_answers(pipe(inputs, **settings), output, as_json, as_jsonl)


def _write_answers(answers: Iterator[dict[str, Any]], output: Path | None, as_json: bool, as_jsonl: bool) -> None:
    """Print answers as they come, or write them to a file, whole or not at all."""
    if output is None:
        for line in _format(answers, as_json, as_jsonl, sys.stdout.isatty()):
            typer.echo(line)
        return
    staged = output.with_name(f".{output.name}.part")
    lines = _format(_with_bar(answers), as_json, as_jsonl or not as_json, False)
    try:
        with open(staged, "w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        staged.replace(output)
    finally:
        staged.unlink(missing_ok=True)


def demo(
    output_dir: Annotated[Path, typer.Option("--output_dir", help="folder for the model")] = Path("runs/demo"),
) -> None:
    """Train on the demo corpus, extract from new sentences, and draw the answers: minutes on two CPU cores.

    Example: spert demo
    """
    from spert_cli.demo import run_demo

    run_demo(output_dir)


def load_pipeline(name: str, precision: str | None = None, device: str | None = None) -> Any:
    """The pipeline around a model folder or a repository on the Hub."""
    from transformers import pipeline

    import modeling_spert  # noqa: F401  (registers the model and the pipeline)

    with _loading(name):
        return pipeline("joint-extraction", model=name, precision=precision, device=device)


def load_model(name: str) -> tuple[Any, Any]:
    """The model of a folder or of a repository on the Hub, and its tokenizer."""
    from modeling_spert import SpertModel
    from modeling_spert.training.tokenizer import load_tokenizer

    with _loading(name):
        return SpertModel.from_pretrained(name), load_tokenizer(name)


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """No progress bar while a model is loaded; an error says where it was looked for."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        yield
    except OSError as error:
        if Path(name).exists():
            raise
        raise OSError(f"MODEL {name}: no such folder here, and not loaded from the Hub: {error}") from error


def _with_bar(answers: Iterator[Any]) -> Iterator[Any]:
    from tqdm.auto import tqdm

    return iter(tqdm(answers, unit=" texts", disable=not sys.stderr.isatty()))


def _format(answers: Iterator[dict[str, Any]], as_json: bool, as_jsonl: bool, colour: bool) -> Iterator[str]:
    """Lines to print, as the answers come."""
    if as_json:
        yield json.dumps(list(answers), ensure_ascii=False, indent=1)
        return
    for answer in answers:
        yield json.dumps(answer, ensure_ascii=False) if as_jsonl else format_answer(answer, colour)


def format_answer(answer: dict[str, Any], colour: bool = False) -> str:
    """One text with its entities and relations, to read.

    >>> answer = {"text": "Ada.", "entities": [{"text": "Ada", "label": "P", "score": 0.9}], "relations": []}
    >>> print(format_answer(answer))
    Ada.
        Ada  [P 0.90]
    """

    def paint(text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    names = [" ".join(entity["text"].split()) for entity in answer["entities"]]  # a line break may be inside
    rows = [answer["text"]]
    for name, entity in zip(names, answer["entities"], strict=True):
        rows.append(f"    {paint(name, 1)}  [{paint(entity['label'], 36)} {entity['score']:.2f}]")
    for relation in answer["relations"]:
        head, tail = (paint(names[relation[side]], 1) for side in ("head", "tail"))
        rows.append(f"    {head} —{paint(relation['label'], 35)} {relation['score']:.2f}→ {tail}")
    return "\n".join(rows)
