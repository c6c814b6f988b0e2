"""Hypothesis strategies for rows: gold and predictions on the same words, so small that they often agree."""

from typing import Any

from hypothesis import strategies as st

ENTITY_TYPES = ("A", "B", "C")
RELATION_TYPES = ("r", "s", "same")
SYMMETRIC = ("same",)
_WORDS = 6


@st.composite
def annotations(draw: st.DrawFn, with_scores: bool = False) -> dict[str, Any]:
    """Entities and relations over `_WORDS` words."""
    spans = st.tuples(st.integers(0, _WORDS - 1), st.integers(1, 3)).map(
        lambda pair: (pair[0], min(pair[0] + pair[1], _WORDS))
    )
    entities = [
        {"type": kind, "start": start, "end": end}
        for (start, end), kind in draw(st.lists(st.tuples(spans, st.sampled_from(ENTITY_TYPES)), max_size=5))
    ]
    relations = []
    if len(entities) > 1:
        index = st.integers(0, len(entities) - 1)
        pairs = draw(st.lists(st.tuples(index, index, st.sampled_from(RELATION_TYPES)), max_size=5))
        relations = [{"type": kind, "head": head, "tail": tail} for head, tail, kind in pairs if head != tail]
    if with_scores:
        score = st.integers(0, 20).map(lambda value: value / 20)
        for item in (*entities, *relations):
            item["score"] = draw(score)
        for entity in entities:
            entity["wins"] = draw(st.booleans())
    return {"tokens": [f"w{i}" for i in range(_WORDS)], "entities": entities, "relations": relations}


def row_pairs(with_scores: bool = True) -> st.SearchStrategy[list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Up to four rows, each as gold and prediction."""
    return st.lists(st.tuples(annotations(), annotations(with_scores)), max_size=4)
