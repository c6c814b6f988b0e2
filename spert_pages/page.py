"""One self-contained HTML page from a template: nothing is fetched, every string is escaped."""

import base64
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spert_pages.palette import color_classes, theme_variables

_OWN = "spert_pages"


def render_page(
    package: str, template: str, style: str | None = None, script: str | None = None, **context: Any
) -> str:
    """Fill a template and put the page's frame around it.

    Args:
        package: The package whose folder `templates` holds the template, such as "modeling_spert.analysis".
        template: Its file name. It extends `base.html` of this package and fills its blocks.
        style: File name, in the same folder, of a style sheet that is added to the common one.
        script: File name, in the same folder, of the page's only script; None for a page without one.
        **context: What the template reads. Plain strings are escaped; `Markup` is taken as it is.

    Returns:
        The page's text. Its content security policy allows its own style sheet and that one script, nothing else.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(_OWN)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    code = "" if script is None else _source(environment, script)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return environment.get_template(template).render(
        style=Markup(
            _style(environment) + (_source(environment, style) if style else "")
        ),  # our own file, no text of the user's
        script=Markup(code),
        script_policy=f"'sha256-{digest}'" if code else "'none'",
        **context,
    )


def write_text(text: str, path: str | os.PathLike[str]) -> Path:
    """Write a file, whole or not at all; its folder is made if it is not there, and a file keeps its permissions.

    Lone surrogates, which UTF-8 cannot hold, become question marks.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644  # a temporary file is its owner's alone
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _style(environment: Environment) -> str:
    light, dark = theme_variables("light"), theme_variables("dark")
    themes = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return "\n".join((_source(environment, "base.css"), themes, color_classes()))
