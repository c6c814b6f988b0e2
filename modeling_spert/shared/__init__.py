"""What several subpackages use: how a command fails, Markdown, JSON files, digests, and folders written whole."""

from modeling_spert.shared.commands import CommandParser, command
from modeling_spert.shared.digests import file_sha256
from modeling_spert.shared.json_files import parse_json, read_object
from modeling_spert.shared.links import file_inside
from modeling_spert.shared.markdown import escape, table
from modeling_spert.shared.staging import replace_folder, save_parts, staged_folder

__all__ = [
    "CommandParser",
    "command",
    "escape",
    "file_inside",
    "file_sha256",
    "parse_json",
    "read_object",
    "replace_folder",
    "save_parts",
    "staged_folder",
    "table",
]
