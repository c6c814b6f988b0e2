"""Trainings side by side, each in a process of its own with a log; the next one starts when one is done."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.runs import Job, find_state, training_command

_POLL = 0.2  # seconds


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        job: What it was to train.
        code: Its exit code; 130 if it was stopped and has saved its state.
        log: Where its output is.
    """

    job: Job
    code: int
    log: Path


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    log: Path


def run_side_by_side(next_job: Callable[[], Job | None], output: Path, count: int) -> Iterator[Ended]:
    """Run trainings, up to `count` at a time, until there are no more or a signal arrives.

    Ctrl-C and SIGTERM are passed on to all trainings, which save their state and end; what is left is not started.

    Args:
        next_job: Gives the next training, None if there is none.
        output: Folder of the runs' folders; gets NAME.log and NAME.seconds, the CPU seconds of each process.
        count: Trainings at a time.

    Yields:
        Each training as it ends.
    """
    running: list[_Running] = []
    output.mkdir(parents=True, exist_ok=True)
    with _passing_signals_to(running) as received:
        while True:
            while len(running) < count and not received and (job := next_job()) is not None:
                running.append(_start(job, output))
                if received:  # it arrived while the process was being started
                    os.killpg(running[-1].process.pid, received[0])
            if not running:
                return
            for member in list(running):
                pid, status, usage = os.wait4(member.process.pid, os.WNOHANG)
                if pid == 0:
                    continue
                member.process.returncode = os.waitstatus_to_exitcode(status)
                running.remove(member)
                with open(output / f"{member.job.name}.seconds", "a", encoding="utf-8") as file:
                    file.write(f"{usage.ru_utime + usage.ru_stime:.2f}\n")
                yield Ended(member.job, member.process.returncode, member.log)
            time.sleep(_POLL)


def cpu_seconds(job: Job, output: Path) -> float:
    """CPU seconds of all processes that a training took."""
    with suppress(OSError):
        return sum(map(float, (output / f"{job.name}.seconds").read_text(encoding="utf-8").split()))
    return 0.0


def _start(job: Job, output: Path) -> _Running:
    _, checkpoint = find_state(job, output)
    log = output / f"{job.name}.log"
    with open(log, "ab") as stream:
        command = training_command(job, output, (), is_resumed=checkpoint is not None)
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
    return _Running(job, process, log)


@contextmanager
def _passing_signals_to(running: list[_Running]) -> Iterator[list[int]]:
    """Each training gets each signal once: it saves its state at the first and gives up at the second."""
    received: list[int] = []

    def pass_on(signal_number: int, _: Any) -> None:
        received.append(signal_number)
        for member in running:
            with suppress(ProcessLookupError):
                os.killpg(member.process.pid, signal_number)

    previous = {known: signal.signal(known, pass_on) for known in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for known, handler in previous.items():
            signal.signal(known, handler)
