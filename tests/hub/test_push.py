"""Pushing models, data sets and the metric to the local Hub with the real client: whole, at once, and again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from huggingface_hub import ModelCard, constants
from local_hub import Fault, LocalHub
from local_hub.client import client
from tiny_data import build_rows, write_dataset
from tiny_models import save_backbone
from tiny_pipeline import save_folder, tiny_model, tiny_pipeline
from transformers.utils import hub as transformers_hub

import modeling_spert.hub.client
import train_accelerate
from datasets_scripts import convert
from modeling_spert import SpertModel
from modeling_spert.hub.__main__ import main as hub_main
from modeling_spert.hub.client import PushError
from modeling_spert.hub.folders import licence_warning, missing_files
from modeling_spert.hub.push import push_metric, push_model_folder
from modeling_spert.model_card.build import write_card
from modeling_spert.training import push as run_push
from modeling_spert.training.push import RunPush

# The client's own: it hands an open file to httpx2 as `data`.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
METRIC = ROOT / "metrics" / "joint_extraction"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A Hub that the commands find without being told."""
    with LocalHub() as hub, client(hub):
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(transformers_hub, "_hf_api", None)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        monkeypatch.setattr(modeling_spert.hub.client, "sleep", lambda seconds: None)
        yield hub


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A folder as a training leaves it, with what is not to be pushed."""
    folder = shutil.copytree(saved, tmp_path / "tiny")
    write_card(folder, curve=False)
    shutil.copytree(saved, folder / "last")
    for name in ("predictions_dev.json", "training_state.json", "training_state.safetensors", ".secret", "notes.py"):
        (folder / name).write_text("{}")
    (folder / "eval_results.json").write_text("{}")
    return folder


def commits(hub: LocalHub, repo_id: str, kind: str = "models") -> list[str]:
    repo = hub.store.repositories[kind, repo_id]
    return [commit.title for commit in repo.history(repo.resolve("main"))]


def test_push_model_sends_a_complete_folder_at_once(hub: LocalHub, folder: Path, saved: Path) -> None:
    made = push_model_folder(folder, "org/tiny", private=True, tag="v1", message="First")
    files = hub.files("org/tiny")
    assert set(files) == {path.name for path in saved.iterdir()} | {"README.md", "eval_results.json", ".gitattributes"}
    assert files["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert commits(hub, "org/tiny") == ["First", "initial commit"]
    assert hub.snapshot("org/tiny", revision="v1").oid == made.oid
    assert hub.store.repositories["models", "org/tiny"].private
    card = files["README.md"].decode()
    assert 'model="org/tiny"' in card and ModelCard(card).data.pipeline_tag == "token-classification"
    assert 'model="tiny"' in (folder / "README.md").read_text("utf-8")  # the local folder is only read


def test_push_model_to_a_name_without_a_namespace(hub: LocalHub, folder: Path) -> None:
    push_model_folder(folder, "mine", private=True)
    assert "model.safetensors" in hub.files("tester/mine")


def test_push_model_again_changes_nothing(hub: LocalHub, folder: Path) -> None:
    first = push_model_folder(folder, "org/tiny", tag="v1")
    assert push_model_folder(folder, "org/tiny", tag="v1").oid == first.oid
    (folder / "README.md").write_text("My own card.")
    second = push_model_folder(folder, "org/tiny")
    assert second.oid != first.oid and hub.files("org/tiny")["README.md"] == b"My own card."
    with pytest.raises(PushError, match="the tag v1 exists and names another commit"):
        push_model_folder(folder, "org/tiny", tag="v1")


def test_push_model_to_a_branch(hub: LocalHub, folder: Path) -> None:
    for _ in range(2):
        push_model_folder(folder, "org/tiny", branch="try")
    assert "config.json" in hub.files("org/tiny", revision="try") and "config.json" not in hub.files("org/tiny")


def test_push_model_removes_what_could_be_loaded_in_its_place(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    tiny_pipeline().save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    push_model_folder(tmp_path / "shards", "org/tiny")
    shards = {name for name in hub.files("org/tiny") if "safetensors" in name}
    assert len(shards) > 2
    hub.add("org/tiny", {"old_spert.py": "", "notes.txt": "kept"})
    push_model_folder(folder, "org/tiny")
    files = hub.files("org/tiny")
    assert {name for name in files if "safetensors" in name} == {"model.safetensors"}
    assert "old_spert.py" not in files and files["notes.txt"] == b"kept"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "spans_spert.py", "pipeline_spert.py"])
def test_push_model_refuses_an_incomplete_folder(hub: LocalHub, folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert missing_files(folder) == [name]
    with pytest.raises(ValueError, match=f"lacks {name}: not pushed"):
        push_model_folder(folder, "org/tiny")
    assert not hub.store.repositories


def test_push_model_refuses_what_is_no_model(hub: LocalHub, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"config\.json cannot be read: No such file"):
        push_model_folder(tmp_path, "org/tiny")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match="does not hold a SpERT model: its config.json has the model_type 'bert'"):
        push_model_folder(tmp_path, "org/tiny")


def test_push_model_keeps_private_what_is_to_be_private(hub: LocalHub, folder: Path) -> None:
    hub.add("org/tiny", {"a.txt": "a"})
    with pytest.raises(PushError, match="exists and is public, private was asked"):
        push_model_folder(folder, "org/tiny", private=True)
    assert set(hub.files("org/tiny")) == {"a.txt", ".gitattributes"}


def test_push_command(hub: LocalHub, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    assert hub_main([str(folder), "org/tiny", "--tag", "v1"]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/org/tiny/commit/{hub.snapshot('org/tiny', revision='v1').oid}"
    monkeypatch.setenv("HF_TOKEN", "wrong")
    assert hub_main([str(folder), "org/other", "--private"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1 and "hf auth login" in told
    assert f"push it later: spert push {folder} org/other --private" in told


def test_push_metric(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub_main([str(METRIC), "org/joint_extraction", "--metric"]) == 0
    files = hub.files("org/joint_extraction", kind="spaces")
    assert {path.name for path in METRIC.iterdir() if path.is_file()} <= set(files)
    with pytest.raises(ValueError, match="looks for scores.py"):
        push_metric(METRIC, "org/scores")


# ---- transformers' own way


def test_pipeline_push_keeps_the_card(hub: LocalHub, folder: Path) -> None:
    push_model_folder(folder, "org/tiny")
    card = hub.files("org/tiny")["README.md"]
    other = tiny_model(relation_threshold=0.3)
    tiny_pipeline(other).push_to_hub("org/tiny")
    files = hub.files("org/tiny")
    assert json.loads(files["config.json"])["relation_threshold"] == 0.3
    assert ModelCard(files["README.md"].decode()).content == ModelCard(card.decode()).content
    other.push_to_hub("org/tiny")
    assert ModelCard(hub.files("org/tiny")["README.md"].decode()).data.tags[:2] == ["spert", "joint-extraction"]


def test_model_push_takes_the_tokenizer_along(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    SpertModel.from_pretrained(folder).push_to_hub("org/model", private=True)
    for name, content in hub.files("org/model").items():
        (tmp_path / name).write_bytes(content)
    assert missing_files(tmp_path) == []
    with pytest.raises(ValueError, match="extraction_pipeline"):
        tiny_model().push_to_hub("org/alone")
    assert "org/alone" not in {name for _, name in hub.store.repositories}


def test_pipeline_push_to_a_new_repository_is_whole(hub: LocalHub, tmp_path: Path) -> None:
    tiny_pipeline().push_to_hub("org/new", private=True)
    for name, content in hub.files("org/new").items():
        (tmp_path / name).write_bytes(content)
    assert missing_files(tmp_path) == []
    assert hub.store.repositories["models", "org/new"].private


# ---- data sets


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """A folder of Parquet files with a card."""
    assert convert.main([str(write_dataset(tmp_path / "mine")), "--output", str(tmp_path / "parquet")]) == 0
    return tmp_path / "parquet"


def test_push_dataset_is_private_unless_asked(
    hub: LocalHub, data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hub_main([str(data_set), "org/mine"]) == 0
    assert hub.store.repositories["datasets", "org/mine"].private
    assert "the copy is private" in capsys.readouterr().err
    files = hub.files("org/mine", kind="datasets")
    assert set(files) == {".gitattributes", "README.md", "types.json", "data/train.parquet", "data/dev.parquet"}
    (tmp_path / "train.parquet").write_bytes(files["data/train.parquet"])
    rows = Dataset.from_parquet(str(tmp_path / "train.parquet"), cache_dir=str(tmp_path / "cache"))
    assert rows.to_list() == build_rows(24, 1)
    assert hub_main([str(data_set), "org/open", "--public"]) == 0
    assert not hub.store.repositories["datasets", "org/open"].private
    assert "you make a public copy" in capsys.readouterr().err
    assert hub_main([str(data_set), "org/open"]) == 1  # as it would become public without being asked
    assert "org/open exists and is public" in capsys.readouterr().err


def test_push_dataset_without_its_card_is_refused(
    hub: LocalHub, data_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data_set / "README.md").unlink()
    assert hub_main([str(data_set), "org/mine"]) == 2
    assert "has no data card (README.md), as python -m datasets_scripts.convert writes it" in capsys.readouterr().err
    assert not hub.store.repositories


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tag", "v1"], "--branch and --tag go with models"),
        (["--public", "--private"], "not allowed with argument"),
        (["--public", "--metric"], "--public goes with data sets"),
    ],
)
def test_push_command_refuses_flags_that_do_not_fit(
    data_set: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        hub_main([str(data_set), "org/mine", *flags])
    told = capsys.readouterr().err
    assert told.startswith("error: ") and message in told and told.count("\n") == 1


def test_push_dataset_warns_where_no_licence_is_known(tmp_path: Path, shared_dir: Path) -> None:
    source, conll, demo = shared_dir / "data" / "conll04", tmp_path / "conll04", tmp_path / "demo"
    assert convert.main(["conll04", "--data_dir", str(source), "--output", str(conll)]) == 0
    assert convert.main(["demo", "--output", str(demo)]) == 0
    assert "CoNLL04: no licence is known; the copy is private" in licence_warning(conll, public=False)
    assert "you make a public copy" in licence_warning(conll, public=True)
    assert licence_warning(demo, public=True) is None


# ---- from a training


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    save_backbone("bert", tmp_path / "bert")
    data = write_dataset(tmp_path / "data", train=6)
    flags = ["--dataset", str(data), "--backbone", str(tmp_path / "bert"), "--output_dir", str(tmp_path / "out")]
    return [*flags, "--num_train_epochs", "2", "--push_to_hub", "--hub_model_id", "org/tiny", "--hub_private"]


def test_training_pushes_its_result(hub: LocalHub, command: list[str], tmp_path: Path) -> None:
    train_accelerate.main([*command, "--hub_strategy", "every"])
    repo = hub.store.repositories["models", "org/tiny"]
    titles = commits(hub, "org/tiny")
    assert repo.private and titles[0] == "Upload SpERT model" and titles[-1] == "initial commit"
    assert set(titles[1:-1]) <= {"Checkpoint of step 3", "Checkpoint of step 6"} and titles[1:-1]
    (tag,) = repo.tags
    assert re.fullmatch(r"out-\d{8}-\d{6}", tag) and repo.tags[tag] == repo.branches["main"]
    files = hub.files("org/tiny")
    assert files["model.safetensors"] == (tmp_path / "out" / "model.safetensors").read_bytes()
    assert ModelCard(files["README.md"].decode()).data.eval_results
    assert str(tmp_path).encode() not in b"".join(files.values())
    assert not list((tmp_path / "out").glob(".*"))


def test_training_survives_a_push_that_fails(
    hub: LocalHub, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    for level in ("warning", "error"):
        monkeypatch.setattr(run_push.logger, level, told.append)
    hub.faults.add(Fault("POST", "/api/", "status", status=403, times=None))
    train_accelerate.main([*command, "--hub_strategy", "every"])
    output = tmp_path / "out"
    assert missing_files(output) == [] and (output / "README.md").is_file()
    assert "Training goes on" in told[0]
    assert f"To push it later: spert push {output} org/tiny --private" in told[-1]
    hub.faults.clear()
    assert hub_main([str(output), "org/tiny", "--private"]) == 0
    assert hub.files("org/tiny")["model.safetensors"] == (output / "model.safetensors").read_bytes()


def test_run_push_leaves_out_a_checkpoint_while_one_is_on_its_way(hub: LocalHub, folder: Path) -> None:
    hub.faults.add(Fault("POST", "/api/repos/create", "stall", seconds=1))
    pushes = RunPush("org/tiny", private=False)
    assert pushes.push_checkpoint(folder, 1)
    assert not pushes.push_checkpoint(folder, 2)
    shutil.rmtree(folder / "last")  # the next checkpoint takes the folder's place meanwhile: the copy stays whole
    assert pushes.push_result(folder, "my run/ü") is not None
    assert commits(hub, "org/tiny")[-2:] == ["Checkpoint of step 1", "initial commit"]
    assert next(iter(hub.store.repositories["models", "org/tiny"].tags)).startswith("my-run-2")


def test_training_arguments_refuse_a_push_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--dataset", "demo", "--output_dir", "x", "--eval_only", "--model", "m"]
    with pytest.raises(SystemExit):
        train_accelerate.main([*flags, "--push_to_hub", "--hub_model_id", "org/m"])
    assert "--eval_only trains nothing to push" in capsys.readouterr().err
