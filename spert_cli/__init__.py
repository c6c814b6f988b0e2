"""The command `spert`: checking and converting data, training, extraction, reports, sharing."""

from spert_cli.app import main

__all__ = ["main"]
