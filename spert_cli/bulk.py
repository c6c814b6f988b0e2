"""What `spert extract … --output FOLDER` does: extraction in bulk, with a bar on a terminal and lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

_LINE_EVERY = 60  # seconds, where standard error is not a terminal
_STEPS = {"counting": "reading ids", "extracting": "extracting", "checking": "counting rows"}


def is_folder(output: Path) -> bool:
    """Whether an output names a folder: one that is there, or a name without a suffix."""
    return output.is_dir() or not (output.suffix or output.exists())


def run_bulk(
    model: str,
    inputs: Sequence[str],
    output: Path,
    settings: Mapping[str, Any],
    *,
    text_column: str = "text",
    id_column: str | None = None,
    lines: bool = False,
    **arguments: Any,
) -> None:
    """Extract, and say at the end what the folder holds.

    Args:
        model: Folder or repository.
        inputs: Files, folders, globs, addresses.
        output: The folder.
        settings: Of the pipeline's call.
        text_column: Column of the text.
        id_column: Column of the id.
        lines: Whether each line of a text file is a document.
        **arguments: The others of `BulkArguments`.

    Raises:
        ValueError: If there is no input, or as `extract_in_bulk`.
        ImportError: If pyarrow is not installed.
    """
    if not inputs:
        raise ValueError("nothing to extract from: with --output FOLDER, name files, folders or globs as [TEXT]...")
    try:
        from modeling_spert.bulk import BulkArguments, Columns, extract_in_bulk
    except ImportError as error:
        raise ImportError(f'extraction in bulk needs pyarrow: pip install "modeling-spert[bulk]" ({error})') from error
    how = BulkArguments(columns=Columns(text_column, id_column, lines), settings=settings, **arguments)
    with _Display() as display:
        try:
            summary = extract_in_bulk(model, inputs, output, how, display.show)
        except KeyboardInterrupt:
            display.close()
            typer.echo("stopped; the same command resumes where this one was", err=True)
            raise
    for message, count in summary.warnings.items():
        typer.echo(f"warning: {count} {message}", err=True)
    typer.echo(
        f"{summary.documents:,} documents in {output}, each id once"
        + (f" ({summary.before:,} were there before)" if summary.before else "")
        + f": {summary.entities:,} entities, {summary.relations:,} relations, {summary.errors:,} rows with an error"
    )


class _Display:
    """Progress with rate and time left: a bar, or a line a minute where nobody watches."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""
        self._said = self._started = time.monotonic()

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, progress: Any) -> None:
        """Take note of progress."""
        if progress.step != self._step:
            self.close()
            self._step = progress.step
            self._said = self._started = time.monotonic()
            if sys.stderr.isatty():
                self._bar = self._new_bar(progress)
        if self._bar is not None:
            self._bar.update(progress.done - self._bar.n)
            if progress.errors:
                self._bar.set_postfix(errors=progress.errors, refresh=False)
        elif time.monotonic() - self._said >= _LINE_EVERY:
            self._said = time.monotonic()
            typer.echo(describe_progress(progress, self._said - self._started), err=True)

    def _new_bar(self, progress: Any) -> Any:
        from tqdm.auto import tqdm

        return tqdm(
            desc=_STEPS[progress.step], total=progress.total, initial=progress.before, unit=" documents", smoothing=0.05
        )

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def describe_progress(progress: Any, seconds: float) -> str:
    """One line of a log.

    >>> from modeling_spert.bulk import Progress
    >>> describe_progress(Progress("extracting", 3_000, 10_000, before=1_000, errors=2), 100.0)
    'extracting: 3,000 of 10,000 documents (30.0 %), 20.0 a second, 5 min 50 s left, 2 errors'
    >>> describe_progress(Progress("counting", 20_000), 10.0)
    'reading ids: 20,000 documents, 2,000.0 a second'
    """
    rate = (progress.done - progress.before) / max(seconds, 1e-9)
    of_total = f" of {progress.total:,}" if progress.total else ""
    line = f"{_STEPS[progress.step]}: {progress.done:,}{of_total} documents"
    if progress.total:
        line += f" ({progress.done / progress.total:.1%}".replace("%", " %)")
    line += f", {rate:,.1f} a second"
    if progress.total and rate:
        line += f", {_duration((progress.total - progress.done) / rate)} left"
    return line + (f", {progress.errors:,} errors" if progress.errors else "")


def _duration(seconds: float) -> str:
    """Two units of a time.

    >>> _duration(59), _duration(3_700), _duration(200_000)
    ('59 s', '1 h 1 min', '2 d 7 h')
    """
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2])
