"""A training that is killed, stopped or starved of disk space ends as if nothing had happened: real processes.

Everything is on one CPU process unless said otherwise, so that losses and weights can be compared bit for bit.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tiny_data import write_dataset
from tiny_models import save_backbone
from training_runs import RESUME, TrainingRun, assert_same_run, wait_until

from modeling_spert import SpertModel
from modeling_spert.training.checkpoints import find_checkpoint, read_progress

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
STEPS_PER_EPOCH, EPOCHS = 12, 10
SEED = int(os.environ.get("SPERT_KILL_SEED", 13))


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    root = tmp_path_factory.mktemp("survival")
    save_backbone("bert", root / "bert")
    write_dataset(root / "data")
    return (
        *("--dataset", str(root / "data"), "--backbone", str(root / "bert"), "--learning_rate", "1e-3"),
        *("--num_train_epochs", str(EPOCHS), "--save_every", "1", "--eval_split", "dev"),
    )


@pytest.fixture(scope="module")
def whole(arguments: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """The run that nothing happened to."""
    run = TrainingRun(tmp_path_factory.mktemp("whole") / "run", arguments)
    run.finish()
    assert len(run.losses()) == STEPS_PER_EPOCH * EPOCHS
    return run


def test_training_killed_at_three_points_ends_as_if_never_killed(
    whole: TrainingRun, arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = random.Random(SEED)
    run, kills = TrainingRun(tmp_path / "run", arguments), []
    for part in range(3):  # after the first checkpoint, each in its own third of the run
        low = max(STEPS_PER_EPOCH + 1, part * STEPS_PER_EPOCH * EPOCHS // 3)
        step = generator.randrange(low, (part + 1) * STEPS_PER_EPOCH * EPOCHS // 3 - STEPS_PER_EPOCH)
        process = run.start(*(RESUME if part else ()))
        assert wait_until(lambda step=step: len(run.losses()) >= step, process), "the run ended before the kill"
        time.sleep(generator.uniform(0, 0.05))  # inside a step, a log or a checkpoint
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        kills.append((step, read_progress(find_checkpoint("last", run.folder))[0].step))
    run.finish(*RESUME)
    with capsys.disabled():
        print(f"\nkilled at (step, resumed from): {kills}, seed {SEED}")
    assert_same_run(run, whole)


def test_training_killed_before_its_first_checkpoint_says_so(arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = TrainingRun(tmp_path / "run", arguments)
    process = run.start()
    assert wait_until(lambda: len(run.losses()) >= 1, process)
    process.kill()
    process.communicate()
    again = run.start(*RESUME)
    printed, _ = again.communicate(timeout=600)
    if (run.folder / "last").exists():
        pytest.skip("the first checkpoint was there before the kill")
    assert again.returncode == 2 and "no checkpoint" in printed.splitlines()[-1]


def test_training_ended_by_sigterm_ends_as_if_never_ended(
    whole: TrainingRun, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    run = TrainingRun(tmp_path / "run", arguments)
    process = run.start()
    assert wait_until(lambda: len(run.losses()) >= STEPS_PER_EPOCH + 5, process)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 130 and "--resume_from_checkpoint last" in printed
    done = len(run.losses())
    assert read_progress(run.folder / "last")[0].step == done < STEPS_PER_EPOCH * EPOCHS  # no step is trained again
    run.finish(*RESUME)
    assert_same_run(run, whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB of its own, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], capture_output=True)
    except OSError as error:
        pytest.skip(f"a small tmpfs cannot be mounted here: {error}")
    if made.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write zeros until the disk is full."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def test_training_on_a_full_disk_says_so_and_resumes(
    whole: TrainingRun, arguments: tuple[str, ...], small_disk: Path
) -> None:
    run = TrainingRun(small_disk / "run", arguments)
    process = run.start()
    assert wait_until(lambda: (run.folder / "last").exists(), process)
    fill(small_disk / "filler")
    printed, _ = process.communicate(timeout=300)
    assert process.returncode in (1, 2), printed
    assert "Traceback" not in printed
    last = printed.splitlines()[-1]
    assert last.startswith("error: ") and "No space left on device" in last
    kept = find_checkpoint("last", run.folder)
    assert read_progress(kept)[0].step % STEPS_PER_EPOCH == 0
    SpertModel.from_pretrained(kept)
    (small_disk / "filler").unlink()
    run.finish(*RESUME)
    assert_same_run(run, whole)


def test_training_killed_between_two_renames_takes_the_checkpoint_before(
    whole: TrainingRun, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Such a kill leaves two checkpoints. Should the newer be damaged too, the older is taken, and the run says so."""
    run = TrainingRun(tmp_path / "run", arguments)
    process = run.start()
    assert wait_until(lambda: (run.folder / "last").exists(), process)
    process.kill()
    process.communicate()
    last = find_checkpoint("last", run.folder)
    if last.name == "last":
        last.rename(last.with_name("last.old"))
    (run.folder / "last").mkdir()
    for file in (run.folder / "last.old").iterdir():  # every file of it cut in the middle
        (run.folder / "last" / file.name).write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    printed = run.finish(*RESUME)
    assert "Resuming from the checkpoint before it" in printed
    assert_same_run(run, whole)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "weights cut": ("model.safetensors", cut),
    "weights full of zeros": ("model.safetensors", lambda path: path.write_bytes(bytes(path.stat().st_size))),
    "moments empty": ("training_state.safetensors", lambda path: path.write_bytes(b"")),
    "state is garbage": ("training_state.json", lambda path: path.write_bytes(bytes(range(256)))),
    "state missing": ("training_state.json", Path.unlink),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_training_with_a_damaged_checkpoint_takes_the_one_before(
    name: str, whole: TrainingRun, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Killed, then its last checkpoint damaged: the one before leads to the same losses and weights, bit for bit."""
    file, damage = DAMAGES[name]
    run = TrainingRun(tmp_path / "run", arguments)
    process = run.start()
    assert wait_until(lambda: len(run.losses()) >= 3 * STEPS_PER_EPOCH + 2, process)
    process.kill()
    process.communicate()
    assert (run.folder / "last").exists() and (run.folder / "last.old").exists(), "killed between two renames"
    before = read_progress(run.folder / "last.old")[0].step
    damage(run.folder / "last" / file)
    printed = run.finish(*RESUME)
    (line,) = [line for line in printed.splitlines() if "Resuming from the checkpoint before it" in line]
    assert str(run.folder / "last" / file) in line
    assert f"Resuming from {run.folder / 'last.old'}, step {before}" in printed
    assert_same_run(run, whole)
    assert not list(run.folder.glob("last*"))


def test_training_without_a_whole_checkpoint_names_the_damaged_files(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    run = TrainingRun(tmp_path / "run", arguments)
    process = run.start()
    assert wait_until(lambda: len(run.losses()) >= 2 * STEPS_PER_EPOCH + 2, process)
    process.kill()
    process.communicate()
    files = [run.folder / folder / "model.safetensors" for folder in ("last", "last.old")]
    for path in files:
        cut(path)
    again = run.start(*RESUME)
    printed, _ = again.communicate(timeout=600)
    last = printed.splitlines()[-1]
    assert again.returncode == 2 and "Traceback" not in printed
    assert last.startswith("error: ") and all(str(path) in last for path in files)
    assert "--overwrite_output_dir" in last


def test_two_launched_processes_train_as_one_with_twice_the_batch(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """accelerate launch, two processes that talk by gloo: losses and final weights, without dropout, in fp32.

    Sums are added in another order, so the last bits differ; after 20 steps of Adam weights differ by less than 1e-4.
    """
    save_backbone("bert", tmp_path / "calm", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    flags = ("--backbone", str(tmp_path / "calm"), "--head_dropout", "0", "--max_steps", "20")
    one = TrainingRun(tmp_path / "one", (*arguments, *flags, "--per_device_train_batch_size", "4"))
    two = TrainingRun(tmp_path / "two", (*arguments, *flags, "--per_device_train_batch_size", "2"))
    one.finish()
    launcher = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1")
    precision = ("--mixed_precision", "no", "--dynamo_backend", "no")
    printed = two.finish(launcher=(*launcher, *precision, "train_accelerate.py"))
    assert "processes: 2" in printed
    assert two.losses() == pytest.approx(one.losses(), abs=2e-5) and len(one.losses()) == 20
    ours, theirs = two.weights(), one.weights()
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in theirs) < 1e-4
    start = SpertModel.from_backbone(str(tmp_path / "calm"), entity_types=["A"]).backbone.state_dict()
    moved = max(float((theirs[f"backbone.{name}"] - start[name]).abs().max()) for name in start)
    assert moved > 1e-3  # else equal weights would say nothing
    assert all(torch.isfinite(tensor).all() for tensor in ours.values())
