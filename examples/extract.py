"""Extract entities and relations from texts: from the command line, a file, or the three examples of the demo.

python examples/extract.py MODEL [--text "…"] [--file lines.txt] [--json]
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

from transformers import pipeline

import modeling_spert  # noqa: F401  (registers the model and the pipeline)


def format_answer(answer: dict[str, Any]) -> str:
    """One text with its entities and relations, to read."""
    lines = [answer["text"]]
    lines += [f"    {e['text']}  [{e['label']} {e['score']:.2f}]" for e in answer["entities"]]
    for relation in answer["relations"]:
        head, tail = (answer["entities"][relation[side]]["text"] for side in ("head", "tail"))
        lines.append(f"    {head} —{relation['label']} {relation['score']:.2f}→ {tail}")
    return "\n".join(lines)


def read_texts(args: argparse.Namespace) -> Iterable[str]:
    """The texts to extract from, a file's lines as they are read."""
    if args.text:
        return args.text
    if args.file:
        return _read_lines(args.file)
    from datasets_scripts.demo.corpus import EXAMPLE_TEXTS

    return EXAMPLE_TEXTS


def _read_lines(path: str) -> Iterator[str]:
    with open(path, encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file if line.strip())


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model folder or Hub name")
    parser.add_argument("--text", action="append", help="a text; may be given several times")
    parser.add_argument("--file", help="a file with one text per line")
    parser.add_argument("--json", action="store_true", help="print one JSON object per text")
    args = parser.parse_args()
    extract = pipeline("joint-extraction", model=args.model)
    for answer in extract(iter(read_texts(args))):
        print(json.dumps(answer, ensure_ascii=False) if args.json else format_answer(answer) + "\n")


if __name__ == "__main__":
    main()
