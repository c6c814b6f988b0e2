"""Make the model card of a folder again: `python -m modeling_spert.model_card FOLDER`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from modeling_spert.model_card.build import CardOptions, write_card
from modeling_spert.shared.commands import CommandParser, command


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Write the card again and print its path."""
    parser = CommandParser(
        prog="python -m modeling_spert.model_card",
        description="Write README.md, the model card, from the files that a training left in a model folder.",
    )
    parser.add_argument("folder", type=Path, help="model folder, as the training script writes it")
    parser.add_argument("--repo", dest="repo_id", help="repository the model is in, as org/name")
    parser.add_argument("--license", help="licence of the weights")
    parser.add_argument("--language", help="language of the texts, such as en")
    parser.add_argument("--base_model", help="Hub name of the encoder")
    parser.add_argument("--dataset_id", help="Hub name of the data set")
    parser.add_argument("--template", type=Path, help="template to use instead of model_card.md")
    options = vars(parser.parse_args(argv))
    print(write_card(options.pop("folder"), CardOptions(**options)))


if __name__ == "__main__":
    sys.exit(main())
