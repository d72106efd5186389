"""Hyper-parameters outside their range are refused where an optimizer is made: checks that the methods share."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["check_decays", "check_flags", "check_form", "check_frequency", "check_number", "check_pair", "is_book"]


def check_number(
    method: str, name: str, value: Any, low: float = 0.0, high: float = math.inf, *, above: bool = False
) -> None:
    """Refuse a hyper-parameter outside ``[low, high)``, or ``(low, high)`` with `above`; or one that is no number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value < high or (above and value == low) or value > sys.float_info.max:
        left = "(" if above else "["
        bounds = f"in {left}{low:g}, {high:g})"
        if high == math.inf:
            bounds = f"above {low:g}" if above else f"at least {low:g}"
        raise ValueError(f"{method}: {name} must be a number {bounds}; got {value!r}")


def check_pair(method: str, name: str, value: Any, example: str) -> None:
    """Refuse what is not two values."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{method}: {name} must be a pair such as {example}; got {value!r}")


def check_decays(method: str, betas: Any) -> None:
    """Refuse `betas` unless they are two decay rates in [0, 1)."""
    check_pair(method, "betas", betas, "(0.9, 0.999)")
    for position, beta in enumerate(betas):
        check_number(method, f"betas[{position}]", beta, high=1.0)


def check_flags(method: str, group: Mapping[str, Any], *names: str) -> None:
    """Refuse switches that are neither on nor off; a method need not have them all."""
    for name in names:
        if name in group and not isinstance(group[name], bool):
            raise ValueError(f"{method}: {name} must be True or False; got {group[name]!r}")


def check_frequency(method: str, group: Mapping[str, Any]) -> None:
    """Refuse an `update_freq` that is no number of steps."""
    if type(group["update_freq"]) is not int or group["update_freq"] < 1:
        raise ValueError(f"{method}: update_freq must be a whole number from 1 on; got {group['update_freq']!r}")


def is_book(group: Mapping[str, Any]) -> bool:
    """Whether the form is the book's; also of a group that nobody has checked."""
    return isinstance(group["form"], str) and group["form"] == "book"


def check_form(method: str, group: Mapping[str, Any], *foreign: str) -> None:
    """Refuse an unknown `form`; and in the book's form, what has no place in its box."""
    if not isinstance(group["form"], str) or group["form"] not in ("torch", "book"):
        raise ValueError(f"{method}: form must be 'torch' or 'book'; got {group['form']!r}")
    given = [name for name in foreign if group[name]] if is_book(group) else []
    if given:
        raise ValueError(f"{method}: form='book' has no {given[0]}; leave {given[0]} out, or write form='torch'")
