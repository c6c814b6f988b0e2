"""Inputs and settings of the pipeline for fuzzing: hypothesis draws some, and a seeded generator alters and joins them.

Hypothesis finds and shrinks single strange inputs; the generator makes many of them cheaply, so that one example holds
as many as a batch does.
"""

import json
import random
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tiny_pipeline import TEXT, WINDOW

CORPUS = json.loads((Path(__file__).parents[1] / "fuzzing" / "corpus.json").read_text("utf-8"))
# What has broken, or might break, splitting, offsets, tokenizers and windows.
FRAGMENTS = (
    *"Ada Lund born wrote novel about Oslo Vik . , ; : ? ! ( ) [ ] { } ' \" `` '' - -- ... … % $5 €".split(),
    *"[CLS] [SEP] [PAD] [UNK] [MASK] O'Brien ##ed <s> </s> <pad> <unk> <mask> Ġword Ċ ▁x".split(),
    *"U.S. C++ Dr. No. 3 1,234.56 http://a.b/c?d=e a@b.co www.x.org #tag @user don't I'm state-of-the-art".split(),
    *" |  |\t|\n|\n\n|\r\n|\f|\v|\x1c|\x85|\xa0|\u1680|\u2003|\u2028|\u2029|\u202f|\u3000".split("|"),
    *"\x00 \x01 \x08 \x1b \x7f \x9f \xad \u061c \u200b \u200c \u200d \u200e \u200f \u202e \u202c \u2060 \ufeff".split(
        " "
    ),
    *"e\u0301 A\u030a \u0301 \u0e17\u0e35\u0e48 \u1019\u103c カ\uff9e ﬁ ß İ ı Σς ǆ".split(),
    *"👩🏽‍🚀 🇳🇴 🇳 1️⃣ 👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ☺️ 🏽 \U0010ffff \ufffe \uffff \ufffd \ue000".split(),
    *"我们走吧。 「何？」と言った 東京タワー 서울 เอดา עדה كتبت हिन्दी ɑβγ Łódź Ⅷ ½ ²".split(),
    "\ud800",
    "\udfff",
    "\ud83d",
    "x" * 60,
    "é" * 90,
    "ab" * 100,
    "\u0301" * 50,
    "." * 40,
)
_BAD_INPUTS = (
    *(None, 3, 2.5, b"bytes", {}, {"txet": "a"}, {"text": 3}, {"text": None}, {"text": "a", "tokens": ["a"]}),
    *({"tokens": "abc"}, {"tokens": [1]}, {"tokens": ["a", None]}, {"sentences": ["abc"]}, {"sentences": [[b"a"]]}),
    *({"sentences": 4}, {"text": "a", "entities": "x"}, {"text": "a b", "entities": [{"start": 0, "end": 1}]}),
    *({"text": "a", "entities": [{"start": 0, "end": 9, "label": "A"}]}, {"text": "a", "words": []}, [["a"]], set()),
    *({"text": "a", "entities": [{"start": True, "end": 1, "label": "A"}]}, {"tokens": ["a"], "entities": [7]}),
    *({"text": "a", "entities": [{"start": 0, "end": 1, "label": None}]}, {"tokens": ["a"], "entities": {"start": 0}}),
    *({"tokens": ["a"], "entities": [{"start": -1, "end": 1, "label": "A"}]}, {1: 2}, {"text": "a", None: 1}),
)
_CHARACTERS = st.characters(exclude_categories=())  # lone surrogates too, which JSON can carry
_WORDS = st.text(_CHARACTERS, max_size=6) | st.sampled_from(FRAGMENTS)
TEXTS = (
    st.text(_CHARACTERS, max_size=40)
    | st.lists(_WORDS, max_size=10).map("".join)
    | st.sampled_from([item for item in CORPUS if isinstance(item, str)])
)
SEEDS = st.integers(0, 2**32 - 1)
_TOKENS = st.lists(_WORDS, max_size=10).map(lambda words: {"tokens": words})
DRAWN = st.lists(TEXTS | _TOKENS | st.sampled_from(CORPUS), min_size=2, max_size=6)


def make_inputs(drawn: list[Any], seed: int, count: int) -> list[Any]:
    """The inputs that hypothesis drew, and others made of them and of fragments; a tenth is of no known form."""
    generator = random.Random(seed)
    texts = [TEXT, *(item for item in drawn if isinstance(item, str))]
    made = [_make_input(generator, texts) for _ in range(count - len(drawn))]
    return [*drawn, *made]


def _make_input(generator: random.Random, texts: list[str]) -> Any:
    kind = generator.random()
    if kind < 0.07:
        return generator.choice(_BAD_INPUTS)
    if kind < 0.45:
        text = make_text(generator, texts)
        entities = _make_entities(generator, len(text))
        return text if entities is None and kind < 0.3 else {"text": text, "entities": entities}
    sentences = [_make_words(generator, texts) for _ in range(generator.randint(0, 3))]
    tokens = sentences[0] if sentences else []
    if kind < 0.7:
        entities = _make_entities(generator, len(tokens))
        return tokens if entities is None and kind < 0.5 else {"tokens": tokens, "entities": entities}
    return {"sentences": sentences, "entities": _make_entities(generator, sum(map(len, sentences)))}


def make_text(generator: random.Random, texts: list[str]) -> str:
    """Fragments joined with and without blanks, or a text cut, doubled, turned round or mixed with another."""
    kind, one = generator.randrange(8), generator.choice(texts)
    if kind < 4:
        joint = generator.choice(["", " ", " ", generator.choice(FRAGMENTS)])
        return joint.join(generator.choices(FRAGMENTS, k=generator.randint(0, 9)))[:400]
    if kind == 4:
        return "".join(
            chr(generator.choice((0x7F, 0x24F, 0xFFFF, 0x10FFFF)) - generator.randrange(127)) for _ in "x" * 9
        )
    if kind == 5:
        return (one[: generator.randint(0, len(one))] + generator.choice(FRAGMENTS) + one[::-1])[:300]
    if kind == 6:
        return (one * generator.randint(1, 4))[:300]
    return "".join(character for pair in zip(one, generator.choice(texts), strict=False) for character in pair)[:300]


def _make_words(generator: random.Random, texts: list[str]) -> list[str]:
    if generator.random() < 0.3:
        return re.split(r"\s", generator.choice(texts))[:20]
    return [generator.choice(FRAGMENTS) for _ in range(generator.randint(0, 8))]


def _make_entities(generator: random.Random, size: int) -> list[dict[str, Any]] | None:
    """Entities given with the input, of a text of `size` characters or words; now and then one that is not inside."""
    if generator.random() < 0.6:
        return None
    entities = []
    for _ in range(generator.randint(0, 5) if size else 0):
        start = generator.randrange(size)
        end = min(start + generator.choice((1, 1, 2, 3, 5, 40)), size)
        entities.append({"start": start, "end": end, "label": generator.choice(("Person", "Place", "own", ""))})
    if generator.random() < 0.03:
        entities.append({"start": size, "end": size + 1, "label": "Person"})
    return entities


def split_at_blanks(text: str) -> list[list[tuple[int, int]]]:
    """A splitter of a user's: one sentence, words between blanks."""
    return [[match.span() for match in re.finditer(r"\S+", text)]]


def split_lines_into_characters(text: str) -> list[list[tuple[int, int]]]:
    """A splitter of a user's: a sentence per line, a word per character."""
    return [[(i, i + 1) for i in range(*match.span())] for match in re.finditer(".+", text)]


def split_badly(text: str) -> list[list[tuple[int, int]]]:
    """A splitter that fails with an error of its own on some texts, and leaves others on some."""
    return [[(0, len(text) + len(text) % 2)], [(0, 1 // (len(text) % 3))]]


THRESHOLDS = st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.9, 1.0, 0, 1]) | st.floats(0, 1)
SETTINGS = st.fixed_dictionaries(
    # Few: at a relation threshold of 0 an answer has three relations per pair, and an example hundreds of answers.
    {"max_entities_per_sentence": st.sampled_from([1, 2, 5, 5, 8, 8, 8, 30])},
    optional={
        "entity_threshold": st.none() | THRESHOLDS,
        "relation_threshold": st.none() | THRESHOLDS,
        "overlap": st.sampled_from(["allow", "nested", "flat"]),
        "max_window_length": st.integers(8, WINDOW),
        "context": st.sampled_from(["none", "document"]),
        "splitter": st.sampled_from([split_at_blanks, split_lines_into_characters, split_badly]),
    },
)
# Settings of which the contract says that they change no answer.
BATCHING = st.fixed_dictionaries({"batch_size": st.integers(4, 40), "max_tokens": st.sampled_from([150, 500, 4096])})
ANY_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 60),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["allow", "nested", "flat", "none", "document", "record", "raise", b"x", 1j, 2**80]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
