"""Kernels that are given as C text: the double reads the text, and does what it says to whole arrays.

The part of C that an elementwise kernel needs: declarations, assignments, operators with C's precedence, ``?:`` and
functions. As strict as the rest: a value that would be computed in another precision than its declaration says is
refused, since on a GPU that is the mistake nobody sees.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .array import ndarray
from .devices import launch

_TOKEN = re.compile(r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?f?|[A-Za-z_]\w*|\|\||&&|[<>=!]=|[-+*/<>!?:(),=])")
_LEVELS: list[dict[str, Callable[..., Any]]] = [  # from the weakest to the strongest
    {"||": np.logical_or},
    {"&&": np.logical_and},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
]
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "fabs": np.abs, "pow": np.power, "atan": np.arctan, "atan2": np.arctan2,
    "float16": np.float16, "float32": np.float32, "float64": np.float64,
    **{name: getattr(np, name) for name in ("cbrt ceil cos cosh exp exp2 expm1 floor log log10 log1p log2 rint sin "
                                            "sinh sqrt tan tanh trunc").split()},
}  # fmt: skip
_TYPES = {"float16", "float32", "float64", "bool"}


def ElementwiseKernel(
    in_params: str, out_params: str, operation: str, name: str = "kernel", reduce_dims: bool = True, preamble: str = "",
    no_return: bool = False, return_tuple: bool = False, **kwargs: Any,
) -> Kernel:  # fmt: skip
    """A kernel whose parameters have names and types: ``"float32 x, float32 y"``."""
    if unknown := set(kwargs) - {"options", "loop_prep", "after_loop"}:
        raise TypeError(f"ElementwiseKernel has no {sorted(unknown)}")
    return Kernel(_parameters(in_params), _parameters(out_params), operation)


def _parameters(text: str) -> list[tuple[str, str]]:
    pairs = [tuple(part.split()) for part in text.split(",")]
    if bad := [pair for pair in pairs if len(pair) != 2 or pair[0] not in _TYPES or not pair[1].isidentifier()]:
        raise ValueError(f"expected parameters such as 'float32 x'; got {bad[0]}")
    return pairs  # type: ignore[return-value]


class Kernel:
    """What is read: arrays or numbers. What is written: arrays, which the text may read before it writes them."""

    def __init__(self, read: list[tuple[str, str]], written: list[tuple[str, str]], text: str) -> None:
        self.read, self.written, self.text = read, written, text

    def __call__(self, *args: Any) -> None:
        if len(args) != len(self.read) + len(self.written):
            raise TypeError(f"the kernel takes {len(self.read)} + {len(self.written)} arguments; got {len(args)}")
        launch(x._device for x in args if isinstance(x, ndarray))
        types, names = {}, {}
        for (kind, name), x in zip([*self.read, *self.written], args, strict=True):
            types[name], names[name] = kind, self._argument(kind, name, x)
        with np.errstate(all="ignore"):
            for statement in self.text.split(";"):
                if statement.strip():
                    _execute(statement.strip(), types, names, {name for _, name in self.written})

    def _argument(self, kind: str, name: str, x: Any) -> Any:
        if isinstance(x, ndarray):
            if x.dtype != kind:
                raise TypeError(f"Type is mismatched. {name} {x.dtype} {kind}")
            return x._host
        if (kind, name) in self.written or isinstance(x, np.ndarray):
            raise TypeError(f"Unsupported type {type(x)}")
        return np.dtype(kind).type(x)


def _execute(statement: str, types: dict[str, str], names: dict[str, Any], written: set[str]) -> None:
    """``const float32 name = expression``, or an assignment to what the kernel writes."""
    place, equals, text = statement.partition("=")
    *declared, name = place.split()
    known = declared[-1:] and declared[-1] in _TYPES and declared[:-1] in ([], ["const"]) and name not in names
    if not equals or not (known or (not declared and name in written)):
        raise SyntaxError(f"not a statement that a kernel can hold: {statement!r}")
    value = _Reader(text, names).whole()
    if known:
        types[name], names[name] = declared[-1], _fitting(declared[-1], name, value)
    else:
        names[name][...] = _fitting(types[name], name, value)


def _fitting(kind: str, name: str, value: Any) -> Any:
    value = np.array(value)  # a copy: a constant is what it was
    if value.dtype != kind:
        raise TypeError(f"{name} is declared as {kind} and computed as {value.dtype}")
    return value[()]


class _Reader:
    """One expression, read from left to right."""

    def __init__(self, text: str, names: dict[str, Any]) -> None:
        self.tokens = _TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r"\s", "", text):
            raise SyntaxError(f"cannot read {text!r}")
        self.names = names

    def whole(self) -> Any:
        value = self.choice()
        if self.tokens:
            raise SyntaxError(f"left over: {self.tokens}")
        return value

    def next_is(self, *wanted: str) -> str:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else ""

    def expect(self, token: str) -> None:
        if not self.next_is(token):
            raise SyntaxError(f"expected {token!r}, found {self.tokens[:1]}")

    def choice(self) -> Any:
        condition = self.binary(0)
        if not self.next_is("?"):
            return condition
        a = self.choice()
        self.expect(":")
        return np.where(condition, a, self.choice())

    def binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self.unary()
        value = self.binary(level + 1)
        while sign := self.next_is(*_LEVELS[level]):
            value = _LEVELS[level][sign](value, self.binary(level + 1))
        return value

    def unary(self) -> Any:
        if self.next_is("-"):
            return -self.unary()
        if self.next_is("!"):
            return np.logical_not(self.unary())
        if self.next_is("("):
            value = self.choice()
            self.expect(")")
            return value
        token = self.tokens.pop(0)
        if token[0].isdigit():
            return int(token) if token.isdigit() else np.float32(token[:-1]) if token[-1] == "f" else np.float64(token)
        return self.call(_FUNCTIONS[token]) if self.next_is("(") else self.names[token]

    def call(self, function: Callable[..., Any]) -> Any:
        arguments = [self.choice()]
        while self.next_is(","):
            arguments.append(self.choice())
        self.expect(")")
        return function(*arguments)
