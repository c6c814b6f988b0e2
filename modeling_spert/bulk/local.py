"""The engine for one machine: a parent that reads and writes, and processes that extract."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from modeling_spert.bulk.plan import Plan
from modeling_spert.bulk.pool import Pool
from modeling_spert.bulk.readers import Record
from modeling_spert.bulk.writers import ShardWriter

# A share: enough for batches of about equal length, few enough that a slow process delays the others by seconds only.
SHARE_DOCUMENTS = 256
SHARE_CHARACTERS = 100_000


@dataclass(frozen=True)
class Share:
    """Documents `[first, first + len(documents))` of a shard."""

    shard: int
    first: int
    documents: tuple[Record, ...]


@dataclass
class _OpenShard:
    tables: dict[int, pa.Table] = field(default_factory=dict)  # by first document
    num_rows: int = 0


def run_local(
    plan: Plan,
    shards: Collection[int],
    writer: ShardWriter,
    pool: Pool,
    advance: Callable[[pa.Table], None],
) -> None:
    """Write the shards.

    In memory are at most two shares for each process and the shards that these are of.

    Args:
        plan: The plan.
        shards: Those of its shards that are to be written.
        writer: Writes one.
        pool: Processes with nothing to do.
        advance: Called with the rows of each share that is done.
    """
    shares = make_shares(plan.read(shards))
    unfinished: dict[int, _OpenShard] = {}
    sizes = {shard: plan.shard_range(shard)[1] - plan.shard_range(shard)[0] for shard in shards}
    share: Share | None = next(shares, None)
    while share is not None or not pool.is_idle:
        while share is not None and pool.has_capacity:
            pool.submit((share.shard, share.first), share.documents)
            share = next(shares, None)
        for (shard, first), table in pool.wait():
            open_shard = unfinished.setdefault(shard, _OpenShard())
            open_shard.tables[first] = table
            open_shard.num_rows += table.num_rows
            if open_shard.num_rows == sizes[shard]:
                writer.write(shard, pa.concat_tables(open_shard.tables[key] for key in sorted(open_shard.tables)))
                del unfinished[shard]
            advance(table)


def make_shares(documents: Iterator[tuple[int, Record]]) -> Iterator[Share]:
    """The documents of shards, in order, by shares that depend on the documents of their shard alone.

    So the same share is extracted, in the same batches, however many processes there are and wherever a run resumes.
    """
    shard, first, characters = -1, 0, 0
    collected: list[Record] = []
    for of_shard, record in documents:
        is_full = len(collected) >= SHARE_DOCUMENTS or characters >= SHARE_CHARACTERS
        if collected and (is_full or of_shard != shard):
            yield Share(shard, first, tuple(collected))
            first, characters = first + len(collected), 0
            collected = []
        if of_shard != shard:
            shard, first = of_shard, 0
        collected.append(record)
        characters += len(record.text or "")
    if collected:
        yield Share(shard, first, tuple(collected))
