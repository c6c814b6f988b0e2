"""Make the model card of a folder again: `python -m modeling_spert.model_card FOLDER`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers.utils import logging

from modeling_spert.model_card.build import CardOptions, write_card
from modeling_spert.model_card.example import AUTO, DATA, NONE, make_example, write_example
from modeling_spert.model_card.record import read_record
from modeling_spert.shared.commands import CommandParser, command


@command()
def main(argv: Sequence[str] | None = None, prog: str = "python -m modeling_spert.model_card") -> None:
    """Write the card again and print its path."""
    parser = CommandParser(
        prog=prog,
        description="Write README.md, the model card, from the files that a training left in a model folder.",
    )
    parser.add_argument("folder", type=Path, help="model folder, as the training script writes it")
    parser.add_argument("--repo", dest="repo_id", help="repository the model is in, as org/name")
    parser.add_argument("--license", help="licence of the weights")
    parser.add_argument("--language", help="language of the texts, such as en")
    parser.add_argument("--base_model", help="Hub name of the encoder")
    parser.add_argument("--dataset_id", help="Hub name of the data set")
    parser.add_argument("--revision", help="tag or commit that the card's snippet loads (default: main)")
    parser.add_argument("--example", metavar="TEXT", help="text to show with the model's answer; none: show no text")
    parser.add_argument("--template", type=Path, help="template to use instead of model_card.md")
    options = vars(parser.parse_args(argv))
    folder, example = options.pop("folder"), options.pop("example")
    if example in (AUTO, DATA):
        raise ValueError(
            f"--example {example}: only a training can choose (spert train --card_example); give a text, or none"
        )
    if example is not None:
        read_record(folder)  # refuses what is not a model folder
        write_example(folder, make_example(example, _pipeline(folder) if example != NONE else None))
    print(write_card(folder, CardOptions(**options)))


def _pipeline(folder: Path) -> Any:
    from transformers import pipeline

    import modeling_spert  # noqa: F401  (registers the model and the pipeline)

    logging.disable_progress_bar()
    return pipeline("joint-extraction", model=str(folder))


if __name__ == "__main__":
    sys.exit(main())
