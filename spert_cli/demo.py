"""What `spert demo` does: train on the demo corpus, extract from sentences it has not seen, draw the answers."""

from __future__ import annotations

from pathlib import Path

import typer

RECIPE = Path(__file__).with_name("demo.yaml")


def run_demo(output_dir: Path) -> int:
    """Train, extract, draw, and say what to try next; returns the exit status."""
    import train_accelerate
    from datasets_scripts.demo import EXAMPLE_TEXTS
    from modeling_spert.rendering import render
    from spert_cli.models import format_answer, load_pipeline

    try:
        train_accelerate.main(["--config", str(RECIPE), "--output_dir", str(output_dir)])
    except SystemExit as stop:
        if stop.code:
            return stop.code if isinstance(stop.code, int) else 1
    answers = load_pipeline(str(output_dir))(list(EXAMPLE_TEXTS))
    typer.echo("\nSentences that are not in the corpus:\n")
    for answer in answers:
        typer.echo(format_answer(answer) + "\n")
    page = output_dir / "answers.html"
    page.write_text(render(answers, title="The demo model's answers"), encoding="utf-8")
    typer.echo(
        f"The same as a page: {page}\n\nNext:\n"
        f'  spert extract {output_dir} "Nikola Tesla lived in New York."\n'
        f"  spert analyse {output_dir} demo --split test --output report.html\n"
        "  spert convert my_annotations --output my_data   (docs/annotation_formats.md)"
    )
    return 0
