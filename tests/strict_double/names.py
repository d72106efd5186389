"""The list of CuPy's names in `cupy_names.txt`, read: what exists in CuPy, and which arguments it takes there."""

from __future__ import annotations

import inspect
from pathlib import Path

_TEXT = (Path(__file__).parent / "cupy_names.txt").read_text(encoding="utf-8")


def _sections() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in _TEXT.splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def signature(parameters: str) -> inspect.Signature:
    """``a, axis=`` as a signature; the default of what may be left out is an ellipsis."""
    return inspect.signature(eval(f"lambda {parameters.replace('=', '=...')}: None"))


SECTIONS = _sections()


def words(section: str) -> frozenset[str]:
    """The names of a section that lists nothing but names."""
    return frozenset(" ".join(SECTIONS[section]).split())


def signatures(section: str, first: str = "") -> dict[str, inspect.Signature]:
    """The functions of a section with their parameters, `first` in front of them."""
    entries = (line.removesuffix(")").partition("(") for line in SECTIONS[section])
    return {name: signature(first + parameters) for name, _, parameters in entries}
