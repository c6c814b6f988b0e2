"""Checkpoints: complete model folders, and next to the last one what a training needs to resume.

The state of the optimizer is kept as safetensors and JSON: no pickle is written. Dropout, order and negatives are
functions of (seed, step), so there is no generator state to keep.

A new checkpoint is written next to the last one, read back, and then takes its place: a full disk or a kill leaves the
last one. The one before stays as `last.old` until the next is written, in case a disk or a power cut damages `last`:
its state holds the digests of its files, so that this is noticed. There are never more than two. A finished run needs
none: both folders give way to the file training_state.json in OUTPUT_DIR, so that a resumed run finds that there is
nothing left to do.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from modeling_spert.model_card.build import add_card
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.onnx.files import remove_export
from modeling_spert.shared.digests import file_sha256
from modeling_spert.shared.staging import replace_folder, save_parts, staged_folder
from modeling_spert.training.progress import Progress

_STATE = "training_state.json"
_TENSORS = "training_state.safetensors"
_MOMENTS = {"step", "exp_avg", "exp_avg_sq"}  # what Adam keeps for a parameter


class CheckpointError(ValueError):
    """A checkpoint is damaged or of another model; the message names the file."""


@dataclass(frozen=True)
class Checkpoint:
    """What a training resumes from.

    Attributes:
        folder: The model folder.
        progress: How far the run had come.
        arguments: Of its run.
        moments: State of the optimizer, keyed "<parameter>/<key>"; empty for a finished run.
        is_finished: Whether the run was finished: the folder then holds its result.
        earlier: What was wrong with a later checkpoint, if this one replaces it.
    """

    folder: Path
    progress: Progress
    arguments: dict[str, Any]
    moments: Mapping[str, Tensor] = field(default_factory=dict)
    is_finished: bool = False
    earlier: str = ""


def save_model(model: SpertModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a complete model folder over an older one.

    Everything is written inside the folder under another name first and then renamed file by file, weights last:
    nothing is ever half-written, and only a kill between two renames can mix an old file with new ones.

    Raises:
        OSError: If a file cannot be written; the older model is then still whole.
    """
    with staged_folder(folder / "model") as staged:
        _save_parts(model, tokenizer, staged)
        add_card(staged, place=folder, records=folder)
        remove_export(folder)  # graphs of the weights that are about to go
        written = sorted(staged.iterdir(), key=lambda file: (".safetensors" in file.name, file.name))
        for file in written:
            os.replace(file, folder / file.name)
    for stale in set(folder.glob("model*.safetensors*")) - {folder / file.name for file in written}:
        stale.unlink()  # shards of an earlier, larger model


def save_checkpoint(
    model: SpertModel,
    tokenizer: PreTrainedTokenizerBase,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    arguments: dict[str, Any],
    folder: Path,
) -> None:
    """Write a complete model folder with the training state, all or nothing; an older one stays as `NAME.old`.

    Raises:
        OSError: If a file cannot be written or does not read back; the older checkpoint is then still whole.
    """
    _keep_one(folder)
    names = {parameter: name for name, parameter in model.named_parameters()}
    tensors = {
        f"{names[parameter]}/{key}": value.detach().cpu().contiguous()
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if torch.is_tensor(value)
    }
    state: dict[str, Any] = {"progress": asdict(progress), "arguments": arguments, "num_tensors": len(tensors)}
    with staged_folder(folder) as staged:
        _save_parts(model, tokenizer, staged)
        with _writing(staged / _TENSORS):
            save_file(tensors, staged / _TENSORS)
        state["files"] = {file.name: file_sha256(file) for file in sorted(staged.iterdir())}
        state["sha256"] = _state_digest(state)
        (staged / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
        if (folder.parent / "metrics.jsonl").is_file():  # what the card is made of, should it be made again
            shutil.copyfile(folder.parent / "metrics.jsonl", staged / "metrics.jsonl")
        add_card(staged, place=folder)
        for file in staged.glob("*.safetensors"):
            with _writing(file):
                load_file(file)
        replace_folder(staged, folder, keep=True)


def _keep_one(folder: Path) -> None:
    """Before a checkpoint is written: keep the last one, or, if that is damaged, the one before it."""
    try:
        _check_files(folder, _read_state(folder))
    except CheckpointError:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        shutil.rmtree(_before(folder), ignore_errors=True)


def _before(folder: Path) -> Path:
    """Where the checkpoint before this one is."""
    return folder.with_name(f"{folder.name}.old")


def finish_run(progress: Progress, arguments: dict[str, Any], output_dir: Path) -> None:
    """Remove the checkpoints of a run whose result is saved, and write down that it is finished."""
    state = {"progress": asdict(progress), "arguments": arguments, "finished": True}
    (output_dir / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    for name in ("last.old", "last"):
        shutil.rmtree(output_dir / name, ignore_errors=True)


def find_checkpoint(wanted: str, output_dir: Path) -> Path:
    """The checkpoint folder that `--resume_from_checkpoint` names: the newest whose state can be read.

    Raises:
        CheckpointError: If there is none.
    """
    candidates = _candidates(wanted, output_dir)
    for folder in candidates:
        with suppress(CheckpointError):
            _read_state(folder)
            return folder
    return candidates[0]


def load_checkpoint(wanted: str, output_dir: Path, model: SpertModel, settings: dict[str, Any]) -> Checkpoint:
    """Read the checkpoint that `--resume_from_checkpoint` names, and put its weights into the model.

    If it is damaged and the one before it is not, that one is read instead.

    Args:
        wanted: "last", or a checkpoint folder.
        output_dir: Of the run.
        model: Gets the weights.
        settings: Of the run, which must be those that it began with.

    Raises:
        CheckpointError: If there is none that can be read; the message names the damaged file of each.
        ValueError: If it is of a run with other settings.
    """
    problems: list[str] = []
    for folder in _candidates(wanted, output_dir):
        try:
            checkpoint = _read_checkpoint(folder, model, settings)
        except CheckpointError as error:
            problems.append(str(error))
        else:
            return replace(checkpoint, earlier="; ".join(problems))
    advice = "To start again: --overwrite_output_dir instead of --resume_from_checkpoint"
    raise CheckpointError(f"{'; '.join(problems)}. {advice}")


def _candidates(wanted: str, output_dir: Path) -> list[Path]:
    """The folders to try, the newest first.

    Raises:
        CheckpointError: If there is none.
    """
    folder = output_dir / "last" if wanted == "last" else Path(wanted)
    folders = [folder, _before(folder)]
    if wanted == "last":
        folders.append(output_dir)  # what a finished run leaves
    found = [candidate for candidate in folders if (candidate / _STATE).is_file()]
    if not found:
        raise CheckpointError(f"--resume_from_checkpoint {wanted}: no checkpoint with {_STATE} in {folder}")
    return [folder, *found] if found[0] == _before(folder) else found  # the newest has lost its state: that is reported


def _read_checkpoint(folder: Path, model: SpertModel, settings: dict[str, Any]) -> Checkpoint:
    state = _read_state(folder)
    check_same_run(state["arguments"], settings)
    _check_files(folder, state)
    moments: Mapping[str, Tensor] = {}
    if not state.get("finished"):
        with _reading(folder / _TENSORS):
            moments = load_file(folder / _TENSORS)
        if len(moments) != state.get("num_tensors", len(moments)):
            raise CheckpointError(f"{folder / _TENSORS} holds {len(moments)} of {state['num_tensors']} tensors")
        _check_moments(moments, model, folder / _TENSORS)
    load_weights(model, folder)
    progress = Progress.from_dict(state["progress"])
    return Checkpoint(folder, progress, state["arguments"], moments, bool(state.get("finished")))


def load_weights(model: SpertModel, folder: Path) -> None:
    """Put the weights of a model folder into a model of the same form.

    Raises:
        CheckpointError: If they cannot be read, are of another form, or some are missing.
    """
    with _reading(folder / "model.safetensors"):
        saved, info = SpertModel.from_pretrained(str(folder), output_loading_info=True)
        if info["missing_keys"]:
            raise ValueError(f"it has no {sorted(info['missing_keys'])[0]}")
        problems = model.load_state_dict(saved.state_dict(), strict=False)
        if problems.missing_keys or problems.unexpected_keys:
            raise ValueError(f"it is of another model: {[*problems.missing_keys, *problems.unexpected_keys][0]}")


def _check_moments(moments: Mapping[str, Tensor], model: nn.Module, path: Path) -> None:
    """Refuse the state of another model's optimizer, or a part of it.

    Raises:
        CheckpointError: Naming the first tensor that does not fit.
    """
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    keys: dict[str, set[str]] = {}
    for key, tensor in moments.items():
        name, _, kind = key.rpartition("/")
        if name not in shapes or (tensor.ndim and tensor.shape != shapes[name]):
            raise CheckpointError(f"{path} is of another model: {key} does not fit")
        keys.setdefault(name, set()).add(kind)
    for name, kinds in keys.items():
        if kinds != _MOMENTS:
            raise CheckpointError(f"{path} has not all of {', '.join(sorted(_MOMENTS))} for {name}")


def read_progress(folder: Path) -> tuple[Progress, dict[str, Any]]:
    """How far the run of the checkpoint had come, and its arguments.

    Raises:
        CheckpointError: If the file is damaged; the message names it.
    """
    state = _read_state(folder)
    return Progress.from_dict(state["progress"]), state["arguments"]


def _read_state(folder: Path) -> dict[str, Any]:
    """The content of training_state.json, checked."""
    with _reading(folder / _STATE):
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        if not isinstance(state, dict):
            raise ValueError(f"it must hold an object, got {type(state).__name__}")
        if not isinstance(state.get("arguments"), dict):
            raise ValueError("it has no arguments")
        Progress.from_dict(state.get("progress"))
        if state.get("sha256", _state_digest(state)) != _state_digest(state):
            raise ValueError("it is not what was written")
        return state


def _state_digest(state: Mapping[str, Any]) -> str:
    """Of everything that the state holds but the digest itself."""
    text = json.dumps({key: value for key, value in state.items() if key != "sha256"}, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _check_files(folder: Path, state: Mapping[str, Any]) -> None:
    """Compare the files of a checkpoint with the digests in its state; earlier versions wrote none.

    Raises:
        CheckpointError: Naming the first file that is missing or not what was written.
    """
    for name, digest in state.get("files", {}).items():
        with _reading(folder / name):
            if file_sha256(folder / name) != digest:
                raise ValueError("it is not what was written")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever is wrong with a file becomes a CheckpointError that names it."""
    try:
        yield
    except CheckpointError:
        raise
    except (ValueError, OSError, RuntimeError, RecursionError, KeyError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"the checkpoint file {path} cannot be read: {reason}") from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Safetensors reports a full disk by an error of its own."""
    try:
        yield
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written: {error}") from error


# Arguments that may differ when a run is resumed: where files are, what is written, how fast it is.
_FREE_ARGUMENTS = frozenset(
    "config data_dir output_dir resume_from_checkpoint overwrite_output_dir num_workers gradient_checkpointing "
    "eval_split eval_batch_size calibrate no_overlapping patience save_every log_every card_example report_to verbose "
    "push_to_hub hub_model_id hub_private hub_strategy".split()
)


def check_same_run(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to resume a run with other settings than it began with.

    Raises:
        ValueError: Listing each argument that differs, with both values.
    """
    changed = [
        f"--{name} was {before[name]!r}, is {value!r}"
        for name, value in now.items()
        if name not in _FREE_ARGUMENTS and name in before and before[name] != value
    ]
    if changed:
        raise ValueError(
            f"--resume_from_checkpoint resumes the same run, but {'; '.join(changed)}. To start a new run from these "
            "weights use --model"
        )


def load_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module, moments: Mapping[str, Tensor]) -> None:
    """Give the optimizer the moments it had."""
    parameters = dict(model.named_parameters())
    for name, tensor in moments.items():
        parameter_name, key = name.rsplit("/", 1)
        parameter = parameters[parameter_name]
        # Adam keeps its step counts where its kernel wants them: on the parameter's device when fused.
        optimizer.state[parameter][key] = tensor.to(parameter.device)


def _save_parts(model: SpertModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    with _writing(folder):
        save_parts(model, tokenizer, folder)
