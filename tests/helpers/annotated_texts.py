"""Annotated texts as hypothesis draws them, files that hold them, and what of them the model's form can hold.

The files are written here by hand, not by the package's writers, and `holdable` is worked out apart from its alignment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

Span = tuple[int, int]

_WORDS = ["Velorin", "rash", "eye", "Zorab", "5", "mg", "(", ")", ".", "IL-2", "Tom's", "don't", "naïve", "😀", "我们",
          "…", '"', "U.S.", "co\u00adop", "a|b", "\\n"]  # fmt: skip
_GAPS = [" ", " ", " ", "  ", "\n", "\r\n", "\t", "", ". The ", "\n\n", "\u00a0", "\u2028"]
_LABELS = ["Drug", "Effect", "Dose"]
_TYPES = ["causes", "treats"]


@dataclass(frozen=True)
class Text:
    """A text; entities as label and fragments; relations as type and the indices of two entities."""

    text: str
    entities: tuple[tuple[str, tuple[Span, ...]], ...]
    relations: tuple[tuple[str, int, int], ...]


@st.composite
def texts(draw: st.DrawFn, contiguous: bool = False) -> Text:
    """A text of odd words and gaps with entities anywhere, also inside words, on blanks and on one another."""
    pieces = draw(st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(_GAPS)), min_size=1, max_size=12))
    text = "".join(word + gap for word, gap in pieces)
    edges = [0, len(text)]
    position = 0
    for word, gap in pieces:
        edges += [position, position + len(word)]
        position += len(word) + len(gap)
    place = st.sampled_from(sorted(set(edges))) | st.integers(0, len(text))
    entities = []
    for _ in range(draw(st.integers(1, 5))):
        places = sorted(set(draw(st.lists(place, min_size=2, max_size=2 if contiguous else 4))))
        fragments = tuple(zip(places[::2], places[1::2], strict=False))
        if fragments:
            entities.append((draw(st.sampled_from(_LABELS)), fragments))
    index = st.integers(0, max(0, len(entities) - 1))
    relations = draw(st.lists(st.tuples(st.sampled_from(_TYPES), index, index), max_size=5)) if entities else []
    return Text(text, tuple(entities), tuple(relations))


def write_brat_files(folder: Path, drawn: Sequence[Text]) -> None:
    for number, item in enumerate(drawn):
        lines = []
        for place, (label, fragments) in enumerate(item.entities):
            positions = ";".join(f"{start} {end}" for start, end in fragments)
            quote = " ".join(" ".join(item.text[start:end].split()) for start, end in fragments)
            lines.append(f"T{place}\t{label} {positions}\t{quote}\n")
        for place, (label, head, tail) in enumerate(item.relations):
            lines.append(f"R{place}\t{label} Arg1:T{head} Arg2:T{tail}\n")
        (folder / f"d{number}.txt").write_bytes(item.text.encode())
        (folder / f"d{number}.ann").write_bytes("".join(lines).encode())


def write_label_studio_file(folder: Path, drawn: Sequence[Text]) -> None:
    tasks = []
    for number, item in enumerate(drawn):
        result = []
        for place, (label, fragments) in enumerate(item.entities):
            start, end = fragments[0][0], fragments[-1][1]
            value = {"start": start, "end": end, "text": item.text[start:end].replace("\n", "\\n"), "labels": [label]}
            result.append({"id": f"r{place}", "type": "labels", "from_name": "l", "to_name": "t", "value": value})
        for label, head, tail in item.relations:
            left = (head + tail) % 2 == 1
            ends = {"from_id": f"r{tail if left else head}", "to_id": f"r{head if left else tail}"}
            result.append({"type": "relation", **ends, "direction": "left" if left else "right", "labels": [label]})
        tasks.append({"id": number, "data": {"text": item.text}, "annotations": [{"result": result}]})
    (folder / "export.json").write_text(json.dumps(tasks))


def write_doccano_file(folder: Path, drawn: Sequence[Text]) -> None:
    lines = []
    for number, item in enumerate(drawn):

        def place(position: int, text: str = item.text) -> int:
            return len(text[:position].encode("utf-16-le")) // 2

        entities = [
            {"id": 10 + i, "label": label, "start_offset": place(f[0][0]), "end_offset": place(f[-1][1])}
            for i, (label, f) in enumerate(item.entities)
        ]
        relations = [
            {"id": i, "from_id": 10 + head, "to_id": 10 + tail, "type": label}
            for i, (label, head, tail) in enumerate(item.relations)
        ]
        row = {"id": number, "text": item.text, "entities": entities, "relations": relations, "Comments": []}
        lines.append(json.dumps(row) + "\n")
    (folder / "all.jsonl").write_text("".join(lines))


def holdable(
    item: Text, words: Sequence[Span]
) -> tuple[set[tuple[str, int, int]], set[tuple[str, tuple[str, int, int], tuple[str, int, int]]]]:
    """The entities that are whole words, alone on them and without gaps, and the relations between two of those."""
    on_words: list[Span | None] = []
    for _, fragments in item.entities:
        touched = [w for w in words if w[0] < fragments[-1][1] and fragments[0][0] < w[1]]
        on_words.append((touched[0][0], touched[-1][1]) if touched else None)
    count = Counter(on_words)
    good: dict[int, tuple[str, int, int]] = {}
    for place, (label, fragments) in enumerate(item.entities):
        gaps = [item.text[a[1] : b[0]] for a, b in zip(fragments, fragments[1:], strict=False)]
        span = (fragments[0][0], fragments[-1][1])
        if on_words[place] == span and count[span] == 1 and not any(gap.strip() for gap in gaps):
            good[place] = (label, *span)
    relations = {
        (label, good[head], good[tail])
        for label, head, tail in item.relations
        if head in good and tail in good and head != tail
    }
    return set(good.values()), relations
