"""What a new primitive has to be, checked one property at a time, so that each mistake has its own sentence.

`gradcheck` compares derivatives of any function with numeric ones. A primitive makes more promises: it is a function
of raw arrays too, its rules return what their kind expects of them, in the shape and dtype of its inputs, they are
recorded when they run on Tensors, and what is kept on the tape is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import errors, transforms
from ..core.kinds import Constant, Elementwise, General, Linear, Multilinear
from ..core.primitive import UNREAD, Primitive
from ..core.tape import Node
from ..core.tensor import Tensor
from .gradcheck import gradcheck
from .sources import RandomSource, Source
from .specs import Sample

__all__ = ["check_primitive"]

Array = Any
Draw = Callable[[Source], Any]


def check_primitive(
    primitive: Primitive, sample: Draw | Sequence[Any] | None = None, reference: Callable[..., Any] | None = None, *,
    examples: int = 20, seed: int = 0,
) -> bool:  # fmt: skip
    """Check everything that a primitive promises, on inputs that are given or drawn.

    Parameters
    ----------
    primitive : Primitive
        Of any kind, declared with `tinygrad_opt.extend`.
    sample : callable, sequence of arguments, or Sample, optional
        ``sample(source)`` draws the arguments of one call, in the domain of the function and off its kinks, from a
        `tinygrad_opt.testing.sources.Source`: a sequence of them, or a `Sample` where there are keyword arguments.
        Arguments themselves make a single example. For an elementwise primitive nothing need be given: the arguments
        are then drawn between -3 and 3, of shapes that broadcast, no axes and no elements among them.
    reference : callable, optional
        The same function in plain NumPy, called with the same arguments: value, shape and dtype have to be its.
    examples : int
        How many examples are drawn.
    seed : int
        For the draws.

    Returns
    -------
    bool
        True; everything else is an exception.

    Raises
    ------
    GradcheckError
        With the first broken promise, in words: a value, a derivative of first or second order, a rule that returns
        another shape, dtype or type than it should, an array that is kept and never read.
    TypeError
        For what is no primitive; for a rule that returns a raw array where it was given tensors.
    ValueError
        Where the examples leave nothing to check.

    Examples
    --------
    >>> import numpy as np
    >>> cubed = tg.extend.Elementwise("cubed", lambda g, _y, x: g * (3 * x * x), kernel=lambda xp, x: x * x * x)
    >>> tg.testing.check_primitive(cubed, reference=lambda x: x**3)
    True
    >>> tg.extend.forget("cubed")
    """
    if not isinstance(primitive, Primitive):
        raise TypeError(
            f"check_primitive: expected a primitive; got {primitive!r:.80}. For functions: tg.testing.gradcheck"
        )
    constant, checked = isinstance(primitive, Constant), 0
    kept: dict[tuple[tuple[bool, ...], int], bool] = {}
    for args, meta, wanted in _samples(primitive, sample, examples, seed):
        check = _Check(primitive, args, meta, wanted)
        check.value(reference)
        checked += constant or any(args[i].size for i in wanted)
        if wanted and not constant:
            for dtype in check.dtypes:
                node = check.first_order(dtype)
            for key, read in check.reads(node):
                kept[key] = kept.get(key, False) or read
            check.numerically()
    if not checked:
        raise ValueError(
            f"check_primitive of '{primitive.name}': nothing was checked, since no example has a floating array, with "
            "elements, for whose argument there is a rule"
        )
    for (_, position), read in kept.items():
        if not read:
            what = "the output" if position == 0 else f"argument {position - 1}"
            raise errors.GradcheckError(
                f"check_primitive of '{primitive.name}': {what} is kept for the derivative, and changing it changes no "
                "derivative: put an underscore before the name of that parameter in every rule, so that it is let go."
            )
    return True


def _samples(
    primitive: Primitive, sample: Any, examples: int, seed: int
) -> Iterator[tuple[list[Any], dict[str, Any], tuple[int, ...]]]:
    """The arguments, the keyword arguments and the positions to differentiate, of each example."""
    if sample is None:
        if not isinstance(primitive, Elementwise):
            raise TypeError(
                f"check_primitive: '{primitive.name}' is not elementwise, so the arguments that it takes must be told: "
                "sample=lambda source: [source.array((3, 4))]"
            )
        count = len(primitive.rules)
        sample = lambda source: [source.array(shape) for shape in source.shapes(count)]  # noqa: E731
    for number in range(examples if callable(sample) else 1):
        drawn = sample(RandomSource(seed + number)) if callable(sample) else sample
        drawn = drawn if isinstance(drawn, Sample) else Sample(drawn if isinstance(drawn, (list, tuple)) else [drawn])
        args = [np.asarray(x._array) if isinstance(x, Tensor) else x for x in drawn.args]
        wanted = tuple(
            i for i, x in enumerate(args)
            if isinstance(x, np.ndarray) and x.dtype.kind == "f"
            and (drawn.differentiable is None or i in drawn.differentiable) and primitive._varying >> i & 1
        )  # fmt: skip
        yield [_cast(x, np.float64) for x in args], drawn.meta, wanted


class _Check:
    """One example."""

    def __init__(
        self, primitive: Primitive, args: Sequence[Any], meta: dict[str, Any], wanted: tuple[int, ...]
    ) -> None:
        self.__name__ = primitive.name  # for the checker's messages
        self.primitive, self.args, self.meta, self.wanted = primitive, list(args), meta, wanted
        # Beside an array of integers, NumPy makes float64 of float32.
        several = any(isinstance(x, np.ndarray) and x.dtype.kind in "iu" for x in args)
        self.dtypes = (np.float64,) if several else (np.float64, np.float32)

    def fail(self, complaint: str) -> errors.GradcheckError:
        """The exception that carries a complaint, with the arguments it is about."""
        shapes = ", ".join(str(x.shape) if isinstance(x, np.ndarray) else repr(x) for x in self.args)
        meta = "".join(f", {key}={value!r}" for key, value in self.meta.items())
        return errors.GradcheckError(f"check_primitive of '{self.primitive.name}' at ({shapes}{meta}): {complaint}")

    def call(self, dtype: Any = np.float64) -> tuple[Any, list[Tensor]]:
        """The primitive on leaves, and the leaves."""
        args = [_cast(x, dtype) for x in self.args]
        for i in self.wanted:
            args[i] = Tensor(args[i], requires_grad=True)
        return self.primitive(*args, **self.meta), [args[i] for i in self.wanted]

    def value(self, reference: Callable[..., Any] | None) -> None:
        """The same on raw arrays as on Tensors, and as the reference."""
        copies = [x.copy() if isinstance(x, np.ndarray) else x for x in self.args]
        raw = self.primitive(*copies, **self.meta)
        if any(isinstance(x, np.ndarray) and not _same(x, c) for x, c in zip(self.args, copies, strict=True)):
            raise self.fail("the kernel overwrites an argument")
        if not isinstance(raw, (np.ndarray, np.generic)):
            raise self.fail(f"on raw arrays the kernel must return an array; it returned a {type(raw).__name__}")
        if self.wanted and not _same(np.asarray(raw), self.call()[0]._array):
            raise self.fail("two calls with the same arguments gave different values: is the kernel random?")
        if reference is None:
            return
        expected = np.asarray(reference(*copies, **self.meta))
        if (raw.shape, raw.dtype) != (expected.shape, expected.dtype):
            raise self.fail(f"it is {raw.shape} {raw.dtype}; the reference is {expected.shape} {expected.dtype}")
        if not np.allclose(raw, expected, rtol=1e-12, atol=1e-12, equal_nan=True):
            raise self.fail(f"it is {raw!r}; the reference is {expected!r}")

    def first_order(self, dtype: Any) -> Node:
        """Each rule by itself, on raw arrays and recorded; the gradients."""
        y, leaves = self.call(dtype)
        node = y._node
        if y.dtype.kind != "f" or node is None:
            raise self.fail(f"the result is {y.dtype}: only a floating result has derivatives; declare it Constant")
        if y.dtype != dtype:
            raise self.fail(
                f"{np.dtype(dtype)} arguments give a {y.dtype} result: a constant of NumPy's in the kernel?"
            )
        rng = np.random.default_rng(0)
        for what, rule, incoming, shape in _rules(self.primitive, node):
            product = rule(rng.uniform(0.5, 1.0, incoming).astype(dtype))
            if not isinstance(product, (np.ndarray, np.generic)):
                raise self.fail(f"{what} must return an array; given arrays, it returned a {type(product).__name__}")
            if product.dtype != dtype:
                raise self.fail(f"{what} returns {product.dtype} where everything is {np.dtype(dtype)}")
            if not _serves(self.primitive, product.shape, shape):
                raise self.fail(
                    f"{what} returns the shape {product.shape}; expected {shape}. It would be summed or repeated to "
                    "fit, without a word"
                )
        for create_graph in (False, True):
            found = transforms.gradients(y, leaves, np.ones(y.shape, dtype), create_graph=create_graph)
            for g, leaf in zip(found, leaves, strict=True):
                if (g.shape, g.dtype) != (leaf.shape, leaf.dtype):
                    raise self.fail(f"a gradient is {g.shape} {g.dtype}; its input is {leaf.shape} {leaf.dtype}")
        return node

    def reads(self, node: Node) -> Iterator[tuple[tuple[tuple[bool, ...], int], bool]]:
        """For each array that is kept: whether some rule comes to another result when it is changed."""
        before = self._derivatives(node, node.saved or ())
        needed = tuple(parent is not None for parent in node.parents)
        for position, value in enumerate(node.saved or ()):
            if value is UNREAD or not isinstance(value, np.ndarray):
                continue
            spoiled = ~value if value.dtype == bool else np.full_like(value, np.nan if value.dtype.kind == "f" else 1)
            changed = (*node.saved[:position], spoiled, *node.saved[position + 1 :])  # type: ignore[index]
            after = self._derivatives(node, changed)
            same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True))
            yield (needed, position), not same or value.size == 0

    def _derivatives(self, node: Node, saved: tuple[Any, ...]) -> list[Array]:
        with np.errstate(all="ignore"):
            rules = list(_rules(self.primitive, node, saved))
            return [np.asarray(rule(np.full(shape, 0.75, node.dtype))) for _, rule, shape, _ in rules]

    def numerically(self) -> None:
        """First and second derivatives against numeric ones, in both modes and by every route."""
        if any(self.args[i].size for i in self.wanted):
            inputs = tuple(Tensor(self.args[i]) for i in self.wanted)
            gradcheck(self, inputs, order=2, entries=6, directions=1)

    def __call__(self, *wanted: Any) -> Any:
        """The primitive, as a function of the arguments to differentiate."""
        args = list(self.args)
        for i, x in zip(self.wanted, wanted, strict=True):
            args[i] = x
        return self.primitive(*args, **self.meta)


def _cast(value: Any, dtype: Any) -> Any:
    """A floating array in that precision; anything else as it is."""
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def _same(a: Array, b: Array) -> bool:
    return a.tobytes() == b.tobytes()


def _serves(primitive: Primitive, shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a rule may return this shape: only where arguments broadcast does the kind sum what is repeated."""
    if shape == expected or not isinstance(primitive, Multilinear):
        return shape == expected
    return len(shape) >= len(expected) and all(n in (1, m) for n, m in zip(expected[::-1], shape[::-1], strict=False))


def _pull(primitive: General, node: Node, position: int, g: Array, saved: tuple[Any, ...]) -> Any:
    """The pull of one argument, with what it has in common with the others."""
    return primitive.pulls[position](g, *primitive.prepare(node, g, saved), **node.meta)  # type: ignore[misc]


def _rules(
    primitive: Primitive, node: Node, saved: tuple[Any, ...] | None = None
) -> Iterator[tuple[str, Callable[[Array], Any], tuple[int, ...], tuple[int, ...]]]:
    """Each rule as its author wrote it: what to call it, the map, the shape that it takes, and the one it returns."""
    saved, meta, y = node.saved if saved is None else saved, node.meta, node.shape
    saved = saved or ()
    for i, parent in enumerate(node.parents):
        if parent is None:
            continue
        x = parent.shape
        if isinstance(primitive, Elementwise):
            yield f"rule_{i}", lambda g, i=i: primitive.rules[i](g, *saved, **meta), y, y  # type: ignore[misc]
        elif isinstance(primitive, Linear):
            which = {"position": i} if primitive.variadic else {}
            yield "transpose", lambda g, p=parent, w=which: primitive.transpose(g, p, **meta, **w), y, x  # type: ignore[misc]
        elif isinstance(primitive, Multilinear):
            yield f"adjoint_{i}", lambda g, i=i: primitive.adjoints[i](g, *saved[1:], **meta), y, x  # type: ignore[misc]
        elif isinstance(primitive, General):
            yield f"push_{i}", lambda t, i=i: primitive.pushes[i](t, *saved, **meta), x, y  # type: ignore[misc]
            yield f"pull_{i}", lambda g, i=i: _pull(primitive, node, i, g, saved), y, x  # type: ignore[misc]
