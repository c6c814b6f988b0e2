"""Write the demo corpus: `python -m datasets_scripts.demo --output DIR`."""

import sys
from collections.abc import Sequence

from datasets_scripts.commands import CommandParser, command
from datasets_scripts.demo.corpus import write_demo_corpus


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write the corpus and print the paths of its files."""
    parser = CommandParser(
        prog="python -m datasets_scripts.demo", description="Write the demo corpus in SpERT's JSON form."
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the JSON files")
    parser.add_argument("--seed", type=int, default=0, help="seed of the generator")
    options = parser.parse_args(arguments)
    for path in write_demo_corpus(options.output, options.seed):
        print(path)


if __name__ == "__main__":
    sys.exit(main())
