"""What `spert demo` does: train on the demo corpus, extract from sentences it has not seen, draw the answers."""

from __future__ import annotations

from pathlib import Path

import typer

RECIPE = Path(__file__).with_name("demo.yaml")


def run_demo(output_dir: Path) -> None:
    """Train, extract, draw, and say what to try next."""
    from datasets_scripts.demo import EXAMPLE_TEXTS
    from modeling_spert.rendering import render
    from spert_cli.models import format_answer, load_pipeline

    _train(output_dir)
    answers = load_pipeline(str(output_dir))(list(EXAMPLE_TEXTS))
    typer.echo("\nSentences that are not in the corpus:\n")
    for answer in answers:
        typer.echo(format_answer(answer) + "\n")
    page = output_dir / "answers.html"
    page.write_text(render(answers, title="The demo model's answers"), encoding="utf-8")
    typer.echo(
        f"The same as a page: {page.resolve()}\n\nNext:\n"
        f'  spert extract {output_dir} "Nikola Tesla lived in New York."\n'
        f"  spert analyse {output_dir} demo --split test --output report.html\n"
        "  spert convert my_annotations --output my_data   (docs/annotation_formats.md)"
    )


def _train(output_dir: Path) -> None:
    from transformers.utils import logging

    from datasets_scripts import load_joint_dataset
    from modeling_spert.training import Trainer, build_model, parse_arguments

    logging.disable_progress_bar()  # those of loading and saving weights would break the training's
    args = parse_arguments(["--config", str(RECIPE), "--output_dir", str(output_dir)])
    data = load_joint_dataset(args.dataset)
    model, tokenizer = build_model(args, data)
    trainer = Trainer(model, tokenizer, data, args)
    trainer.train()
    for split in trainer.final_splits:
        trainer.evaluate(split)
    trainer.save()
    trainer.close()
