"""Loading batches for training: their order is a function of (seed, epoch) only."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedTokenizerBase

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.corpus import Example, label_windows
from modeling_spert.sampling import NegativeSampler, TrainingCollator
from modeling_spert.training_arguments import TrainingArguments


class EpochSampler(Sampler[int]):
    """All rows, shuffled anew in every epoch; `epoch` is set by the training loop."""

    def __init__(self, num_rows: int, seed: int):
        self.num_rows, self.seed, self.epoch = num_rows, seed, 0

    def __len__(self) -> int:
        return self.num_rows

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        return iter(torch.randperm(self.num_rows, generator=generator).tolist())


def build_train_loader(
    examples: list[Example], tokenizer: PreTrainedTokenizerBase, config: SpertConfig, args: TrainingArguments
) -> tuple[DataLoader, EpochSampler, TrainingCollator]:
    """Batches of labelled windows with sampled negatives; the last incomplete batch is dropped, as in the original.

    Raises:
        ValueError: If the split holds no sentence.
    """
    rows = label_windows(examples, tokenizer, config)
    if not rows:
        raise ValueError(f"--train_split {args.train_split} holds no sentence to train on")
    sampler = NegativeSampler(
        num_relation_types=config.num_relation_types,
        max_span_width=config.max_span_width,
        neg_entity_count=args.neg_entity_count,
        neg_relation_count=args.neg_relation_count,
        relation_negatives=args.relation_negatives,
        seed=args.seed,
    )
    collator = TrainingCollator(sampler, tokenizer.pad_token_id or 0)
    order = EpochSampler(len(rows), args.seed)
    loader: DataLoader = DataLoader(
        rows,  # type: ignore[arg-type] # a list is a map-style data set
        batch_size=args.per_device_train_batch_size,
        sampler=order,
        collate_fn=collator,
        drop_last=len(rows) >= args.per_device_train_batch_size,
        num_workers=args.num_workers,
    )
    return loader, order, collator


def step_batches(
    loader: Iterable[dict[str, Tensor]], accumulation: int, steps: int, skip: int = 0
) -> Iterator[list[dict[str, Tensor]]]:
    """Groups of `accumulation` batches, one per optimizer step: groups `skip` to `steps` of the epoch.

    >>> [len(group) for group in step_batches([{}, {}, {}, {}, {}], accumulation=2, steps=2)]
    [2, 2]
    """
    group: list[dict[str, Tensor]] = []
    done = 0
    for batch in loader:
        group.append(batch)
        if len(group) == accumulation:
            if done >= skip:
                yield group
            done += 1
            if done >= steps:
                return
            group = []
    if group and done == 0 and skip == 0:  # an epoch shorter than one step is one step
        yield group
