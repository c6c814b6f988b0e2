"""Ids that come twice, among any number of ids, in bounded memory.

Eight bytes of each id's digest are kept: in memory for the first million, then in 256 files by their first byte, which
are sorted one at a time: 8 bytes of disk per id, and 1/256 of them in memory. Digests that are equal are confirmed by a
second reading, so that two ids that only share a digest are not taken for one.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

import numpy as np

_IN_MEMORY = 1 << 20  # ids


def find_repeat(read: Callable[[], Iterable[tuple[str, str]]], folder: Path) -> tuple[int, tuple[str, str, str] | None]:
    """The number of ids, and the first that comes twice.

    Args:
        read: Gives ids and where each is from; called a second time if digests are equal.
        folder: Where the digests of many ids are kept for the time.

    Returns:
        The number of ids, and the id with its first and second place, or None.
    """
    count = 0
    with Digests(folder) as digests:
        for identity, _ in read():
            digests.add(identity)
            count += 1
        suspects = digests.repeated()
    places: dict[str, str] = {}
    for identity, place in read() if suspects else ():
        if digest_of(identity) in suspects:
            if identity in places:
                return count, (identity, places[identity], place)
            places[identity] = place
    return count, None


def digest_of(identity: str) -> int:
    """Eight bytes of the id's digest, as an integer."""
    return int.from_bytes(blake2b(identity.encode("utf-8"), digest_size=8).digest(), "little")


class Digests:
    """Digests of ids; a context, at whose end the files are removed.

    Args:
        folder: Where to keep files.
        in_memory: Digests to collect before they go to the files.
    """

    def __init__(self, folder: Path, in_memory: int = _IN_MEMORY):
        self._folder, self._limit = folder, in_memory
        self._recent = array("Q")
        self._files: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Digests:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._files is not None:
            self._files.cleanup()

    def add(self, identity: str) -> None:
        """One more id."""
        self._recent.append(digest_of(identity))
        if len(self._recent) >= self._limit:
            self._spill()

    def repeated(self, most: int = 10_000) -> set[int]:
        """Digests that were added twice or more, at most so many: one is enough to stop for."""
        if self._files is None:
            return _repeated(np.frombuffer(self._recent, dtype=np.uint64), most) if self._recent else set()
        self._spill()
        found: set[int] = set()
        for path in sorted(Path(self._files.name).iterdir()):
            found |= _repeated(np.fromfile(path, dtype=np.uint64), most - len(found))
            if len(found) >= most:
                break
        return found

    def _spill(self) -> None:
        if not self._recent:
            return
        if self._files is None:
            self._files = tempfile.TemporaryDirectory(prefix=".ids-", dir=self._folder)
        values = np.sort(np.frombuffer(self._recent, dtype=np.uint64))
        edges = np.searchsorted(values, np.arange(256, dtype=np.uint64) << np.uint64(56))
        for number, part in enumerate(np.split(values, edges[1:])):
            if len(part):
                with open(Path(self._files.name) / f"{number:03d}", "ab") as stream:
                    stream.write(part.tobytes())
        self._recent = array("Q")


def _repeated(values: np.ndarray, most: int) -> set[int]:
    values = np.sort(values)
    return set(np.unique(values[1:][values[1:] == values[:-1]])[:most].tolist())
