"""Names of models on the command line: a folder of this machine, or a repository on the Hub."""

from __future__ import annotations

from pathlib import Path


def check_model_name(name: str) -> str:
    """The name, if it can be a folder or a repository.

    Raises:
        ValueError: If the name can only be a path and there is no such folder, or the folder holds no model.
    """
    from modeling_spert.training.build_model import check_folder

    check_folder("MODEL", name)
    folder = Path(name).expanduser()
    if folder.is_file():
        raise ValueError(f"MODEL {name} is a file, not a model folder")
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ValueError(f"MODEL {name} holds no model: there is no config.json in it")
    return str(folder) if folder.is_dir() else name
