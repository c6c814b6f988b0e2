"""train_accelerate.py: losses that repeat, runs that resume, processes that agree, errors that help."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_data import write_dataset
from tiny_models import save_backbone
from transformers import AutoModel

import train_accelerate
from modeling_spert import SpertModel
from modeling_spert.training import evaluate
from modeling_spert.training.checkpoints import find_checkpoint, read_progress

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parents[1] / "data" / "golden_losses.json"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("training")
    save_backbone("bert", root / "bert")
    save_backbone("bert", root / "calm", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return {"root": root, "bert": root / "bert", "calm": root / "calm", "data": write_dataset(root / "data")}


def command(folders: dict[str, Path], output: str, *flags: str, backbone: str = "bert") -> list[str]:
    return [
        *("--dataset", str(folders["data"]), "--backbone", str(folders[backbone])),
        *("--output_dir", str(folders["root"] / output), "--log_every", "1", "--learning_rate", "1e-3", *flags),
    ]


def read_lines(folders: dict[str, Path], output: str, kind: str) -> list[dict[str, Any]]:
    lines = (folders["root"] / output / "metrics.jsonl").read_text("utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["kind"] == kind]


def losses(folders: dict[str, Path], output: str) -> list[float]:
    return [line["loss"] for line in read_lines(folders, output, "train")]


def run_alone(argv: list[str], launcher: list[str] | None = None, **env: str) -> subprocess.Popen[str]:
    launcher = launcher or [sys.executable]
    return subprocess.Popen(
        [*launcher, "train_accelerate.py", *argv],
        cwd=ROOT,
        env={**os.environ, "ACCELERATE_USE_CPU": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_training_same_seed_same_losses(folders: dict[str, Path]) -> None:
    for output in ("one", "two"):
        train_accelerate.main(command(folders, output, "--max_steps", "12"))
    train_accelerate.main(command(folders, "other", "--max_steps", "12", "--seed", "7"))
    first = losses(folders, "one")
    assert len(first) == 12 and first == losses(folders, "two") != losses(folders, "other")
    golden = json.loads(GOLDEN.read_text("utf-8"))
    # The tolerance is for other processors: their kernels add in other orders. Here the losses are equal.
    assert first == pytest.approx(golden["losses"], abs=golden["tolerance"])


def check_model_folder(folder: Path) -> None:
    model = SpertModel.from_pretrained(folder)
    assert model.config.entity_types == ["Per", "Org"] and model.config.symmetric_relation_types == ["met"]
    assert model.config.segmentation and model.config.label_names["entity/Per"] == "Person"
    modes = {(folder / name).stat().st_mode for name in ("config.json", "model.safetensors")}
    assert len(modes) == 1  # whoever may read the one may read the other
    assert (folder / "tokenizer.json").is_file() and (folder / "pipeline_spert.py").is_file()


def test_training_output_is_a_model_folder_with_scores(folders: dict[str, Path]) -> None:
    train_accelerate.main(command(folders, "whole", "--num_train_epochs", "2"))
    output = folders["root"] / "whole"
    results = json.loads((output / "eval_results.json").read_text("utf-8"))
    assert results["split"] == "dev" and results["step"] == 24 and 0 <= results["scores"]["ner_f1_micro"] <= 100
    predictions = json.loads((output / "predictions_dev.json").read_text("utf-8"))
    gold = json.loads((folders["data"] / "dev.json").read_text("utf-8"))
    assert [row["tokens"] for row in predictions] == [row["tokens"] for row in gold]
    check_model_folder(output)
    assert not (output / "last").exists()  # a finished run keeps one copy of its weights
    assert not list(folders["root"].glob("**/*.bin")) and not list(folders["root"].glob("**/*.part"))


def test_training_learns(folders: dict[str, Path]) -> None:
    argv = command(folders, "learns", "--num_train_epochs", "12", "--learning_rate", "4e-3")
    train_accelerate.main(argv)
    found = losses(folders, "learns")
    assert sum(found[-12:]) < 0.5 * sum(found[:12])


def test_resume_after_ctrl_c_gives_the_same_losses(folders: dict[str, Path]) -> None:
    flags = ("--num_train_epochs", "3", "--eval_split", "dev")
    train_accelerate.main(command(folders, "uninterrupted", *flags))
    process = run_alone(command(folders, "stopped", *flags, "--num_train_epochs", "3"), PYTHONUNBUFFERED="1")
    metrics = folders["root"] / "stopped" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.read_text("utf-8").count("\n") >= 4):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    done = len(losses(folders, "stopped"))
    if process.returncode == 0:
        pytest.skip("the run ended before the signal came")
    assert process.returncode == 130 and "--resume_from_checkpoint last" in printed and 3 <= done < 36
    train_accelerate.main(command(folders, "stopped", *flags, "--resume_from_checkpoint", "last"))
    assert losses(folders, "stopped") == losses(folders, "uninterrupted")
    ours, theirs = (
        SpertModel.from_pretrained(folders["root"] / name).state_dict() for name in ("stopped", "uninterrupted")
    )
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_resume_after_kill_finds_a_whole_checkpoint(folders: dict[str, Path]) -> None:
    flags = ("--num_train_epochs", "12", "--save_every", "1", "--eval_split", "dev")
    process = run_alone(command(folders, "killed", *flags))
    last = folders["root"] / "killed" / "last"
    deadline = time.monotonic() + 120
    while not last.exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.01)
    process.kill()
    process.communicate()
    folder = find_checkpoint("last", folders["root"] / "killed")
    check_model_folder(folder)
    progress, _ = read_progress(folder)
    assert progress.step >= 12 and progress.step % 12 == 0
    with open(folders["root"] / "killed" / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"kind": "train", "step": 9')  # a line the kill cut short
    train_accelerate.main(command(folders, "killed", *flags, "--resume_from_checkpoint", "last"))
    train_accelerate.main(command(folders, "alive", *flags))
    assert losses(folders, "killed") == losses(folders, "alive")


def test_two_processes_train_as_one(folders: dict[str, Path]) -> None:
    flags = ("--max_steps", "6", "--head_dropout", "0", "--eval_split", "dev")
    one = command(folders, "single", *flags, "--per_device_train_batch_size", "4", backbone="calm")
    train_accelerate.main(one)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    process = run_alone(command(folders, "double", *flags, backbone="calm"), launcher)
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    assert "processes: 2" in printed
    assert losses(folders, "double") == pytest.approx(losses(folders, "single"), abs=2e-5)
    scores = [read_lines(folders, name, "eval")[-1]["ner_f1_micro"] for name in ("single", "double")]
    assert scores[0] == pytest.approx(scores[1], abs=0.5)


def test_accumulated_batches_train_as_one_batch(folders: dict[str, Path]) -> None:
    flags = ("--max_steps", "6", "--head_dropout", "0")
    train_accelerate.main(command(folders, "large", *flags, "--per_device_train_batch_size", "6", backbone="calm"))
    small = ("--per_device_train_batch_size", "2", "--gradient_accumulation_steps", "3")
    train_accelerate.main(command(folders, "small", *flags, *small, backbone="calm"))
    assert losses(folders, "small") == pytest.approx(losses(folders, "large"), abs=2e-5)


def test_recomputed_activations_change_no_loss(folders: dict[str, Path]) -> None:
    for output, flags in (("stored", ()), ("recomputed", ("--gradient_checkpointing",))):
        train_accelerate.main(
            command(folders, output, "--max_steps", "4", "--head_dropout", "0", *flags, backbone="calm")
        )
    assert losses(folders, "recomputed") == pytest.approx(losses(folders, "stored"), abs=1e-5)


def test_frozen_encoder_stays_as_it_was(folders: dict[str, Path]) -> None:
    train_accelerate.main(command(folders, "frozen", "--max_steps", "4", "--freeze_backbone"))
    trained = SpertModel.from_pretrained(folders["root"] / "frozen").backbone.state_dict()
    before = SpertModel.from_backbone(str(folders["bert"]), entity_types=["A"]).backbone.state_dict()
    assert all(torch.equal(trained[key], before[key]) for key in before)


def test_frozen_embeddings_stay_as_they_were(folders: dict[str, Path]) -> None:
    train_accelerate.main(command(folders, "frozen_table", "--max_steps", "4", "--freeze_embeddings"))
    trained = SpertModel.from_pretrained(folders["root"] / "frozen_table").backbone.state_dict()
    before = SpertModel.from_backbone(str(folders["bert"]), entity_types=["A"]).backbone.state_dict()
    unchanged = {key for key in before if torch.equal(trained[key], before[key])}
    assert unchanged == {"embeddings.word_embeddings.weight"}


def test_windows_over_documents_train_and_evaluate(folders: dict[str, Path], tmp_path: Path) -> None:
    for name in ("train", "dev"):
        rows = json.loads((folders["data"] / f"{name}.json").read_text("utf-8"))
        for number, row in enumerate(rows):
            row |= {"doc_id": f"d{number // 3}", "sentence_index": number % 3}
        (tmp_path / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    argv = command(folders, "documents", "--max_steps", "4", "--context", "document")
    argv[argv.index("--dataset") + 1] = str(tmp_path)
    train_accelerate.main(argv)
    model = SpertModel.from_pretrained(folders["root"] / "documents")
    assert model.config.context == "document"
    predictions = json.loads((folders["root"] / "documents" / "predictions_dev.json").read_text("utf-8"))
    assert [row["sentence_index"] for row in predictions] == [0, 1, 2, 0, 1, 2]


def test_evaluations_choose_the_best_model(folders: dict[str, Path]) -> None:
    flags = ("--num_train_epochs", "4", "--eval_every", "1", "--best_metric", "ner_f1_micro", "--learning_rate", "4e-3")
    train_accelerate.main(command(folders, "chosen", *flags))
    scores = [line["ner_f1_micro"] for line in read_lines(folders, "chosen", "eval")]
    results = json.loads((folders["root"] / "chosen" / "eval_results.json").read_text("utf-8"))
    assert len(scores) == 4 and results["scores"]["ner_f1_micro"] == max(scores)
    train_accelerate.main(command(folders, "again", "--eval_only", "--model", str(folders["root"] / "chosen")))
    assert read_lines(folders, "again", "eval")[-1]["ner_f1_micro"] == max(scores)


def test_patience_stops_early(folders: dict[str, Path]) -> None:
    flags = ("--num_train_epochs", "9", "--eval_every", "1", "--patience", "2", "--learning_rate", "0")
    train_accelerate.main(command(folders, "patient", *flags))
    assert len(losses(folders, "patient")) == 3 * 12  # the first evaluation, then two that are no better


def test_model_continues_from_a_spert_folder(folders: dict[str, Path]) -> None:
    train_accelerate.main(command(folders, "base", "--max_steps", "4"))
    base = str(folders["root"] / "base")
    train_accelerate.main(command(folders, "more", "--max_steps", "2", "--model", base))
    train_accelerate.main(command(folders, "scored", "--eval_only", "--model", base))
    first, again = (read_lines(folders, name, "eval")[-1] for name in ("base", "scored"))
    assert {key: first[key] for key in first if key.startswith(("ner", "rel"))} == {
        key: again[key] for key in again if key.startswith(("ner", "rel"))
    }


def test_model_is_scored_in_the_precision_asked_for(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    train_accelerate.main(command(folders, "trained", "--max_steps", "4"))
    used, predict = [], evaluate.predict_examples

    def note_dtype(model, *args, **kwargs):
        used.append({parameter.dtype for parameter in model.parameters()})
        return predict(model, *args, **kwargs)

    monkeypatch.setattr(evaluate, "predict_examples", note_dtype)
    flags = ("--eval_only", "--eval_precision", "bf16", "--model", str(folders["root"] / "trained"))
    train_accelerate.main(command(folders, "rounded", *flags))
    assert used == [{torch.bfloat16}]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--train_split", "trian"), "has no split 'trian'"),
        (("--eval_split", "test"), "has no split 'test'"),
        (("--resume_from_checkpoint", "last"), "no checkpoint"),
        (("--dataset", "connl04"), "connl04"),
        (("--backbone", "no/such/folder"), "no/such/folder"),
        (("--eval_every", "1", "--best_metric", "f1"), "--best_metric must be one of ner_precision_micro"),
        (("--model", "bert"), "SpertModel.from_backbone"),
    ],
)
def test_main_bad_input_ends_with_a_message(
    folders: dict[str, Path],
    flags: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folders["root"])
    with pytest.raises(SystemExit) as stopped:
        train_accelerate.main(command(folders, "bad", *flags))
    assert stopped.value.code == 2 and words in capsys.readouterr().err


def test_main_refuses_to_train_over_a_run(folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    argv = command(folders, "kept", "--max_steps", "1")
    train_accelerate.main(argv)
    with pytest.raises(SystemExit):
        train_accelerate.main(argv)
    assert "holds an earlier run" in capsys.readouterr().err
    with pytest.raises(SystemExit):  # nothing is removed before what shall replace it has been read
        train_accelerate.main([*argv, "--overwrite_output_dir", "--eval_split", "test"])
    SpertModel.from_pretrained(folders["root"] / "kept")
    foreign = folders["root"] / "kept" / "notes.txt"
    foreign.write_text("mine")
    train_accelerate.main([*argv, "--overwrite_output_dir"])
    assert foreign.read_text() == "mine" and len(losses(folders, "kept")) == 1


def test_half_precision_encoder_is_trained_in_full_precision(folders: dict[str, Path]) -> None:
    half = folders["root"] / "half"
    save_backbone("bert", half)
    AutoModel.from_pretrained(half, dtype=torch.bfloat16).save_pretrained(half)
    argv = command({**folders, "half": half}, "from_half", "--max_steps", "1", backbone="half")
    train_accelerate.main(argv)
    weights = load_file(folders["root"] / "from_half" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


def test_more_batch_than_sentences_is_an_error_over_processes(folders: dict[str, Path]) -> None:
    flags = ("--max_steps", "1", "--per_device_train_batch_size", "20")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    process = run_alone(command(folders, "starved", *flags), launcher)
    printed, _ = process.communicate(timeout=240)
    assert process.returncode != 0 and "24 sentences are too few for 2 processes" in printed


def test_resume_refuses_other_settings(folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    train_accelerate.main(command(folders, "fixed", "--max_steps", "1"))
    with pytest.raises(SystemExit):
        train_accelerate.main(
            command(folders, "fixed", "--max_steps", "1", "--seed", "1", "--resume_from_checkpoint", "last")
        )
    assert "--seed was 42, is 1" in capsys.readouterr().err
