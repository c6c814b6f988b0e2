"""Checkpoints: complete model folders, and next to the last one what a training needs to resume.

The state of the optimizer is kept as safetensors and JSON: no pickle is written. Dropout, order and negatives are
functions of (seed, step), so there is no generator state to keep.
"""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedTokenizerBase

from modeling_spert.model_card.build import add_card
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.onnx.files import remove_export
from modeling_spert.training.progress import Progress

_STATE = "training_state.json"
_TENSORS = "training_state.safetensors"


def save_model(model: SpertModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a complete model folder over an older one.

    Everything is written inside the folder under another name first and then renamed file by file, weights last:
    nothing is ever half-written, and only a kill between two renames can mix an old file with new ones.
    """
    staged = _stage(model, tokenizer, folder / "model")
    add_card(staged, place=folder, records=folder)
    remove_export(folder)  # graphs of the weights that are about to go
    written = sorted(staged.iterdir(), key=lambda file: (".safetensors" in file.name, file.name))
    for file in written:
        os.replace(file, folder / file.name)
    staged.rmdir()
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
    """Write a complete model folder with the training state, in the place of an older one, all or nothing."""
    staged = _stage(model, tokenizer, folder)
    names = {parameter: name for name, parameter in model.named_parameters()}
    tensors = {
        f"{names[parameter]}/{key}": value.detach().cpu().contiguous()
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if torch.is_tensor(value)
    }
    save_file(tensors, staged / _TENSORS)
    state = {"progress": asdict(progress), "arguments": arguments}
    (staged / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    if (folder.parent / "metrics.jsonl").is_file():  # what the card is made of, should it be made again
        shutil.copyfile(folder.parent / "metrics.jsonl", staged / "metrics.jsonl")
    add_card(staged, place=folder)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(staged, folder)
    shutil.rmtree(old, ignore_errors=True)


def find_checkpoint(wanted: str, output_dir: Path) -> Path:
    """The checkpoint folder that `--resume_from_checkpoint` names.

    Raises:
        ValueError: If there is none.
    """
    folder = output_dir / "last" if wanted == "last" else Path(wanted)
    # A kill between the two renames of save_checkpoint leaves only the older one.
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / _STATE).is_file():
            return candidate
    raise ValueError(f"--resume_from_checkpoint {wanted}: no checkpoint with {_STATE} in {folder}")


def read_progress(folder: Path) -> tuple[Progress, dict[str, Any]]:
    """How far the run of the checkpoint had come, and its arguments."""
    state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    return Progress(**state["progress"]), state["arguments"]


# Arguments that may differ when a run is resumed: where files are, what is written, how fast it is.
_FREE_ARGUMENTS = frozenset(
    "config data_dir output_dir resume_from_checkpoint overwrite_output_dir num_workers gradient_checkpointing "
    "eval_split eval_batch_size no_overlapping patience save_every log_every report_to verbose "
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


def load_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module, folder: Path) -> None:
    """Give the optimizer the moments it had."""
    tensors = load_file(folder / _TENSORS)
    parameters = dict(model.named_parameters())
    for name, tensor in tensors.items():
        parameter_name, key = name.rsplit("/", 1)
        parameter = parameters[parameter_name]
        # Adam keeps its step counts where its kernel wants them: on the parameter's device when fused.
        optimizer.state[parameter][key] = tensor.to(parameter.device)


def _stage(model: SpertModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    """Model and tokenizer in a new hidden folder next to the one they are meant for."""
    staged = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    model.save_pretrained(staged)
    tokenizer.save_pretrained(staged)
    for weights in staged.glob("*.safetensors"):  # safetensors lets only their owner read them
        shutil.copymode(staged / "config.json", weights)
    return staged
