"""Write a trained model as ONNX graphs: `python -m modeling_spert.onnx FOLDER [--int8]`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from modeling_spert.onnx.export import export_onnx
from modeling_spert.onnx.files import FOLDER
from modeling_spert.shared.commands import CommandParser, command


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Export, and print the files with their sizes."""
    parser = CommandParser(
        prog="python -m modeling_spert.onnx", description="Write a trained model as ONNX graphs, for onnxruntime."
    )
    parser.add_argument("source", metavar="FOLDER", help="model folder, or a repository's name on the Hub")
    parser.add_argument("--output", type=Path, help=f"folder that gets the folder {FOLDER}; default: FOLDER")
    parser.add_argument("--int8", action="store_true", help="also write a graph with 8-bit matrix products")
    args = parser.parse_args(argv)
    for path in export_onnx(args.source, args.output, int8=args.int8):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
