"""Write a trained model as ONNX graphs: the encoder with the span classifier, and the relation classifier.

    python -m modeling_spert.onnx FOLDER
    python -m modeling_spert.onnx FOLDER --int8

`FOLDER/onnx/` then holds `spans.onnx` and `relations.onnx` (a model without relation types has only the first), and
with `--int8` `spans_int8.onnx`, whose encoder multiplies 8-bit integers. `export.json` records the graphs' digests, and
the weights and settings that they were made from. `OnnxSpertModel` runs the graphs; `modeling_spert/onnx/graphs.py`
describes their inputs and outputs, for other programs that run them. Needs the extra `onnx`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils import cached_file

from modeling_spert.modeling_spert import SpertModel
from modeling_spert.onnx.files import (
    EXTERNAL,
    FILES,
    FOLDER,
    RECORD,
    RELATIONS,
    SPANS,
    SPANS_INT8,
    check_packages,
    remove_export,
    weight_digests,
    write_record,
)
from modeling_spert.onnx.graphs import RelationGraph, SpanGraph
from modeling_spert.training.tokenizer import load_tokenizer

_OPSET = 18
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
# How many dimensions of an input, from the first, may have any size.
_FREE_DIMENSIONS = {
    **dict.fromkeys(("input_ids", "attention_mask", "word_ranges", "subword_case"), 2),
    **dict.fromkeys(("words", "word_sums", "word_counts"), 2),
    **dict.fromkeys(("cls", "spans", "pairs", "contexts"), 1),
}


def export_onnx(source: str | Path, output: str | Path | None = None, *, int8: bool = False) -> list[Path]:
    """Write the graphs of a saved model, in fp32, over older ones; if it fails, the older ones stay.

    Args:
        source: Model folder, or a repository's name on the Hub.
        output: Folder that gets the folder `onnx`, and the configuration and the tokenizer if it is not the model's
            own; default: the model folder.
        int8: Also write a span graph whose encoder has dynamically quantised matrix products.

    Returns:
        The files of the export.

    Raises:
        ImportError: If a package of the extra `onnx` is missing, or torch is too old to export.
        ValueError: If the source is not a folder on this machine and no output is named.
    """
    check_packages(_PACKAGES)
    if not hasattr(torch.export.Dim, "DYNAMIC"):
        raise ImportError(f"the export needs torch 2.6 or newer, this is {torch.__version__}")
    if output is None and not Path(source).is_dir():
        raise ValueError(f"{source} is not a folder on this machine: name one to write to with --output")
    model: Any = SpertModel.from_pretrained(source, dtype=torch.float32)
    output = Path(source if output is None else output)
    weights = Path(cached_file(str(source), "config.json")).parent
    (output / FOLDER).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output / FOLDER) as folder:
        scratch = Path(folder)
        outputs = SpanGraph.output_names(model.config)
        _write_graph(SpanGraph(model), _example_spans(model), scratch / SPANS, outputs)
        if model.relation_classifier is not None:
            _write_graph(RelationGraph(model), _example_relations(model), scratch / RELATIONS, ["relation_logits"])
        if int8:
            _quantise(scratch / SPANS, scratch / SPANS_INT8)
        write_record(scratch, weight_digests(weights), model.config)
        remove_export(output)
        written = _move_files(scratch, output / FOLDER)
    if not (output / "config.json").is_file():
        model.config.save_pretrained(output)
        load_tokenizer(str(source)).save_pretrained(output)
    return written


def _move_files(source: Path, target: Path) -> list[Path]:
    """Move the files of an export, the record last: an export without its record is refused."""
    graphs_first = sorted(FILES, key=lambda name: name == RECORD)
    return [(source / name).rename(target / name) for name in graphs_first if (source / name).is_file()]


def _example_spans(model: SpertModel) -> dict[str, Tensor]:
    """Inputs of the span graph that this model uses. Only their shapes matter: all sizes differ, and none is 1."""
    ids = torch.arange(2 * 7).reshape(2, 7)
    ranges = torch.tensor([[1, 2], [2, 4], [4, 5], [5, 6], [6, 6]]).expand(2, 5, 2)
    ones = torch.ones_like(ids)
    every = {"input_ids": ids, "attention_mask": ones, "word_ranges": ranges.clone(), "subword_case": ones.clone()}
    return {name: every[name] for name in SpanGraph.input_names(model.config)}


def _example_relations(model: SpertModel) -> dict[str, Tensor]:
    """Inputs of the relation graph; only those that this model uses."""
    B, W, H = 2, 5, model.config.backbone_config.hidden_size
    every = {
        "words": torch.rand(B, W, H),
        "word_sums": torch.rand(B, W, H),
        "word_counts": torch.ones(B, W, dtype=torch.long),
        "spans": torch.tensor([[0, 0, 1], [0, 2, 4], [1, 3, 5]]),
        "pairs": torch.tensor([[0, 1], [1, 0], [1, 2], [2, 0]]),
        "contexts": torch.tensor([[0, 1, 2], [0, 1, 2], [1, 0, 0], [1, 4, 5]]),
        "cls": torch.rand(B, H),
    }
    return {name: every[name] for name in RelationGraph.input_names(model.config)}


def _write_graph(graph: nn.Module, example: Mapping[str, Tensor], path: Path, outputs: Sequence[str]) -> None:
    """Trace a graph with these inputs and write it as one file."""
    free = {name: dict.fromkeys(range(_FREE_DIMENSIONS[name]), torch.export.Dim.DYNAMIC) for name in example}
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
    """The exporter and the quantiser print progress, and warn about packages and steps that are not needed here."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _quantise(source: Path, target: Path) -> None:
    """The same graph with the encoder's weights in 8 bits; the classifier, a hundredth of the work, stays as it is."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    nodes = onnx.load(source, load_external_data=False).graph.node
    encoder = [node.name for node in nodes if node.op_type == "MatMul" and "'backbone'" in _scopes(node)]
    assert encoder, "found no matrix product of the encoder: torch has changed how it names the scopes of nodes"
    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=encoder,
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=source.with_name(source.name + EXTERNAL).is_file(),
        )


def _scopes(node: Any) -> str:
    """The modules that a node belongs to, as torch records them."""
    return next((entry.value for entry in node.metadata_props if entry.key == "pkg.torch.onnx.name_scopes"), "")
