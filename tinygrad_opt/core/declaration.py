"""What a declaration of a primitive has to look like: checked where it is written, not where it first fails.

A rule or a kernel is called with a number of arrays and with the metadata of the call. Both are known from its kind
and from the kernel's signature, so a function that could never be called that way is refused, by name.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import FunctionType
from typing import Any

import numpy as np

__all__ = ["check_kernel", "check_name", "check_pairs", "check_rule", "declaring_module", "is_ours", "parameters"]

_PACKAGE = __name__.partition(".")[0]
_STARS = (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)
_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

Parameters = tuple[tuple[str, ...], tuple[str, ...], str, str]


def is_ours(module: str) -> bool:
    """Whether a module belongs to the package."""
    return module.partition(".")[0] == _PACKAGE


def declaring_module() -> str:
    """The name of the module in which a primitive is being declared; ``"__main__"`` in a script or a notebook."""
    frame = sys._getframe(2)  # beyond this function, and Primitive.__new__ which asks
    name = str(frame.f_globals.get("__name__", "__main__"))
    if is_ours(name) and not os.path.abspath(frame.f_code.co_filename).startswith(_FOLDER):
        return "__main__"  # an example that runs in a namespace of ours
    return name


def check_name(name: Any, registry: Mapping[str, Any], module: str) -> None:
    """Refuse what is not a name, and a name that is taken: only who declared a primitive may declare it anew."""
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a primitive's name comes first, a string such as 'bell' that Python takes; got {name!r:.80}")
    existing = registry.get(name)
    if existing is None or (existing.__module__ == module and not is_ours(module)):
        return
    owner = "the package itself" if is_ours(existing.__module__) else f"the module {existing.__module__!r}"
    raise ValueError(
        f"a primitive named {name!r} exists already: it was declared by {owner}, and graphs, copies and files know it "
        f"by that name. Choose another, such as {'my_' + name!r}."
    )


def parameters(function: Callable[..., Any]) -> Parameters | None:
    """The names of positional and of keyword-only parameters, and those behind one and two stars ("" for none).

    None for a function that does not tell, as some built-in ones.
    """
    if type(function) is FunctionType and not function.__dict__:  # at once: importing the package declares hundreds
        code = function.__code__
        names = iter(code.co_varnames)
        positional, keyword = (tuple(islice(names, n)) for n in (code.co_argcount, code.co_kwonlyargcount))
        args, kwargs = (next(names) if code.co_flags & flag else "" for flag in _STARS)
        return positional, keyword, args, kwargs
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = tuple(p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    keyword = tuple(p.name for p in found if p.kind is p.KEYWORD_ONLY)
    args = "".join(p.name for p in found if p.kind is p.VAR_POSITIONAL)
    return positional, keyword, args, "".join(p.name for p in found if p.kind is p.VAR_KEYWORD)


def check_kernel(name: str, kernel: Any, count: int | None) -> list[str] | None:
    """Refuse a kernel that does not exist, or cannot take the library and `count` arrays (None: any number).

    Returns the names of its metadata; None where it does not tell.
    """
    if isinstance(kernel, str):
        function = getattr(np, kernel, None)
        if isinstance(function, np.ufunc) and count not in (None, function.nin):
            raise TypeError(f"{name}: NumPy's {kernel!r} takes {function.nin} arrays; there are rules for {count}")
        if not callable(function):
            raise ValueError(
                f"{name}: NumPy has no function {kernel!r}. Pass kernel=, a function of the array library and the "
                "arrays: kernel=lambda xp, x: xp.exp(-x * x)."
            )
        return None
    if not callable(kernel):
        raise TypeError(f"{name}: kernel must be a function, or a name in the array library; got {kernel!r:.80}")
    found = parameters(kernel)
    if found is None:
        return None
    positional, keyword, several, any_keyword = found
    needed = 1 + (count or 0)
    if len(positional) < needed and not several:
        arrays = "an array" if count == 1 else f"{count} arrays (one for each rule)" if count else "arrays"
        raise TypeError(
            f"{name}: the kernel takes the array library first, and then {arrays}; its parameters are "
            f"{inspect.signature(kernel)}. "
            "Write kernel=lambda xp, x: xp.exp(-x * x)."
        )
    if any_keyword:
        return None
    return [*([] if several or count is None else positional[needed:]), *keyword]


def check_rule(name: str, what: str, rule: Any, leading: Sequence[str], meta: Sequence[str] | None) -> None:
    """Refuse a rule that cannot be called with the positional arguments `leading` and the kernel's metadata."""
    wanted = f"{what}({', '.join([*leading, *(['*', *meta] if meta else [])])})"
    if not callable(rule):
        raise TypeError(f"{name}: expected a function {wanted}; got {rule!r:.80}")
    found = parameters(rule)
    if found is None:
        return
    positional, keyword, several, any_keyword = found
    swapped = leading[1] == "y" and [name.lstrip("_") for name in positional[1:3]] == ["x", "y"]
    one_for_one = len(positional) == len(leading) and (meta is None or set(keyword) == set(meta))
    if one_for_one and not (swapped or several or any_keyword):
        return
    signature = inspect.signature(rule)
    if swapped:
        raise TypeError(f"{name}: the rule {what}{signature} gets the output before the inputs: write {wanted}")
    try:
        if meta is None:  # whether the other parameters are metadata of this kernel cannot be known
            signature.bind_partial(*leading)
        else:
            signature.bind(*leading, **dict.fromkeys(meta))
    except TypeError as error:
        raise TypeError(
            f"{name}: the rule {what}{signature} cannot be called as {wanted}: {error}. A leading underscore marks "
            "what a rule does not read; metadata are keyword-only, and the same in the kernel and in its rules."
        ) from None


def check_pairs(name: str, pushes: Sequence[Any], pulls: Sequence[Any]) -> None:
    """Refuse pushes and pulls that are not one of each for every argument."""
    if len(pushes) != len(pulls):
        raise TypeError(
            f"{name}: {len(pushes)} pushes and {len(pulls)} pulls; expected one of each for every argument (None and "
            "None for an argument without derivative)."
        )
    for position, (push, pull) in enumerate(zip(pushes, pulls, strict=True)):
        if (push is None) != (pull is None):
            lacking = "push" if push is None else "pull"
            raise TypeError(f"{name}: argument {position} has no {lacking}, but its counterpart; give both, or neither")
