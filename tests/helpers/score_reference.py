"""The original implementation's scores on SciERC test, with the gold and predicted items they were counted on.

The stored file holds spans, types, indices and scores; no words. To write it anew, from the repository's root:

    python -c "import sys; sys.path.insert(0, 'tests'); import score_reference; score_reference.write('../shared')"
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[1] / "data" / "reference" / "scierc_scores.json"
CONVENTIONS = ("ner", "rel", "rel_strict")


def example(entities: Sequence[tuple[str, int, int]], relations: Sequence[tuple[str, int, int]] = ()) -> dict[str, Any]:
    """An Example without tokens, from (type, start, end) and (type, head, tail)."""
    return {
        "entities": [{"type": t, "start": s, "end": e} for t, s, e in entities],
        "relations": [{"type": t, "head": h, "tail": a} for t, h, a in relations],
    }


def report_rows(report: str, short_names: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """The figures of a printed report, per convention and line, as the strings that are printed."""
    names = {short: name for name, short in short_names.items()}
    sections: list[dict[str, list[str]]] = []
    for line in report.splitlines():
        cells = line.split()
        if "precision" in cells and "support" in cells:
            sections.append({})
        elif sections and len(cells) == 5 and cells[-1].isdigit():
            sections[-1][names.get(cells[0], cells[0])] = cells[1:]
    assert len(sections) == len(CONVENTIONS)
    return dict(zip(CONVENTIONS, sections, strict=True))


def reference_from_shared(shared: Path) -> dict[str, Any]:
    """What REFERENCE holds, from the benchmark data and the reference outputs in ``shared``."""
    gold = json.loads((shared / "data" / "scierc" / "scierc_test.json").read_text("utf-8"))
    types = json.loads((shared / "data" / "scierc" / "scierc_types.json").read_text("utf-8"))
    folder = shared / "reference" / "scierc_tiny"
    predicted = json.loads((folder / "predictions.json").read_text("utf-8"))
    scores = json.loads((folder / "scores.json").read_text("utf-8"))
    assert [row["row"] for row in predicted] == list(range(len(gold)))

    entity_index = {t: i for i, t in enumerate(types["entities"])}
    relation_index = {t: i for i, t in enumerate(types["relations"])}
    short_names = {name: spec["short"] for kind in types.values() for name, spec in kind.items()}

    def rows(examples: list[dict[str, Any]]) -> list[list[list[list[int]]]]:
        return [
            [
                [[entity_index[e["type"]], e["start"], e["end"]] for e in row["entities"]],
                [[relation_index[r["type"]], r["head"], r["tail"]] for r in row["relations"]],
            ]
            for row in examples
        ]

    return {
        "entity_types": list(types["entities"]),
        "relation_types": list(types["relations"]),
        "symmetric_relation_types": [t for t, spec in types["relations"].items() if spec["symmetric"]],
        "gold": rows(gold),
        "predicted": rows(predicted),
        "scores": {k: scores[k] for k in ("overlapping", "no_overlapping")},
        "printed": {k: report_rows(scores[f"{k}_report"], short_names) for k in ("overlapping", "no_overlapping")},
    }


@functools.cache
def reference() -> dict[str, Any]:
    """REFERENCE with gold and predictions as Examples; read only."""
    stored = json.loads(REFERENCE.read_text("utf-8"))
    entity_types, relation_types = stored["entity_types"], stored["relation_types"]
    for side in ("gold", "predicted"):
        stored[side] = [
            example(
                [(entity_types[t], start, end) for t, start, end in entities],
                [(relation_types[t], head, tail) for t, head, tail in relations],
            )
            for entities, relations in stored[side]
        ]
    return stored


def write(shared: str) -> None:
    """Write REFERENCE."""
    REFERENCE.write_text(json.dumps(reference_from_shared(Path(shared)), separators=(",", ":")) + "\n", "utf-8")
