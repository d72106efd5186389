"""Questions about corresponding elements, and logic on the answers: piecewise constant, so without derivatives."""

from __future__ import annotations

from ..core.kinds import Constant

__all__ = [
    "bitwise_and", "bitwise_or", "bitwise_xor", "equal", "greater", "greater_equal", "invert", "isfinite", "isinf",
    "isnan", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "not_equal", "sign",
]  # fmt: skip


def _comparison(name: str, sign: str) -> Constant:
    doc = f"""Whether ``a {sign} b``, elementwise, with broadcasting.

    Examples
    --------
    >>> tg.{name}(tg.tensor([2.0]), tg.tensor([2.0])).dtype
    dtype('bool')
    """
    return Constant(name, doc=doc)


equal = _comparison("equal", "==")
not_equal = _comparison("not_equal", "!=")
less = _comparison("less", "<")
less_equal = _comparison("less_equal", "<=")
greater = _comparison("greater", ">")
greater_equal = _comparison("greater_equal", ">=")

sign: Constant = Constant(
    "sign",
    doc="""-1, 0 or 1, elementwise: the sign of `x`.

    Examples
    --------
    >>> tg.sign(tg.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """,
)


def _class(name: str, what: str) -> Constant:
    doc = f"""Whether each element is {what}.

    Examples
    --------
    >>> tg.{name}(tg.tensor([1.0, float("inf"), float("nan")]))
    tensor([...])
    """
    return Constant(name, doc=doc)


isfinite = _class("isfinite", "neither infinite nor nan")
isinf = _class("isinf", "infinite, of either sign")
isnan = _class("isnan", "nan: not a number")


def _logic(name: str, what: str) -> Constant:
    doc = f"""Whether {what} true, elementwise, with broadcasting; a number other than 0 counts as true.

    Examples
    --------
    >>> tg.{name}(tg.tensor([0.0, 0.0, 2.0, 2.0]), tg.tensor([0.0, 1.0, 0.0, 1.0]))
    tensor([...])
    """
    return Constant(name, doc=doc)


logical_and = _logic("logical_and", "both are")
logical_or = _logic("logical_or", "at least one is")
logical_xor = _logic("logical_xor", "exactly one is")

logical_not: Constant = Constant(
    "logical_not",
    doc="""Whether each element is false, or 0.

    Examples
    --------
    >>> tg.logical_not(tg.tensor([0.0, 2.0]))
    tensor([ True, False])
    """,
)


def _bits(name: str, sign: str) -> Constant:
    doc = f"""``a {sign} b`` of booleans, or of the bits of whole numbers, elementwise, with broadcasting.

    Examples
    --------
    >>> tg.{name}(tg.tensor([True, False]), tg.tensor([True, True]))
    tensor([...])
    """
    return Constant(name, doc=doc)


bitwise_and = _bits("bitwise_and", "&")
bitwise_or = _bits("bitwise_or", "|")
bitwise_xor = _bits("bitwise_xor", "^")

invert: Constant = Constant(
    "invert",
    doc="""``~x``, elementwise: the opposite of booleans, or all bits of whole numbers turned over.

    Examples
    --------
    >>> tg.invert(tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
