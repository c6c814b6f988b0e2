"""Answers merged into one graph: networkx, GraphML, and triples as CSV or N-Triples.

An entity is a node by its words and its type: two mentions are one node if their words, with white space made single,
and their types are the same. That is all the merging there is; names are not resolved. A relation of one type between
two nodes is one edge, with the number of mentions, the highest score and the documents.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modeling_spert.rendering.documents import Document, make_printable, read_documents

if TYPE_CHECKING:
    import networkx

TRIPLE_FORMATS = ("csv", "nt")
CSV_FIELDS = ("head", "head_type", "relation", "tail", "tail_type", "mentions", "score", "documents")

Node = tuple[str, str]
Answers = Mapping[str, Any] | Iterable[Mapping[str, Any]]


@dataclass
class _Seen:
    """How often something was found, how surely, and where."""

    mentions: int = 0
    score: float | None = None
    documents: dict[str, None] = field(default_factory=dict)

    def add(self, score: float | None, document: str) -> None:
        self.mentions += 1
        self.documents[document] = None
        if score is not None:
            self.score = score if self.score is None else max(self.score, score)

    def attributes(self) -> dict[str, Any]:
        score = {} if self.score is None else {"score": self.score}
        return {"mentions": self.mentions, **score, "documents": " ".join(self.documents)}


def to_networkx(answers: Answers) -> "networkx.MultiDiGraph":
    """The graph of one answer or many; a node is `(words, type)`, an edge's key is its relation type.

    Nodes have `words`, `label`, `mentions`, `score` (the highest, where there are scores) and `documents` (the titles
    or numbers of the answers, with spaces between); edges have the same without `words`.

    Raises:
        ImportError: networkx is not installed.
        ValueError: Something is not an answer.
    """
    networkx = _import_networkx()
    nodes, edges = _merge(read_documents(answers))
    graph = networkx.MultiDiGraph()
    for (words, label), seen in nodes.items():
        graph.add_node((words, label), words=words, label=label, **seen.attributes())
    for (head, label, tail), seen in edges.items():
        graph.add_edge(head, tail, key=label, label=label, **seen.attributes())
    return graph


def to_graphml(answers: Answers) -> str:
    """The graph of `to_networkx` as GraphML, for Gephi, yEd, Cytoscape and others; nodes are n0, n1, ….

    Characters that XML forbids, and such as would change the direction of text, are replaced.
    """
    networkx = _import_networkx()
    graph = networkx.convert_node_labels_to_integers(to_networkx(answers))
    graph = networkx.relabel_nodes(graph, {node: f"n{node}" for node in graph})
    plain = networkx.MultiDiGraph()
    for node, data in graph.nodes(data=True):
        plain.add_node(node, **_printable(data))
    for index, (head, tail, data) in enumerate(graph.edges(data=True)):
        plain.add_edge(head, tail, key=f"e{index}", **_printable(data))
    return "\n".join(networkx.generate_graphml(plain, named_key_ids=True)) + "\n"


def to_triples(answers: Answers, format: str = "csv", base: str = "urn:spert:") -> str:
    """The relations of one answer or many, merged: a table (CSV, RFC 4180) or RDF (N-Triples).

    Args:
        answers: An answer or gold row, or several.
        format: "csv", one relation a line with its types, the number of mentions, the highest score and the documents;
            or "nt", with a label and a type for each entity that takes part.
        base: What the IRIs of entities, types and relations begin with; N-Triples only.

    Raises:
        ValueError: `format` is neither, or something is not an answer.

    >>> entities = [{"label": "Per", "start": 0, "end": 2}, {"label": "Loc", "start": 12, "end": 16}]
    >>> relations = [{"label": "lives_in", "head": 0, "tail": 1, "score": 0.9}]
    >>> print(to_triples({"text": "Bo lives in Oslo", "entities": entities, "relations": relations}, "nt"))
    <urn:spert:entity/Per/Bo> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:spert:type/Per> .
    <urn:spert:entity/Per/Bo> <http://www.w3.org/2000/01/rdf-schema#label> "Bo" .
    <urn:spert:entity/Loc/Oslo> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:spert:type/Loc> .
    <urn:spert:entity/Loc/Oslo> <http://www.w3.org/2000/01/rdf-schema#label> "Oslo" .
    <urn:spert:entity/Per/Bo> <urn:spert:relation/lives_in> <urn:spert:entity/Loc/Oslo> .
    """
    if format not in TRIPLE_FORMATS:
        raise ValueError(f"format must be one of {', '.join(TRIPLE_FORMATS)}, got {format!r}")
    _, edges = _merge(read_documents(answers))
    return _to_csv(edges) if format == "csv" else _to_ntriples(edges, base)


def _merge(documents: list[Document]) -> tuple[dict[Node, _Seen], dict[tuple[Node, str, Node], _Seen]]:
    """Nodes and edges in the order in which they are first seen."""
    nodes: dict[Node, _Seen] = {}
    edges: dict[tuple[Node, str, Node], _Seen] = {}
    for index, document in enumerate(documents):
        name = document.title or str(index + 1)
        keys = [(" ".join(document.words_of(i).split()), e.label) for i, e in enumerate(document.entities)]
        for key, entity in zip(keys, document.entities, strict=True):
            nodes.setdefault(key, _Seen()).add(entity.score, name)
        for relation in document.relations:
            edge = (keys[relation.head], relation.label, keys[relation.tail])
            edges.setdefault(edge, _Seen()).add(relation.score, name)
    return nodes, edges


def _to_csv(edges: dict[tuple[Node, str, Node], _Seen]) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(CSV_FIELDS)
    for (head, label, tail), seen in edges.items():
        score = "" if seen.score is None else f"{seen.score:.4f}"
        table.writerow([*head, label, *tail, seen.mentions, score, " ".join(seen.documents)])
    return out.getvalue()


_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"


def _to_ntriples(edges: dict[tuple[Node, str, Node], _Seen], base: str) -> str:
    nodes = dict.fromkeys(node for head, _, tail in edges for node in (head, tail))
    lines = []
    for words, label in nodes:
        entity = _iri(base, "entity", label, words)
        lines += [f"{entity} {_TYPE} {_iri(base, 'type', label)} .", f'{entity} {_LABEL} "{_literal(words)}" .']
    for head, label, tail in edges:
        subject, target = _iri(base, "entity", head[1], head[0]), _iri(base, "entity", tail[1], tail[0])
        lines.append(f"{subject} {_iri(base, 'relation', label)} {target} .")
    return "".join(line + "\n" for line in lines)


def _iri(base: str, *parts: str) -> str:
    return f"<{base}{'/'.join(quote(part, safe='', errors='replace') for part in parts)}>"


def _literal(text: str) -> str:
    """The text of a literal: ASCII controls and what has a meaning of its own escaped, lone surrogates replaced."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return "".join(
        f"\\u{ord(char):04X}" if char < " " or char == "\x7f" else "\ufffd" if "\ud800" <= char <= "\udfff" else char
        for char in escaped
    )


def _printable(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: make_printable(value) if isinstance(value, str) else value for name, value in data.items()}


def _import_networkx() -> Any:
    try:
        import networkx
    except ImportError as error:
        raise ImportError("to_networkx and to_graphml need networkx: pip install networkx") from error
    return networkx
