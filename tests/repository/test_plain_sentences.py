"""The hand-written sentences: their marks are read, and the demo corpus's generator made none of them."""

from benchmarks.plain_sentences import parse_sentence, read_sentences
from datasets_scripts import load_joint_dataset


def test_plain_sentences_use_the_labels_and_signatures_of_the_demo_corpus():
    data, rows = load_joint_dataset("demo"), read_sentences()
    entity_types = {entity["type"] for row in rows for entity in row["entities"]}
    relation_types = {relation["type"] for row in rows for relation in row["relations"]}
    assert entity_types == set(data.entity_types) and relation_types == set(data.relation_types)
    assert len(rows) >= 60 and sum(not row["relations"] for row in rows) >= 15


def test_plain_sentences_are_not_in_the_demo_corpus():
    data = load_joint_dataset("demo")
    made = {" ".join(row["tokens"]).lower() for name in data.splits for row in data.select(name)}
    assert not made & {" ".join(row["tokens"]).lower() for row in read_sentences()}


def test_plain_sentences_point_relations_at_entities():
    row = parse_sentence("My friend [Jo|P] works for [Acme Ltd|O]. => works_for 0 1")
    assert row["entities"][1] == {"type": "Organization", "start": 5, "end": 7}
    assert row["relations"] == [{"type": "works_for", "head": 0, "tail": 1}]
