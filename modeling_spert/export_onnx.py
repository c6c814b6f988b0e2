"""Write a trained model as ONNX graphs: the encoder with the span classifier, and the relation classifier.

    python -m modeling_spert.export_onnx FOLDER
    python -m modeling_spert.export_onnx FOLDER --int8

`FOLDER/onnx/` then holds `spans.onnx` and `relations.onnx` (a model without relation types has only the first), and
with `--int8` `spans_int8.onnx`, whose matrix products run on 8-bit integers; `export.json` says of which weights they
are. `OnnxSpertModel` answers with them; `modeling_spert/onnx_graphs.py` says what goes in and comes out, for those who
call them from elsewhere. Needs the extra `onnx`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import io
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from modeling_spert.modeling_spert import SpertModel
from modeling_spert.onnx_graphs import RelationGraph, SpanGraph

SPANS, RELATIONS, SPANS_INT8, RECORD = "spans.onnx", "relations.onnx", "spans_int8.onnx", "export.json"
FOLDER = "onnx"
EXPORTED = tuple(f"{FOLDER}/{name}" for name in (RECORD, SPANS, RELATIONS, SPANS_INT8))
_OPSET = 18
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
# Which dimensions of an input may have any size: the graphs' letters.
_DIMENSIONS: dict[str, tuple[str, ...]] = {
    "input_ids": ("batch", "subwords"),
    "attention_mask": ("batch", "subwords"),
    "word_ranges": ("batch", "words"),
    "cls": ("batch",),
    "words": ("batch", "words"),
    "word_sums": ("batch", "words"),
    "word_counts": ("batch", "words"),
    "spans": ("spans",),
    "pairs": ("pairs",),
    "contexts": ("pairs",),
}


def export_onnx(model: SpertModel, output: str | Path, *, int8: bool = False) -> list[Path]:
    """Write the graphs of a model in place of those that stand there; if it fails, these stay.

    Args:
        model: The model; it is exported in fp32, and stays as it is.
        output: Folder to write to, made if it is absent.
        int8: Also write the span graph with dynamically quantised matrix products.

    Returns:
        The files written.

    Raises:
        ImportError: If a package of the extra `onnx` is missing.
    """
    check_packages(_PACKAGES)
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    dtype, training = model.dtype, model.training
    device = model.device
    with tempfile.TemporaryDirectory(dir=output) as scratch:
        made = [Path(scratch) / SPANS]
        try:
            model.eval().to("cpu", torch.float32)
            _write_graph(SpanGraph(model), _example_spans(), made[0], SpanGraph.output_names(model.config.span_pooling))
            if model.relation_classifier is not None:
                made.append(Path(scratch) / RELATIONS)
                _write_graph(RelationGraph(model), _example_relations(model), made[1], ["relation_logits"])
        finally:
            model.to(device, dtype).train(training)
        if int8:
            made.append(_quantise(made[0], Path(scratch) / SPANS_INT8))
        made.append(Path(scratch) / RECORD)
        made[-1].write_text(json.dumps({"weights": fingerprint(model.entity_classifier.weight)}), encoding="utf-8")
        for name in (RECORD, SPANS, RELATIONS, SPANS_INT8):  # the record first: without it the rest counts as stale
            (output / name).unlink(missing_ok=True)
        return [path.rename(output / path.name) for path in made]


def fingerprint(weight: Tensor) -> str:
    """SHA-256 of a weight's numbers in fp32: any further training changes those of a classifier."""
    return hashlib.sha256(weight.detach().cpu().float().contiguous().numpy().tobytes()).hexdigest()


def check_export(folder: Path) -> None:
    """Whether the graphs in a model folder are of the weights beside them, as far as these are there.

    Raises:
        ValueError: If they are not, or were not written to the end.
    """
    command = f"python -m modeling_spert.export_onnx {folder}"
    try:
        record = json.loads((folder / FOLDER / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"the graphs in {folder / FOLDER} are not complete ({error}): {command}") from error
    weights = folder / "model.safetensors"
    if weights.is_file():
        with safe_open(weights, framework="pt") as tensors:
            found = fingerprint(tensors.get_tensor("entity_classifier.weight"))
        if found != record["weights"]:
            raise ValueError(f"the graphs in {folder / FOLDER} are of other weights than those beside them: {command}")


def check_packages(names: Sequence[str]) -> None:
    """Raise ImportError where one of these packages, all of the extra `onnx`, is missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"ONNX needs {', '.join(missing)}: pip install 'modeling-spert[onnx]'")


def _example_spans() -> dict[str, Tensor]:
    """Inputs of the span graph. Only their form matters; no two sizes are alike, nor any 1."""
    ids = torch.arange(2 * 7).reshape(2, 7)
    ranges = torch.tensor([[1, 2], [2, 4], [4, 5], [5, 6], [6, 6]]).expand(2, 5, 2)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "word_ranges": ranges.clone()}


def _example_relations(model: SpertModel) -> dict[str, Tensor]:
    """Inputs of the relation graph, as far as this model has a use for them."""
    B, W, H = 2, 5, model.config.backbone_config.hidden_size
    pairs = torch.tensor([[0, 1], [1, 0], [1, 2], [2, 0]])
    every = {
        "words": torch.rand(B, W, H),
        "word_sums": torch.rand(B, W, H),
        "word_counts": torch.ones(B, W, dtype=torch.long),
        "spans": torch.tensor([[0, 0, 1], [0, 2, 4], [1, 3, 5]]),
        "pairs": pairs,
        "contexts": torch.tensor([[0, 1, 2], [0, 1, 2], [1, 0, 0], [1, 4, 5]]),
        "cls": torch.rand(B, H),
    }
    names = RelationGraph.input_names(model.config.span_pooling, model.config.relation_context)
    return {name: every[name] for name in names}


def _write_graph(graph: nn.Module, example: Mapping[str, Tensor], path: Path, outputs: Sequence[str]) -> None:
    free = {name: {place: torch.export.Dim.DYNAMIC for place in range(len(_DIMENSIONS[name]))} for name in example}
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            graph.eval(),
            (),
            kwargs=dict(example),
            dynamic_shapes=free,
            input_names=list(example),
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamo=True,
        )
        assert program is not None
        program.save(str(path), external_data=False)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter and the quantiser print their progress and warn of packages and steps that nothing here needs."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _quantise(source: Path, target: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(source, target, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8)
    return target


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m modeling_spert.export_onnx", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", help="model folder, or a repository's name on the Hub (then --output is needed)")
    parser.add_argument("--output", type=Path, help=f"folder to write to; default: FOLDER/{FOLDER}")
    parser.add_argument("--int8", action="store_true", help="also write a graph with 8-bit matrix products")
    args = parser.parse_args(argv)
    if args.output is None and not os.path.isdir(args.folder):
        parser.error(f"{args.folder} is no folder on this machine: name one to write to with --output")
    try:
        model: Any = SpertModel.from_pretrained(args.folder, dtype=torch.float32)
        written = export_onnx(model, args.output or Path(args.folder) / FOLDER, int8=args.int8)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    for path in written:
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
