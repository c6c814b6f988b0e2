"""INCEpTION: layers, slots, projects; XML that would fetch or expand, and zip files that would not end."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from datasets_scripts.annotation_formats import FormatError, annotated_documents, convert, recognise, sources

cassis = pytest.importorskip("cassis", reason="dkpro-cassis (the extra 'formats') is not installed")

TEXT = "😀 Velorin causes a rash in Vell."
NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
TOKEN = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token"
LEMMA = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Lemma"
POS = "de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS"


def make_cas():
    """A CAS as INCEpTION exports it: a built-in layer, custom spans and relations, a slot, a chain, words."""
    types = cassis.TypeSystem()
    string, annotation = "uima.cas.String", "uima.tcas.Annotation"
    named = types.create_type(NAMED_ENTITY, annotation)
    types.create_feature(named, "value", string)
    types.create_feature(named, "identifier", string)
    effect = types.create_type("webanno.custom.Effect", annotation)
    types.create_feature(effect, "kind", string)
    types.create_feature(effect, "severity", string)
    link = types.create_type("webanno.custom.EffectPlaceLink", "uima.cas.TOP")
    types.create_feature(link, "role", string)
    types.create_feature(link, "target", annotation)
    types.create_feature(effect, "place", "uima.cas.FSArray", elementType=link)
    relation = types.create_type("webanno.custom.Relation", annotation)
    types.create_feature(relation, "Governor", annotation)
    types.create_feature(relation, "Dependent", annotation)
    types.create_feature(relation, "label", string)
    chain = types.create_type("webanno.custom.CorefLink", annotation)
    types.create_feature(chain, "next", "webanno.custom.CorefLink")
    types.create_feature(chain, "referenceType", string)
    token, pos = types.create_type(TOKEN, annotation), types.create_type(POS, annotation)
    cas = cassis.Cas(typesystem=types)
    cas.sofa_string = TEXT

    def at(words: str) -> dict[str, int]:
        return {"begin": TEXT.index(words), "end": TEXT.index(words) + len(words)}

    drug = named(**at("Velorin"), value="Drug", identifier="http://example.org/7")
    place = named(**at("Vell"), value="Place")
    array = types.get_type("uima.cas.FSArray")(elements=[link(role="where", target=place)])
    rash = effect(**at("rash"), kind="Skin", severity="mild", place=array)
    bare = effect(**at("causes"))
    word = token(**at("a"))
    cas.add_all([drug, place, rash, bare, word, pos(**at("in")), chain(**at("Velorin"))])
    cas.add(relation(**at("rash"), Governor=drug, Dependent=rash, label="causes"))
    cas.add(relation(**at("rash"), Governor=bare, Dependent=word))
    return cas


def files(cas=None) -> dict[str, bytes]:
    cas = cas or make_cas()
    return {"report.xmi": cas.to_xmi().encode(), "TypeSystem.xml": cas.typesystem.to_xml().encode()}


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def unpack(folder: Path, members: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in members.items():
        (folder / name).write_bytes(content)
    return folder


def check_document(document) -> None:
    assert document.text == TEXT
    names = {entity.id: (entity.label, TEXT[entity.start : entity.end]) for entity in document.entities}
    assert sorted(names.values()) == [("Drug", "Velorin"), ("Effect", "causes"), ("Place", "Vell"), ("Skin", "rash")]
    assert sorted((item.label, names[item.head][1], names[item.tail][1]) for item in document.relations) == [
        ("causes", "Velorin", "rash"),
        ("where", "rash", "Vell"),
    ]
    assert sorted((note.kind.name, note.label) for note in document.notes) == [
        ("attribute", "severity"),
        ("chain", "CorefLink"),
        ("event", "Effect"),
        ("normalisation", "identifier"),
        ("of_relation", "Relation"),
        ("other_layer", "POS"),
    ]


def test_inception_layers_of_a_folder_with_its_type_system(tmp_path):
    source = unpack(tmp_path / "in", files())
    assert recognise(source) == "inception"
    (document,) = annotated_documents(source)
    assert document.doc_id == "report"
    check_document(document)
    check_document(annotated_documents(source / "report.xmi")[0])


def test_inception_zip_of_a_document_and_a_folder_of_zips(tmp_path):
    for name in ("one.zip", "two.zip"):
        (tmp_path / name).write_bytes(zipped(files()))
    documents = annotated_documents(tmp_path)
    assert [document.doc_id for document in documents] == ["one", "two"]
    check_document(documents[1])
    report = convert(tmp_path / "one.zip", "auto", tmp_path / "out")
    assert (report.read.relations, report.kept.relations) == (3, 2)


def test_inception_project_takes_the_curated_document_or_the_first_annotator(tmp_path):
    empty = cassis.Cas(typesystem=make_cas().typesystem)
    empty.sofa_string = TEXT
    members = {
        "annotation/one.txt/INITIAL_CAS.zip": zipped(files(empty)),
        "annotation/one.txt/ann.zip": zipped(files(empty)),
        "annotation/two.txt/ann.zip": zipped(files()),
        "annotation/two.txt/bob.zip": zipped(files(empty)),
        "curation/one.txt/CURATION_USER.zip": zipped(files()),
        "exportedproject.json": b"{}",
    }
    (tmp_path / "project.zip").write_bytes(zipped(members))
    documents = annotated_documents(tmp_path / "project.zip")
    assert [document.doc_id for document in documents] == ["one.txt", "two.txt"]
    for document in documents:
        check_document(document)
    report = convert(tmp_path / "project.zip", "inception", tmp_path / "out")
    assert {kind.name: found.count for kind, found in report.findings.items()}["other_annotator"] == 2


@pytest.mark.parametrize("member", ["report.xmi", "TypeSystem.xml"])
@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_inception_document_types_are_refused(tmp_path, member, declaration):
    members = files()
    head, _, rest = members[member].partition(b"?>")
    members[member] = head + b"?>" + declaration + rest
    with pytest.raises(FormatError, match="declares a document type"):
        annotated_documents(unpack(tmp_path / "in", members))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'begin="2"', b'begin="1"', "has an offset outside its text"),
        (b"</xmi:XMI>", b"", "is not well-formed XML"),
        (b"webanno.custom", b"webanno", "does not fit its type system"),
        (b"Governor=", b"Governess=", "does not fit its type system"),
        (b'Governor="1"', b'Governor="99"', "does not fit its type system"),
    ],
)
def test_inception_damaged_xmi_is_one_line_with_its_name(tmp_path, old, new, message):
    members = files()
    if old == b"webanno.custom":
        members["TypeSystem.xml"] = members["TypeSystem.xml"].replace(old, new)
    else:
        number = b'Governor="' + members["report.xmi"].partition(b'Governor="')[2].partition(b'"')[0] + b'"'
        old = number if old == b'Governor="1"' else old
        if old == b'begin="2"':  # inside the emoji, in UTF-16
            old = b'begin="' + members["report.xmi"].partition(b'begin="')[2].partition(b'"')[0] + b'"'
        assert old in members["report.xmi"]
        members["report.xmi"] = members["report.xmi"].replace(old, new)
    with pytest.raises(FormatError) as caught:
        annotated_documents(unpack(tmp_path / "in", members))
    assert message in str(caught.value) and "report.xmi" in str(caught.value) and "\n" not in str(caught.value)


def test_inception_without_type_system_says_how_to_export(tmp_path):
    (tmp_path / "report.xmi").write_bytes(files()["report.xmi"])
    with pytest.raises(FormatError, match=r"has no TypeSystem.xml next to it; INCEpTION exports both in one .zip"):
        annotated_documents(tmp_path)
    (tmp_path / "report.xmi").unlink()
    (tmp_path / "a.zip").write_bytes(zipped({"report.xmi": files()["report.xmi"]}))
    with pytest.raises(FormatError, match="has no TypeSystem.xml with it"):
        annotated_documents(tmp_path)


def test_inception_zip_bombs_and_broken_zips_are_refused(tmp_path, monkeypatch):
    (tmp_path / "bomb.zip").write_bytes(zipped({"report.xmi": b" " * (4 << 20)}))
    with pytest.raises(FormatError, match="unpacks to 1000 times its size"):
        annotated_documents(tmp_path / "bomb.zip")
    (tmp_path / "broken.zip").write_bytes(zipped(files())[:200])
    with pytest.raises(FormatError, match="is not a readable zip file"):
        annotated_documents(tmp_path / "broken.zip")
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 1000)
    (tmp_path / "big.zip").write_bytes(zipped(files()))
    with pytest.raises(FormatError, match="unpacks to more than 1000 bytes"):
        annotated_documents(tmp_path / "big.zip")


def test_inception_names_in_a_zip_are_never_paths(tmp_path):
    members = {f"../../{name}": content for name, content in files().items()}
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.zip").write_bytes(zipped(members))
    check_document(annotated_documents(tmp_path / "deep" / "a.zip")[0])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "deep"]
