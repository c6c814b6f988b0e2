"""Answers as one graph, in four forms."""

import csv
import io
import xml.etree.ElementTree as ET

import networkx
import pytest
import rdflib
from drawn_answers import HOSTILE, NEWS, any_answer, make_answer
from hypothesis import given
from rdflib.namespace import RDFS

from modeling_spert.rendering import to_graphml, to_networkx, to_triples

AGAIN = make_answer(
    "Bela  Quist left Norvane.",
    [("Person", "Bela  Quist", 0.8), ("Location", "Norvane", 0.99)],
    [("lives_in", 0, 1, 0.99), ("lives_in", 0, 1, 0.2)],
    orig_id="again",
)


def test_networkx_merges_documents():
    graph = to_networkx([*NEWS, AGAIN])
    person, place = ("Bela Quist", "Person"), ("Norvane", "Location")
    assert graph.nodes[person] == {
        "words": "Bela Quist", "label": "Person", "mentions": 2, "score": 0.99, "documents": "1 again",
    }  # fmt: skip
    assert graph.edges[person, place, "lives_in"] == {
        "label": "lives_in", "mentions": 3, "score": 0.99, "documents": "1 again",
    }  # fmt: skip
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (10, 8)


def test_networkx_tells_types_and_parallel_relations_apart():
    answer = make_answer(
        "Bo Bo", [("Per", "Bo", 1), ("Dog", "Bo", 1)], [("is", 0, 1, 1), ("owns", 0, 1, 1), ("is", 1, 0, 1)]
    )
    graph = to_networkx(answer)
    assert sorted(graph.edges(keys=True)) == [
        (("Bo", "Dog"), ("Bo", "Per"), "is"),
        (("Bo", "Per"), ("Bo", "Dog"), "is"),
        (("Bo", "Per"), ("Bo", "Dog"), "owns"),
    ]


def test_graphml_is_read_back():
    graph = networkx.parse_graphml(to_graphml([*NEWS, HOSTILE]), force_multigraph=True)
    words = {data["words"] for _, data in graph.nodes(data=True)}
    assert {"Bela Quist", "<script>", "Oslo"} <= words
    assert graph.number_of_edges() == 9
    assert {data["label"] for *_, data in graph.edges(data=True)} >= {"works_for", "</style><b>\ufffd"}


@given(any_answer())
def test_graph_forms_are_valid_for_any_text(answer):
    ET.fromstring(to_graphml(answer))
    edges = to_networkx(answer).number_of_edges()
    rows = list(csv.DictReader(io.StringIO(to_triples(answer), newline="")))
    assert len(rows) == edges
    graph = rdflib.Graph().parse(data=to_triples(answer, "nt"), format="nt")
    relations = [predicate for _, predicate, _ in graph if str(predicate).startswith("urn:spert:relation/")]
    assert len(relations) <= edges  # white space within words, and lone surrogates, are one thing to an IRI


def test_triples_as_csv():
    table = list(csv.reader(io.StringIO(to_triples([NEWS[0], AGAIN]), newline="")))
    assert table == [
        ["head", "head_type", "relation", "tail", "tail_type", "mentions", "score", "documents"],
        ["Bela Quist", "Person", "lives_in", "Norvane", "Location", "3", "0.9900", "1 again"],
        ["Bela Quist", "Person", "works_for", "Harbour Institute", "Organization", "1", "0.9400", "1"],
    ]


def test_triples_as_rdf():
    graph = rdflib.Graph().parse(data=to_triples([*NEWS, HOSTILE], "nt", base="https://example.org/"), format="nt")
    person, place = (
        rdflib.URIRef(f"https://example.org/entity/{name}") for name in ("Person/Bela%20Quist", "Location/Norvane")
    )
    assert (person, rdflib.URIRef("https://example.org/relation/lives_in"), place) in graph
    assert (person, rdflib.RDF.type, rdflib.URIRef("https://example.org/type/Person")) in graph
    assert {str(label) for label in graph.objects(None, RDFS.label)} >= {"Bela Quist", "<script>"}


def test_triples_refuse_another_format():
    with pytest.raises(ValueError, match="format must be one of csv, nt, got 'ttl'"):
        to_triples([], "ttl")


def test_triples_of_gold_rows_have_no_score():
    row = {
        "tokens": ["Bo", "in", "Oslo"],
        "entities": [{"type": "Per", "start": 0, "end": 1}, {"type": "Loc", "start": 2, "end": 3}],
        "relations": [{"type": "in", "head": 0, "tail": 1}],
    }
    assert to_triples(row).splitlines()[1] == "Bo,Per,in,Oslo,Loc,1,,1"
    assert "score" not in to_networkx(row).nodes["Bo", "Per"]
