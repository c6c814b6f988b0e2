"""Every flag that the README and the guides give a `spert` command exists."""

import contextlib
import re
import shlex
from pathlib import Path

import pytest
import typer

from spert_cli import main
from spert_cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands


def documented_calls(page: str) -> list[tuple[str, str]]:
    """Commands and what follows them, up to the end of the code or a pipe."""
    text = (ROOT / page).read_text("utf-8").replace("\\\n", " ")
    calls = []
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    for code in [*blocks, *(" ".join(words.split()) for words in inline)]:
        for line in code.splitlines():
            for part in re.split(r"[|>;#]", line):
                words = part.replace("'", "").replace('"', "").split()
                if "spert" in words[:-1]:
                    place = words.index("spert")
                    calls.append((words[place + 1], shlex.join(words[place + 2 :])))
    return calls


def known_flags(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    with contextlib.suppress(SystemExit):
        main([command, "--help"])
    found = set(re.findall(r"--[a-z_0-9]+", capsys.readouterr().out))
    assert found, command
    return found | ({"--num_processes"} if command == "train" else set())  # of `spert train`, not of the script


def test_documented_flags_exist(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    seen = set()
    known = {command: known_flags(command, capsys) for command in COMMANDS}
    for page in PAGES:
        for command, rest in documented_calls(page):
            if command not in COMMANDS:
                continue
            flags = set(re.findall(r"(?<![\w-])--[a-z_0-9]+", rest)) - {"--help"}
            seen |= {(command, flag) for flag in flags}
            assert flags <= known[command], f"{page}: spert {command} {rest}"
    assert len(seen) >= 12 and ("extract", "--lines") in seen and ("train", "--output_dir") in seen
