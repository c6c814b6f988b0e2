"""What a push may publish: names on a list, links that stay inside, and a clear word about malformed files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from local_hub import LocalHub
from local_hub.client import client
from tiny_pipeline import save_folder

from modeling_spert.hub import push
from modeling_spert.hub.__main__ import main
from modeling_spert.hub.folders import metric_content, missing_files, model_content
from modeling_spert.hub.push import push_metric, push_model_folder

# The client's own: it hands an open file to httpx2 as `data`.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
# What was pushed, or might be, because its name ends like that of a model's file.
PRIVATE = (
    *("train.json", "dev.jsonl", "predictions.json", "my_predictions_dev.json", "Predictions_dev.json", "secrets.json"),
    *("credentials.json", "token.txt", "token", ".env", ".netrc", "wandb-metadata.json", "notes.md", "id_rsa"),
    *("emb.safetensors", "evil_spert.py", "model.onnx", "optimizer.pt", "data.parquet", "photo.png", "x.jinja"),
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(saved, tmp_path / "tiny")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the user's next to the folder."""
    path = tmp_path / "host.json"
    path.write_text('{"scores": {"ner_f1_micro": 1.0}, "arguments": {"password": "xyzzy"}, "kind": "run"}')
    return path


def pushed(folder: Path, monkeypatch: pytest.MonkeyPatch, metric: bool = False) -> tuple[dict[str, bytes], str]:
    """What arrives at a real Hub, and the warning about the rest."""
    told: list[str] = []
    monkeypatch.setattr(push.logger, "warning", told.append)
    with LocalHub() as hub, client(hub):
        access = {"token": hub.token, "endpoint": hub.url}
        if metric:
            push_metric(folder, "org/scores", **access)
            return hub.files("org/scores", kind="spaces"), " ".join(told)
        push_model_folder(folder, "org/tiny", **access)
        return hub.files("org/tiny"), " ".join(told)


def test_push_publishes_nothing_but_the_files_of_a_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_model = {path.name for path in folder.iterdir()}
    for name in PRIVATE:
        (folder / name).write_text("[]")
    (folder / "data").mkdir()
    os.mkfifo(folder / "README.fifo")
    files, told = pushed(folder, monkeypatch)
    assert set(files) == of_the_model | {"README.md", ".gitattributes"}
    assert all(f"{name} (not on the list)" in told for name in (*PRIVATE, "data"))


def test_push_is_silent_about_what_a_training_leaves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("predictions_test.json", "training_state.json", "training_state.safetensors"):
        (folder / name).write_text("{}")
    (folder / "last").mkdir()
    files, told = pushed(folder, monkeypatch)
    assert told == "" and not [name for name in files if name.startswith(("predictions", "training_state", "last"))]


@pytest.mark.parametrize("name", ["notes.txt", "eval_results.json", "metrics.jsonl", "vocab.txt", "README.md"])
def test_push_follows_no_link_out_of_the_folder(
    folder: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (folder / name).symlink_to(outside)
    files, told = pushed(folder, monkeypatch)
    assert b"xyzzy" not in b"".join(files.values()) and name in told
    assert set(files) & {name} <= {"README.md"}  # the card is made anew


def test_push_refuses_a_model_with_a_needed_file_outside(folder: Path, outside: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer_config.json").symlink_to(outside)
    with pytest.raises(ValueError, match="tokenizer_config.json cannot be pushed, as a link that leads out of"):
        push_model_folder(folder, "org/tiny")
    graphs = folder.parent / "onnx"
    graphs.mkdir()
    (graphs / "spans.onnx").write_bytes(b"xyzzy")
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "onnx").symlink_to(graphs)
    content = model_content(folder)
    assert "onnx/spans.onnx" not in content.files and "onnx/spans.onnx (a link" in " ".join(content.left_out)


def test_push_follows_links_inside_and_into_the_blobs_of_the_cache(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "models--org--tiny"
    snapshot = cache / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    for number, path in enumerate(saved.iterdir()):
        shutil.copy(path, cache / "blobs" / str(number))
        (snapshot / path.name).symlink_to(Path("..", "..", "blobs", str(number)))
    (snapshot / "merges.txt").symlink_to("config.json")
    files, told = pushed(snapshot, monkeypatch)
    assert told == "" and set(files) == {path.name for path in saved.iterdir()} | {
        "README.md",
        "merges.txt",
        ".gitattributes",
    }
    assert files["model.safetensors"] == (saved / "model.safetensors").read_bytes()


def test_push_metric_publishes_the_script_and_what_it_imports(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scores").mkdir()
    contents = {
        "scores.py": "from .counts import count\n",
        "counts.py": "import math\n",
        "app.py": "",
        "README.md": "",
        "requirements.txt": "",
    }
    for name, text in contents.items():
        (tmp_path / "scores" / name).write_text(text)
    for name in (".env", "token", "evil.py", "p.json"):
        (tmp_path / "scores" / name).write_text("xyzzy")
    (tmp_path / "scores" / "p.txt").symlink_to(outside)
    files, told = pushed(tmp_path / "scores", monkeypatch, metric=True)
    assert set(files) == {*contents, ".gitattributes"} and b"xyzzy" not in b"".join(files.values())
    assert all(name in told for name in (".env", "token", "evil.py", "p.txt"))
    ours = metric_content(ROOT / "metrics" / "joint_extraction", "joint_extraction")
    assert set(ours.files) == {
        *("joint_extraction.py", "joint_extraction_scores.py", "app.py", "README.md", "requirements.txt")
    }


def spoil_config(folder: Path, **entries: Any) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **entries}))


MALFORMED = {
    "a list": (lambda folder: (folder / "config.json").write_text("[]"), "must hold a JSON object, got list"),
    "deep": (lambda folder: (folder / "config.json").write_text("[" * 100_000), "is not JSON that can be read"),
    "not UTF-8": (lambda folder: (folder / "config.json").write_bytes(b"\xff{"), "is not UTF-8"),
    "auto_map null": (lambda folder: spoil_config(folder, auto_map=None), "must name classes as module.Class"),
    "auto_map numbers": (lambda folder: spoil_config(folder, auto_map={"AutoModel": 1}), "must name classes"),
    "pipelines null": (lambda folder: spoil_config(folder, custom_pipelines=None), "must name classes"),
    "pipelines text": (lambda folder: spoil_config(folder, custom_pipelines="x"), "must name classes"),
    "pipelines empty": (lambda folder: spoil_config(folder, custom_pipelines={"a": {}}), "must name classes"),
    "code elsewhere": (
        lambda folder: spoil_config(folder, auto_map={"AutoModel": "org/other--modeling_spert.SpertModel"}),
        "names code that is not in the folder: org/other--modeling_spert.SpertModel",
    ),
    "index empty": (lambda folder: (folder / "model.safetensors.index.json").write_text("{}"), "weight_map must name"),
    "index outside": (
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            '{"weight_map": {"a": "../../etc/passwd"}}'
        ),
        "weight_map must name a .safetensors file of the folder",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_push_command_explains_malformed_files(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    spoil, message = MALFORMED[name]
    spoil(folder)
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        missing_files(folder)
    assert main([str(folder), "org/tiny"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and str(folder) in told and told.count("\n") == 1
