"""The optimizer steps of a training: batches, forward, backward, update, learning rate."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from modeling_spert.evaluation.examples import Example
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.training.arguments import ENOUGH_STEPS, EPOCHS, TrainingArguments
from modeling_spert.training.batches import build_train_loader, step_batches
from modeling_spert.training.checkpoints import load_optimizer
from modeling_spert.training.optimizer import build_optimizer, clipped_update, linear_schedule, parameter_groups


class TrainingSteps:
    """The optimizer steps of a run, epoch by epoch.

    Args:
        accelerator: Of the run.
        model: Trained in place.
        tokenizer: Its tokenizer.
        examples: The rows of the training split.
        args: Of the run.
        extras: Sentences of which every epoch has some.
        done: Steps taken already, for a run that is resumed.
        moments: State of the optimizer, for a run that is resumed.

    Attributes:
        examples: The rows of the training split, then the extras.
        num_windows: Windows of an epoch.
        num_extras: Those among them of the extras.
        per_epoch: Optimizer steps of an epoch.
        total: Optimizer steps of the run.

    Raises:
        ValueError: If there is no sentence, or there are too few for the processes.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: SpertModel,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Example],
        args: TrainingArguments,
        *,
        extras: Sequence[Example] = (),
        done: int = 0,
        moments: Mapping[str, Tensor] | None = None,
    ):
        self.accelerator, self.args, self.examples = accelerator, args, [*examples, *extras]
        _choose_what_is_trained(model, args)
        loader, self._sampler, self._collator = build_train_loader(examples, tokenizer, model.config, args, extras)
        groups = parameter_groups(model, args.learning_rate, args.weight_decay, args.head_learning_rate)
        optimizer = build_optimizer(groups, args.bias_correction)
        if moments:
            model.to(accelerator.device)
            load_optimizer(optimizer, model, moments)
        # What accelerate makes of them: the same weights, in the form that several processes or half precision need.
        self._model, self._optimizer, self._loader = accelerator.prepare(model, optimizer, loader)
        self.num_windows, self.num_extras = len(self._sampler), self._sampler.drawn
        if len(self._loader) == 0:
            raise ValueError(
                f"{self.num_windows} sentences are too few for {accelerator.num_processes} processes with "
                f"--per_device_train_batch_size {args.per_device_train_batch_size}: lower one of them"
            )
        self.per_epoch = max(len(self._loader) // args.gradient_accumulation_steps, 1)
        self.total = args.max_steps if args.max_steps >= 0 else self.per_epoch * self._choose_epochs()
        warmup = int(args.warmup_ratio * self.total)
        self._schedule = linear_schedule(optimizer, warmup, self.total, done=done)

    @property
    def num_epochs(self) -> int:
        """Epochs of the run; the last one may be cut short."""
        return -(-self.total // self.per_epoch)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._schedule.get_last_lr()[0])

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer itself, whose state a checkpoint keeps."""
        return getattr(self._optimizer, "optimizer", self._optimizer)

    def _choose_epochs(self) -> int:
        """As the arguments say, else the paper's, or as many as a small data set needs."""
        if self.args.num_train_epochs is not None:
            return self.args.num_train_epochs
        return max(EPOCHS, -(-ENOUGH_STEPS // self.per_epoch))

    def rows(self, step: int) -> list[int]:
        """The rows of the training split that this process trains on in a step, counted from 1."""
        self._sampler.epoch, index = divmod(step - 1, self.per_epoch)
        size = self.args.gradient_accumulation_steps
        batches = islice(iter(self._loader.batch_sampler), index * size, (index + 1) * size)
        windows = [self._loader.dataset[index] for batch in batches for index in batch]
        return sorted({sentence.row_id for window in windows for sentence in window.sentences})

    def take(self, epoch: int, skip: int = 0) -> Iterator[Tensor]:
        """Take the steps of an epoch.

        Args:
            epoch: From 0; the order and the negatives depend on it.
            skip: Steps of the epoch that were taken before the run was stopped.

        Yields:
            This process's share of the loss, after each step.
        """
        self._sampler.epoch = self._collator.epoch = epoch
        self._model.train()
        first = epoch * self.per_epoch
        steps = min(self.per_epoch, self.total - first)
        if skip >= steps:
            return
        groups = step_batches(self._loader, self.args.gradient_accumulation_steps, steps, skip)
        for step, batches in enumerate(groups, start=first + skip):
            # Dropout is a function of (seed, step, process): a run that is resumed trains as if never stopped.
            torch.manual_seed((self.args.seed * 1_000_003 + step) * 1_009 + self.accelerator.process_index)
            loss = self._add_gradients(batches)
            self._update()
            self._schedule.step()
            self._optimizer.zero_grad()
            yield loss

    def _add_gradients(self, batches: list[dict[str, Tensor]]) -> Tensor:
        """Forward and backward over the batches of one optimizer step.

        The loss is divided by the spans and pairs of all batches of all processes, so that neither the number of
        processes nor accumulation changes what is trained.
        """
        accelerator = self.accelerator
        spans = torch.stack([(batch["span_labels"] >= 0).sum() for batch in batches]).sum()  # UNKNOWN does not count
        pairs = spans.new_tensor(sum(len(batch["pair_labels"]) for batch in batches))
        counts = accelerator.reduce(torch.stack((spans, pairs)), "sum").clamp(min=1)
        total = torch.zeros((), device=accelerator.device)
        for index, batch in enumerate(batches):
            is_last = index + 1 == len(batches)
            with nullcontext() if is_last else accelerator.no_sync(self._model):
                with accelerator.autocast():
                    loss = self._model(**batch, num_spans=counts[0], num_pairs=counts[1]).loss
                # Distributed training averages the gradients of the processes: this makes it their sum.
                accelerator.backward(loss * accelerator.num_processes)
            total += loss.detach()
        return total

    def _update(self) -> None:
        """Clip the gradients and apply them."""
        accelerator, parameters = self.accelerator, list(self._model.parameters())
        plain = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
        if accelerator.distributed_type in plain and accelerator.scaler is None:
            with clipped_update(self.optimizer, parameters, self.args.max_grad_norm):
                self._optimizer.step()
        else:  # sharded parameters, or gradients that fp16 has scaled already
            accelerator.clip_grad_norm_(parameters, self.args.max_grad_norm)
            self._optimizer.step()


def _choose_what_is_trained(model: SpertModel, args: TrainingArguments) -> None:
    """Freeze parts of the model and recompute activations, as the arguments say."""
    if args.freeze_backbone:
        model.backbone.requires_grad_(False)
    if args.freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    if args.gradient_checkpointing:  # transformers 5.23 renamed the switch
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable()
