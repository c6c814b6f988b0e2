"""Relations between entities the caller gives: characters and words, widening, bridged sentences, windows, messages."""

import itertools
from dataclasses import replace

import pytest
from tiny_pipeline import TEXT, WINDOW, assert_same_answers, tiny_model, tiny_pipeline, word_finder

from modeling_spert import JointExtractionPipeline
from modeling_spert.extraction_spert import Extractor
from modeling_spert.inputs_spert import add_given_entities, document_of_tokens

TOKENS = "Ada Lund wrote The Tide about Oslo .".split()


@pytest.fixture(scope="module")
def pipe() -> JointExtractionPipeline:
    return tiny_pipeline(relation_threshold=0)  # every pair that is scored shows


def entity(text: str, part: str, label: str = "Work") -> dict:
    """A part of a text, as characters."""
    start = text.index(part)
    return {"start": start, "end": start + len(part), "label": label}


def words(*spans: tuple[int, int], label: str = "Work") -> list[dict]:
    return [{"start": start, "end": end, "label": label} for start, end in spans]


def related(answer: dict) -> set[tuple[int, int]]:
    return {(r["head"], r["tail"]) for r in answer["relations"]}


def test_pipeline_relates_given_characters(pipe):
    text = "Ada Lund wrote a novel about Oslo."
    given = [entity(text, "Oslo", "Place"), entity(text, "Ada Lund", "Person")]
    answer = pipe({"text": text, "entities": given})
    assert [(e["text"], e["label"], e["words"], e["score"]) for e in answer["entities"]] == [
        ("Ada Lund", "Person", [0, 2], 1.0),
        ("Oslo", "Place", [6, 7], 1.0),
    ]
    assert all(text[e["start"] : e["end"]] == e["text"] and "widened" not in e for e in answer["entities"])
    # Near is symmetric: one way only.
    assert [(r["head"], r["tail"], r["label"]) for r in answer["relations"]] == [
        (0, 1, "Born_In"), (0, 1, "Near"), (0, 1, "Wrote"), (1, 0, "Born_In"), (1, 0, "Wrote"),
    ]  # fmt: skip


def test_pipeline_relates_given_words(pipe):
    answer = pipe({"tokens": TOKENS, "entities": words((3, 5), (0, 2))})
    assert [(e["text"], e["words"]) for e in answer["entities"]] == [("Ada Lund", [0, 2]), ("The Tide", [3, 5])]
    assert related(answer) == {(0, 1), (1, 0)}


def test_pipeline_scores_given_entities_as_its_own():
    # A symmetric type would keep the score of the direction that comes first, and candidates come in order of width.
    pipe = tiny_pipeline(tiny_model(symmetric_relation_types=[]))
    own = pipe(TEXT)
    given = [{key: e[key] for key in ("start", "end", "label")} for e in own["entities"]]
    answer = pipe({"text": TEXT, "entities": given})
    for found in (own, answer):
        for e in found["entities"]:
            e["score"] = 1.0
    assert own["relations"]
    assert_same_answers([answer], [own])


def test_pipeline_keeps_any_label_of_given_entities(pipe):
    answer = pipe({"tokens": TOKENS, "entities": words((0, 1), (2, 3), label="Unheard-of")})
    assert [e["label"] for e in answer["entities"]] == ["Unheard-of"] * 2


@pytest.mark.parametrize(
    ("part", "found"), [("da Lun", "Ada Lund"), ("Ada ", "Ada"), (" Lund wrote", "Lund wrote"), ("u", "Lund")]
)
def test_pipeline_widens_given_characters_to_words(pipe, part, found):
    text = "Ada Lund wrote it."
    answer = pipe({"text": text, "entities": [entity(text, part), entity(text, "it")]})
    first, second = answer["entities"]
    assert first["text"] == found == text[first["start"] : first["end"]]
    assert first["widened"] is True and "widened" not in second


def test_pipeline_joins_sentences_that_a_given_entity_bridges(pipe):
    text = "Ada wrote Oslo. Now. Vik is near. She left."
    bridge = {"start": text.index("Oslo"), "end": text.index(" Vik"), "label": "Work"}
    answer = pipe({"text": text, "entities": [entity(text, "Ada"), bridge, entity(text, "Vik"), entity(text, "She")]})
    assert [e["text"] for e in answer["entities"]] == ["Ada", "Oslo. Now.", "Vik", "She"]
    assert related(answer) == {(0, 1), (1, 0)}  # the second sentence lies inside the bridge, the third behind it


def test_pipeline_joins_bridged_sentences_of_words(pipe):
    document = {"sentences": [["Ada", "wrote"], [], ["Oslo", "."], ["Vik"]]}
    apart = pipe({**document, "entities": words((0, 1), (2, 3), (4, 5))})
    assert related(apart) == set()
    joined = pipe({**document, "entities": words((0, 1), (1, 3), (2, 3), (4, 5))})
    assert related(joined) == set(itertools.permutations(range(3), 2))
    assert [e["text"] for e in joined["entities"]] == ["Ada", "wrote Oslo", "Oslo", "Vik"]


@pytest.mark.parametrize("context", ["none", "document"])
def test_pipeline_relates_given_entities_inside_sentences(pipe, context):
    document = {
        "sentences": [["Ada", "wrote"], ["Lund"], ["born", "about"]],
        "entities": words(*[(i, i + 1) for i in range(5)]),
    }
    assert related(pipe(document, context=context)) == {(0, 1), (1, 0), (3, 4), (4, 3)}


def test_pipeline_relates_nested_but_not_equal_spans(pipe):
    given = [*words((0, 2)), *words((0, 1)), *words((0, 2), label="Person"), *words((0, 2))]
    answer = pipe({"tokens": TOKENS, "entities": given})
    assert [(e["words"], e["label"]) for e in answer["entities"]] == [
        ([0, 1], "Work"),
        ([0, 2], "Person"),
        ([0, 2], "Work"),
        ([0, 2], "Work"),
    ]
    assert related(answer) == {(0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0)}


@pytest.mark.parametrize("given", [[], words((2, 4))])
def test_pipeline_finds_no_relation_of_fewer_than_two_given(pipe, given):
    answer = pipe({"tokens": TOKENS, "entities": given})
    assert [e["words"] for e in answer["entities"]] == [[2, 4]][: len(given)] and answer["relations"] == []
    assert pipe({"text": "", "entities": []}) == {"text": "", "entities": [], "relations": []}
    assert pipe({"tokens": [], "entities": []}) == {"text": "", "entities": [], "relations": []}


def test_pipeline_finds_entities_itself_where_none_are_given(pipe):
    assert pipe({"tokens": TOKENS, "entities": None}) == pipe({"tokens": TOKENS})


def test_pipeline_mixes_inputs_with_and_without_given_entities(pipe):
    given = {"tokens": TOKENS, "entities": words((0, 2), (3, 5))}
    inputs = [TEXT, given, {"tokens": TOKENS, "entities": []}, {"tokens": TOKENS}, "", given]
    for batch_size in (1, 2, 32):
        assert_same_answers(pipe(inputs, batch_size=batch_size), [pipe(item) for item in inputs])


def test_pipeline_relates_given_entities_wider_than_any_candidate():
    pipe = tiny_pipeline(tiny_model(width_table_size=6), relation_threshold=0)
    answer = pipe({"tokens": TOKENS, "entities": words((0, 5), (0, 7), (6, 7))})
    assert [e["words"] for e in answer["entities"]] == [[0, 5], [0, 7], [6, 7]]
    assert related(answer) == set(itertools.permutations(range(3), 2))


def test_pipeline_relates_given_entities_in_pieces_of_a_sentence(pipe):
    """A sentence of three windows: pairs inside a piece are scored, and each entity stays, twice if given twice."""
    tokens = ["word"] * (2 * WINDOW)
    given = [*words((1, 2), (3, 4), (40, 54), (50, 51), (52, 54)), *words((3, 4), label="Place"), *words((1, 2))]
    answer = pipe({"tokens": tokens, "entities": given})
    spans = [tuple(e["words"]) for e in answer["entities"]]
    assert spans == [(1, 2), (1, 2), (3, 4), (3, 4), (40, 54), (50, 51), (52, 54)]
    near = {(a, b) for a, b in itertools.permutations(range(7), 2) if spans[a] != spans[b]}
    found = related(answer)
    assert found <= near
    assert {(a, b) for a, b in near if a < 4 and b < 4} | {(5, 6), (6, 5)} <= found
    assert {(4, 5), (4, 6)} <= found  # pieces overlap by the widest given entity, not only by the widest candidate


def test_pipeline_keeps_a_given_entity_wider_than_a_window(pipe, warnings_shown):
    tokens = ["word"] * (2 * WINDOW)
    answer = pipe({"tokens": tokens, "entities": words((0, 2), (1, WINDOW + 5), (3, 4))})
    assert [e["words"] for e in answer["entities"]] == [[0, 2], [1, WINDOW + 5], [3, 4]]
    assert related(answer) == {(0, 2), (2, 0)}
    assert warnings_shown == ["1 given entities do not fit into a window: they get no relations"]


def test_pipeline_drops_overlaps_of_given_entities_only_if_asked(pipe):
    document = {"tokens": TOKENS, "entities": words((0, 2), (1, 3), (4, 5))}
    assert [e["words"] for e in pipe(document)["entities"]] == [[0, 2], [1, 3], [4, 5]]
    assert [e["words"] for e in pipe(document, overlap="flat")["entities"]] == [[0, 2], [4, 5]]


def test_pipeline_relates_given_entities_without_relation_types():
    pipe = tiny_pipeline(tiny_model(relation_types=[]))
    answer = pipe({"tokens": TOKENS, "entities": words((0, 2), (3, 5))})
    assert len(answer["entities"]) == 2 and answer["relations"] == []


def test_pipeline_ignores_what_the_model_would_find(pipe):
    finder = tiny_pipeline(word_finder())
    answer = finder({"tokens": TOKENS, "entities": words((0, 2))})
    assert [e["words"] for e in answer["entities"]] == [[0, 2]]
    assert len(finder({"tokens": TOKENS})["entities"]) == len(TOKENS)


# --- Cost ---


class Counted(tuple):
    """A tuple that counts how often an item is looked at."""

    looks = 0

    def __getitem__(self, index):
        self.looks += 1
        return super().__getitem__(index)


def test_given_characters_are_matched_to_words_without_a_scan():
    document = document_of_tokens([["word"] * 2_000])
    document.__dict__["words"] = counted = Counted(document.words)
    entities = [{"start": 50 * i, "end": 50 * i + 4, "label": "Work"} for i in range(200)]
    found = add_given_entities(document, entities, in_characters=True)
    assert [e.start for e in found.given] == list(range(0, 2_000, 10))
    assert counted.looks < 200 * 40


def test_given_entities_of_a_window_are_found_without_a_scan(pipe):
    num_sentences = 300
    document = document_of_tokens([["Ada", "wrote"]] * num_sentences)
    document = add_given_entities(document, words(*((2 * i, 2 * i + 1) for i in range(num_sentences))), False)
    counted = Counted(document.given)
    extractions = Extractor(pipe.model, pipe.tokenizer)([replace(document, given=counted)])[0]
    assert all(len(extraction.entities) == 1 for extraction in extractions)
    assert counted.looks < num_sentences * 80


# --- Messages ---

BAD_ENTITIES = [
    ([{"start": 0, "end": 1}], r'"entities"\[0\] must have "start", "end" and "label", got {\'end\': 1, \'start\': 0}'),
    (["Ada"], r'"entities"\[0\] must have "start", "end" and "label", got \'Ada\''),
    ([*words((0, 1), (2, 2))], r'"entities"\[1\]: start and end must be integers with 0 <= start < end, got 2 and 2'),
    (words((2, 1)), r'"entities"\[0\]: start and end must be integers with 0 <= start < end, got 2 and 1'),
    (words((-1, 1)), r'"entities"\[0\]: start and end must be integers with 0 <= start < end, got -1 and 1'),
    (words((0.0, 1.5)), r'"entities"\[0\]: start and end must be integers with 0 <= start < end, got 0.0 and 1.5'),
    (words(("0", "1")), r'"entities"\[0\]: start and end must be integers with 0 <= start < end, got \'0\' and \'1\''),
    (words((0, True)), r'"entities"\[0\]: start and end must be integers with 0 <= start < end, got 0 and True'),
    (words((0, 1), label=None), r'"entities"\[0\]: label must be a string, got None'),
    (words((0, 99)), r'"entities"\[0\]: end is 99, but there are'),
    (
        {"start": 0, "end": 1, "label": "Work"},
        '"entities" must be a list of dicts with "start", "end" and "label", got',
    ),
    ("Ada", '"entities" must be a list of dicts with "start", "end" and "label", got \'Ada\''),
]


@pytest.mark.parametrize("document", [{"text": "Ada Lund wrote."}, {"tokens": TOKENS}], ids=["text", "tokens"])
@pytest.mark.parametrize(("bad", "message"), BAD_ENTITIES, ids=[str(bad) for bad, _ in BAD_ENTITIES])
def test_pipeline_refuses_bad_given_entity(pipe, document, bad, message):
    with pytest.raises(ValueError, match=message):
        pipe({**document, "entities": bad})


def test_pipeline_refuses_given_entity_after_the_end(pipe):
    with pytest.raises(ValueError, match='"entities".0.: end is 16, but there are 15 characters'):
        pipe({"text": "Ada Lund wrote.", "entities": words((4, 16))})
    with pytest.raises(ValueError, match='"entities".0.: end is 9, but there are 8 words'):
        pipe({"tokens": TOKENS, "entities": words((4, 9))})


def test_pipeline_refuses_given_entity_on_blanks(pipe):
    with pytest.raises(ValueError, match=r'"entities"\[0\]: the characters \[3, 5\) hold no word of the text'):
        pipe({"text": "Ada  Lund", "entities": words((3, 5))})
