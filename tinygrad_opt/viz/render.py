"""DOT text to a picture, by whatever program can be found that draws it.

They are tried in this order: the one that the environment variable ``TINYGRAD_OPT_DOT`` names; Graphviz's ``dot``;
``graphviz-pure``, on PATH or in the scripts folder of this Python (which is not on PATH while a virtual environment
is not activated).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from .. import errors
from ..train.files import write

__all__ = ["find_renderer", "picture", "to_file"]

_FORMATS = ("svg", "png", "pdf", "dot")
_REMEDY = "Install one: pip install 'tinygrad_opt[viz]'"


def find_renderer() -> str:
    """The program that draws.

    Raises
    ------
    RendererError
        Where there is none, with the command that helps.
    """
    chosen = os.environ.get("TINYGRAD_OPT_DOT")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise errors.RendererError(
                f"the environment variable TINYGRAD_OPT_DOT names {chosen!r}, which is not a program that can be run. "
                "Set it to the path of Graphviz's dot, or unset it."
            )
        return found
    found = (
        shutil.which("dot")
        or shutil.which("graphviz-pure")
        or shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    )
    if found is None:
        raise errors.RendererError(f"no program was found that draws graphs (dot, graphviz-pure). {_REMEDY}")
    return found


def picture(text: str, form: str) -> bytes:
    """The picture that some DOT text describes, in the format ``"svg"``, ``"png"`` or ``"pdf"``.

    Raises
    ------
    RendererError
        Where nothing is found that draws, or the program found cannot draw this.
    """
    program = find_renderer()
    command = [program, f"-T{form}", *(["-Gdpi=200"] if form == "png" else [])]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    except OSError as error:
        raise errors.RendererError(f"{program} cannot be run ({error}). {_REMEDY}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        hint = (
            "Graphviz itself (graphviz.org) writes pdf, graphviz-pure does not: install it, or write .svg."
            if form == "pdf"
            else "The environment variable TINYGRAD_OPT_DOT can name another program."
        )
        raise errors.RendererError(f"{program} wrote no {form}: {said.rstrip('.')}. {hint}")
    return done.stdout


def to_file(text: str, path: Any) -> None:
    """Draw some DOT text into a file, in the format of its suffix; the file appears complete or not at all."""
    target = Path(path)
    form = target.suffix[1:].lower()
    if form not in _FORMATS:
        raise ValueError(
            f"render: the suffix decides the format: .svg, .png, .pdf or .dot; got {target.name!r}. "
            f"Write {str(target.with_suffix('.svg'))!r}."
        )
    write(target, text.encode() if form == "dot" else picture(text, form))
