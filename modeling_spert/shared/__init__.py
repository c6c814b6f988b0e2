"""What several subpackages use: how a command fails, Markdown, and folders written whole or not at all."""

from modeling_spert.shared.commands import CommandParser, command
from modeling_spert.shared.markdown import escape, table
from modeling_spert.shared.staging import replace_folder, save_parts, staged_folder

__all__ = ["CommandParser", "command", "escape", "replace_folder", "save_parts", "staged_folder", "table"]
