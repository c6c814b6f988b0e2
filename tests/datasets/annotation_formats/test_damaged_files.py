"""Files damaged at random: read as what they still say, or refused by one line that names the file."""

from __future__ import annotations

import io
import json
import random
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_scripts.annotation_formats import FORMATS_IN, FormatError, annotated_documents, convert_out

TEXT = "Velorin causes rash 😀 in Vell."
ANSWER = {
    "doc_id": "d",
    "text": TEXT,
    "entities": [{"start": 0, "end": 7, "label": "Drug"}, {"start": 15, "end": 19, "label": "Effect"}],
    "relations": [{"head": 0, "tail": 1, "label": "causes"}],
}
ROW = {
    "tokens": ["Velorin", "causes", "rash"],
    "entities": [{"type": "Drug", "start": 0, "end": 1}, {"type": "Effect", "start": 2, "end": 3}],
    "relations": [{"type": "causes", "head": 0, "tail": 1}],
    "doc_id": "d",
    "sentence_index": 0,
    "text": "Velorin causes rash",
    "offsets": [[0, 7], [8, 14], [15, 19]],
}
DYGIE = {
    "doc_key": "d",
    "sentences": [["Velorin", "causes", "rash"]],
    "ner": [[[0, 0, "Drug"], [2, 2, "Effect"]]],
    "relations": [[[0, 0, 2, 2, "causes"]]],
}
HAND_MADE = {
    "spert": ("a.json", json.dumps([ROW])),
    "dygie": ("a.jsonl", json.dumps(DYGIE)),
    "offsets": ("a.jsonl", json.dumps(ANSWER)),
    "conll": ("a.conll", "0\tVelorin\tB-Drug\t['causes']\t[2]\n1\tcauses\tO\t['N']\t[1]\n2\trash\tB-E\t['N']\t[2]\n"),
    "csv": ("a.csv", f"text,head,head_type,relation,tail,tail_type\n{TEXT},Velorin,Drug,causes,rash,Effect\n"),
}


def inception_files() -> dict[str, bytes]:
    import cassis

    types = cassis.TypeSystem()
    span = types.create_type("webanno.custom.Span", "uima.tcas.Annotation")
    types.create_feature(span, "label", "uima.cas.String")
    link = types.create_type("webanno.custom.Relation", "uima.tcas.Annotation")
    for feature in ("Governor", "Dependent"):
        types.create_feature(link, feature, "uima.tcas.Annotation")
    cas = cassis.Cas(typesystem=types)
    cas.sofa_string = TEXT
    drug, rash = span(begin=0, end=7, label="Drug"), span(begin=15, end=19, label="Effect")
    cas.add_all([drug, rash, link(begin=15, end=19, Governor=drug, Dependent=rash)])
    return {"a.xmi": cas.to_xmi().encode(), "TypeSystem.xml": types.to_xml().encode()}


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of one annotated text in every format."""
    root = tmp_path_factory.mktemp("good")
    files = {name: {file: content.encode()} for name, (file, content) in HAND_MADE.items()}
    (root / "a.jsonl").write_text(json.dumps(ANSWER))
    for name in ("brat", "label-studio", "doccano", "spacy"):
        if name == "spacy" and find_spec("spacy") is None:
            continue
        convert_out(root / "a.jsonl", name, root / name)
        written = [
            path for path in (root / name).rglob("*") if path.suffix in (".txt", ".ann", ".json", ".jsonl", ".spacy")
        ]
        files[name] = {path.name: path.read_bytes() for path in written if path.name != "conversion.json"}
    if find_spec("cassis") is not None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in inception_files().items():
                archive.writestr(name, content)
        files["inception"] = {**inception_files(), "b.zip": buffer.getvalue()}
    return files


def files_of(name: str, good_files: dict[str, dict[str, bytes]]) -> dict[str, bytes]:
    if name not in good_files:
        pytest.skip(f"what {name} needs (the extra 'formats') is not installed")
    return good_files[name]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three pieces cut, doubled, exchanged or overwritten."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice([1, 1, 2, 8, 60]))
        piece = chance.choice(
            [b"", content[start:end] * 2, b"0", b"-1", b"9999999999", b"\t", b"\n", b" ", b'"', b"]", b"{}", b"null",
             b"\xff", b"\xed\xa0\x80", b"\x00", b"'", b"<", b";", b":", b"true", b"1e9", b"\\ud83d", "😀".encode()]
        )  # fmt: skip
        content = content[:start] + piece + content[end if chance.random() < 0.7 else start :]
    return content


@pytest.mark.parametrize("name", FORMATS_IN)
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_file_is_read_or_refused_by_one_line_that_names_it(name, good_files, tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("damaged")
    chance = random.Random(seed)
    broken = chance.choice(sorted(files_of(name, good_files)))
    for file, content in files_of(name, good_files).items():
        (folder / file).write_bytes(damaged(content, chance) if file == broken else content)
    try:
        documents = annotated_documents(folder, name)
    except FormatError as error:
        assert "\n" not in str(error) and str(folder) in str(error)
        assert len(str(error)) < 600
    else:
        for document in documents:
            for entity in document.entities:
                assert entity.label.strip() and 0 <= entity.start <= entity.end <= len(document.text)
            ids = {entity.id for entity in document.entities}
            assert all(relation.head in ids and relation.tail in ids for relation in document.relations)


@pytest.mark.parametrize("name", FORMATS_IN)
def test_good_file_is_read(name, good_files, tmp_path: Path):
    for file, content in files_of(name, good_files).items():
        (tmp_path / file).write_bytes(content)
    document = annotated_documents(tmp_path, name)[0]
    assert sorted(entity.label[0] for entity in document.entities) == ["D", "E"] and len(document.relations) == 1


@pytest.mark.parametrize("name", FORMATS_IN)
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe\x00", b"[" * 100_000, b"\x00" * 100])
def test_file_of_something_else_is_refused_by_name(name, good_files, tmp_path: Path, content):
    for file in files_of(name, good_files):
        (tmp_path / file).write_bytes(content)
    if name == "brat" and not content.strip(b"\xef\xbb\xbf"):  # a text of nothing, in which there is nothing
        assert annotated_documents(tmp_path, name)[0].entities == ()
        return
    with pytest.raises(FormatError) as caught:
        annotated_documents(tmp_path, name)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
