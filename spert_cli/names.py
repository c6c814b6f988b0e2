"""Names of models on the command line: a folder of this machine, or a repository on the Hub."""

from __future__ import annotations

from pathlib import Path

# Where trainings usually write: a name that begins so is a path, not a repository.
_FOLDERS = ("runs", "models", "checkpoints", "output", "outputs")


def check_model_name(name: str) -> str:
    """The name, if it can be a folder or a repository.

    A mistyped path would otherwise be looked up on the Hub, which ends in a message about the network.

    Raises:
        ValueError: If the name looks like a path and there is no such folder, or the folder holds no model.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ValueError(f"{name} holds no model: there is no config.json in it")
        return str(folder)
    if folder.exists():
        raise ValueError(f"{name} is a file, not a model folder")
    parent = name.split("/")[0]
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or parent in _FOLDERS or Path(parent).is_dir():
        raise ValueError(f"no such folder: {name}")
    return name
