"""Write the demo corpus: `python -m datasets_scripts.demo --output DIR`."""

import argparse
from collections.abc import Sequence

from datasets_scripts.demo.corpus import write_demo_corpus


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the corpus to the folder given on the command line and prints the paths."""
    parser = argparse.ArgumentParser(description="Write the demo corpus in SpERT's JSON form.")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the JSON files")
    parser.add_argument("--seed", type=int, default=0, help="seed of the generator")
    options = parser.parse_args(arguments)
    for path in write_demo_corpus(options.output, options.seed):
        print(path)


if __name__ == "__main__":
    main()
