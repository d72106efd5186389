"""The five kinds of primitive. An operation is declared once, by its kind; both derivative modes follow.

============  ============================================  =========================  ============================
kind          the author writes                             forward mode               reverse mode
============  ============================================  =========================  ============================
Elementwise   ``rule_i(g, y, *xs)``: g times dy/dx_i        sum of rule_i(t_i)         rule_i(g), summed to x_i's shape
Linear        ``transpose(g, like, **meta)``                the map itself             the transpose
Multilinear   ``adjoint_i(g, *xs)``                         sum of the map with t_i    adjoint_i(g)
General       ``push_i(t, y, *xs)``, ``pull_i(g, y, *xs)``  sum of push_i(t_i)         pull_i(g)
Constant      nothing                                       none                       none
============  ============================================  =========================  ============================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import backend
from .declaration import check_kernel, check_pairs, check_rule
from .dtypes import float16, float32
from .folding import fold, is_short
from .primitive import UNREAD, Primitive, Rule, reads
from .tape import Node

__all__ = [
    "Constant", "Elementwise", "General", "Linear", "Multilinear", "broadcast_to", "cast", "fit", "sum_to",
]  # fmt: skip

Array = Any


class Elementwise(Primitive):
    """A function of corresponding elements: its Jacobian is diagonal, hence its own transpose."""

    kind = "elementwise"

    def __init__(self, name: str, *rules: Rule | None, kernel: str | Rule | None = None, doc: str = "") -> None:
        if not any(rules):
            raise TypeError(f"{name}: an Elementwise primitive has a rule for each argument; without any: Constant")
        meta = check_kernel(name, kernel or name, len(rules))
        for i, rule in enumerate(rules):
            if rule is not None:
                check_rule(name, f"rule_{i}", rule, ["g", "y", *_arguments(len(rules))], meta)
        self.rules = rules
        super().__init__(name, [reads(rule, 0) for rule in rules], kernel, doc)
        self._varying = sum(1 << i for i, rule in enumerate(rules) if rule is not None)

    def pull(self, node: Node, position: int, g: Any, saved: tuple[Any, ...]) -> Any:
        return fit(self.rules[position](g, *saved, **node.meta), node.parents[position])  # type: ignore[misc]

    def push(self, node: Node, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        terms = [
            rule(t, *saved, **node.meta)
            for rule, t in zip(self.rules, tangents, strict=True)
            if t is not None and rule is not None
        ]
        return fit(_total(terms), node)


class Linear(Primitive):
    """A linear map: its derivative is itself, and its transpose is declared.

    A map of one array declares ``transpose(g, like, **meta)``, where `like` has the shape and dtype of the input; where
    that fills a part of the input only, it may answer with a patch (see `patches`). A map of many arrays (concatenate)
    is declared `variadic`; its transpose also gets ``position=i``.
    """

    kind = "linear"

    def __init__(
        self, name: str, transpose: Rule, *, kernel: str | Rule | None = None, variadic: bool = False, doc: str = ""
    ) -> None:
        meta = check_kernel(name, kernel or name, None if variadic else 1)
        if meta is not None and variadic:
            meta = [*meta, "position"]
        check_rule(name, "transpose", transpose, ["g", "like"], meta)
        self.transpose = transpose
        self.variadic = variadic
        super().__init__(name, [frozenset()], kernel, doc)

    def _saver(self, mask: int, count: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
        if not self.variadic:
            return super()._saver(mask, count)

        def zeros_for_constants(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return (UNREAD, *(UNREAD if mask >> i & 1 else _zeros(x) for i, x in enumerate(values[2:])))

        self._savers[mask, count] = zeros_for_constants
        return zeros_for_constants

    def pull(self, node: Node, position: int, g: Any, saved: tuple[Any, ...]) -> Any:
        like = node.parents[position]
        which = {"position": position} if self.variadic else {}
        return fit(self.transpose(g, like, **node.meta, **which), like)

    def push(self, node: Node, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        known = next(t for t in tangents if t is not None)
        filled = [
            t if t is not None else zero if parent is None else _zeros(getattr(known, "_array", known), parent)
            for t, zero, parent in zip(tangents, saved[1:], node.parents, strict=True)
        ]
        return fit(self(*filled, **node.meta), node)


class Multilinear(Primitive):
    """A map that is linear in each of its arguments: each adjoint is a map of the same family."""

    kind = "multilinear"

    def __init__(self, name: str, *adjoints: Rule, kernel: str | Rule | None = None, doc: str = "") -> None:
        if not adjoints:
            raise TypeError(f"{name}: a Multilinear primitive has an adjoint for each argument; got none")
        meta = check_kernel(name, kernel or name, len(adjoints))
        for i, rule in enumerate(adjoints):
            check_rule(name, f"adjoint_{i}", rule, ["g", *_arguments(len(adjoints))], meta)
        self.adjoints = adjoints
        others = [frozenset(range(1, len(adjoints) + 1)) - {i + 1} for i in range(len(adjoints))]
        own = [reads(rule, 1) or frozenset() for rule in adjoints]
        super().__init__(name, [a | b for a, b in zip(own, others, strict=True)], kernel, doc)

    def pull(self, node: Node, position: int, g: Any, saved: tuple[Any, ...]) -> Any:
        return fit(self.adjoints[position](g, *saved[1:], **node.meta), node.parents[position])

    def push(self, node: Node, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        xs = saved[1:]
        terms = [self(*xs[:i], t, *xs[i + 1 :], **node.meta) for i, t in enumerate(tangents) if t is not None]
        return fit(_total(terms), node)


class General(Primitive):
    """Any other differentiable map: the author writes its Jacobian's product with a vector, from both sides.

    Where the Jacobian is symmetric (softmax and its relatives), `pulls` may be left out. What the pulls of several
    arguments compute alike goes into ``common(g, y, *xs)``: a walk computes it once for each cotangent, and each pull
    gets it as its last positional argument.
    """

    kind = "general"

    def __init__(
        self, name: str, pushes: Sequence[Rule | None], pulls: Sequence[Rule | None] | None = None, *,
        common: Rule | None = None, kernel: str | Rule | None = None, doc: str = "",
    ) -> None:  # fmt: skip
        self.pushes = tuple(pushes)
        self.pulls = tuple(pulls if pulls is not None else pushes)
        check_pairs(name, self.pushes, self.pulls)
        meta = check_kernel(name, kernel or name, len(self.pushes))
        for first, rules in (("t", self.pushes), ("g", self.pulls)):
            for i, rule in enumerate(rules):
                if rule is not None:
                    what = f"{'push' if first == 't' else 'pull'}_{i}"
                    shared = ["common"] if common is not None and first == "g" else []
                    check_rule(name, what, rule, [first, "y", *_arguments(len(rules)), *shared], meta)
        if common is not None:
            check_rule(name, "common", common, ["g", "y", *_arguments(len(self.pulls))], meta)
        self.common = common
        last = len(self.pulls) + 1  # the position of what they have in common, after the output and the arguments
        self._sharers = [i for i, rule in enumerate(self.pulls) if common is not None and last in _certain(rule)]
        either: list[frozenset[int] | None] = []
        for i, rules in enumerate(zip(self.pushes, self.pulls, strict=True)):
            read = [reads(rule, 0) for rule in (*rules, common if i in self._sharers else None)]
            either.append(None if None in read else frozenset().union(*read))  # type: ignore[arg-type]
        super().__init__(name, either, kernel, doc)
        self._varying = sum(1 << i for i, rule in enumerate(self.pulls) if rule is not None)

    def prepare(self, node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        for position in self._sharers:
            if node.parents[position] is not None:
                return (*saved, self.common(g, *saved, **node.meta))  # type: ignore[misc]
        return saved if self.common is None else (*saved, UNREAD)

    def pull(self, node: Node, position: int, g: Any, saved: tuple[Any, ...]) -> Any:
        return fit(self.pulls[position](g, *saved, **node.meta), node.parents[position])  # type: ignore[misc]

    def push(self, node: Node, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        terms = [
            rule(t, *saved, **node.meta)
            for rule, t in zip(self.pushes, tangents, strict=False)  # the last arguments may be optional
            if t is not None and rule is not None
        ]
        return fit(_total(terms), node)


class Constant(Primitive):
    """A piecewise constant function: its derivative is zero wherever it exists, and nothing is recorded."""

    kind = "constant"

    def __init__(self, name: str, *, kernel: str | Rule | None = None, doc: str = "") -> None:
        check_kernel(name, kernel or name, None)
        super().__init__(name, (), kernel, doc)
        self._varying = 0


# The three linear maps that the kinds themselves need, to make shapes and dtypes meet.


def _sum_to_kernel(xp: Any, x: Array, *, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which `shape` was broadcast to the shape of `x`."""
    lead = x.ndim - len(shape)
    axes = tuple(i for i, n in enumerate(x.shape) if i < lead or (shape[i - lead] == 1 and n != 1))
    if x.ndim - 1 in axes and is_short(x):
        x, axes = fold(xp.add, x), axes[:-1]
        if not axes:
            return x.reshape(shape)
    if x.dtype == float16:  # a long sum would come to a halt where the next term is less than its last digit
        return x.sum(axis=axes, dtype=float32).astype(float16).reshape(shape)
    return x.sum(axis=axes, dtype=x.dtype).reshape(shape)


broadcast_to: Linear = Linear("broadcast_to", lambda g, like, *, shape: sum_to(g, shape=like.shape))
sum_to: Linear = Linear("sum_to", lambda g, like, *, shape: broadcast_to(g, shape=like.shape), kernel=_sum_to_kernel)
cast: Linear = Linear(
    "cast", lambda g, like, *, dtype: cast(g, dtype=like.dtype), kernel=lambda xp, x, *, dtype: x.astype(dtype)
)


def fit(value: Any, like: Any) -> Any:
    """`value` with the shape and dtype of `like`: summed or broadcast, and cast, where that is needed at all."""
    shape = like.shape
    if value.shape != shape:  # the common case needs nothing
        if len(value.shape) > len(shape) or any(
            n != m for n, m in zip(value.shape[::-1], shape[::-1], strict=False) if n != 1
        ):
            value = sum_to(value, shape=shape)
        if value.shape != shape:
            value = broadcast_to(value, shape=shape)
    if value.dtype is not like.dtype and value.dtype != like.dtype:
        value = cast(value, dtype=like.dtype)
    return value


def _arguments(count: int) -> list[str]:
    """What messages call the arguments of a rule."""
    return ["x"] if count == 1 else [f"x{i}" for i in range(count)]


def _certain(rule: Rule | None) -> frozenset[int]:
    """The positions that a rule names and reads."""
    return reads(rule, 0) or frozenset()


def _total(terms: Sequence[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _zeros(reference: Any, like: Any = None) -> Array:
    """Zeros of the shape and dtype of `like`, from the library of `reference`, in the memory of one element."""
    like = reference if like is None else like
    xp = backend.namespace(reference)
    with backend.beside(reference):
        return xp.broadcast_to(xp.zeros((), dtype=like.dtype), like.shape)
