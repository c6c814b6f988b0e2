"""`spert check` and `spert convert`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

Data = Annotated[str, typer.Argument(metavar="DATA", help="file or folder of data, or demo, conll04, scierc, ade")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("check")(check)
    app.command("convert")(convert)


def check(
    data: Data,
    data_dir: Annotated[str | None, typer.Option("--data_dir", help="folder of a benchmark's files")] = None,
    fold: Annotated[int | None, typer.Option("--fold", help="fold of ADE, 0 to 9")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="encoder or model folder whose tokenizer counts subwords")
    ] = None,
    max_span_width: Annotated[int, typer.Option("--max_span_width", help="widest span, in words", min=1)] = 10,
    html: Annotated[Path | None, typer.Option("--html", help="file for the page", rich_help_panel="Output")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON", rich_help_panel="Output")] = False,
) -> int:
    """Look at annotated data before training. Exit status: 0 nothing found, 1 warnings, 2 errors.

    Example: spert check my_data --html check.html
    """
    from datasets_scripts import load_joint_dataset
    from datasets_scripts.checking import check_dataset, render_check_text, write_check

    tokenizer = None
    if model is not None:
        from modeling_spert.training.tokenizer import load_tokenizer

        tokenizer = load_tokenizer(model)
    dataset = load_joint_dataset(data, data_dir, fold, "skip")  # a bad row becomes an error of the check
    found = check_dataset(dataset, tokenizer, max_span_width)
    if html is not None:
        write_check(found, html)
    width = shutil.get_terminal_size().columns
    text = render_check_text(found, width=width, color=sys.stdout.isatty())
    typer.echo(json.dumps(found.to_dict(), ensure_ascii=False) if as_json else text)
    if html is not None:
        typer.echo(f"\nThe page: {html}", err=as_json)
    return found.exit_status


def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="file or folder of annotations")],
    output: Annotated[Path, typer.Option("--output", help="folder or file to write")],
    from_: Annotated[str, typer.Option("--from", help="format of SOURCE; auto recognises it")] = "auto",
    to: Annotated[
        Literal["brat", "label-studio", "doccano", "spacy", "offsets"] | None,
        typer.Option("--to", help="write for an annotation tool instead of for training"),
    ] = None,
    unit: Annotated[
        Literal["auto", "sentence", "document"],
        typer.Option("--unit", help="what a row is; document keeps relations across sentences"),
    ] = "auto",
    split: Annotated[
        str | None, typer.Option("--split", help="shares of train, dev and test, such as 0.8,0.1,0.1")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="seed of the split")] = 0,
    split_words: Annotated[
        Literal["never", "annotated"],
        typer.Option("--split_words", help="annotated: cut words (EGFR-positive) where annotated entities need it"),
    ] = "never",
    discontinuous: Annotated[
        Literal["widen", "drop"], typer.Option("--discontinuous", help="entities with gaps: widen over them, or drop")
    ] = "widen",
    offset_unit: Annotated[
        Literal["auto", "code-points", "utf-16"], typer.Option("--offset_unit", help="what offsets count")
    ] = "auto",
    on_bad: Annotated[
        Literal["raise", "skip"], typer.Option("--on_bad", help="a document that cannot be read: stop, or skip it")
    ] = "raise",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace what an earlier conversion wrote")] = False,
) -> None:
    """Turn annotations of any tool into data to train on, or back again (--to).

    Example: spert convert brat_folder --from brat --output my_data
    """
    from datasets_scripts import annotation_formats

    if from_ not in ("auto", *annotation_formats.FORMATS_IN):
        known = ", ".join(annotation_formats.FORMATS_IN)
        raise ValueError(f"--from must be auto or one of {known}, got {from_!r}")
    if to is not None:
        report = annotation_formats.convert_out(
            source, to, output, from_=from_, offset_unit=offset_unit, on_bad=on_bad, overwrite=overwrite
        )
    else:
        report = annotation_formats.convert(
            source,
            from_,
            output,
            unit=unit,
            split=None if split is None else _fractions(split),
            seed=seed,
            split_words=split_words,
            discontinuous=discontinuous,
            offset_unit=offset_unit,
            on_bad=on_bad,
            overwrite=overwrite,
        )
    typer.echo(report.render())
    typer.echo(f"\nWritten to {output}")
    if to is None and sys.stdout.isatty():
        typer.echo(f"Next: spert check {output}\n      spert train {output} --output_dir runs/mine")


def _fractions(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"--split must be numbers with commas, such as 0.8,0.1,0.1, got {text!r}") from error
