"""What a training says: the plan, the time, short tables, why nothing was found, and what to do next."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_data import build_rows, write_dataset
from tiny_models import save_backbone

import spert_cli
import train_accelerate
from modeling_spert import SpertModel
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.training import TrainingArguments
from modeling_spert.training.messages import nothing_found_text, plan_text

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("messages")
    save_backbone("bert", root / "bert")
    data = write_dataset(root / "data", train=30, dev=2)
    (data / "test.json").write_text(json.dumps(build_rows(3, 5)), "utf-8")
    return root


def train(folder: Path, output: str, *flags: str) -> None:
    own = ("--dataset", str(folder / "data"), "--backbone", str(folder / "bert"), "--output_dir", str(folder / output))
    train_accelerate.main([*own, *flags])


def test_training_says_what_it_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(folder, "talks", "--num_train_epochs", "2", "--eval_every", "1", "--learning_rate", "0")
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == (
        "Training on data, train: 30 sentences, 30 steps of 2 (2 epochs), on cpu, processes: 1. "
        "Scored on dev, each epoch and at the end."
    )
    assert re.search(r"^About \d+ \w+ to go \(\d+\.\d\d s per step\)$", out, re.MULTILINE)
    for epoch in (1, 2):
        place = lines.index(f"Epoch {epoch} of 2, step {epoch * 15} of 30, scores on dev:")
        assert [line.split()[0] for line in lines[place + 2 : place + 5]] == ["Entities", "Relations,", "Relations,"]
    # The long report at the end, once for each split: test is scored too, though nobody asked.
    assert len(re.findall(r"^Scores on (\w+) of data, step 30$", out, re.MULTILINE)) == 2
    assert out.count("Correct if") == 2 * 3
    assert "The model is in " in lines[-4] and [line.split()[0] for line in lines[-3:]] == ["spert"] * 3
    results = json.loads((folder / "talks" / "eval_results.json").read_text("utf-8"))
    assert results["split"] == "dev" and results["scores"]["ner_support"] == 6
    assert results["other_splits"]["test"]["ner_support"] == 9
    assert (folder / "talks" / "predictions_test.json").is_file()


@pytest.mark.slow
def test_next_commands_run(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first two as they are printed; the third needs the Hub, so its help is enough."""
    train(folder, "next", "--max_steps", "1")
    commands = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  spert ")]
    assert len(commands) == 3 and commands[2] == f"spert push {folder / 'next'} your-name/your-model"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for line in [*commands[:2], "spert push --help"]:
        command = line.replace("spert ", f"{sys.executable} -m spert_cli ", 1)
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").is_file()


def test_training_explains_why_nothing_was_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(folder, "nothing", "--num_train_epochs", "1", "--eval_every", "1", "--learning_rate", "1e-3")
    out = capsys.readouterr().out
    # At the evaluation of dev after the epoch, at the end for dev and for test.
    assert out.count("No entity was predicted: 15 steps are few, about 1000 are usually enough.") == 3
    assert "Try more epochs (--num_train_epochs is 1) or a higher learning rate (--learning_rate is 0.001)." in out


def test_nothing_found_text_tells_entities_from_relations() -> None:
    args = TrainingArguments(output_dir="x")
    gold = build_rows(3, 1)
    labels = {"entity_types": ["Per", "Org"], "relation_types": ["runs", "met"]}
    entities = [{**row, "relations": []} for row in gold]
    text = nothing_found_text(score_examples(gold, entities, **labels), args, 2000, 0.4)
    assert text.startswith("No relation was predicted: none reached the probability --relation_threshold 0.4. Try more")
    assert nothing_found_text(score_examples(gold, gold, **labels), args, 2000, 0.4) == ""
    nothing = [{**row, "entities": [], "relations": []} for row in gold]
    assert (
        nothing_found_text(score_examples(nothing, nothing, **labels), args, 2000, 0.4) == ""
    )  # none were to be found
    scoring = TrainingArguments(output_dir="x", eval_only=True, model="m")
    assert "was the model trained" in nothing_found_text(score_examples(gold, nothing, **labels), scoring, 0, 0.4)


def test_default_length_is_enough_for_a_small_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """30 sentences, 15 steps an epoch: 67 epochs are 1,005 steps. The run's record says what it came to."""
    with pytest.raises(SystemExit):
        train(folder, "long", "--eval_split", "dev", "--learning_rate", "1e30", "--warmup_ratio", "0")
    assert "1005 steps of 2 (67 epochs; --num_train_epochs sets another number), on cpu" in capsys.readouterr().out
    run = json.loads((folder / "long" / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    assert run["arguments"]["num_train_epochs"] == 67


def test_plan_text_without_a_split_to_score() -> None:
    args = TrainingArguments(output_dir="x")
    text = plan_text(args, name="n", sentences=3, steps=9, epochs=3, eval_split=None, device="cpu")
    command = "spert convert DATA --split 0.8,0.1,0.1 --output SPLIT_DATA"
    assert text.endswith(f"Not scored: there is no split dev or test. To get them: {command}.")


def test_training_without_a_split_to_score_names_a_command_that_makes_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command in the message is run as it is printed."""
    data = write_dataset(tmp_path / "data", train=20)
    (data / "dev.json").unlink()
    with pytest.raises(SystemExit):
        train(folder, "unscored", "--dataset", str(data), "--eval_every", "1")
    said = capsys.readouterr().err
    command = re.search(r"spert (convert \S+ --split \S+) --output SPLIT_DATA", said)
    assert command is not None, said
    assert spert_cli.main([*command[1].split(), "--output", str(tmp_path / "split")]) == 0
    assert {path.stem for path in (tmp_path / "split").iterdir()} >= {"train", "dev", "test"}
    symmetric = json.loads((tmp_path / "split" / "types.json").read_text("utf-8"))["relations"]["met"]["symmetric"]
    assert symmetric is True


def test_training_warns_of_labels_without_an_example(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A label that only dev has is known to the model and counts as missed; it stops nothing."""
    rows = build_rows(2, 2)
    rows[0]["entities"][0]["type"] = "Ghost"
    (tmp_path / "train.json").write_text(json.dumps(build_rows(4, 1)), "utf-8")
    (tmp_path / "dev.json").write_text(json.dumps(rows), "utf-8")
    train(folder, "ghost", "--dataset", str(tmp_path), "--max_steps", "1")
    assert "No training example: entities Ghost are not in --train_split train" in caplog.text
    assert SpertModel.from_pretrained(folder / "ghost").config.entity_types == ["Org", "Per", "Ghost"]
    results = json.loads((folder / "ghost" / "eval_results.json").read_text("utf-8"))
    assert results["scores"]["ner_support/Ghost"] == 1
    run = json.loads((folder / "ghost" / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    assert "Ghost" not in run["data"]["train"]["entity_types"] and run["data"]["eval"]["entity_types"]["Ghost"] == 1


def test_training_names_an_entity_that_is_too_wide(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    train(folder, "wide", "--max_steps", "1", "--max_span_width", "1")
    assert "Entities wider than --max_span_width 1: " in caplog.text and re.search(r"'\w+ \w+' in row \d+", caplog.text)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--model", "runs/nope"), "error: --model runs/nope: no such folder\n"),
        (("--backbone", "./nobackbone"), "error: --backbone ./nobackbone: no such folder\n"),
        (("--backbone", "~/no/backbone"), "error: --backbone ~/no/backbone: no such folder\n"),
        (("--backbone", "bert-base-cased"), "Without a network: --backbone bundled\n"),
        (
            ("--model", "someone/model"),
            "error: --model someone/model: no such folder here, and not loaded",
        ),
        (("--best_metric", "f1"), "--best_metric must be one of ner_precision_micro"),
    ],
)
def test_training_names_what_cannot_be_loaded(
    flags: tuple[str, str],
    words: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # else every try waits for the next
    (tmp_path / "runs").mkdir()
    with pytest.raises(SystemExit) as ended:
        train(folder, "bad", *flags)
    message = capsys.readouterr().err
    outside = "not loaded from the Hub" in message  # which cannot be reached here
    assert ended.value.code == (1 if outside else 2) and words in message and "Traceback" not in message
    assert message.splitlines()[-1].startswith("error: ") and "ner_support" not in message


@pytest.mark.parametrize("missing", ["accelerate", "datasets"])
def test_script_without_its_extra_names_it(missing: str, tmp_path: Path) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('No module named {missing}', name={missing!r})")
    done = subprocess.run(
        [sys.executable, str(ROOT / "train_accelerate.py"), "--help"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"error: training needs {missing}: pip install 'modeling-spert[train]'"
