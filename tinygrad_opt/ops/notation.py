"""What Einstein's notation says, as letters and lengths: no tensor is touched here."""

from __future__ import annotations

import functools
import itertools
import string
from collections.abc import Sequence
from typing import Any

from .. import errors

__all__ = ["LETTERS", "split", "understand"]

LETTERS = string.ascii_uppercase + string.ascii_lowercase  # in the order of the integers that stand for them
Shapes = tuple[tuple[int, ...], ...]


def split(operands: Sequence[Any]) -> tuple[tuple[str, ...], str | None, list[Any]]:
    """The terms without spaces, the result's (None where it is implied), and the tensors."""
    if not operands:
        raise errors.ShapeError('einsum: nothing to sum. Write einsum("ij,jk->ik", a, b).')
    first, *rest = operands
    if isinstance(first, str):
        text = first.replace(" ", "")
        inputs, arrow, out = text.partition("->")
        terms, result = tuple(inputs.split(",")), out if arrow else None
    else:
        terms = tuple(_letters(labels) for labels in operands[1::2])
        result = _letters(operands[-1]) if len(operands) % 2 else None
        rest = list(operands[: 2 * len(terms) : 2])
    if len(terms) != len(rest):
        raise errors.ShapeError(
            f"einsum: the labels {','.join(terms)!r} are for {len(terms)} tensors; got {len(rest)}"
        )  # fmt: skip
    return terms, result, rest


def _letters(labels: Any) -> str:
    """Integers and Ellipsis as letters and dots."""
    if not isinstance(labels, (list, tuple)):
        got = f"a {type(labels).__name__} of shape {tuple(labels.shape)}" if hasattr(labels, "shape") else repr(labels)
        raise TypeError(
            f"einsum: after each tensor comes the list of its labels; got {got}. Write "
            'einsum("ij,jk->ik", a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2]).'
        )
    try:
        return "".join("..." if label is Ellipsis else LETTERS[range(len(LETTERS)).index(label)] for label in labels)
    except ValueError:
        raise errors.ShapeError(f"einsum: labels are integers from 0 to 51, or Ellipsis; got {labels!r}") from None


@functools.lru_cache(maxsize=1024)
def understand(terms: tuple[str, ...], out: str | None, shapes: Shapes) -> tuple[list[str], str, dict[str, int]]:
    """The terms and the result in letters only, and the length that each letter stands for."""
    for term in (*terms, out or ""):
        if not set(term.replace("...", "", 1)) <= set(LETTERS):
            raise errors.ShapeError(f"einsum: labels are letters, and '...' once for further axes; got {term!r}")
    letters, result = _spell_out(terms, out, shapes)
    return letters, result, _sizes(letters, result, shapes)


def _spell_out(terms: tuple[str, ...], out: str | None, shapes: Shapes) -> tuple[list[str], str]:
    """Letters in place of ``...``, the last of them for the last axes; and the result's letters where implied."""
    used = set("".join(terms))
    counts = []
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        letters = len(term.replace("...", ""))
        counts.append(len(shape) - letters)
        if counts[-1] < 0 or (counts[-1] and "..." not in term):
            raise errors.ShapeError(
                f"einsum: operand {i} of shape {shape} has {len(shape)} axes; its labels {term!r} are for "
                f"{letters}{' or more' if '...' in term else ''}"
            )
    most = max(counts)
    spare = (c for c in itertools.chain(LETTERS[::-1], map(chr, itertools.count(945))) if c not in used)
    further = "".join(itertools.islice(spare, most))
    if out is None:
        joined = "".join(terms)
        out = "..." + "".join(sorted(c for c in used - {"."} if joined.count(c) == 1))
    elif most and "..." not in out:
        raise errors.ShapeError(f"einsum: the result {out!r} does not say where '...' goes: write '->...{out}'")
    spelled = [term.replace("...", further[most - n :]) for term, n in zip(terms, counts, strict=True)]
    return spelled, out.replace("...", further)


def _sizes(terms: list[str], out: str, shapes: Shapes) -> dict[str, int]:
    """The length that each letter stands for; an axis of length 1 broadcasts."""
    sizes: dict[str, int] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        own: dict[str, int] = {}
        for label, n in zip(term, shape, strict=True):
            whole = sizes.get(label, 1)
            if own.setdefault(label, n) != n or (n != whole and 1 not in (n, whole)):
                raise errors.ShapeError(
                    f"einsum: shapes {' and '.join(map(str, shapes))} do not fit {','.join(terms)!r}: label {label!r} "
                    f"stands for {n} in operand {i}, and for {own[label] if own[label] != n else whole} before"
                )
            sizes[label] = n if whole == 1 else whole
    for label in out:
        if label not in sizes or out.count(label) > 1:
            what = "twice" if label in sizes else "and no tensor does"
            raise errors.ShapeError(f"einsum: the result {out!r} names {label!r} {what}")
    return sizes
