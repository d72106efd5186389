"""Choosing by conditions: which elements are true, and which of several arrays to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend, errors
from ..core.kinds import Constant
from ..core.primitive import operand
from .arguments import Axes, as_type, start
from .choice import where as chosen
from .comparison import not_equal
from .concatenation import beside
from .reduce import sum
from .shape import normalize_axes

__all__ = ["count_nonzero", "nonzero", "select", "where"]

_nonzero: Constant = Constant("nonzero", kernel=lambda xp, x: xp.stack(xp.nonzero(x)))


def nonzero(a: Any) -> tuple[Any, ...]:
    """Where the elements are that are not 0 (or false): for each axis, their indices along it.

    ``a[tg.nonzero(a)]`` are these elements. On a GPU this waits for the computation to finish.

    Raises
    ------
    ShapeError
        For a number, which has no axes.

    Examples
    --------
    >>> tg.nonzero(tg.tensor([[0.0, 2.0], [3.0, 0.0]]))
    (tensor([0, 1]), tensor([1, 0]))
    """
    a = operand("nonzero", a)
    if not a.shape:
        raise errors.ShapeError("nonzero: a number has no axes to give indices for; write a.reshape(1)")
    found = _nonzero(a)
    return tuple(found[i] for i in range(len(a.shape)))


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Choose, elementwise: `x` where `condition` is true, `y` elsewhere, with broadcasting.

    With `condition` alone: `nonzero`.

    Parameters
    ----------
    condition : tensor or array of bool
    x, y : tensor, array or number
        What was not chosen gets the derivative 0, even where its own value is infinite or nan.

    Examples
    --------
    >>> x = tg.tensor([1.0, -2.0])
    >>> tg.where(x > 0, x, 0.0)
    tensor([1., 0.])
    """
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("where: give both x and y to choose between, or neither of them for the indices")
    return chosen(condition, x, y)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Elementwise, from the first of several arrays whose condition is true; `default` where none is.

    Parameters
    ----------
    condlist : sequence of tensors or arrays of bool
    choicelist : sequence of tensors, arrays or numbers, as many as there are conditions
    default : tensor, array or number

    Examples
    --------
    >>> x = tg.tensor([-2.0, 0.5, 3.0])
    >>> tg.select([x < 0, x < 1], [0.0, x], 1.0)
    tensor([0. , 0.5, 1. ])
    """
    try:
        conditions, choices = list(condlist), list(choicelist)
    except TypeError:
        raise TypeError(
            "select: condlist and choicelist are sequences of arrays; write [condition], [choice]"
        ) from None
    if len(conditions) != len(choices) or not conditions:
        raise ValueError(
            f"select: as many choices as conditions, and at least one; got {len(conditions)} conditions and "
            f"{len(choices)} choices"
        )
    *choices, result = _of_one_dtype([*choices, default])
    for condition, choice in zip(conditions[::-1], choices[::-1], strict=True):
        condition = operand("select", condition)
        if condition.dtype.kind != "b":
            raise TypeError(f"select: conditions are arrays of bool; got {condition.dtype}. Write condition != 0.")
        result = chosen(condition, choice, result)
    return result


def _of_one_dtype(values: list[Any]) -> list[Any]:
    """Arrays in the dtype of all together: two that meet before the third must not decide by themselves."""
    values = [x if isinstance(x, (int, float)) else operand("select", x) for x in values]
    array = next((y for x in values if backend.is_array(y := getattr(x, "_array", x))), None)
    if array is None:
        return values
    dtype = backend.namespace(array).result_type(*[getattr(x, "dtype", x) for x in values])
    return [as_type(x if hasattr(x, "dtype") else beside("select", "choice", x, array), dtype) for x in values]


def count_nonzero(a: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """How many elements along `axis` are not 0 (or false).

    Examples
    --------
    >>> tg.count_nonzero(tg.tensor([[0.0, 2.0], [3.0, 1.0]]), axis=0)
    tensor([1, 2])
    """
    a = start("count_nonzero", a)
    return sum(not_equal(a, 0), normalize_axes("count_nonzero", axis, len(a.shape)), keepdims=keepdims)
