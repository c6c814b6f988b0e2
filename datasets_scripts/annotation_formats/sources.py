"""Reading files that strangers made: bounded, inside the folder named, and with errors that say where."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from datasets_scripts.annotation_formats.character_offsets import OffsetUnit
from datasets_scripts.annotation_formats.report import UNREADABLE, Note

MAX_FILE_BYTES = 1 << 30  # of one file, also of what a zip member or a compressed file unpacks to
MAX_FILES = 200_000  # in a folder or a zip file
MAX_RATIO = 1000  # of what a zip member unpacks to; text rarely passes 20

OnBad = Literal["raise", "skip"]


class FormatError(ValueError):
    """A source that cannot be read. The message names file, place and remedy on one line."""

    def __init__(self, file: Path | str, message: str, line: int | None = None, place: str = ""):
        where = f", line {line}" if line is not None else ""
        super().__init__(f"{file}{where}{f', {place}' if place else ''}: {message}")


class MissingPackageError(FormatError, ImportError):
    """A format that needs a package which is not installed; the message says how to get it."""

    def __init__(self, file: Path | str, format_name: str, package: str):
        super().__init__(
            file, f"the format {format_name!r} needs {package}: pip install 'modeling-spert[formats]' (in a checkout: "
            "'.[formats]')"
        )  # fmt: skip


def list_files(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files below a folder with one of these suffixes, sorted; hidden ones and links to outside are left out.

    Raises:
        FormatError: The folder holds too many files.
    """
    wanted = {suffix.lower() for suffix in suffixes}
    home = root.resolve()
    found = []
    for count, path in enumerate(_walk(root)):
        if count >= MAX_FILES:
            raise FormatError(root, f"holds more than {MAX_FILES} files; name the folder with the annotations")
        if path.suffix.lower() in wanted and path.resolve().is_relative_to(home) and path.is_file():
            found.append(path)
    return sorted(found)


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below the folder; folders that are links are not entered."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if not path.is_symlink():
                yield from _walk(path)
        else:
            yield path


def check_inside(path: Path, root: Path) -> None:
    """Refuse a file that a link leads out of the folder that was named.

    Raises:
        FormatError: It is one.
    """
    if not path.resolve().is_relative_to(root.resolve()):
        raise FormatError(path, f"is a link out of the folder {root}; copy the file into it")


def read_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """What a file holds.

    Raises:
        FormatError: It is not an ordinary file, or larger than the limit (bytes).
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe or a device would never end
        raise FormatError(path, "is not an ordinary file; name a file or a folder")
    if status.st_size > limit:
        raise FormatError(path, f"has {status.st_size} bytes, more than {limit}; split it into smaller files")
    return path.read_bytes()


def decode(path: Path | str, content: bytes, encoding: str = "utf-8-sig") -> str:
    """The content as text.

    Raises:
        FormatError: It is not UTF-8; the message names the line.
    """
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FormatError(path, f"is not UTF-8 (byte {error.start}); convert it to UTF-8", line) from error


def read_text(path: Path, encoding: str = "utf-8-sig") -> str:
    """A file's text, line ends as they are."""
    return decode(path, read_bytes(path), encoding)


def read_lines(path: Path) -> list[str]:
    r"""A file's lines, cut at line feeds only (`\r` before one removed): other separators may be part of a line."""
    return [line.removesuffix("\r") for line in read_text(path).split("\n")]


def open_zip(source: Path | bytes, name: Path | str) -> dict[str, bytes]:
    """The files in a zip file, by name, unpacked in memory: no name is ever used as a path.

    Raises:
        FormatError: It is not a zip file, or unpacks to more than the limits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            _check_members(members, name)
            return {info.filename: _unpack(archive, info, name) for info in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(name, f"is not a readable zip file ({error}); export it again") from error


def _check_members(members: list[zipfile.ZipInfo], name: Path | str) -> None:
    if len(members) > MAX_FILES:
        raise FormatError(name, f"holds more than {MAX_FILES} files")
    if sum(info.file_size for info in members) > MAX_FILE_BYTES:
        raise FormatError(name, f"unpacks to more than {MAX_FILE_BYTES} bytes; export fewer documents at a time")
    for info in members:
        if info.file_size > MAX_RATIO * max(info.compress_size, 1000):
            raise FormatError(name, f"{info.filename!r} unpacks to {MAX_RATIO} times its size; that is not text")


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: Path | str) -> bytes:
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) > info.file_size:
        raise FormatError(name, f"{info.filename!r} is larger than it says")
    return content


@dataclass
class Reading:
    """How a source is read, and what reading it left out.

    Attributes:
        offset_unit: What offsets count, where the user says so.
        on_bad: "raise" at the first document that cannot be read, or "skip" it and note it.
        notes: What was left out of the corpus as a whole.
    """

    offset_unit: OffsetUnit = "auto"
    on_bad: OnBad = "raise"
    notes: list[Note] = field(default_factory=list)

    def bad(self, doc_id: str, error: FormatError) -> None:
        """Raise the error, or note that the document was left out."""
        if self.on_bad == "raise":
            raise error
        self.notes.append(Note(UNREADABLE, doc_id, example=str(error)))
