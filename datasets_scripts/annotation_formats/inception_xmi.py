"""INCEpTION's exports "UIMA CAS XMI" and "UIMA CAS JSON": texts with annotation layers and their type system.

Read: the layer *Named entity*, every custom span layer, every relation layer (from Governor to Dependent), and slots
(one relation per filler, named by its role). What a layer calls the label is its first string feature, `value` or
`label` before others. Source: an `.xmi` next to its `TypeSystem.xml`, a `.zip` of both, a `.json`, a folder of any,
or the export of a whole project, of which the curated documents are taken, else the first annotator's.

XMI is XML from strangers: a document type declaration, and so every entity, is refused before anything else reads it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation
from datasets_scripts.annotation_formats.report import (
    ATTRIBUTE,
    CHAIN,
    EVENT,
    NORMALISATION,
    OF_RELATION,
    OTHER_ANNOTATOR,
    OTHER_LAYER,
    Note,
)
from datasets_scripts.annotation_formats.sources import (
    FormatError,
    MissingPackageError,
    Reading,
    check_inside,
    list_files,
    open_zip,
    read_bytes,
)

TYPE_SYSTEM = "TypeSystem.xml"
_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
_NAMED_ENTITY = f"{_DKPRO}ner.type.NamedEntity"
# Layers that no annotator made.
_STRUCTURE = (
    f"{_DKPRO}segmentation.",
    f"{_DKPRO}metadata.",
    "de.tudarmstadt.ukp.clarin.",
    "org.dkpro.core.api.xml.",
    "uima.",
)
_LABEL_FEATURES = ("value", "label")
_ENDS = {"Governor", "Dependent"}


@dataclass(frozen=True)
class _Cas:
    """One annotator's document: its name, where it came from, its bytes, and its type system's (None: inside, JSON)."""

    doc_id: str
    origin: str
    content: bytes
    types: bytes | None


def read_inception(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of an export.

    Raises:
        FormatError: An XMI is malformed, declares a document type, or has no type system.
        MissingPackageError: Dkpro-cassis is not installed.
    """
    _cassis(source)
    found = False
    for cas in _find(source, reading):
        found = True
        try:
            yield _read_cas(cas)
        except FormatError as error:
            reading.bad(cas.doc_id, error)
    if not found:
        raise FormatError(source, "holds no .xmi, no UIMA CAS .json and no .zip of one; export as 'UIMA CAS JSON'")


def _cassis(place: Path | str) -> Any:
    try:
        import cassis
    except ImportError as error:
        raise MissingPackageError(place, "inception", "dkpro-cassis") from error
    return cassis


def _find(source: Path, reading: Reading) -> Iterator[_Cas]:
    if source.is_dir():
        files = list_files(source, (".xmi", ".json", ".zip"))
    else:
        files = [source]
    for path in files:
        name = path.relative_to(source).as_posix() if source.is_dir() else path.name
        try:
            if path.suffix.lower() == ".zip":
                yield from _in_zip(open_zip(path, path), str(path), name.removesuffix(path.suffix), reading)
                continue
            content = read_bytes(path)
            if path.suffix.lower() != ".json":
                yield _Cas(name.removesuffix(path.suffix), str(path), content, _types_next_to(path, source))
            elif _is_cas_json(content) or not source.is_dir():
                yield _Cas(name.removesuffix(path.suffix), str(path), content, None)
        except FormatError as error:
            reading.bad(name, error)


def _is_cas_json(content: bytes) -> bool:
    """Whether a JSON file is a document; a project export has others."""
    return b'"%FEATURE_STRUCTURES"' in content


def _types_next_to(path: Path, source: Path) -> bytes:
    for folder in (path.parent, *path.parent.parents):
        if (folder / TYPE_SYSTEM).is_file():
            check_inside(folder / TYPE_SYSTEM, folder)
            return read_bytes(folder / TYPE_SYSTEM)
        if folder == source or not source.is_dir():
            break
    raise FormatError(path, f"has no {TYPE_SYSTEM} next to it; INCEpTION exports both in one .zip")


def _in_zip(members: dict[str, bytes], origin: str, name: str, reading: Reading) -> Iterator[_Cas]:
    """The documents in a zip file: its own XMI or JSON files, or those of a project export."""
    work = _chosen_annotators(members, reading)
    for doc_id, chosen in work.items():
        inner = f"{origin}:{chosen}"
        if chosen.lower().endswith(".json"):
            yield _Cas(doc_id, inner, members[chosen], None)
        else:
            yield from _in_zip(open_zip(members[chosen], inner), inner, doc_id, reading)
    if work:
        return
    texts = sorted(
        member
        for member, content in members.items()
        if member.lower().endswith(".xmi") or (member.lower().endswith(".json") and _is_cas_json(content))
    )
    types = {PurePosixPath(member).parent: content for member, content in members.items()
             if PurePosixPath(member).name == TYPE_SYSTEM}  # fmt: skip
    for member in texts:
        folder = PurePosixPath(member).parent
        is_json = member.lower().endswith(".json")
        found = None if is_json else types.get(folder) or next(iter(types.values()), None)
        if found is None and not is_json:
            raise FormatError(f"{origin}:{member}", f"has no {TYPE_SYSTEM} with it; export as 'UIMA CAS XMI'")
        doc_id = name if len(texts) == 1 else f"{name}/{PurePosixPath(member).stem}"
        yield _Cas(doc_id, f"{origin}:{member}", members[member], found)


def _chosen_annotators(members: dict[str, bytes], reading: Reading) -> dict[str, str]:
    """For each document of a project export the member with its curation, else with its first annotator's work."""
    by_document: dict[str, list[str]] = {}
    for member in sorted(members):
        parts = PurePosixPath(member).parts
        is_work = (
            len(parts) >= 3 and parts[-3] in ("annotation", "curation") and member.lower().endswith((".zip", ".json"))
        )
        if is_work and PurePosixPath(member).stem != "INITIAL_CAS":
            by_document.setdefault(parts[-2], []).append(member)
    chosen = {}
    for doc_id, candidates in by_document.items():
        candidates.sort(key=lambda member: (PurePosixPath(member).parts[-3] != "curation", member))
        chosen[doc_id] = candidates[0]
        reading.notes += [Note(OTHER_ANNOTATOR, doc_id, "", member) for member in candidates[1:]]
    return chosen


def refuse_document_type(content: bytes, origin: str) -> None:
    """Check that XML is well-formed and declares no document type, before a parser that would act on one sees it.

    Raises:
        FormatError: It is not, or does.
    """

    def refuse(*_: Any) -> None:
        raise FormatError(origin, "declares a document type (DOCTYPE), which UIMA never writes; refused")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise FormatError(origin, f"is not well-formed XML ({expat.ErrorString(error.code)})", error.lineno) from error
    except (ValueError, LookupError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(origin, f"is not readable XML ({error})") from error


def _load(cas: _Cas) -> Any:
    """The CAS; whatever cassis raises about a damaged one becomes an error of ours."""
    cassis = _cassis(cas.origin)
    if cas.types is not None:
        refuse_document_type(cas.types, f"{cas.origin} ({TYPE_SYSTEM})")
        refuse_document_type(cas.content, cas.origin)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if cas.types is None:
                loaded = cassis.load_cas_from_json(io.BytesIO(cas.content))
            else:
                types = cassis.load_typesystem(io.BytesIO(cas.types))
                loaded = cassis.load_cas_from_xmi(io.BytesIO(cas.content), typesystem=types)
    except Exception as error:
        message = " ".join(str(error).split())[:100]
        raise FormatError(
            cas.origin, f"does not fit its type system ({type(error).__name__}: {message}); export it again"
        ) from error
    wrong = [str(warning.message) for warning in caught if "offset" in str(warning.message)]
    if wrong:
        raise FormatError(cas.origin, f"has an offset outside its text ({wrong[0][:80]}); export it again")
    if not isinstance(loaded.sofa_string, str):
        raise FormatError(cas.origin, "holds no text; export the document, not only its annotation")
    return loaded


def _read_cas(cas: _Cas) -> AnnotatedDocument:
    loaded = _load(cas)
    reader = _LayerReader(cas.doc_id, loaded.sofa_string)
    structures = list(loaded.select_all_annotations())
    for structure in structures:
        reader.read_span(structure)
    for structure in structures:
        reader.read_relation(structure)
    annotations = {structure.xmiID for structure in structures}
    for structure in loaded.select_all_fs():
        if structure.xmiID not in annotations and not structure.type.name.startswith(_STRUCTURE):
            # A layer of the whole document has no place in the text.
            reader.notes.append(Note(OTHER_LAYER, cas.doc_id, structure.type.name.rpartition(".")[2]))
    return AnnotatedDocument(
        cas.doc_id, loaded.sofa_string, tuple(reader.entities), tuple(reader.relations), tuple(reader.notes)
    )


class _LayerReader:
    """Collects entities, then relations, of one CAS."""

    def __init__(self, doc_id: str, text: str):
        self.doc_id = doc_id
        self.text = text
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []
        self.notes: list[Note] = []
        self.ids: dict[int, str] = {}

    def read_span(self, structure: Any) -> None:
        """Take a span annotation as an entity, or note what else it is."""
        name = structure.type.name
        features = {feature.name for feature in structure.type.all_features}
        if name.startswith(_STRUCTURE) or features >= _ENDS:
            return
        layer = name.rpartition(".")[2]
        if {"referenceType", "next"} <= features or "first" in features:
            self.notes.append(Note(CHAIN, self.doc_id, layer))
            return
        if name.startswith(_DKPRO) and not name.startswith(_NAMED_ENTITY.rpartition(".")[0]):
            self.notes.append(Note(OTHER_LAYER, self.doc_id, layer))
            return
        label = self._label(structure, layer)
        entity = Entity(f"a{structure.xmiID}", label, ((structure.begin, structure.end),))
        self.ids[structure.xmiID] = entity.id
        self.entities.append(entity)

    def _label(self, structure: Any, layer: str) -> str:
        """The label of a structure; its other features are noted."""
        values = {
            feature.name: structure[feature.name]
            for feature in structure.type.all_features
            if feature.rangeType.name in ("uima.cas.String", "uima.cas.Boolean", "uima.cas.Integer", "uima.cas.Float")
            and feature.name not in ("begin", "end", "sofa", "order")
            and structure[feature.name] not in (None, "", False)
        }
        for feature in structure.type.all_features:  # of a feature with several values the first counts
            several = [value for value in getattr(structure[feature.name], "elements", None) or () if value]
            if feature.rangeType.name == "uima.cas.StringArray" and several:
                self.notes += [Note(ATTRIBUTE, self.doc_id, feature.name, str(value)) for value in several[1:]]
                values[feature.name] = several[0]
        strings = [key for key, value in values.items() if isinstance(value, str) and value.strip()]
        key = next((name for name in (*_LABEL_FEATURES, *strings) if name in strings and name != "identifier"), None)
        for other, value in values.items():
            if other != key:
                kind = NORMALISATION if other == "identifier" else ATTRIBUTE
                self.notes.append(Note(kind, self.doc_id, other, str(value)))
        return layer if key is None else values[key].strip()

    def read_relation(self, structure: Any) -> None:
        """Take a relation annotation, or the slots of a span, as relations."""
        features = {feature.name for feature in structure.type.all_features}
        name = structure.type.name
        if name.startswith(_STRUCTURE):
            return
        layer = name.rpartition(".")[2]
        if features >= _ENDS:
            if name.startswith(_DKPRO):
                self.notes.append(Note(OTHER_LAYER, self.doc_id, layer))
            else:
                self._relate(self._label(structure, layer), structure.Governor, structure.Dependent)
            return
        if structure.xmiID in self.ids:
            for feature in features - {"sofa"}:
                self._read_slots(structure, feature)

    def _read_slots(self, structure: Any, feature: str) -> None:
        links = getattr(structure[feature], "elements", None)
        if not isinstance(links, list):
            return
        fillers = [link for link in links if hasattr(link, "target")]
        if fillers:
            self.notes.append(Note(EVENT, self.doc_id, structure.type.name.rpartition(".")[2]))
        for link in fillers:
            self._relate(getattr(link, "role", None) or feature, structure, link.target)

    def _relate(self, label: str, head: Any, tail: Any) -> None:
        ends = [self.ids.get(getattr(end, "xmiID", -1)) for end in (head, tail)]
        if ends[0] is None or ends[1] is None:
            self.notes.append(Note(OF_RELATION, self.doc_id, label))
        else:
            self.relations.append(Relation(label, ends[0], ends[1]))
