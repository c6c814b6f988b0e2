"""`spert render` and `spert analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spert_cli.models import Model
from spert_cli.names import check_model_name
from spert_cli.texts import read_inputs


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("render")(render)
    app.command("analyse")(analyse)


def render(
    file: Annotated[Path, typer.Argument(metavar="FILE", help='answers or rows, in JSON or JSON Lines; "-": a pipe')],
    output: Annotated[Path, typer.Option("--output", help="file to write; .svg draws a picture")] = Path(
        "answers.html"
    ),
    title: Annotated[str | None, typer.Option("--title", help="heading of the page")] = None,
    theme: Annotated[Literal["auto", "light", "dark"], typer.Option("--theme", help="colours")] = "auto",
    to: Annotated[
        Literal["page", "graphml", "csv", "nt"],
        typer.Option("--to", help="a page, a graph, or triples merged over the texts"),
    ] = "page",
) -> None:
    """Draw answers as a page of their own, or write them as a graph or triples.

    Example: spert extract runs/demo --file notes.txt --jsonl | spert render - --output notes.html
    """
    from modeling_spert import rendering

    answers: list[Any] = [read.value for read in read_inputs([], [file], by_line=False, named="FILE")]
    if not answers:
        raise ValueError(f"FILE {file} holds no answers: spert extract … --jsonl writes them")
    if isinstance(answers[0], str):
        raise ValueError(f"FILE {file} holds text, not answers: spert extract … --jsonl makes them from it")
    if to == "page":
        form = "svg" if output.suffix == ".svg" else "html"
        content = rendering.render(answers, form, title=title, theme=theme)
    elif to == "graphml":
        content = rendering.to_graphml(answers)
    else:
        content = rendering.to_triples(answers, to)
    output.write_text(content, encoding="utf-8")
    typer.echo(f"Written to {output}")


def analyse(
    model: Model,
    data: Annotated[str, typer.Argument(metavar="DATA", help="file or folder of data, or demo, conll04, scierc, ade")],
    split: Annotated[str | None, typer.Option("--split", help="split to look at; default: dev, else test")] = None,
    data_dir: Annotated[str | None, typer.Option("--data_dir", help="folder of a benchmark's files")] = None,
    fold: Annotated[int | None, typer.Option("--fold", help="fold of ADE, 0 to 9")] = None,
    output: Annotated[Path, typer.Option("--output", help="file for the report")] = Path("report.html"),
    baseline: Annotated[str | None, typer.Option("--baseline", help="another model to compare with")] = None,
    thresholds: Annotated[
        Literal["show", "save"], typer.Option("--thresholds", help="save: store the best ones in the model folder")
    ] = "show",
) -> None:
    """Show where a model errs: one page with scores, confusions, thresholds, calibration and every error.

    Example: spert analyse runs/mine my_data --split dev --output report.html
    """
    from spert_cli.analysis import write_analysis

    names = [check_model_name(name) for name in (model, baseline) if name is not None]
    for line in write_analysis(names, data, split, data_dir, fold, output, save_thresholds=thresholds == "save"):
        typer.echo(line)
