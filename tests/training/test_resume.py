"""Resuming from what a disk, an editor or a kill made of a checkpoint: a line that names the file, or an older one."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_data import write_dataset
from tiny_models import save_backbone
from tiny_pipeline import save_folder, tiny_model, tiny_tokenizer

import train_accelerate
from modeling_spert import SpertModel
from modeling_spert.training import stopping
from modeling_spert.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    read_progress,
    save_checkpoint,
    save_model,
)
from modeling_spert.training.optimizer import linear_schedule
from modeling_spert.training.progress import Progress


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run stopped at step 6 of 8, in its second epoch."""
    root = tmp_path_factory.mktemp("resume")
    save_backbone("bert", root / "bert")
    write_dataset(root / "data", train=8, dev=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stopping.StopFlag, "__enter__", raise_after(6))
        with pytest.raises(SystemExit) as ended:
            train_accelerate.main(command(root, "run"))
    assert ended.value.code == 130
    return root


def raise_after(step: int) -> Callable[[Any], Any]:
    """A StopFlag that is raised when it has been asked so many times."""

    class Counted:
        count = 0

        @property
        def raised(self) -> bool:
            self.count += 1
            return self.count >= step

    return lambda self: Counted()


def command(root: Path, output: str, *flags: str) -> list[str]:
    return [
        *("--dataset", str(root / "data"), "--backbone", str(root / "bert"), "--output_dir", str(root / output)),
        *("--num_train_epochs", "2", "--log_every", "1", *flags),
    ]


@pytest.fixture
def run(stopped: Path, tmp_path: Path) -> Path:
    """A copy of the stopped run, to damage."""
    shutil.copytree(stopped / "run", stopped / tmp_path.name)
    return stopped / tmp_path.name


def resume(run: Path) -> None:
    train_accelerate.main(command(run.parent, run.name, "--resume_from_checkpoint", "last"))


def read_error(run: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        resume(run)
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    return last


def edit_state(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        state = json.loads((folder / "training_state.json").read_text("utf-8"))
        changed = change(state)
        (folder / "training_state.json").write_text(json.dumps(state if changed is None else changed), "utf-8")

    return damage


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-40])


def edit_tensors(name: str, change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / name)
        change(tensors)
        save_file(tensors, folder / name, {"format": "pt"})

    return damage


def half(tensors: dict[str, torch.Tensor]) -> None:
    for name in sorted(tensors)[::2]:
        del tensors[name]


def drop_parameter(tensors: dict[str, torch.Tensor]) -> None:
    for name in [name for name in tensors if name.startswith("entity_classifier.weight/")]:
        del tensors[name]


STATE, MOMENTS, WEIGHTS = "training_state.json", "training_state.safetensors", "model.safetensors"
DAMAGES: list[tuple[str, str, Callable[[Path], None]]] = [
    ("empty object", STATE, edit_state(lambda state: {})),
    ("list", STATE, edit_state(lambda state: [])),
    ("unknown key", STATE, edit_state(lambda state: state["progress"].update(spet=3))),
    ("wrong type", STATE, edit_state(lambda state: state["progress"].update(step="3"))),
    ("negative", STATE, edit_state(lambda state: state["progress"].update(step=-1))),
    ("score is text", STATE, edit_state(lambda state: state["progress"].update(best_score="x"))),
    ("no arguments", STATE, edit_state(lambda state: state.pop("arguments") and None)),
    ("cut", STATE, cut(STATE)),
    ("nested", STATE, lambda folder: (folder / STATE).write_text("[" * 100_000)),
    ("moments cut", MOMENTS, cut(MOMENTS)),
    ("moments empty", MOMENTS, lambda folder: (folder / MOMENTS).write_bytes(b"")),
    ("moments absent", MOMENTS, lambda folder: (folder / MOMENTS).unlink()),
    ("moments of another model", MOMENTS, edit_tensors(MOMENTS, lambda t: t.update({"nope/exp_avg": torch.ones(1)}))),
    ("half the moments", MOMENTS, edit_tensors(MOMENTS, half)),
    ("moments of a parameter missing", MOMENTS, edit_tensors(MOMENTS, drop_parameter)),
    ("other shape", MOMENTS, edit_tensors(MOMENTS, lambda t: t.update({sorted(t)[0]: torch.ones(3, 3, 3)}))),
    ("weights cut", WEIGHTS, cut(WEIGHTS)),
    ("weights missing", WEIGHTS, edit_tensors(WEIGHTS, lambda t: t.pop("relation_classifier.weight"))),
]


@pytest.mark.parametrize(("name", "file", "damage"), DAMAGES, ids=[name for name, *_ in DAMAGES])
def test_resume_from_a_damaged_checkpoint_names_the_file(
    name: str, file: str, damage: Callable[[Path], None], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(run / "last.old")
    forget_digests(run / "last")
    damage(run / "last")
    before = (run / "metrics.jsonl").read_bytes()
    message = read_error(run, capsys)
    assert str(run / "last" / file) in message and "--overwrite_output_dir" in message
    assert (run / "metrics.jsonl").read_bytes() == before


def forget_digests(folder: Path) -> None:
    """As an earlier version wrote it: what can be seen without digests is still refused."""
    edit_state(lambda state: [state.pop(key) for key in ("files", "sha256")] and None)(folder)


def flip(name: str) -> Callable[[Path], None]:
    """One bit in the middle of a file: no reader notices it in weights."""

    def damage(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return damage


HARM: dict[str, Callable[[str], Callable[[Path], None]]] = {
    "cut": cut,
    "empty": lambda name: lambda folder: (folder / name).write_bytes(b""),
    "zeros": lambda name: lambda folder: (folder / name).write_bytes(bytes((folder / name).stat().st_size)),
    "garbage": lambda name: lambda folder: (folder / name).write_bytes(bytes(range(256)) * 40),
    "absent": lambda name: lambda folder: (folder / name).unlink(),
    "flip": flip,
}


@pytest.mark.parametrize("file", [STATE, MOMENTS, WEIGHTS, "config.json", "tokenizer.json", "heads_spert.py"])
@pytest.mark.parametrize("harm", HARM)
def test_damage_of_any_file_of_a_checkpoint_is_noticed(harm: str, file: str, run: Path) -> None:
    """The one before is taken; if that is damaged as well, both files are named."""
    model = SpertModel.from_pretrained(run / "last.old")
    HARM[harm](file)(run / "last")
    found = load_checkpoint("last", run, model, {})
    assert found.folder == run / "last.old" and found.progress.step == 4
    assert str(run / "last" / file) in found.earlier and "\n" not in found.earlier
    HARM[harm](file)(run / "last.old")
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint("last", run, model, {})
    message = str(refused.value)
    if (harm, file) == ("absent", STATE):  # then neither is a checkpoint
        assert f"no checkpoint with {STATE} in {run / 'last'}" in message
    else:
        assert str(run / "last" / file) in message and str(run / "last.old" / file) in message
    assert "\n" not in message


def test_resume_from_a_damaged_checkpoint_takes_the_one_before(
    run: Path, stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut(WEIGHTS)(run / "last")
    resume(run)
    assert "Resuming from the checkpoint before it" in caplog.text and WEIGHTS in caplog.text
    if not (stopped / "whole").exists():
        train_accelerate.main(command(stopped, "whole"))
    ours, theirs = (load_file(folder / WEIGHTS) for folder in (run, stopped / "whole"))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert not (run / "last").exists() and not (run / "last.old").exists()


def test_checkpoints_are_two_at_most_and_the_damaged_one_is_never_kept(run: Path) -> None:
    model, tokenizer, optimizer = tiny_model(), tiny_tokenizer(), torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])

    def save(step: int) -> list[int]:
        save_checkpoint(model, tokenizer, optimizer, Progress(step=step), {}, run / "last")
        assert sorted(path.name for path in run.glob("*last*")) == ["last", "last.old"]
        return [read_progress(run / name)[0].step for name in ("last.old", "last")]

    assert save(7) == [6, 7]
    flip(WEIGHTS)(run / "last")
    assert save(8) == [6, 8]
    shutil.rmtree(run / "last")  # killed between two renames
    assert save(9) == [6, 9] and save(10) == [9, 10]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"kind": "train", "loss": 1}', "KeyError('step')"),
        ('{"kind": "train", "st', "JSONDecodeError"),
        ('{"kind": "train", "step": "2"}', "step is '2'"),
        ("[" * 100_000, "RecursionError"),
        ("3", "TypeError"),
    ],
)
def test_resume_with_a_damaged_line_of_metrics_names_it(
    line: str, words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run / "metrics.jsonl"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([lines[0], line, *lines[1:], ""]), "utf-8")
    message = read_error(run, capsys)
    assert f"{path}, line 2 is damaged" in message and words in message


def test_checkpoint_that_does_not_read_back_leaves_the_one_before(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that loses what it was given: the last good checkpoint stays in its place."""
    from modeling_spert.training import checkpoints

    before = (run / "last" / WEIGHTS).read_bytes()

    def write_half(tensors: Any, path: Path) -> None:
        save_file(tensors, path)
        path.write_bytes(path.read_bytes()[:100])

    monkeypatch.setattr(checkpoints, "save_file", write_half)
    message = read_error(run, capsys)
    assert MOMENTS in message
    assert (run / "last" / WEIGHTS).read_bytes() == before and read_progress(run / "last")[0].step == 6


def test_disk_full_is_one_line(run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from safetensors import SafetensorError

    def fail(*args: Any, **kwargs: Any) -> None:
        raise SafetensorError("Error while serializing: No space left on device (os error 28)")

    monkeypatch.setattr(SpertModel, "save_pretrained", fail)
    message = read_error(run, capsys)
    assert "cannot be written" in message and "No space left on device" in message
    assert read_progress(run / "last")[0].step == 6


def test_save_model_renames_the_weights_last_and_removes_older_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between two renames leaves the older weights with newer small files, never the other way round."""
    folder = save_folder(tmp_path / "model")
    for name in ("model-00001-of-00002.safetensors", "model.safetensors.index.json"):
        (folder / name).write_text("of an earlier, larger model")
    renamed: list[str] = []
    replace = os.replace

    def note(source: Any, target: Any) -> None:
        renamed.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", note)
    save_model(tiny_model(), tiny_tokenizer(), folder)
    assert "config.json" in renamed and renamed[-1] == WEIGHTS
    assert [path.name for path in folder.glob("model*.safetensors*")] == [WEIGHTS]
    assert SpertModel.from_pretrained(folder).config.entity_types == tiny_model().config.entity_types


def test_resume_of_a_finished_run_trains_nothing_and_keeps_the_model(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resume(run)
    assert not (run / "last").exists() and (run / "training_state.json").is_file()
    weights, scores = (run / WEIGHTS).read_bytes(), json.loads((run / "eval_results.json").read_text("utf-8"))["scores"]
    capsys.readouterr()
    resume(run)
    assert "This run is finished: nothing is left to train" in capsys.readouterr().out
    assert (run / WEIGHTS).read_bytes() == weights and not (run / "last").exists()
    assert json.loads((run / "eval_results.json").read_text("utf-8"))["scores"] == scores


def test_run_that_patience_stopped_can_be_resumed(stopped: Path) -> None:
    """Patience may be changed: such a run keeps its checkpoint."""
    flags = ("--eval_every", "1", "--num_train_epochs", "4", "--learning_rate", "0")
    train_accelerate.main(command(stopped, "patient", *flags, "--patience", "1"))
    assert read_progress(stopped / "patient" / "last")[0].epoch == 2
    train_accelerate.main(command(stopped, "patient", *flags, "--resume_from_checkpoint", "last"))
    assert not (stopped / "patient" / "last").exists()


@pytest.mark.parametrize("done", range(12))
def test_schedule_of_a_resumed_run_goes_on_where_it_was(done: int) -> None:
    """Inside the warm-up too: step and steps done are added."""

    def rates(count: int, done: int = 0) -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = linear_schedule(optimizer, 5, 12, done=done)
        found = []
        for _ in range(count):
            found.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        return found

    assert rates(12 - done, done) == rates(12)[done:]


def test_run_stopped_inside_its_warm_up_trains_as_if_never_stopped(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ("--warmup_ratio", "0.9")
    train_accelerate.main(command(stopped, "slow_start", *flags))
    with monkeypatch.context() as patch:
        patch.setattr(stopping.StopFlag, "__enter__", raise_after(3))
        with pytest.raises(SystemExit):
            train_accelerate.main(command(stopped, "slow_start_stopped", *flags))
    train_accelerate.main(command(stopped, "slow_start_stopped", *flags, "--resume_from_checkpoint", "last"))
    rates = []
    for name in ("slow_start", "slow_start_stopped"):
        lines = map(json.loads, (stopped / name / "metrics.jsonl").read_text("utf-8").splitlines())
        rates.append([(line["learning_rate"], line["loss"]) for line in lines if line["kind"] == "train"])
    assert rates[0] == rates[1] and len(rates[0]) == 8


def test_progress_takes_the_latest_of_equal_scores() -> None:
    progress = Progress(step=4).after_evaluation(0.0)
    for step in (8, 12):
        progress = Progress(**{**vars(progress), "step": step}).after_evaluation(0.0)
    assert (progress.best_step, progress.bad_evaluations) == (12, 2)
    worse = Progress(**{**vars(progress), "step": 16}).after_evaluation(-1.0)
    assert (worse.best_step, worse.bad_evaluations) == (12, 3)


def test_run_with_variants_and_extra_sentences_resumes_as_if_never_stopped(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the second epoch: what an epoch shows of a sentence depends on the epoch, not on what ran before."""
    (stopped / "plain.txt").write_text("Maria Lund saw Tor Vik.\n" * 5, "utf-8")
    flags = ("--recase", "0.5", "--replace_mentions", "0.5", "--extra_relation_free", str(stopped / "plain.txt"))
    train_accelerate.main(command(stopped, "varied", *flags))
    with monkeypatch.context() as patch:
        patch.setattr(stopping.StopFlag, "__enter__", raise_after(8))
        with pytest.raises(SystemExit):
            train_accelerate.main(command(stopped, "varied_stopped", *flags))
    train_accelerate.main(command(stopped, "varied_stopped", *flags, "--resume_from_checkpoint", "last"))
    ours, theirs = (load_file(stopped / name / WEIGHTS) for name in ("varied_stopped", "varied"))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    lines = list(map(json.loads, (stopped / "varied" / "metrics.jsonl").read_text("utf-8").splitlines()))
    assert len([line for line in lines if line["kind"] == "train"]) == 12
    (run,) = [line for line in lines if line["kind"] == "run"]
    assert run["arguments"]["extra_relation_free"] == ["plain.txt"]
    card = (stopped / "varied" / "README.md").read_text("utf-8")
    assert "For each training sentence, 0.5 sentences without relations were mixed in." in card
