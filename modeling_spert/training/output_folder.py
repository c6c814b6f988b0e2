"""OUTPUT_DIR before a run: refuse to train over an earlier run, or remove what it wrote."""

import shutil
from pathlib import Path

from modeling_spert.onnx.files import remove_export
from modeling_spert.training.arguments import TrainingArguments


def check_output_dir(args: TrainingArguments) -> None:
    """Refuse to train over an earlier run.

    Raises:
        ValueError: If OUTPUT_DIR holds a run that is neither resumed nor to be overwritten.
    """
    folder = Path(args.output_dir)
    earlier = any((folder / name).exists() for name in ("last", "last.old", "metrics.jsonl"))
    if earlier and not (args.eval_only or args.resume_from_checkpoint or args.overwrite_output_dir):
        raise ValueError(
            f"{folder} holds an earlier run: add --resume_from_checkpoint last to resume it, "
            "--overwrite_output_dir to replace it, or choose another --output_dir"
        )


def prepare_output_dir(args: TrainingArguments) -> None:
    """Make OUTPUT_DIR and, if asked, remove what an earlier run wrote there, and nothing else.

    To be called when data and model have been read: a mistyped name must not cost a trained model.
    """
    folder = Path(args.output_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not args.overwrite_output_dir or args.eval_only or args.resume_from_checkpoint:
        return
    for name in ("last", "last.old"):
        shutil.rmtree(folder / name, ignore_errors=True)
    remove_export(folder)
    for pattern in ("metrics.jsonl", "eval_results.json", "predictions_*.json", "model*.safetensors*"):
        for file in folder.glob(pattern):
            file.unlink()
