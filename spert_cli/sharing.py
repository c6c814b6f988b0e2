"""`spert card` and `spert push`: the commands of `modeling_spert.model_card` and `modeling_spert.hub`."""

from __future__ import annotations

from collections.abc import Callable

import typer

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("card", context_settings=_PASSED_ON, add_help_option=False)(card)
    app.command("push", context_settings=_PASSED_ON, add_help_option=False)(push)


def card(context: typer.Context) -> int:
    """Make the model card of a folder again: `spert card runs/mine --repo org/name`."""
    from modeling_spert.model_card.__main__ import main

    return _run(main, context, "spert card")


def push(context: typer.Context) -> int:
    """Push a model folder, a data set or the metric to the Hub: `spert push runs/mine org/name --private`."""
    from modeling_spert.hub.__main__ import main

    return _run(main, context, "spert push")


def _run(main: Callable[..., int], context: typer.Context, program: str) -> int:
    try:
        return main(list(context.args), program)
    except SystemExit as stop:  # argparse has printed why
        return stop.code if isinstance(stop.code, int) else 0
