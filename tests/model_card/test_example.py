"""The text in a model card with the model's own answer: chosen, given or left out, and published in the card only."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from local_hub import LocalHub
from local_hub.client import client
from tiny_data import write_dataset
from tiny_models import save_backbone
from tiny_pipeline import save_folder

import train_accelerate
from modeling_spert.hub.push import push_model_folder
from modeling_spert.model_card import build_card
from modeling_spert.model_card.__main__ import main as card_main
from modeling_spert.model_card.example import (
    EXAMPLE_FILE,
    CardExample,
    join_words,
    make_example,
    read_example,
    write_example,
)

ADA = {"type": "Per", "start": 0, "end": 1}
ROME = {"type": "Loc", "start": 3, "end": 4}
IN = {"type": "lives_in", "head": 0, "tail": 1}


def row(text: str, entities: list[dict[str, Any]], relations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"tokens": text.split(), "entities": entities, "relations": relations}


SHORT = row("Ada saw old Rome .", [ADA, ROME], [IN])
LONG = row("Ada lived in Rome for years .", [ADA, ROME], [IN])


def extractor(rows: list[dict[str, Any]]):
    """A pipeline that answers the joined words of rows as these are annotated, and any other text with nothing."""
    known = {join_words(row["tokens"]): row for row in rows}

    def extract(text: str) -> dict[str, Any]:
        row = known.get(text, {"entities": [], "relations": []})
        entities = [
            {
                "label": entity["type"],
                "words": [entity["start"], entity["end"]],
                "text": " ".join(row["tokens"][entity["start"] : entity["end"]]),
                "score": 0.9,
            }
            for entity in row["entities"]
        ]
        relations = [{"label": r["type"], "head": r["head"], "tail": r["tail"], "score": 0.8} for r in row["relations"]]
        return {"text": text, "entities": entities, "relations": relations}

    return extract


def test_example_is_the_shortest_row_with_a_right_relation() -> None:
    gold = [LONG, SHORT, row("Ada ran .", [ADA], [])]
    example = make_example("data", extractor(gold), "mine", "dev", gold, gold)
    lines = ("Per Ada 0.9", "Loc Rome 0.9", "lives_in Ada -> Rome 0.8")
    assert example == CardExample("Ada saw old Rome.", "data", "dev", lines)
    wrong = {**SHORT, "relations": [{**IN, "head": 1, "tail": 0}]}
    example = make_example("data", extractor(gold), "mine", "dev", gold, [LONG, wrong, gold[2]])
    assert example is not None and example.text == "Ada lived in Rome for years."


def test_example_keeps_to_rows_whose_text_is_answered_as_the_row() -> None:
    assert make_example("data", extractor([LONG]), "mine", "dev", [SHORT], [SHORT]) is None
    example = make_example("data", extractor([LONG]), "mine", "dev", [SHORT, LONG], [SHORT, LONG])
    assert example is not None and example.text == "Ada lived in Rome for years."


def test_example_of_a_model_without_relations_shows_an_entity() -> None:
    gold = [row("Nothing .", [], []), row("Ada ran off .", [ADA], [])]
    example = make_example("data", extractor(gold), "mine", "dev", gold, gold)
    assert example is not None and example.text == "Ada ran off."


def test_example_shows_no_row_unless_asked_except_of_the_demo() -> None:
    example = make_example("auto", extractor([SHORT]), "scierc", "dev", [SHORT], [SHORT])
    assert example is not None and example.origin == "invented" and "beam search" in example.text
    assert make_example("none", None, "mine", "dev", [SHORT], [SHORT]) is None
    assert make_example("auto", extractor([SHORT]), "mine", "dev", [SHORT], [SHORT]) is None
    demo = make_example("auto", extractor([SHORT]), "demo", "test", [SHORT], [SHORT])
    assert demo is not None and demo.origin == "data"
    given = make_example("My text.", extractor([]), "mine", "dev", [SHORT], [SHORT])
    assert given == CardExample("My text.", "given", None, ())


def test_example_file_survives_and_is_refused_when_malformed(tmp_path: Path) -> None:
    assert read_example(tmp_path) is None
    example = CardExample("A\n```\n<b>", "data", "dev", ("x y 0.5",))
    write_example(tmp_path, example)
    assert read_example(tmp_path) == example
    write_example(tmp_path, None)
    assert not (tmp_path / EXAMPLE_FILE).exists()
    for content in ({"text": "a", "origin": "data", "split": "dev", "lines": "no"}, {"lines": []}, {"text": 3}):
        (tmp_path / EXAMPLE_FILE).write_text(json.dumps(content))
        with pytest.raises(ValueError, match=r"card_example.json is malformed: remove it, or make it again"):
            read_example(tmp_path)


def test_card_example_cannot_break_out_of_the_code(tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "tiny")
    write_example(folder, CardExample('a"\n```\n# Title', "data", "d|<b>", ("``` x\n```\n# Title",)))
    card = build_card(folder)
    code = card.split("```python\n")[1].split("\n```\n")[0]
    compile(code, "snippet", "exec")
    assert code.splitlines()[-1] == "# ``` x ``` # Title" and "the split d\\|\\<b\\> of" in card


def test_card_command_takes_a_text_and_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = save_folder(tmp_path / "tiny")
    text = "ada lived in rome and wrote poems ."
    assert card_main([str(folder), "--example", text]) == 0
    card = (folder / "README.md").read_text("utf-8")
    code = card.split("```python\n")[1].split("\n```\n")[0]
    assert f"answer = extract({json.dumps(text)})" in code and "chosen by whoever made this card" in card
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "snippet", "exec"), {})
    assert [f"# {line}" for line in printed.getvalue().splitlines()] == [x for x in code.splitlines() if x[0:1] == "#"]
    assert card_main([str(folder), "--example", "none"]) == 0
    assert text not in (folder / "README.md").read_text("utf-8") and not (folder / EXAMPLE_FILE).exists()
    capsys.readouterr()
    assert card_main([str(folder), "--example", "auto"]) == 2
    assert "give a text, or none" in capsys.readouterr().err


# The client's own: it hands an open file to httpx2 as `data`.
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_push_publishes_the_example_in_the_card_only_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_folder(tmp_path / "tiny")
    write_example(folder, CardExample("Ada saw Rome.", "data", "dev", ("Per Ada 0.9",)))
    messages: list[str] = []
    monkeypatch.setattr("modeling_spert.hub.push.logger.warning", messages.append)
    with LocalHub() as hub, client(hub):
        push_model_folder(folder, "org/tiny", tag="v1", token=hub.token, endpoint=hub.url)
        files = hub.files("org/tiny")
    card = files["README.md"].decode()
    assert EXAMPLE_FILE not in files and 'extract("Ada saw Rome.")' in card
    assert 'model="org/tiny", revision="v1", trust' in card
    assert [message for message in messages if "shows a sentence of the data (split dev)" in message]
    assert not [message for message in messages if EXAMPLE_FILE in message]


@pytest.mark.parametrize(("wanted", "text"), [("none", None), ("Bo lives here .", "Bo lives here .")])
def test_training_writes_the_example_it_is_asked_for(tmp_path: Path, wanted: str, text: str | None) -> None:
    save_backbone("bert", tmp_path / "encoder")
    data, output = write_dataset(tmp_path / "mine", train=6), tmp_path / "out"
    flags = ["--dataset", str(data), "--backbone", str(tmp_path / "encoder"), "--output_dir", str(output)]
    train_accelerate.main([*flags, "--max_steps", "1", "--card_example", wanted])
    example = read_example(output)
    assert (example and example.text) == text
    sentence = text or "Put a text like those of the training data here."
    assert f'answer = extract("{sentence}")' in (output / "README.md").read_text("utf-8")
