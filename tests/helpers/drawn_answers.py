"""Answers to draw, all invented: nested entities, hubs, long sentences, other scripts, hostile strings."""

import re
import string
from typing import Any

from hypothesis import strategies as st

# Every character that sets the direction of text.
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

ENTITY = tuple[str, str, float]  # label, words (their first occurrence), score
RELATION = tuple[str, int, int, float]  # label, head, tail, score


def make_answer(text: str, entities: list[ENTITY], relations: list[RELATION], **more: str) -> dict[str, Any]:
    """An answer in the pipeline's form."""
    found = []
    for label, words, score in entities:
        start = text.index(words)
        first = len(text[:start].split())
        found.append(
            {
                "label": label,
                "score": score,
                "start": start,
                "end": start + len(words),
                "text": words,
                "words": [first, first + len(words.split())],
            }
        )
    linked = [{"label": label, "score": score, "head": head, "tail": tail} for label, head, tail, score in relations]
    return {**more, "text": text, "entities": found, "relations": linked}


NEWS = [
    make_answer(
        "Bela Quist, who lives in Norvane, has worked for the Harbour Institute since May.",
        [("Person", "Bela Quist", 0.99), ("Location", "Norvane", 0.98), ("Organization", "Harbour Institute", 0.97)],
        [("lives_in", 0, 1, 0.97), ("works_for", 0, 2, 0.94)],
    ),
    make_answer(
        "Annika Ruhl and her brother Tomas founded Lumeo Batteries in Kelmouth; today the firm, led by Dara Finch, "
        "belongs to Northlight Holdings of Oslo.",
        [
            ("Person", "Annika Ruhl", 0.99),
            ("Person", "Tomas", 0.96),
            ("Organization", "Lumeo Batteries", 0.98),
            ("Location", "Kelmouth", 0.99),
            ("Person", "Dara Finch", 0.95),
            ("Organization", "Northlight Holdings", 0.92),
            ("Location", "Oslo", 0.99),
        ],
        [
            ("founded", 0, 2, 0.96),
            ("founded", 1, 2, 0.71),
            ("located_in", 2, 3, 0.93),
            ("works_for", 4, 2, 0.64),
            ("owns", 5, 2, 0.81),
            ("located_in", 5, 6, 0.77),
        ],
    ),
]
NESTED = make_answer(
    "The University of Norvane Medical School found that codeine intoxication caused by codeine syrup is rare.",
    [
        ("Organization", "University of Norvane Medical School", 0.93),
        ("Organization", "University of Norvane", 0.88),
        ("Location", "Norvane", 0.97),
        ("Condition", "codeine intoxication", 0.95),
        ("Drug", "codeine", 0.99),
        ("Drug", "codeine syrup", 0.91),
    ],
    [("part_of", 0, 1, 0.84), ("located_in", 1, 2, 0.95), ("causes", 4, 3, 0.9), ("causes", 5, 3, 0.88)],
)
EMPTY = make_answer("The train was late again.", [], [])
SCRIPTS = [
    make_answer(
        "تعمل ليلى حداد في جامعة القاهرة، وقد أسست شركة Nile Labs في New York عام 2019.",
        [
            ("Person", "ليلى حداد", 0.98),
            ("Organization", "جامعة القاهرة", 0.97),
            ("Location", "القاهرة", 0.9),
            ("Organization", "Nile Labs", 0.93),
            ("Location", "New York", 0.99),
        ],
        [("works_for", 0, 1, 0.92), ("founded", 0, 3, 0.88), ("located_in", 3, 4, 0.83), ("located_in", 1, 2, 0.7)],
        orig_id="Arabic",
    ),
    make_answer(
        "王小明在北京大学工作，他于二〇一九年创办了启明科技有限公司，总部设在上海。",
        [
            ("Person", "王小明", 0.98),
            ("Organization", "北京大学", 0.97),
            ("Location", "北京", 0.9),
            ("Organization", "启明科技有限公司", 0.93),
            ("Location", "上海", 0.99),
        ],
        [("works_for", 0, 1, 0.92), ("founded", 0, 3, 0.88), ("located_in", 3, 4, 0.83)],
        orig_id="Chinese",
    ),
    make_answer(
        "דנה כהן גרה בחיפה ועובדת ב-Northlight Holdings מאז 2015.",
        [("Person", "דנה כהן", 0.98), ("Location", "חיפה", 0.97), ("Organization", "Northlight Holdings", 0.9)],
        [("lives_in", 0, 1, 0.92), ("works_for", 0, 2, 0.88)],
        orig_id="Hebrew",
    ),
]
HOSTILE = make_answer(
    "A <script>alert(1)</script> &amp; \"quoted\" 'text' in Osl\u202eo,\r\nby \x00 ]]> Oslo.",
    [("<script>alert(2)</script>", "Oslo", 0.98), ('"><img src=x onerror=alert(3)>', "<script>", 0.97)],
    [("</style><b>\u2066", 0, 1, 0.92)],
    orig_id="</h2><script>alert(4)</script>\u202e",
)
TIGHT = make_answer(
    "Lumeo (Kelmouth, led by Dara Finch) hired the pseudopseudohypoparathyroidismresearcherextraordinaire Bo.",
    [
        ("Org", "Lumeo", 0.9),
        ("Loc", "Kelmouth", 0.9),
        ("Per", "Dara Finch", 0.9),
        ("Per", "Bo", 0.9),
        ("Job", "pseudopseudohypoparathyroidismresearcherextraordinaire", 0.9),
    ],
    [("based", 0, 1, 0.9), ("hired", 0, 3, 0.9), ("is", 3, 4, 0.9), ("is", 3, 3, 0.5)],
)


def make_long_answer(words: int, relations: int, reach: int = 3) -> dict[str, Any]:
    """A text with two entities for each relation, in a fixed order; each tenth relation reaches across all of it."""
    vocabulary = "the patient took codeine in Norvane and was seen at Harbour Institute by Dara Finch".split()
    tokens = [vocabulary[index * 7 % len(vocabulary)] for index in range(words)]
    starts, position = [], 0
    for token in tokens:
        starts.append(position)
        position += len(token) + 1
    entities = []
    for index in range(2 * relations):
        first = index * (words - 3) // (2 * relations)
        last = first + index % 3
        entities.append(
            {
                "label": ("Drug", "Person", "Location", "Organization")[index % 4],
                "score": 0.9,
                "start": starts[first],
                "end": starts[last] + len(tokens[last]),
            }
        )
    linked = []
    for index in range(relations):
        tail = (2 * index + 1 + index % reach) if index % 10 else len(entities) - 1 - index
        linked.append({"label": "treats", "score": 0.8, "head": 2 * index, "tail": min(tail, len(entities) - 1)})
    return {"text": " ".join(tokens), "entities": entities, "relations": linked}


AWKWARD = "<>&\"'/=;]-() \t\n\r\x00\x0b\x1f\x7f\u0085\u00a0\u00ad"
AWKWARD += "\u0301\u200d\u200f\u202e\u2028\u2069\ud800\ufffe…אمไ中。「🏽👩"

texts = st.text(st.sampled_from(AWKWARD + string.ascii_letters) | st.characters(), min_size=1, max_size=60)
scores = st.none() | st.floats(0, 1)


@st.composite
def any_answer(draw: st.DrawFn) -> dict[str, Any]:
    """Any text, any nesting, any labels."""
    text = draw(texts)
    edges = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(edges, edges).filter(lambda span: span[0] < span[1]), max_size=12))
    entities = [{"start": a, "end": b, "label": draw(texts), "score": draw(scores)} for a, b in spans]
    ends = st.integers(0, len(entities) - 1)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=12)) if entities else []
    relations = [{"head": head, "tail": tail, "label": draw(texts), "score": draw(scores)} for head, tail in pairs]
    return {"text": text, "entities": entities, "relations": relations, "id": draw(texts)}
