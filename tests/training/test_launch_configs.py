"""The files under configs/accelerate/: accelerate takes every key, and passes the settings on to the processes.

No training is run with them: that needs several GPUs, and DeepSpeed.
"""

from pathlib import Path

import pytest
import torch
import yaml
from accelerate import FullyShardedDataParallelPlugin
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "accelerate"
FILES = sorted(FOLDER.glob("*.yaml"))


def launch_arguments(path: Path, monkeypatch: pytest.MonkeyPatch):
    """The arguments of `accelerate launch --config_file`, as it fills them in, on a machine with two GPUs."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    args = launch_command_parser().parse_args(["--config_file", str(path), "train_accelerate.py"])
    return _validate_launch_command(args)[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_launch_config_is_taken_by_accelerate_and_says_that_it_was_not_run(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.num_processes == 2 and config.mixed_precision == "bf16"
    assert "NOT RUN" in path.read_text("utf-8")


def test_launch_config_of_fsdp_makes_its_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    args = launch_arguments(FOLDER / "fsdp.yaml", monkeypatch)
    assert args.use_fsdp
    for name, value in prepare_multi_gpu_env(args).items():
        if name.startswith("FSDP_") and name != "FSDP_SYNC_MODULE_STATES":  # which asks for the GPU at once
            monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.sharding_strategy.name == "FULL_SHARD" and plugin.use_orig_params
    assert plugin.transformer_cls_names_to_wrap == ["BertLayer"]


def test_launch_config_of_deepspeed_reaches_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    args = launch_arguments(FOLDER / "deepspeed_zero2.yaml", monkeypatch)
    assert args.use_deepspeed
    args.deepspeed_fields_from_accelerate_config = []  # as launch_command sets it, which would start the processes
    _, environment = prepare_deepspeed_cmd_env(args)
    assert environment["ACCELERATE_DEEPSPEED_ZERO_STAGE"] == "2"
    assert environment["ACCELERATE_GRADIENT_CLIPPING"] == "1.0"


def test_launch_configs_are_there() -> None:
    assert [path.name for path in FILES] == ["deepspeed_zero2.yaml", "fsdp.yaml"]
    assert all(yaml.safe_load(path.read_text("utf-8"))["compute_environment"] == "LOCAL_MACHINE" for path in FILES)
