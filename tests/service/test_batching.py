"""The queue: when a batch is closed, what shares it, whose turn it is, and what is refused."""

import threading

import pytest

from modeling_spert.inputs_spert import Document
from modeling_spert.service.batching import BatchQueue, Job
from modeling_spert.service.refusals import Refusal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(*tokens: int, **settings: float) -> Job:
    return Job([Document("", ())] * len(tokens), tokens, settings)


def make_queue(max_batch_tokens: int = 10, max_wait: float = 0.0, max_tokens: int = 100) -> BatchQueue:
    return BatchQueue(max_batch_tokens, max_wait, max_tokens, Clock())


def test_queue_batches_share_the_token_budget_and_keep_the_order():
    queue = make_queue()
    jobs = [job(4), job(4), job(4)]
    for own in jobs:
        queue.put(own)
    assert queue.take() == [(jobs[0], 0), (jobs[1], 0)]
    assert queue.num_tokens == 4 and queue.num_texts == 1
    assert queue.take() == [(jobs[2], 0)]


def test_queue_takes_requests_in_turn_so_that_a_large_one_holds_up_nobody():
    queue = make_queue()
    large, small = job(*[3] * 6), job(3)
    queue.put(large)
    queue.put(small)
    assert queue.take() == [(large, 0), (small, 0), (large, 1)]
    late = job(9)
    queue.put(late)
    assert queue.take() == [(large, 2)]  # the late one does not fit next to it
    assert queue.take() == [(late, 0)]  # and is first now
    assert queue.take() == [(large, 3), (large, 4), (large, 5)]


def test_queue_batches_hold_one_kind_of_settings():
    queue = make_queue()
    first, other, like_first = job(1, relation_threshold=0.5), job(1), job(1, relation_threshold=0.5)
    for own in (first, other, like_first):
        queue.put(own)
    assert queue.take() == [(first, 0), (like_first, 0)]
    assert queue.take() == [(other, 0)]


def test_queue_a_text_longer_than_the_budget_is_a_batch_of_its_own():
    queue = make_queue()
    long, short = job(50), job(1)
    queue.put(long)
    queue.put(short)
    assert queue.take() == [(long, 0)] and queue.take() == [(short, 0)]


def test_queue_waits_for_others_but_not_longer_than_it_may():
    queue = BatchQueue(10, 30.0, 100)  # the real clock: only a full batch ends the wait in time
    batches: list = []
    thread = threading.Thread(target=lambda: batches.append(queue.take()))
    thread.start()
    jobs = [job(4), job(6)]
    queue.put(jobs[0])
    thread.join(0.1)
    assert thread.is_alive() and not batches
    queue.put(jobs[1])
    thread.join(20)
    assert batches == [[(jobs[0], 0), (jobs[1], 0)]]
    soon, alone = BatchQueue(10, 0.05, 100), job(1)
    soon.put(alone)
    assert soon.take() == [(alone, 0)]


def test_queue_refuses_what_exceeds_it_and_says_when_to_try_again():
    queue = make_queue(max_tokens=20)
    waiting = job(15)
    queue.put(waiting)
    queue.note_rate(tokens=6, seconds=2.0)
    with pytest.raises(Refusal, match="15 tokens are waiting, and at most 20 may") as refused:
        queue.put(job(6))
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "3"})
    with pytest.raises(Refusal, match="at most about 20 tokens, got 21") as refused:
        queue.put(job(21))
    assert refused.value.status == 413
    queue.remove(waiting)
    queue.put(job(20))
    assert queue.num_tokens == 20


def test_queue_a_job_that_is_removed_frees_what_still_waits():
    queue = make_queue()
    own = job(6, 6, 6)
    queue.put(own)
    assert queue.take() == [(own, 0)]
    queue.remove(own)
    queue.remove(own)
    assert queue.num_tokens == 0 and queue.num_texts == 0


def test_queue_hands_out_what_waits_after_it_is_closed():
    queue = BatchQueue(10, 3600.0, 100)
    own = job(1)
    queue.put(own)
    queue.close()
    assert queue.take() == [(own, 0)] and queue.take() is None
    with pytest.raises(Refusal, match="stops"):
        queue.put(job(1))


def test_job_is_complete_with_its_last_document_in_order():
    own = job(1, 1)
    own.add(1, ["second"])
    assert not own.future.done()
    own.add(0, ["first"])
    assert own.future.result() == [["first"], ["second"]]
    gone = job(1)
    gone.future.cancel()
    gone.add(0, [])
    gone.fail(ValueError())
    assert gone.future.cancelled()
