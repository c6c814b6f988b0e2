"""Links that lead out of a folder: what they point to is nobody else's business."""

from __future__ import annotations

from pathlib import Path


def file_inside(folder: Path, path: Path) -> Path | None:
    """The file that a path of a folder names, links resolved; None if there is none, or if a link leads out.

    A snapshot in the Hub's cache is a folder of links into the `blobs` next to it: these count as inside.
    """
    real, top = path.resolve(), folder.resolve()
    is_blob = top.parent.name == "snapshots" and real.parent == top.parent.parent / "blobs"
    return real if real.is_file() and (real.is_relative_to(top) or is_blob) else None
