"""The demo corpus: valid, reproducible, and held out as it claims."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, combinations

import pytest

from datasets_scripts.demo import corpus as demo_corpus
from datasets_scripts.demo.__main__ import main
from datasets_scripts.demo.corpus import (
    ENTITY_TYPES,
    EXAMPLE_TEXTS,
    RELATION_TYPES,
    SYMMETRIC_RELATION_TYPES,
    demo_types,
    generate_demo_corpus,
)
from datasets_scripts.demo.grammar import (
    PLAIN_TEST_PATTERNS,
    PLAIN_TRAIN_PATTERNS,
    TEST_PATTERNS,
    TRAIN_PATTERNS,
    Pattern,
    PatternSet,
    Slot,
    parse_pattern,
)
from datasets_scripts.demo.names import NAME_POOLS

SPLITS = ("train", "dev", "test", "test_plain")
POOLS = ("train", "dev", "test")  # the splits of the name words
PATTERNS_BY_SPLIT = {
    "train": (TRAIN_PATTERNS, PLAIN_TRAIN_PATTERNS),
    "test": (TEST_PATTERNS,),
    "test_plain": (PLAIN_TEST_PATTERNS,),
}


@pytest.fixture(scope="module", params=[0, 7])
def corpus(request):
    return generate_demo_corpus(request.param)


def pool_of(split: str) -> str:
    return split.removesuffix("_plain")


def entity_surfaces(rows) -> set[str]:
    return {
        " ".join(row["tokens"][entity["start"] : entity["end"]]).lower() for row in rows for entity in row["entities"]
    }


def words(rows) -> set[str]:
    return {part for row in rows for token in row["tokens"] for part in token.lower().split("-")}


def skeleton(row) -> str:
    """The sentence with every outermost entity replaced by its type."""
    tokens = list(row["tokens"])
    entities = row["entities"]
    outermost = [
        entity
        for entity in entities
        if not any(
            other is not entity and other["start"] <= entity["start"] and entity["end"] <= other["end"]
            for other in entities
        )
    ]
    for entity in sorted(outermost, key=lambda entity: -entity["start"]):
        tokens[entity["start"] : entity["end"]] = [f"<{entity['type']}>"]
    return " ".join(tokens).lower()


def pattern_texts(patterns: PatternSet) -> dict[str, set[str]]:
    """The text of every clause, modifier, lead and tail, without slot numbers and relations."""

    def text(pattern: Pattern) -> str:
        return " ".join(f"[{item.kind}]" if isinstance(item, Slot) else item for item in pattern.items).lower()

    groups = {
        "clauses": patterns.clauses + patterns.neutral + patterns.empty,
        "modifiers": patterns.modifiers,
        "frames": patterns.leads + patterns.tails,
    }
    return {group: {text(pattern) for pattern in members} for group, members in groups.items()}


def expression(pattern: Pattern) -> str:
    """A regular expression that finds a pattern in lower-cased sentences, whatever fills its slots."""

    def part(item: str | Slot) -> str:
        if isinstance(item, Slot):
            return r"[^\n]+?"
        words = [r"[^\n]+?" if "{" in word else re.escape(word.lower().replace("_", " ")) for word in item.split("|")]
        return "an?" if item == "a" else f"(?:{'|'.join(words)})"

    items = pattern.items[1:] if isinstance(pattern.items[0], Slot) else pattern.items  # the subject may be shared
    return " ".join(map(part, items))


def nested_pairs(row) -> Iterator[tuple[dict, dict]]:
    for inner, outer in combinations(row["entities"], 2):
        if inner["start"] < outer["end"] and outer["start"] < inner["end"]:
            yield inner, outer


def test_demo_corpus_same_seed_gives_same_corpus():
    assert generate_demo_corpus(3) == generate_demo_corpus(3)


def test_demo_corpus_other_seed_gives_other_sentences():
    first, second = generate_demo_corpus(0), generate_demo_corpus(1)
    for split in SPLITS:
        assert [row["tokens"] for row in first[split]] != [row["tokens"] for row in second[split]]


def test_demo_corpus_has_the_promised_sizes_and_ids(corpus):
    assert tuple(corpus) == SPLITS
    assert [len(corpus[split]) for split in SPLITS] == [3600, 100, 240, 160]
    ids = [row["orig_id"] for rows in corpus.values() for row in rows]
    assert len(set(ids)) == len(ids)
    assert corpus["train"][0]["orig_id"] == "demo-train-0001"


def test_demo_corpus_rows_are_valid(corpus):
    for row in chain.from_iterable(corpus.values()):
        assert set(row) == {"tokens", "entities", "relations", "orig_id"}
        assert 3 <= len(row["tokens"]) <= 40
        assert all(token and not re.search(r"[\s\[\]{}<>|_~=]", token) for token in row["tokens"]), row["tokens"]
        spans = [(entity["start"], entity["end"]) for entity in row["entities"]]
        assert spans == sorted(set(spans))
        for entity in row["entities"]:
            assert entity["type"] in ENTITY_TYPES
            assert 0 <= entity["start"] < entity["end"] <= len(row["tokens"])
            assert entity["end"] - entity["start"] <= 10
        triples = [(relation["head"], relation["tail"], relation["type"]) for relation in row["relations"]]
        assert triples == sorted(set(triples))
        for head, tail, relation_type in triples:
            assert relation_type in RELATION_TYPES
            assert head in range(len(spans)) and tail in range(len(spans)) and head != tail


def test_demo_corpus_relations_join_the_types_they_are_defined_for(corpus):
    signatures = {
        "works_for": ("Person", "Organization"),
        "lives_in": ("Person", "Location"),
        "married_to": ("Person", "Person"),
        "founded": ("Person", "Organization"),
        "based_in": ("Organization", "Location"),
        "acquired": ("Organization", "Organization"),
        "makes": ("Organization", "Product"),
        "located_in": ("Location", "Location"),
        "held_in": ("Event", "Location"),
    }
    assert set(signatures) == set(RELATION_TYPES)
    for row in chain.from_iterable(corpus.values()):
        for relation in row["relations"]:
            ends = (row["entities"][relation["head"]]["type"], row["entities"][relation["tail"]]["type"])
            assert ends == signatures[relation["type"]], row["tokens"]


def test_demo_corpus_symmetric_relations_start_with_the_earlier_entity(corpus):
    symmetric = [
        (row["entities"][relation["head"]]["start"], row["entities"][relation["tail"]]["start"])
        for row in chain.from_iterable(corpus.values())
        for relation in row["relations"]
        if relation["type"] in SYMMETRIC_RELATION_TYPES
    ]
    assert symmetric and all(head < tail for head, tail in symmetric)


def test_demo_corpus_directed_relations_occur_in_both_orders(corpus):
    for split in ("train", "test", "test_plain"):
        orders = {
            (relation["type"], relation["head"] < relation["tail"])
            for row in corpus[split]
            for relation in row["relations"]
        }
        for relation_type in set(RELATION_TYPES) - set(SYMMETRIC_RELATION_TYPES):
            assert {(relation_type, True), (relation_type, False)} <= orders, (split, relation_type)


@pytest.mark.parametrize(("split", "least"), [("train", 100), ("dev", 3), ("test", 15), ("test_plain", 5)])
def test_demo_corpus_every_relation_type_occurs_often_enough(corpus, split, least):
    counts = Counter(relation["type"] for row in corpus[split] for relation in row["relations"])
    assert {relation_type: counts[relation_type] >= least for relation_type in RELATION_TYPES} == dict.fromkeys(
        RELATION_TYPES, True
    ), counts


@pytest.mark.parametrize("split", SPLITS)
def test_demo_corpus_mixes_kinds_of_sentences(corpus, split):
    rows = corpus[split]
    empty = sum(not row["entities"] for row in rows) / len(rows)
    relation_free = sum(bool(row["entities"]) and not row["relations"] for row in rows) / len(rows)
    several = sum(len(row["relations"]) > 1 for row in rows) / len(rows)
    plain = split in ("train", "test_plain")  # mostly so: more sentences say nothing that is looked for
    assert (0.14 <= empty <= 0.20) if plain else (0.06 <= empty <= 0.14)
    assert 0.20 <= relation_free <= 0.30
    assert (0.36 if plain else 0.28) <= empty + relation_free <= 0.46
    assert several >= (0.05 if plain else 0.12)
    assert {entity["type"] for row in rows for entity in row["entities"]} == set(ENTITY_TYPES)


@pytest.mark.parametrize("split", SPLITS)
def test_demo_corpus_entities_nest_but_never_cross(corpus, split):
    nested = [pair for row in corpus[split] for pair in nested_pairs(row)]
    assert len(nested) >= (0.03 if split == "test_plain" else 0.08) * len(corpus[split])
    for first, second in nested:
        assert {first["type"], second["type"]} != {first["type"]}
        inside = (first["start"] <= second["start"] and second["end"] <= first["end"]) or (
            second["start"] <= first["start"] and first["end"] <= second["end"]
        )
        assert inside


def test_demo_corpus_has_unrelated_pairs_beside_related_ones(corpus):
    """A model that relates every pair of the right types must be wrong often."""
    for split in ("train", "test"):
        rows = [row for row in corpus[split] if row["relations"]]
        more_people = sum(Counter(entity["type"] for entity in row["entities"])["Person"] > 1 for row in rows)
        more_organizations = sum(
            Counter(entity["type"] for entity in row["entities"])["Organization"] > 1 for row in rows
        )
        assert more_people >= 0.15 * len(rows) and more_organizations >= 0.15 * len(rows)


def test_demo_corpus_sentences_are_written_as_sentences(corpus):
    for row in chain.from_iterable(corpus.values()):
        text = " ".join(row["tokens"])
        first = row["tokens"][1] if row["tokens"][0] == '"' else row["tokens"][0]
        assert first[0].isupper() or first[0].isdigit() or first.startswith(("iP", "eB")), text
        assert row["tokens"][-1] in {".", "?"}, text
        assert row["tokens"].count('"') % 2 == 0, text
        assert row["tokens"].count("(") == row["tokens"].count(")"), text
        assert not re.search(r", [,.;)?]| [a-z]+,|\bthe the\b|\ba the\b|\b(a|an|the) (a|an)\b", text), text
        assert not re.search(r"\ba [aeioAEIO]\w|\ban [^aeiouAEIO]", text), text


def test_demo_corpus_no_sentence_occurs_twice(corpus):
    sentences = Counter(" ".join(row["tokens"]).lower() for row in chain.from_iterable(corpus.values()))
    assert sentences.most_common(1)[0][1] == 1


def test_demo_corpus_name_pools_share_no_word():
    pools = {split: {word.lower() for pool in NAME_POOLS[split].values() for word in pool} for split in POOLS}
    for first, second in combinations(POOLS, 2):
        assert not pools[first] & pools[second]


@pytest.mark.parametrize("held_out", ["dev", "test", "test_plain"])
def test_demo_corpus_held_out_names_do_not_occur_in_training(corpus, held_out):
    pool = {word.lower() for words_of_kind in NAME_POOLS[pool_of(held_out)].values() for word in words_of_kind}
    assert not pool & words(corpus["train"])
    assert not entity_surfaces(corpus[held_out]) & entity_surfaces(corpus["train"])
    # Padded, so that a surface is found as whole words and not across sentences.
    train_text = "\n".join(f" {' '.join(row['tokens'])} ".lower() for row in corpus["train"])
    occurring = [surface for surface in entity_surfaces(corpus[held_out]) if f" {surface} " in train_text]
    assert occurring == []


def test_demo_corpus_test_names_do_not_occur_in_dev(corpus):
    for split in ("test", "test_plain"):
        assert not entity_surfaces(corpus[split]) & entity_surfaces(corpus["dev"])


def test_demo_corpus_every_entity_holds_a_name_word(corpus):
    """Without one, a name would be generic words only and could not be held out."""
    for split in ("dev", "test", "test_plain"):
        pool = {word.lower() for words_of_kind in NAME_POOLS[pool_of(split)].values() for word in words_of_kind}
        for surface in entity_surfaces(corpus[split]):
            assert pool & {part for token in surface.split() for part in token.split("-")}, surface


def test_demo_corpus_test_sentences_follow_no_training_pattern(corpus):
    for other in ("train", "dev"):
        for split in ("test", "test_plain"):
            assert not {skeleton(row) for row in corpus[split]} & {skeleton(row) for row in corpus[other]}


def test_demo_corpus_pattern_sets_are_disjoint():
    for train in map(pattern_texts, (TRAIN_PATTERNS, PLAIN_TRAIN_PATTERNS)):
        for test in map(pattern_texts, (TEST_PATTERNS, PLAIN_TEST_PATTERNS)):
            for group in train:
                assert not train[group] & test[group]
    assert len(TRAIN_PATTERNS.clauses) >= 60 and len(TEST_PATTERNS.clauses) >= 20


def test_demo_corpus_every_clause_is_used(corpus):
    """The deck deals every clause before any comes again: the splits are large enough to see them all."""
    for split, sets in PATTERNS_BY_SPLIT.items():
        text = "\n".join(" ".join(row["tokens"]).lower() for row in corpus[split])
        for pattern in chain.from_iterable(patterns.clauses + patterns.neutral for patterns in sets):
            assert re.search(expression(pattern), text), pattern


def test_demo_corpus_patterns_number_their_slots_and_know_their_words():
    for patterns in chain.from_iterable(PATTERNS_BY_SPLIT.values()):
        for pattern in chain(*vars(patterns).values()):
            indices = [slot.index for slot in pattern.slots]
            assert len(set(indices)) == len(indices), pattern
            for relation_type, head, tail in pattern.relations:
                assert relation_type in RELATION_TYPES and {head, tail} <= set(indices), pattern
            for item in pattern.items:
                for word in item.split("|") if isinstance(item, str) else ():
                    if "{" in word:
                        assert word[1:-1] in demo_corpus.WORDS, item
                    else:
                        assert "[" not in word, item
        assert not any(pattern.relations for pattern in patterns.neutral + patterns.leads + patterns.tails)
        assert all(pattern.relations for pattern in patterns.clauses)


def test_parse_pattern_reads_slots_relations_and_closedness():
    pattern = parse_pattern("~[P0*] of [O1] met [P2] => works_for 0 1; married_to 0 2")
    assert pattern.items == (Slot("P", 0, True), "of", Slot("O", 1), "met", Slot("P", 2))
    assert pattern.relations == (("works_for", 0, 1), ("married_to", 0, 2))
    assert pattern.closed


def test_demo_corpus_example_texts_are_not_in_the_corpus(corpus):
    assert len(EXAMPLE_TEXTS) == 3
    generic = set("the a in p university of motors port batteries festival".split())
    names = {word.lower() for pools in NAME_POOLS.values() for pool in pools.values() for word in pool}
    sentences = {"".join(row["tokens"]) for row in chain.from_iterable(corpus.values())}
    corpus_words = words(chain.from_iterable(corpus.values()))
    for text in EXAMPLE_TEXTS:
        assert text.replace(" ", "") not in sentences
        assert not names & set(re.findall(r"\w+", text.lower())) - generic, names & set(
            re.findall(r"\w+", text.lower())
        )
        capitalised = {word.lower() for word in re.findall(r"\b[A-Z]\w+", text)} - generic
        assert not capitalised & corpus_words, capitalised & corpus_words


def test_demo_corpus_types_name_every_label_in_order():
    types = demo_types()
    assert tuple(types["entities"]) == ENTITY_TYPES
    assert tuple(types["relations"]) == RELATION_TYPES
    symmetric = tuple(label for label, entry in types["relations"].items() if entry["symmetric"])
    assert symmetric == SYMMETRIC_RELATION_TYPES


def test_demo_corpus_command_writes_spert_json(tmp_path, capsys):
    main(["--output", str(tmp_path / "demo"), "--seed", "5"])
    corpus = generate_demo_corpus(5)
    for split in SPLITS:
        assert json.loads((tmp_path / "demo" / f"{split}.json").read_text(encoding="utf-8")) == corpus[split]
    assert json.loads((tmp_path / "demo" / "types.json").read_text(encoding="utf-8")) == demo_types()
    assert len(capsys.readouterr().out.splitlines()) == 5
