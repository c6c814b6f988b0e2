"""The contract of `pipeline("joint-extraction")`: forms in and out, character offsets, settings, messages."""

import itertools
import json
import math
import re
import unicodedata
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_levers import LEVERS, strengthen
from tiny_pipeline import RELATION_TYPES, TEXT, WINDOW, assert_same_answers, tiny_model, tiny_pipeline, word_finder

from modeling_spert import JointExtractionPipeline

TOKENS = "Ada Lund wrote The Tide about Oslo .".split()
# Accents composed and decomposed, astral and joined emoji, scripts without spaces, tabs and double spaces, two
# right-to-left scripts with marks and controls, zero-width characters, a lone surrogate.
STRANGE = {
    "accents": "José Nuñez met Zoë in Łódź.",
    "decomposed": unicodedata.normalize("NFD", "José Nuñez met Zoë in Åre."),
    "emoji": "Ada 👩🏽‍🚀 flew 🇳🇴 to 🪐 (wow!) 1️⃣.",
    "cjk": "阿达出生在奥斯陆。她写了《潮汐》。東京タワーと서울.",
    "blanks": "\tAda  Lund\t\twrote \u00a0 The\u3000Tide .\r\n\n She left . ",
    "right to left": "עדה נולדה באוסלו. \u202bكتبت آدا رواية\u202c. קָפֶה",
    "zero width": "\ufeffAda\u200bLund wro\u00adte \u200dThe\u2060Tide\u200e.",
    "zero width only": "\u200b\u200b\ufeff",
    "thai": "เอดาเกิดที่ออสโล",
    "surrogate": "Ada \ud800 Lund",
    "controls": "Ada\x00Lund \x1b wrote\x85The Tide",
    "brackets": "[CLS] Ada [SEP] Lund [UNK] ##wrote [PAD]",
    "empty": "",
    "spaces": " \t\n  ",
}

ANY_CHARACTER = st.characters(exclude_categories=())  # lone surrogates too, which JSON can carry


@pytest.fixture(scope="module")
def pipe() -> JointExtractionPipeline:
    return tiny_pipeline()


@pytest.fixture(scope="module")
def finder() -> JointExtractionPipeline:
    return tiny_pipeline(word_finder())


def check_answer(answer: dict, sentence_of: list[int] | None = None) -> None:
    """Everything that holds for any answer, whatever the input."""
    assert json.loads(json.dumps(answer)) == answer
    assert list(answer) == ["text", "entities", "relations"]
    for e in answer["entities"]:
        assert answer["text"][e["start"] : e["end"]] == e["text"]
        first, end = e["words"]
        assert 0 <= first < end and 0 <= e["score"] <= 1
        assert sentence_of is None or sentence_of[first] == sentence_of[end - 1]
    spans = [(e["start"], e["end"]) for e in answer["entities"]]
    assert spans == sorted(spans)
    relations = [(r["head"], r["tail"], r["label"]) for r in answer["relations"]]
    assert relations == sorted(set(relations))
    for r in answer["relations"]:
        assert 0 <= r["score"] <= 1 and r["head"] != r["tail"]
        head, tail = answer["entities"][r["head"]], answer["entities"][r["tail"]]  # IndexError beyond the last
        assert min(r["head"], r["tail"]) >= 0
        if sentence_of is not None:
            assert sentence_of[head["words"][0]] == sentence_of[tail["words"][0]]


# --- Forms in and out ---


def test_pipeline_answers_text_with_plain_types_in_order(pipe):
    answer = pipe(TEXT)
    check_answer(answer)
    assert answer["text"] == TEXT
    assert len(answer["entities"]) > 10 and {r["label"] for r in answer["relations"]} == set(RELATION_TYPES)
    assert set(answer["entities"][0]) == {"label", "score", "start", "end", "text", "words"}
    assert set(answer["relations"][0]) == {"label", "score", "head", "tail"}
    assert type(answer["entities"][0]["score"]) is float and type(answer["entities"][0]["start"]) is int


def test_pipeline_takes_text_as_string_or_dict(pipe):
    assert pipe({"text": TEXT}) == pipe(TEXT)
    assert_same_answers(pipe([TEXT, {"text": TEXT}]), [pipe(TEXT)] * 2)


def test_pipeline_answers_list_in_order(pipe):
    texts = [TEXT, "", "Ada.", "about a novel", TEXT[:30]]
    answers = pipe(texts)
    assert isinstance(answers, list) and [a["text"] for a in answers] == texts
    assert pipe(tuple(texts)) == answers
    assert pipe([]) == []


def test_pipeline_takes_words_of_one_sentence(pipe):
    answer = pipe({"tokens": TOKENS})
    check_answer(answer)
    assert answer["text"] == " ".join(TOKENS)
    assert all(e["text"] == " ".join(TOKENS[slice(*e["words"])]) for e in answer["entities"])
    assert answer["entities"]
    assert_same_answers(pipe([TOKENS, tuple(TOKENS)]), [answer, answer])


def test_pipeline_splits_no_given_token(finder):
    tokens = ["Dr.", "it's 5%", "", "…", "\u200b", "(a", "\ud800"]
    answer = finder({"tokens": tokens})
    check_answer(answer)
    assert [e["text"] for e in answer["entities"]] == tokens


def test_pipeline_takes_sentences_of_a_document(pipe):
    sentences = [TOKENS, [], "She left Vik .".split(), ["Why", "?"]]
    answer = pipe({"sentences": sentences})
    sentence_of = [number for number, sentence in enumerate(sentences) for _ in sentence]
    check_answer(answer, sentence_of)
    words = list(itertools.chain(*sentences))
    assert answer["text"] == " ".join(words)
    assert all(e["text"] == " ".join(words[slice(*e["words"])]) for e in answer["entities"])
    assert len({sentence_of[e["words"][0]] for e in answer["entities"]}) > 1


@pytest.mark.parametrize("nothing", ["", "  \n ", {"text": ""}, {"tokens": []}, {"sentences": []}, {"sentences": [[]]}])
def test_pipeline_answers_nothing_for_no_words(pipe, nothing):
    text = nothing if isinstance(nothing, str) else nothing.get("text", "")
    assert pipe(nothing) == {"text": text, "entities": [], "relations": []}
    assert_same_answers(pipe([nothing, TEXT, nothing])[1:2], [pipe(TEXT)])


def test_pipeline_answers_stream_lazily(finder):
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield "Ada"

    answers = finder(texts())
    assert taken == 0 and not isinstance(answers, list)
    assert next(answers)["text"] == "Ada"
    assert 0 < taken < 1000
    assert len(list(answers)) == 999 and taken == 1000


def test_pipeline_answers_endless_stream(pipe):
    texts = itertools.cycle([TEXT, "", {"tokens": TOKENS}])
    answers = list(itertools.islice(pipe(texts), 3))
    assert_same_answers(answers, pipe([TEXT, "", {"tokens": TOKENS}]))


# --- Character offsets ---


@pytest.mark.parametrize("name", STRANGE)
def test_pipeline_offsets_match_strange_text(pipe, finder, name):
    text = STRANGE[name]
    for extract in (pipe, finder):
        answer = extract(text)
        assert answer["text"] == text
        assert all(text[e["start"] : e["end"]] == e["text"] for e in answer["entities"])
    found = "".join(e["text"] for e in finder(text)["entities"])
    visible = [c for c in text if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf")]
    assert [c for c in found if unicodedata.category(c) not in ("Cc", "Cf")] == visible


@settings(max_examples=60)
@given(st.text(alphabet=ANY_CHARACTER, max_size=200))
@example("a" * 150 + "\u0301" * 3)
def test_pipeline_offsets_match_any_text(text):
    for extract in _PIPES:
        answer = extract(text)
        assert answer["text"] == text
        assert all(text[e["start"] : e["end"]] == e["text"] != "" for e in answer["entities"])


@settings(max_examples=40)
@given(st.lists(st.lists(st.text(alphabet=ANY_CHARACTER, max_size=8), max_size=6), max_size=4))
def test_pipeline_offsets_match_any_words(sentences):
    words = list(itertools.chain(*sentences))
    for extract in _PIPES:
        answer = extract({"sentences": sentences})
        assert answer["text"] == " ".join(words)
        for e in answer["entities"]:
            assert answer["text"][e["start"] : e["end"]] == e["text"] == " ".join(words[slice(*e["words"])])
    assert [e["text"] for e in _PIPES[1]({"sentences": sentences})["entities"]] == words


_PIPES = (tiny_pipeline(), tiny_pipeline(word_finder()))  # hypothesis and fixtures of a function's scope do not mix


# --- Settings ---


def test_pipeline_entity_threshold_keeps_the_better(pipe):
    default = pipe(TEXT)
    scores = sorted(e["score"] for e in default["entities"])
    middle = scores[len(scores) // 2]
    few = pipe(TEXT, entity_threshold=middle)
    assert 0 < len(few["entities"]) < len(default["entities"])
    assert {e["score"] >= middle for e in few["entities"]} == {True}
    every = pipe(TEXT, entity_threshold=0)
    assert len(every["entities"]) > len(default["entities"])  # also spans whose best class is none
    assert tiny_pipeline(entity_threshold=middle)(TEXT) == few


def test_pipeline_relation_threshold_keeps_the_better():
    # A symmetric type would keep the score of the direction that reaches the threshold first.
    pipe = tiny_pipeline(tiny_model(symmetric_relation_types=[]))
    default = pipe(TEXT)
    scores = sorted(r["score"] for r in default["relations"])
    middle = sum(scores[len(scores) // 2 : len(scores) // 2 + 2]) / 2  # logits are compared: no score is quite at it
    assert scores[0] >= pipe.model.config.relation_threshold
    few = pipe(TEXT, relation_threshold=middle)
    assert few["entities"] == default["entities"]
    assert few["relations"] == [r for r in default["relations"] if r["score"] >= middle] != []
    assert pipe(TEXT, relation_threshold=1)["relations"] == []
    assert len(pipe(TEXT, relation_threshold=0)["relations"]) > len(default["relations"])
    strict = tiny_pipeline(pipe.model, relation_threshold=middle)
    assert strict(TEXT) == few and strict(TEXT, relation_threshold=0.4) == default


def test_pipeline_bounds_the_entities_of_a_sentence_and_says_so(warnings_shown):
    """A threshold of 0 on one sentence of 300 words made 4.75 million relations and took gigabytes."""
    pipe = tiny_pipeline(entity_threshold=0, relation_threshold=1)
    document = {"sentences": [["word"] * 40, ["Ada", "wrote"], ["novel"] * 40]}
    every = pipe(document, max_entities_per_sentence=10_000)["entities"]
    assert warnings_shown == []
    found = pipe(document, max_entities_per_sentence=20)["entities"]
    sentence_of = [0] * 40 + [1] * 2 + [2] * 40
    for sentence in range(3):
        own = [e["score"] for e in every if sentence_of[e["words"][0]] == sentence]
        kept = [e["score"] for e in found if sentence_of[e["words"][0]] == sentence]
        assert sorted(kept) == pytest.approx(sorted(own)[-20:])
    assert warnings_shown == [
        "2 sentences have 20 entities or more: the best 20 are kept. Raise entity_threshold, or "
        "max_entities_per_sentence"
    ]
    given = [{"start": i, "end": i + 1, "label": "Work"} for i in range(30)]
    assert len(pipe({"tokens": ["word"] * 40, "entities": given}, max_entities_per_sentence=20)["entities"]) == 30


def test_pipeline_bounds_the_entities_of_each_piece_of_a_long_sentence():
    pipe = tiny_pipeline(word_finder())
    words = {"tokens": ["word"] * (2 * WINDOW)}
    found = pipe(words, max_entities_per_sentence=20)["entities"]
    assert len(pipe(words)["entities"]) == 2 * WINDOW and 20 < len(found) <= 60


def test_pipeline_bounds_entities_by_default():
    pipe = tiny_pipeline(tiny_model(max_span_width=10), entity_threshold=0, relation_threshold=1)
    assert len(pipe({"tokens": ["word"] * 40})["entities"]) == 256


def overlaps(a: dict, b: dict) -> bool:
    return a["words"][0] < b["words"][1] and b["words"][0] < a["words"][1]


def nests(a: dict, b: dict) -> bool:
    return a["words"][0] <= b["words"][0] and b["words"][1] <= a["words"][1]


def test_pipeline_overlap_modes_drop_entities_with_their_relations(pipe):
    found = {mode: pipe(TEXT, overlap=mode) for mode in ("allow", "nested", "flat")}
    assert found["allow"] == pipe(TEXT)
    pairs = {mode: list(itertools.combinations(answer["entities"], 2)) for mode, answer in found.items()}
    assert any(overlaps(a, b) and not nests(a, b) and not nests(b, a) for a, b in pairs["allow"])
    assert any(overlaps(a, b) for a, b in pairs["nested"])
    assert all(nests(a, b) or nests(b, a) for a, b in pairs["nested"] if overlaps(a, b))
    assert not any(overlaps(a, b) for a, b in pairs["flat"])
    assert tiny_pipeline(overlap="flat")(TEXT) == found["flat"]
    for mode in ("nested", "flat"):
        check_answer(found[mode])
        assert relations_by_span(found[mode]) == {
            triple
            for triple in relations_by_span(found["allow"])
            if {triple[0], triple[1]} <= {tuple(e["words"]) for e in found[mode]["entities"]}
        }
    assert relations_by_span(found["nested"])


def relations_by_span(answer: dict) -> set[tuple]:
    words = [tuple(e["words"]) for e in answer["entities"]]
    return {(words[r["head"]], words[r["tail"]], r["label"]) for r in answer["relations"]}


def test_pipeline_overlap_keeps_the_higher_score(pipe):
    best = max(pipe(TEXT)["entities"], key=lambda e: e["score"])
    assert best in pipe(TEXT, overlap="flat")["entities"]
    assert best in pipe(TEXT, overlap="nested")["entities"]


def test_pipeline_overlap_is_the_models_unless_the_caller_says(pipe):
    trained_flat = tiny_pipeline(tiny_model(overlap="flat"))
    assert trained_flat(TEXT) == pipe(TEXT, overlap="flat") != pipe(TEXT)
    assert trained_flat(TEXT, overlap="allow") == pipe(TEXT)


def test_pipeline_overlap_holds_across_the_pieces_of_a_long_sentence():
    words = TEXT.replace(".", " ,").split() * 8
    found = tiny_pipeline(overlap="flat")({"tokens": words})["entities"]
    assert len(found) > 8 and not any(overlaps(a, b) for a, b in itertools.combinations(found, 2))


def test_pipeline_overlap_of_the_model_leaves_given_entities_alone():
    given = [{"start": 0, "end": 2, "label": "Person"}, {"start": 1, "end": 3, "label": "Work"}]
    answer = tiny_pipeline(tiny_model(overlap="flat"))({"tokens": TEXT.split(), "entities": given})
    assert [entity["words"] for entity in answer["entities"]] == [[0, 2], [1, 3]]


def test_pipeline_with_levers_reads_capitals():
    model = strengthen(tiny_model(**LEVERS))
    answer, small = (tiny_pipeline(model)({"tokens": words})["entities"] for words in (["?a"], ["?A"]))
    assert [e["score"] for e in answer] != [e["score"] for e in small]
    check_answer(tiny_pipeline(model)(TEXT))


def test_pipeline_uses_a_splitter_of_the_user(finder):
    def split(text: str) -> list[list[tuple[int, int]]]:
        return [[(0, 3), (4, 9)], [(9, 12)]]

    text = "a-b c.d e f!"
    answer = finder(text, splitter=split)
    assert [e["text"] for e in answer["entities"]] == ["a-b", "c.d e", " f!"]
    assert tiny_pipeline(word_finder(), splitter=split)(text) == answer
    assert finder({"tokens": ["x"]}, splitter=split)["text"] == "x"  # words are words


def test_pipeline_relations_stay_inside_sentences_of_a_splitter(pipe):
    def split(text: str) -> list[list[tuple[int, int]]]:
        starts = [0, *(i + 1 for i, c in enumerate(text) if c == " ")]
        words = [(start, start + len(text[start:].split(" ")[0])) for start in starts]
        return [words[i : i + 3] for i in range(0, len(words), 3)]

    answer = pipe(" ".join(TOKENS), splitter=split)
    check_answer(answer, [0, 0, 0, 1, 1, 1, 2, 2])
    assert answer["relations"]


def test_pipeline_reads_segmentation_from_config():
    text = "a well-known novel"
    model = word_finder(segmentation={"split_hyphens": "letters"})
    assert [e["text"] for e in tiny_pipeline(model)(text)["entities"]] == ["a", "well", "-", "known", "novel"]
    assert [e["text"] for e in tiny_pipeline(word_finder())(text)["entities"]] == ["a", "well-known", "novel"]


def test_pipeline_without_relation_types_finds_entities():
    answer = tiny_pipeline(tiny_model(relation_types=[]))(TEXT)
    check_answer(answer)
    assert answer["entities"] and answer["relations"] == []


def test_pipeline_symmetric_relations_point_forward(pipe):
    answer = pipe(TEXT)
    near = [r for r in answer["relations"] if r["label"] == "Near"]
    start = [e["words"][0] for e in answer["entities"]]
    assert near and all(start[r["head"]] <= start[r["tail"]] for r in near)


def test_pipeline_puts_a_model_in_training_in_eval_mode():
    model = tiny_model(head_dropout=0.5)
    expected = tiny_pipeline(model)(TEXT)
    pipe = tiny_pipeline(model.train())
    assert not model.training and not model.dropout.training
    assert pipe(TEXT) == expected
    model.train()
    assert pipe(TEXT) == expected
    assert not model.training and not model.dropout.training


def test_pipeline_answer_needs_no_gradient(pipe):
    pipe(TEXT)
    assert all(parameter.grad is None for parameter in pipe.model.parameters())


def test_pipeline_leaves_a_model_that_trains():
    pipe = tiny_pipeline(tiny_model())
    pipe(TEXT)
    model = pipe.model.train()
    batch = {"input_ids": torch.tensor([[2, 5, 6, 3]]), "attention_mask": torch.ones(1, 4, dtype=torch.long)}
    words = {"word_index": torch.tensor([[-1, 0, 1, -1]]), "sentence_index": torch.tensor([[0, 0]])}
    spans, pairs = torch.tensor([[0, 0, 1]]), torch.zeros(0, 2, dtype=torch.long)
    model(**batch, **words, spans=spans, span_labels=torch.tensor([1]), pairs=pairs).loss.backward()
    assert model.entity_classifier.weight.grad is not None


# --- Messages ---

BAD_INPUTS = [
    (7, "inputs must be a text, a dict, or a list, iterable or Dataset of these, got 7"),
    (None, "inputs must be a text, a dict, or a list, iterable or Dataset of these, got None"),
    (b"Ada", "inputs must be a text, a dict, or a list, iterable or Dataset of these, got b'Ada'"),
    ([7], 'input 0: an input must be a string or one of {"text": …}, .*, got 7'),
    ({"text": "a", "tokens": ["a"]}, r"an input must be .*, got the keys \['text', 'tokens'\]"),
    ({}, r"an input must be .*, got the keys \[\]"),
    ({"sentence": "a"}, r"an input must be .*, got the keys \['sentence'\]"),
    ({"text": "a", "label": "b", 3: "c"}, r"unknown keys \['label', 3\] in an input; it may be"),
    ({"text": 7}, '"text" must be a string, got int'),
    ({"text": None}, '"text" must be a string, got NoneType'),
    ({"tokens": "Ada"}, "\"tokens\" must be a list of words, got 'Ada'"),
    ({"tokens": None}, '"tokens" must be a list of words, got None'),
    ({"tokens": ["a", 7]}, '"tokens" must hold words as strings, got 7 as word 1'),
    ([["a", None]], '"tokens" must hold words as strings, got None as word 1'),
    ({"sentences": ["a b"]}, "\"sentences\" must hold lists of words, got 'a b'"),
    ({"sentences": "a b"}, "\"sentences\" must be a list of lists of words, got 'a b'"),
    ({"sentences": None}, '"sentences" must be a list of lists of words, got None'),
    ({"sentences": [["a"], ["b", ["c"]]]}, r"\"sentences\" must hold words as strings, got \['c'\] as word 2"),
]


def test_pipeline_messages_do_not_quote_long_or_deep_values(pipe):
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for bad in ([["word"] * 10_000 + [None]], {"tokens": "a" * 10_000}, {"text": "a", "tokens": ["a"] * 10_000}, deep):
        with pytest.raises(ValueError) as error:
            pipe(bad)
        assert len(str(error.value)) < 500


@pytest.mark.parametrize(("bad", "message"), BAD_INPUTS, ids=[str(bad) for bad, _ in BAD_INPUTS])
def test_pipeline_refuses_bad_input(pipe, bad, message):
    with pytest.raises(ValueError, match=message):
        pipe(bad)


BAD_SETTINGS = [
    ({"entity_threshold": 1.5}, "entity_threshold must be between 0 and 1, got 1.5"),
    ({"entity_threshold": float("nan")}, "entity_threshold must be between 0 and 1, got nan"),
    ({"relation_threshold": -0.1}, "relation_threshold must be between 0 and 1, got -0.1"),
    ({"overlap": "none"}, "overlap must be one of allow, nested, flat, got 'none'"),
    ({"context": "window"}, "context must be one of none, document, got 'window'"),
    ({"max_entities_per_sentence": 0}, "max_entities_per_sentence must be an integer >= 1, got 0"),
    ({"max_tokens": 0}, "max_tokens must be an integer >= 1, got 0"),
    ({"entity_threshold": "high"}, "entity_threshold must be between 0 and 1, got 'high'"),
    ({"relation_threshold": True}, "relation_threshold must be between 0 and 1, got True"),
    ({"on_error": "skip"}, "on_error must be one of raise, record, got 'skip'"),
    ({"splitter": "spacy"}, "splitter must be a function from a text to the .* of each sentence, got 'spacy'"),
    ({"max_window_length": 0}, "max_window_length must be an integer >= 8, got 0"),
    ({"max_window_length": 1000}, "max_window_length must be at most the model's, 48, got 1000"),
]


@pytest.mark.parametrize(("setting", "message"), BAD_SETTINGS)
def test_pipeline_refuses_bad_setting(pipe, setting, message):
    with pytest.raises(ValueError, match=message):
        pipe(iter([TEXT]), **setting)  # at the call, not at the first answer
    with pytest.raises(ValueError, match=message):
        tiny_pipeline(pipe.model, **setting)


@pytest.mark.parametrize("size", [0, -1, 2.5, "8"])
def test_pipeline_refuses_bad_batch_size(pipe, size):
    with pytest.raises(ValueError, match=f"batch_size must be an integer >= 1, got {size!r}"):
        pipe(TEXT, batch_size=size)
    with pytest.raises(ValueError, match=f"batch_size must be an integer >= 1, got {size!r}"):
        tiny_pipeline(pipe.model, batch_size=size)


def test_pipeline_takes_numbers_of_numpy(pipe):
    expected = pipe(TEXT, entity_threshold=0.5, relation_threshold=0.5, batch_size=2, max_tokens=60)
    settings = {"entity_threshold": np.float32(0.5), "relation_threshold": np.float64(0.5)}
    sizes = {"batch_size": np.int64(2), "max_tokens": np.int32(60)}
    assert pipe(TEXT, **settings, **sizes) == expected
    assert tiny_pipeline(pipe.model, **settings, **sizes)(TEXT) == expected
    given = {"tokens": TOKENS, "entities": [{"start": np.int64(0), "end": np.int32(2), "label": "Work"}]}
    assert json.loads(json.dumps(pipe(given)))["entities"][0]["words"] == [0, 2]


def test_pipeline_refuses_unknown_keyword(pipe):
    message = "unknown setting 'entity_treshold'; did you mean entity_threshold"
    with pytest.raises(TypeError, match=message):
        pipe(TEXT, entity_treshold=0.5)
    with pytest.raises(TypeError, match=message):
        tiny_pipeline(pipe.model, entity_treshold=0.5)
    message = "unknown setting 'threshold'; did you mean entity_threshold or relation_threshold?"
    with pytest.raises(TypeError, match=re.escape(message)):
        pipe(TEXT, threshold=0.5)
    with pytest.raises(TypeError, match="unknown setting 'beams'; the settings are batch_size, context, entity_thre"):
        pipe(TEXT, beams=3)
    with pytest.raises(TypeError, match="precision is set once, when the pipeline is made: pipeline"):
        pipe(TEXT, precision="bf16")
    with pytest.raises(TypeError, match="settings are keywords"):
        pipe(TEXT, 0.5)


@pytest.mark.parametrize("ranges", [[(2, 4), (0, 1)], [(0, 2), (1, 3)], [(1, 1)], [(0, 99)], [(-1, 2)]])
def test_pipeline_refuses_words_of_a_bad_splitter(pipe, ranges):
    with pytest.raises(ValueError, match="splitter must return words in order, none empty, inside the text of 7 char"):
        pipe("Ada Vik", splitter=lambda text: [ranges])


def test_pipeline_takes_the_entity_threshold_of_the_configuration():
    plain, strict = tiny_pipeline(), tiny_pipeline(tiny_model(entity_threshold=0.9))
    scores = [entity["score"] for entity in plain(TEXT)["entities"]]
    kept = [entity["score"] for entity in strict(TEXT)["entities"]]
    assert 0 < len(kept) < len(scores) and min(kept) >= 0.9
    assert len(strict(TEXT, entity_threshold=0.1)["entities"]) >= len(scores)


def test_pipeline_with_broken_weights_is_an_error():
    model = tiny_model()
    with torch.no_grad():
        model.entity_classifier.bias.fill_(math.nan)
    with pytest.raises(ValueError, match="the model's scores are not numbers"):
        tiny_pipeline(model)(TEXT)
