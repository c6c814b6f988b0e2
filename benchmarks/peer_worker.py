"""One row of `bench_peers.py`: a model and the bare encoder that it is built on, timed in turn, in one process.

It runs in the environment of the peer, so it needs torch, transformers and the peer only, and nothing of this project.
`--peer spert` runs in the project's own environment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

Extract = Callable[[list[str]], Any]


def load_gliner(encoder: str, labels: list[str], batch_size: int) -> tuple[Extract, torch.nn.Module, str]:
    """GLiNER with a random head; the labels are read with every text. No span reaches the threshold."""
    import gliner

    hidden = transformers.AutoConfig.from_pretrained(encoder).hidden_size
    config = gliner.GLiNERConfig(model_name=encoder, hidden_size=hidden, max_width=10)
    model = gliner.GLiNER.from_config(config).eval()
    extract = lambda texts: model.inference(texts, labels, threshold=0.9999, batch_size=batch_size)  # noqa: E731
    return extract, model, gliner.__version__


def load_span_marker(encoder: str, labels: list[str], batch_size: int) -> tuple[Extract, torch.nn.Module, str]:
    """SpanMarker with a random head, so biased that no span is an entity."""
    import span_marker

    model = span_marker.SpanMarkerModel.from_pretrained(
        encoder, labels=["O", *labels], model_max_length=256, entity_max_length=10
    ).eval()
    model.classifier.bias.data[0] += 1e3
    return lambda texts: model.predict(texts, batch_size=batch_size), model, span_marker.__version__


def load_spert(folder: str, labels: list[str], batch_size: int) -> tuple[Extract, torch.nn.Module, str]:
    """This project's pipeline, with a model saved by `bench_peers.py`: as many entities and relations as the gold."""
    from modeling_spert import SpertModel, __version__

    model = SpertModel.from_pretrained(folder)
    pipe = model.extraction_pipeline(transformers.AutoTokenizer.from_pretrained(folder))
    return lambda texts: pipe(texts, batch_size=batch_size), model, __version__


PEERS = {"gliner": load_gliner, "span-marker": load_span_marker, "spert": load_spert}


def bare_encoder(folder: str, batches: list[list[int]]) -> Extract:
    """Texts → tokenizer → the encoder: all texts in the cheapest batches there are, or one text by itself."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoder = transformers.AutoModel.from_pretrained(folder).eval()

    @torch.inference_mode()
    def encode(texts: list[str]) -> None:
        encoded = tokenizer(texts, return_token_type_ids=False, return_attention_mask=False)["input_ids"]
        for rows in batches if len(texts) > 1 else [[0]]:
            batch = tokenizer.pad({"input_ids": [encoded[row] for row in rows]}, return_tensors="pt")
            encoder(**batch)

    return encode


def time_in_turn(
    units: Sequence[list[str]], candidates: dict[str, Extract], repetitions: int
) -> dict[str, list[float]]:
    """Seconds of processor time of each candidate in each repetition, one warm-up before them."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for repetition in range(-1, repetitions):
        sums = dict.fromkeys(candidates, 0.0)
        for index, texts in enumerate(units):
            for name in list(candidates)[:: 1 if (repetition + index) % 2 else -1]:
                start = time.process_time()
                candidates[name](texts)
                sums[name] += time.process_time() - start
        if repetition >= 0:
            for name, total in sums.items():
                seconds[name].append(total)
    return seconds


def main() -> None:
    """Measure one peer, and write the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=list(PEERS), required=True)
    parser.add_argument("--encoder", required=True, help="folder of the encoder with its tokenizer")
    parser.add_argument("--model", help="folder of the SpERT model, for --peer spert")
    parser.add_argument("--work", required=True, help='JSON file with "texts", "labels" and "batches"')
    parser.add_argument("--output", required=True)
    parser.add_argument("--repetitions", type=int, required=True)
    parser.add_argument("--batch_size", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    work = json.loads(Path(args.work).read_text("utf-8"))
    extract, model, version = PEERS[args.peer](args.model or args.encoder, work["labels"], args.batch_size)
    candidates = {"encoder": bare_encoder(args.encoder, work["batches"]), "peer": extract}
    row: dict[str, Any] = {"version": version, "transformers": transformers.__version__, "torch": torch.__version__}
    row["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    for mode, units in (("throughput", [work["texts"]]), ("batch 1", [[text] for text in work["texts"]])):
        seconds = time_in_turn(units, candidates, args.repetitions)
        ratios = [a / b for a, b in zip(seconds["peer"], seconds["encoder"], strict=True)]
        middle = {name: statistics.median(values) for name, values in seconds.items()}
        row[mode] = {
            "encoder_s": middle["encoder"],
            "peer_s": middle["peer"],
            "ratio": middle["peer"] / middle["encoder"],
            "lowest": min(ratios),
            "highest": max(ratios),
        }
    Path(args.output).write_text(json.dumps(row), "utf-8")


if __name__ == "__main__":
    main()
