"""Processes that die: no share is lost, and the document at fault gets a row with an error."""

import bulk_data
import pytest

from modeling_spert.bulk.pool import Pool
from modeling_spert.bulk.readers import Record

pytestmark = pytest.mark.usefixtures("quick_processes")


def run(pool: Pool, shares: list[list[str]]) -> dict[int, list[tuple[str, str | None]]]:
    """Ids and errors of the rows, by share."""
    found = {}
    waiting = list(enumerate(shares))
    while waiting or not pool.is_idle:
        while waiting and pool.has_capacity:
            key, texts = waiting.pop(0)
            pool.submit(key, [Record(f"{key}.{place}", text) for place, text in enumerate(texts)])
        for key, table in pool.wait(60):
            found[key] = list(zip(table["id"].to_pylist(), table["error"].to_pylist(), strict=True))
    return found


def good(key: int, count: int) -> list[tuple[str, None]]:
    return [(f"{key}.{place}", None) for place in range(count)]


def test_pool_gives_every_share_once_however_many_processes_die(tmp_path):
    shares = [["a", "b"], ["c", "die", "d"], ["e"], [f"die once: {tmp_path / 'x'}", "f"], ["die"], ["g"] * 5]
    with Pool(2, bulk_data.load_fragile) as pool:
        found = run(pool, shares)
    reason = "the process that extracted from it died (killed by SIGKILL)"
    assert found == {
        0: good(0, 2),
        1: [("1.0", None), ("1.1", reason), ("1.2", None)],
        2: good(2, 1),
        3: good(3, 2),
        4: [("4.0", reason)],
        5: good(5, 5),
    }
    assert pool.warnings["texts read"] >= 12


def test_pool_holds_at_most_two_shares_for_each_process():
    with Pool(1, bulk_data.load_fragile) as pool:
        pool.submit(0, [Record("a", "a")])
        assert pool.has_capacity
        pool.submit(1, [Record("b", "b")])
        assert not pool.has_capacity
        assert pool.wait(60) and pool.has_capacity


def test_pool_that_cannot_load_the_model_says_why():
    with Pool(1, bulk_data.load_nothing) as pool:
        pool.submit(0, [Record("a", "a")])
        with pytest.raises(OSError, match="a process could not load the model: ValueError: no such weights"):
            pool.wait(60)
    with Pool(1, bulk_data.die_while_loading) as pool:
        pool.submit(0, [Record("a", "a")])
        with pytest.raises(OSError, match=r"3 processes died while they loaded the model \(killed by SIGKILL\)"):
            pool.wait(60)


def test_pool_stops_its_processes_whatever_they_do():
    with Pool(2, bulk_data.load_fragile) as pool:
        processes = [slot.process for slot in pool._slots]
    assert all(process.exitcode is not None for process in processes)
