"""Train and evaluate SpERT on a benchmark or on your own data, on CPU, one GPU or many.

    python train_accelerate.py --dataset demo --backbone bundled --output_dir runs/demo
    accelerate launch --num_processes 2 train_accelerate.py --dataset my_data --output_dir runs/mine

OUTPUT_DIR becomes the model folder to use or to push. While the training runs, OUTPUT_DIR/last is the checkpoint to
resume from. Scores and losses go to metrics.jsonl, the last scores to eval_results.json, predictions to
predictions_<split>.json. The same from Python: see `modeling_spert.training`.
"""

import sys

from transformers.utils import logging

try:
    from datasets_scripts import DownloadError, JointDataset, load_joint_dataset
    from modeling_spert.training import (
        Interrupted,
        Trainer,
        TrainingArguments,
        TrainingDiverged,
        build_model,
        parse_arguments,
    )
    from modeling_spert.training.failures import is_main_process, report_once
    from modeling_spert.training.messages import next_steps_text
    from modeling_spert.training.output_folder import check_output_dir
except ImportError as error:
    if __name__ != "__main__" or error.name not in ("accelerate", "datasets"):
        raise
    print(f"error: training needs {error.name}: pip install 'modeling-spert[train]'", file=sys.stderr)
    sys.exit(2)

logger = logging.get_logger("modeling_spert.training")


def load_data(args: TrainingArguments) -> JointDataset:
    """The data set that the arguments name; rows that are skipped are reported."""
    data = load_joint_dataset(args.dataset, data_dir=args.data_dir, fold=args.fold, on_bad_row=args.on_bad_row)
    for skipped in data.skipped:
        logger.warning(f"Skipped a row: {skipped.message}")
    return data


def training_function(args: TrainingArguments) -> dict[str, float]:
    """Train unless told otherwise, evaluate and save; returns the scores of the model in OUTPUT_DIR."""
    check_output_dir(args)
    data = load_data(args)
    model, tokenizer = build_model(args, data)
    trainer = Trainer(model, tokenizer, data, args)
    if not args.eval_only:
        trainer.train()
    for split in trainer.final_splits:
        trainer.evaluate(split)
    if not args.eval_only:
        trainer.save()
        trainer.say(next_steps_text(args, split=(trainer.final_splits or [args.train_split])[-1]))
    trainer.close()
    return trainer.scores


def main(argv: list[str] | None = None) -> None:
    """Command line entry.

    A user's mistake ends with one line and exit code 2, a download that failed or a training that diverged with 1, one
    that was stopped with 130. Of several processes the first says so.
    """
    args = parse_arguments(argv)
    logging.set_verbosity_info() if args.verbose else logging.set_verbosity_warning()
    logging.disable_progress_bar()  # those of loading and saving weights would break the training's
    try:
        training_function(args)
    except Interrupted as stopped:
        if is_main_process():
            print(f"\n{stopped}", file=sys.stderr)
        sys.exit(130)
    except (ValueError, OSError, DownloadError, TrainingDiverged) as error:
        if args.verbose:
            raise
        sys.exit(report_once(error, DownloadError, TrainingDiverged))


if __name__ == "__main__":
    main()
