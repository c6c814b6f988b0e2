"""The model card: made of a folder's record alone, valid, escaped, honest about limits, with a snippet that runs."""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import io
import json
import logging
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, constants
from hypothesis import given, settings
from hypothesis import strategies as st
from local_hub import LocalHub
from local_hub.client import client
from tiny_data import write_dataset
from tiny_models import save_backbone
from tiny_pipeline import ENTITY_TYPES, RELATION_TYPES, save_folder

import train_accelerate
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.model_card import build as model_card
from modeling_spert.model_card.__main__ import main as card_main
from modeling_spert.model_card.build import CardOptions, add_card, build_card, write_card
from modeling_spert.shared.markdown import escape, one_line, table
from modeling_spert.training.arguments import TrainingArguments, public_arguments
from modeling_spert.training.stopping import StopFlag

LABELS: dict[str, Any] = {"entity_types": ENTITY_TYPES, "relation_types": RELATION_TYPES}
GOLD = [
    {
        "entities": [{"type": "Person", "start": 0, "end": 2}, {"type": "Place", "start": 3, "end": 4}],
        "relations": [{"type": "Born_In", "head": 0, "tail": 1}],
    }
]
FOUND = [
    {"entities": [*GOLD[0]["entities"][:1], {"type": "Work", "start": 3, "end": 4}], "relations": GOLD[0]["relations"]}
]
SCORES = score_examples(GOLD, FOUND, **LABELS)
SPLIT = {"sentences": 8, "entities": 20, "relations": 9, "without_relations": 0, "wide_entities": 1}
DATA = {
    "name": "conll04",
    "title": "CoNLL04",
    "language": "en",
    "licence": "unknown",
    "citation": "Some, Body (2004): A paper.",
    "train": {**SPLIT, "split": "train", "revision": "abc"},
    "eval": {**SPLIT, "split": "dev", "revision": "def"},
}


def write_record(folder: Path, data: dict[str, Any] = DATA, **arguments: Any) -> Path:
    """Put a run's record beside a model."""
    run = {"kind": "run", "step": 0, "data": data, "versions": {"torch": "2"}, "arguments": {"seed": 7, **arguments}}
    losses = [{"kind": "train", "step": step, "loss": 3 / step} for step in (1, 2, 3)]
    evaluations = [{"kind": "eval", "step": step, "split": "dev", **SCORES} for step in (2, 3)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (run, *losses, *evaluations)))
    results = {"dataset": data["name"], "split": "dev", "step": 3, "arguments": run["arguments"], "scores": SCORES}
    (folder / "eval_results.json").write_text(json.dumps(results))
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return write_record(shutil.copytree(saved, tmp_path / "tiny"), backbone="org/encoder")


def cells(line: str) -> list[str]:
    """The cells of a table's row, as a Markdown reader finds them."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


def assert_tables_are_whole(card: str) -> None:
    """Every row of a table has as many cells as the line above it."""
    lines = card.splitlines()
    for above, line in zip(lines, lines[1:], strict=False):
        if above.startswith("|") and line.startswith("|"):
            assert len(cells(above)) == len(cells(line)), (above, line)


def snippet(card: str) -> str:
    return re.search(r"```python\n(.*?)\n```", card, re.DOTALL)[1]


def test_card_metadata_name_the_convention_of_every_score(folder: Path) -> None:
    data = ModelCard(build_card(folder)).data
    assert (data.pipeline_tag, data.library_name, data.base_model) == (
        "token-classification",
        "transformers",
        "org/encoder",
    )
    assert (data.language, data.license, data.datasets, data.model_name) == ("en", "unknown", ["conll04"], "tiny")
    assert {"spert", "joint-extraction", "relation-extraction", "named-entity-recognition"} <= set(data.tags)
    results = {result.metric_name: result for result in data.eval_results}
    assert {name: result.metric_value for name, result in results.items()} == {
        "NER micro F1": 50.0,
        "NER macro F1": round(SCORES["ner_f1_macro"], 2),
        "Relation micro F1 (boundaries)": 100.0,
        "Relation macro F1 (boundaries)": 100.0,
        "Relation micro F1 (strict)": 0.0,
        "Relation macro F1 (strict)": 0.0,
    }
    about = {(r.dataset_name, r.dataset_split, r.dataset_revision, r.metric_type) for r in results.values()}
    assert about == {("CoNLL04", "dev", "def", "f1")}


def test_card_validates_at_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalHub() as hub, client(hub):
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        card = ModelCard.load(write_card(folder, curve=False))
        card.validate()
        assert hub.count("POST", "/api/validate-yaml") == 1
        card.data.pipeline_tag = "joint-extraction"
        with pytest.raises(ValueError, match="pipeline_tag"):
            card.validate()


def test_card_is_made_of_three_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = write_card(folder, curve=False).read_text("utf-8")
    alone = tmp_path / "alone" / "tiny"
    alone.mkdir(parents=True)
    for name in ("config.json", "eval_results.json", "metrics.jsonl"):
        shutil.copy(folder / name, alone)
    assert card_main([str(alone)]) == 0
    assert capsys.readouterr().out.strip() == str(alone / "README.md")
    drawn = (alone / "README.md").read_text("utf-8")
    assert drawn.replace("\n\n![Training loss and scores over the steps](training_curve.png)", "") == card
    assert card_main([str(alone), "--repo", "org/spert", "--license", "mit", "--dataset_id", "org/data"]) == 0
    changed = ModelCard.load(alone / "README.md")
    assert 'model="org/spert", revision="main"' in changed.text and "read instead." in changed.text
    assert (changed.data.license, changed.data.datasets, changed.data.model_name) == ("mit", ["org/data"], "spert")
    assert {result.dataset_type for result in changed.data.eval_results} == {"org/data"}


def test_card_command_explains_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert card_main([str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and "does not hold a SpERT model" in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", '{"model_type": "spert", "entity_types": []}', "relation_types is missing or malformed"),
        ("config.json", "[" * 100_000, "is not JSON that can be read"),
        ("eval_results.json", '{"scores": 3}', "scores is missing or malformed, got 3"),
        ("eval_results.json", "[]", "must hold a JSON object, got list"),
    ],
)
def test_card_command_names_the_malformed_file(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, message: str
) -> None:
    (folder / name).write_text(text)
    assert card_main([str(folder)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {folder / name}") and message in told and told.count("\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "train", "loss": 1.0}',
        '{"kind": "train", "step": 1, "loss": null}',
        '{"kind": "eval"}',
        '{"kind": "run", "data": "x", "arguments": {}, "versions": {}}',
        '{"kind": "run", "data": {"title": "x", "train": {}}, "arguments": {}, "versions": {}}',
        "[" * 100_000,
    ],
)
def test_card_leaves_out_malformed_lines(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    before = build_card(folder)
    messages: list[str] = []
    monkeypatch.setattr("modeling_spert.model_card.record.logger.warning", messages.append)
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    assert build_card(folder) == before
    assert len(messages) == 1 and "metrics.jsonl, line 7" in messages[0] and "left out" in messages[0]


def test_card_tells_labels_recipe_and_limits(folder: Path) -> None:
    card = build_card(folder)
    assert_tables_are_whole(card)
    assert "| Near | symmetric |" in card and "| seed | 7 |" in card and "torch 2." in card
    assert "**finds too many**" in card and "Entities of more than 4 words" in card
    assert "1 of the training data's 20 are wider" in card
    assert "check its terms" in card and "Data: Some, Body (2004)" in card
    assert "| Relation micro (strict) |" in card and "| Relation micro (boundaries) |" in card
    assert "@inproceedings{eberts-ulges-2020-spert" in card


def test_card_does_not_warn_of_data_with_relation_free_sentences(folder: Path) -> None:
    train = {**DATA["train"], "without_relations": 3}
    card = build_card(write_record(folder, {**DATA, "train": train}))
    assert "finds too many" not in card and "3 of its 8 training sentences hold no relation" in card


def test_card_shows_invented_examples_of_known_labels(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"entity_types": ["Peop"], "relation_types": ["Kill"], "symmetric_relation_types": []}
    (folder / "config.json").write_text(json.dumps(config))
    card = build_card(folder)
    assert "| Peop | Ada Lund |" in card and "the gunman Tor Vik → the mayor Piet Brand" in card
    assert "example" not in build_card(write_record(folder, {**DATA, "name": "mine"}))


def test_card_shows_every_split_that_was_scored(folder: Path) -> None:
    results = json.loads((folder / "eval_results.json").read_text("utf-8"))
    test_scores = score_examples(GOLD, GOLD, **LABELS)
    (folder / "eval_results.json").write_text(json.dumps({**results, "other_splits": {"test": test_scores}}))
    card = build_card(folder)
    assert_tables_are_whole(card)
    assert card.index("On the split dev of CoNLL04 (rows def)") < card.index("On the split test of CoNLL04, in percent")
    assert card.count("never quote a relation score") == 1
    found = {(r.dataset_split, r.metric_name): r.metric_value for r in ModelCard(card).data.eval_results}
    assert (found["dev", "NER micro F1"], found["test", "NER micro F1"]) == (50.0, 100.0)
    (folder / "eval_results.json").write_text(json.dumps({**results, "other_splits": {"test": 3}}))
    with pytest.raises(ValueError, match="other_splits: test is missing or malformed, got 3"):
        build_card(folder)


def test_card_of_a_model_of_whole_documents_does_not_deny_relations_across_sentences(folder: Path) -> None:
    assert "between sentences there are none" in build_card(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "segmentation": {"split_sentences": False}}))
    card = build_card(folder)
    assert "relations across its sentences are found" in card and "between sentences there are none" not in card


def test_card_without_a_record(saved: Path) -> None:
    card = build_card(saved)
    assert "Not scored yet." in card and "Not recorded." in card and "{{" not in card
    assert ModelCard(card).data.eval_results is None
    assert "example" not in card


def test_card_escapes_what_it_quotes(folder: Path) -> None:
    labels = ["A|B", "<img src=x onerror=alert(1)>", "`x`", "[a](http://b)", "# c\n| d | e", "&lt;", "{{ title }}"]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    names = {f"entity/{label}": f"{label} | <script>" for label in labels}
    (folder / "config.json").write_text(json.dumps({**config, "entity_types": labels, "label_names": names}))
    title = "data](http://x) <b>\n---\n# Title"
    card = build_card(write_record(folder, {**DATA, "title": title, "citation": "<i>"}, train_split="<b>|"))
    assert_tables_are_whole(card)
    assert "A\\|B" in card and "\\{\\{ title \\}\\}" in card
    body = re.match(r"---\n.*?\n---\n(.*)", card, re.DOTALL)[1]
    outside_code = re.sub(r"```.*?```", "", body, flags=re.DOTALL)
    assert re.findall(r"(?<!\\)<(?!/?details|/?summary)", outside_code) == []
    assert re.findall(r"(?<!\\)\]\((?!https://arxiv|training_curve)", outside_code) == []
    assert ModelCard(card).data.eval_results[0].dataset_name == " ".join(title.split())
    assert cells(table(["a"], [[escape("x | y\\")]]).splitlines()[2]) == [" x \\| y\\\\ "]


def test_card_makes_no_link_of_a_bare_address_and_turns_no_text_around(folder: Path) -> None:
    labels = ["https://evil.example/x", "www.evil.example", "evil.example", "a\u202egnp.exe", "nul\x00", "\x9b31m"]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "entity_types": labels}))
    card = build_card(write_record(folder, {**DATA, "title": "see https://evil.example"}, backbone="a\u202eb c"))
    body = re.match(r"---\n.*?\n---\n(.*)", card, re.DOTALL)[1]
    outside_code = re.sub(r"```.*?```", "", body, flags=re.DOTALL)
    assert "https\\://evil\\.example/x" in card
    assert re.findall(r"https?://(?!arxiv)|(?<!\\)\.example", outside_code) == []
    assert not {"\u202e", "\x00", "\x9b"} & set(card) and "\\u202e" in card  # in the block of all arguments


@given(labels=st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True), title=st.text(min_size=1))
@settings(max_examples=40)
def test_card_stands_any_text(tmp_path_factory: pytest.TempPathFactory, labels: list[str], title: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    backbone = {"model_type": "bert"}
    config = {"model_type": "spert", "entity_types": labels, "relation_types": [], "backbone_config": backbone}
    (folder / "config.json").write_text(json.dumps({**config, "max_span_width": 10}))
    card = build_card(write_record(folder, {**DATA, "title": title}))
    front, body = re.match(r"---\n(.*?)\n---\n(.*)", card, re.DOTALL).groups()
    written = yaml.safe_load(front)["model-index"][0]["results"][0]["dataset"]["name"]
    assert written == (one_line(title) or "conll04")
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x09\x7f-\x9f]", card)
    assert_tables_are_whole(body)
    assert body.count("\n## ") == 6


def test_card_snippet_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(snippet(build_card(folder)), "snippet", "exec"), {"__builtins__": builtins})
    kinds = {line.split()[0] for line in printed.getvalue().splitlines()}
    assert kinds & set(ENTITY_TYPES) and kinds & set(RELATION_TYPES)


def test_card_snippet_quotes_the_folder(folder: Path) -> None:
    odd = folder.rename(folder.with_name('a"b`\n```c'))
    code = snippet(build_card(odd))
    compile(code, "snippet", "exec")
    assert 'model="a\\"b`\\n```c"' in code


def test_card_holds_a_curve_where_matplotlib_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    assert "![" in write_card(folder).read_text("utf-8")
    assert (folder / "training_curve.png").read_bytes().startswith(b"\x89PNG")
    (folder / "training_curve.png").unlink()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "![" not in write_card(folder).read_text("utf-8")
    assert not (folder / "training_curve.png").exists()


def test_card_scores_a_checkpoint_at_its_own_step_only(folder: Path) -> None:
    (folder / "eval_results.json").unlink()
    for step, scored in ((3, True), (1, False)):
        (folder / "training_state.json").write_text(json.dumps({"progress": {"step": step}}))
        assert ("Not scored yet" not in build_card(folder)) == scored


def test_card_template_is_for_people_to_edit(folder: Path, tmp_path: Path) -> None:
    template = tmp_path / "mine.md"
    template.write_text("---\nlicense: cc-by-4.0\ntags: [mine]\n---\nMy {{ title }}.\n")
    card = ModelCard(build_card(folder, CardOptions(template=template)))
    assert (card.data.license, card.data.tags, card.text.strip()) == ("cc-by-4.0", ["mine"], "My SpERT on CoNLL04.")
    template.write_text("---\nlicense: mit\n---\n{{ tilte }}")
    with pytest.raises(ValueError, match=r"\{\{ tilte \}\}; known ones are title"):
        build_card(folder, CardOptions(template=template))
    template.write_text("no metadata")
    with pytest.raises(ValueError, match="starts with YAML metadata"):
        build_card(folder, CardOptions(template=template))


def test_card_that_fails_costs_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(model_card.logger, "warning", messages.append)
    (folder / "eval_results.json").write_text("{")
    add_card(folder, place=folder)
    assert len(messages) == 1 and "No model card was written" in messages[0] and not (folder / "README.md").exists()


def test_card_of_an_older_record_names_the_data_and_no_folder(folder: Path) -> None:
    """Runs of before the run's line in metrics.jsonl, and of before folders were left out of eval_results.json."""
    arguments = {"backbone": "/home/ada/encoder", "output_dir": "/home/ada/out", "seed": 5}
    results = {"dataset": "conll04", "split": "dev", "step": 3, "arguments": arguments, "scores": SCORES}
    (folder / "eval_results.json").write_text(json.dumps(results))
    (folder / "metrics.jsonl").unlink()
    card = build_card(folder)
    assert "# SpERT on conll04" in card and "Ada Lund of the Harbour Institute" in card and "| seed | 5 |" in card
    assert "/home/ada" not in card and ModelCard(card).data.base_model is None


def test_public_arguments_name_no_folder_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    places = {name: str(tmp_path / name) for name in ("data_dir", "output_dir", "resume_from_checkpoint", "config")}
    shown = public_arguments(TrainingArguments(dataset="conll04", backbone=str(tmp_path / "encoder"), **places))
    assert shown["dataset"] == "conll04" and shown["backbone"] == "local folder encoder"
    assert str(tmp_path) not in json.dumps(shown)


def test_training_leaves_a_card_in_every_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_backbone("bert", tmp_path / "encoder")
    data, output = write_dataset(tmp_path / "mine", train=6), tmp_path / "out"
    flags = ["--dataset", str(data), "--backbone", str(tmp_path / "encoder"), "--output_dir", str(output)]
    with caplog.at_level(logging.WARNING):
        train_accelerate.main([*flags, "--num_train_epochs", "2", "--eval_every", "1", "--log_every", "1"])
    stopped = tmp_path / "stopped"  # before its end: it leaves a checkpoint
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(StopFlag, "__enter__", lambda flag: SimpleNamespace(raised=True))
        train_accelerate.main([*flags, "--output_dir", str(stopped)])
    for folder, name in ((output, "out"), (stopped / "last", "stopped/last")):
        card = (folder / "README.md").read_text("utf-8")
        assert f'model="{name}"' in card and "6 sentences with 18 entities" in card
        assert ModelCard(card).data.base_model is None
        for file in ("README.md", "eval_results.json", "metrics.jsonl", "config.json"):
            assert not (folder / file).exists() or str(tmp_path) not in (folder / file).read_text("utf-8"), file
        assert card == build_card(folder)
    results = json.loads((output / "eval_results.json").read_text("utf-8"))
    found = {r.metric_name: r.metric_value for r in ModelCard.load(output / "README.md").data.eval_results}
    assert found["NER micro F1"] == round(results["scores"]["ner_f1_micro"], 2)
    assert ModelCard.load(output / "README.md").data.eval_results[0].dataset_revision
