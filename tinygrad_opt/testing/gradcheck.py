"""The checker for everybody: whether the derivatives that the package computes are those that the function has.

First order: Jacobian entries and dense random directions, in reverse and in forward mode, against differences of
the function itself. Second order: Hessian products by the three routes of `hvp` against differences of the gradient
and against second differences of the function, and their symmetry. The scalar that is differentiated twice is not
linear in the outputs, so that a rule which treats its cotangent as a constant is seen too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from .. import backend, errors, ops
from ..core.tensor import Tensor
from . import numeric
from .diagnose import Disagreement, Label, report
from .numeric import Estimate
from .problem import Problem, Sweep

__all__ = ["gradcheck"]

Array = Any
MODES = ("reverse", "forward")
ROUTES = {
    "reverse-over-reverse": {"reverse"},
    "forward-over-reverse": {"reverse", "forward"},
    "reverse-over-forward": {"reverse", "forward"},
}


def gradcheck(
    fn: Callable[..., Any], inputs: Any, order: int = 1, modes: Sequence[str] = MODES, *, entries: int = 64,
    directions: int = 2, seed: int = 0,
) -> bool:  # fmt: skip
    """Compare the derivatives of `fn` with numeric ones, and explain the first difference.

    Parameters
    ----------
    fn : callable
        Takes tensors (or nested lists, tuples and dicts of them), returns one or several tensors.
    inputs : tensor, or tuple of arguments
        All floating leaves are differentiated, and must be float64; integer and boolean ones are passed on.
    order : {1, 2}
        2 checks first and second derivatives.
    modes : sequence of {"reverse", "forward"}
        The modes to check; at second order, the routes that can be made of them.
    entries : int
        How many entries of the inputs (and of the outputs) are checked one by one: all of small ones, a random
        sample of large ones. Random directions, which reach every entry at once, are checked in any case.
    directions : int
        How many random directions.
    seed : int
        For the sample and the directions.

    Returns
    -------
    bool
        True; everything else is an exception.

    Raises
    ------
    GradcheckError
        For a derivative that disagrees, is not finite, or has another shape or dtype than its input; for a function
        that overwrites its inputs, is not deterministic, is not finite, or has a kink at this point.
    TypeError
        For inputs in another floating dtype than float64.

    Examples
    --------
    >>> x = tg.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=tg.float64)
    >>> tg.testing.gradcheck(lambda x: tg.tanh(x @ x), x, order=2)
    True
    >>> tg.testing.gradcheck(lambda x: x * x.detach(), tg.tensor([1.0, 2.0], dtype=tg.float64))
    Traceback (most recent call last):
        ...
    tinygrad_opt.errors.GradcheckError: gradcheck of '<lambda>' failed: reverse mode disagrees ...
      worst entry  d outputs[0][1] / d inputs[0][1]
      analytic     2
      numeric      4  (good to ...)
      ratio        0.5  (analytic / numeric)
      differing    2 of the 4 entries checked
      guess        a factor 0.5: one of two equal terms lost or counted twice, ...
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order must be 1 or 2; got {order!r}")
    if unknown := set(modes) - set(MODES):
        raise ValueError(f"gradcheck: modes are 'reverse' and 'forward'; got {sorted(unknown)}")
    with np.errstate(all="ignore"):  # what is not finite is found out here, and said more precisely
        check = _Check(Problem(fn, inputs), entries, directions, seed)
        check.function()
        check.first_order(modes)
        if order == 2:
            check.second_order(modes)
        check.unchanged()
    return True


class _Check:
    """One run of the checks: the problem, and the sample of entries and directions drawn for it."""

    def __init__(self, problem: Problem, entries: int, directions: int, seed: int) -> None:
        self.problem = problem
        self.rng = np.random.default_rng(seed)
        n, m = problem.inputs.size, problem.outputs.size
        self.columns = np.sort(self.rng.permutation(n)[:entries])
        self.rows = np.sort(self.rng.permutation(m)[:entries])
        self.unit = [_unit(n, i) for i in self.columns]
        self.dense = [self.direction(n) for _ in range(directions)]

    def direction(self, size: int) -> Array:
        """A random direction without small components."""
        return self.rng.uniform(0.5, 1.0, size) * self.rng.choice([-1.0, 1.0], size)

    def fail(self, complaint: str) -> errors.GradcheckError:
        """The exception that carries a complaint about the function as a whole."""
        return errors.GradcheckError(f"gradcheck of {self.problem.name!r}: {complaint}")

    # The function itself.

    def function(self) -> None:
        """Finite, the same when called again, and its inputs left alone."""
        y, again = self.problem.value(self.problem.x), self.problem.value(self.problem.x)
        self.unchanged()
        if not np.array_equal(y, again, equal_nan=True):
            raise self.fail(
                "two calls with the same inputs gave different values, so differences mean nothing. Draw random "
                "numbers before, and pass them in (dropout: evaluation mode, or a fixed mask)."
            )
        if not np.isfinite(y).all():
            index = int(np.argmin(np.isfinite(y)))
            raise self.fail(f"{self.problem.outputs.label(index)} is {y[index]} at this point: it has no derivative")

    def unchanged(self) -> None:
        """No input was overwritten by what has been called since."""
        if label := self.problem.changed():
            raise self.fail(f"{label} was overwritten in place, by the function or by a rule that it uses")

    # First derivatives.

    def first_order(self, modes: Sequence[str]) -> None:
        """Entries, then random directions, in every mode."""
        problem = self.problem
        everything = [*self.unit, *self.dense]
        estimates = [numeric.directional(problem.value, [problem.x], [t]) for t in everything]
        if "reverse" in modes:
            self.reverse(estimates[: len(self.unit)], estimates[len(self.unit) :])
        if "forward" in modes:
            self.forward(estimates[: len(self.unit)], estimates[len(self.unit) :])
        for t, estimate in zip(everything, estimates, strict=True):
            self.settled(estimate, t, problem.outputs.label)
        self.told_from_rounding(estimates)

    def reverse(self, along_units: Sequence[Estimate], along_dense: Sequence[Estimate]) -> None:
        """Rows of the Jacobian, one cotangent for each sampled output; then dense cotangents."""
        m = self.problem.outputs.size
        pull = self.sweep("reverse mode", self.problem.pullback)
        rows = _stack([pull(_unit(m, j))[self.columns] for j in self.rows], len(self.columns))
        expected = _columns([e.map(lambda a: a[self.rows]) for e in along_units], len(self.rows))
        self.compare("reverse mode", rows, expected, self.entry(self.rows), self.columns)
        for t, estimate in zip(self.dense, along_dense, strict=True):
            v = self.direction(m)
            product = pull(v)
            if not np.array_equal(product, pull(v), equal_nan=True):
                raise self.fail("two sweeps over one graph gave different gradients: a rule overwrites what it reads")
            expected = _contracted(v, estimate)
            self.compare(
                "reverse mode, along a random direction,", product @ t, expected, lambda *_: "⟨v, J t⟩, t dense"
            )

    def forward(self, along_units: Sequence[Estimate], along_dense: Sequence[Estimate]) -> None:
        """Columns of the Jacobian, one tangent for each sampled input; then dense tangents."""
        push = self.sweep("forward mode", self.problem.pushforward)
        m = self.problem.outputs.size
        columns = _stack([push(t) for t in self.unit], m).T
        self.compare("forward mode", columns, _columns(along_units, m), self.entry(np.arange(m)), self.columns)
        label = lambda row, _: f"{self.problem.outputs.label(row)}, along a dense t"  # noqa: E731
        for t, estimate in zip(self.dense, along_dense, strict=True):
            column = push(t).reshape(m, 1)
            self.compare("forward mode, along a random direction,", column, _columns([estimate], m), label)

    def told_from_rounding(self, estimates: Sequence[Estimate]) -> None:
        """Some derivative is large enough, or all are zero: otherwise any rule would have passed."""
        largest = max((float(np.max(np.abs(e.value), initial=0.0)) for e in estimates), default=0.0)
        certain = any((np.abs(e.value) > 10 * e.error).any() for e in estimates)
        if certain and largest < 1e-9:
            raise self.fail(
                f"no derivative is larger than {largest:.1e}, which the tolerance of {_tolerance(0):.1e} hardly tells "
                f"from 0. Multiply the function by {0.1 / largest:.0e}."
            )

    def entry(self, rows: Array) -> Label:
        """How an entry of the sampled Jacobian is called."""
        inputs, outputs = self.problem.inputs, self.problem.outputs
        return lambda row, column: f"d {outputs.label(rows[row])} / d {inputs.label(self.columns[column])}"

    def sweep(self, what: str, build: Callable[[], Sweep]) -> Sweep:
        """A recorded sweep whose own exceptions say which mode they come from."""

        def guarded(run: Callable[[], Any]) -> Any:
            try:
                return run()
            except errors.GradcheckError:
                raise
            except Exception as error:
                raise self.fail(f"{what} itself raised {type(error).__name__}: {error}") from error

        swept = guarded(build)
        return lambda vector: guarded(lambda: swept(vector))

    # Second derivatives.

    def second_order(self, modes: Sequence[str]) -> None:
        """Hessian products by every route, against two numeric ones and each other."""
        problem = self.problem
        scalar = self.scalar()
        gradient = self.sweep("the gradient", lambda: problem.gradient_of(scalar))
        products = {
            route: self.sweep(f"hvp, {route},", partial(problem.hessian_product, scalar, route))
            for route, needed in ROUTES.items()
            if needed <= set(modes)
        }
        u, w = self.direction(problem.inputs.size), self.direction(problem.inputs.size)
        along = [(t, numeric.directional(gradient, [problem.x], [t])) for t in (u, w)]
        plain = numeric.second_directional(
            lambda x: np.asarray(scalar(*problem.tensors(x)).item()), [problem.x], [u], [w]
        )
        label = lambda _, column: f"(H w) at {problem.inputs.label(column)}"  # noqa: E731
        for route, product in products.items():
            what = f"hvp, {route},"
            hu, hw = product(u), product(w)
            for found, (_, estimate) in zip((hu, hw), along, strict=True):
                self.compare(what, found, estimate, label, np.arange(problem.inputs.size), second=True)
            if plain.reliable and all(estimate.reliable.all() for _, estimate in along):
                self.compare(what, u @ hw, plain, lambda *_: "uᵀ H w", second=True)
            if abs(u @ hw - w @ hu) > _tolerance(np.abs(u) @ np.abs(hw) + np.abs(w) @ np.abs(hu)):
                raise self.fail(f"{what} the Hessian is not symmetric: uᵀHw = {u @ hw:.10g}, wᵀHu = {w @ hu:.10g}")
        for t, estimate in along:
            self.settled(estimate, t, lambda j: f"the gradient by {problem.inputs.label(j)}")

    def scalar(self) -> Callable[..., Tensor]:
        """``Σ c y + ½ Σ d y²``: its cotangent at y, ``c + d y``, depends on the point."""
        problem = self.problem
        size = max(1.0, float(np.max(np.abs(problem.value(problem.x)), initial=0.0)))
        c, d = self.direction(problem.outputs.size) / size, self.direction(problem.outputs.size) / size**2

        def scalar(*tensors: Tensor) -> Tensor:
            total: Any = 0.0
            weights = zip(problem.outputs.split(c), problem.outputs.split(d), strict=True)
            for y, (c_part, d_part) in zip(problem.call(*tensors), weights, strict=True):
                c_here, d_here = (backend.to_device(part, y.device) for part in (c_part, d_part))
                total = total + ops.sum(y * (c_here + 0.5 * d_here * y))
            return total

        return scalar

    # Comparing.

    def compare(
        self, what: str, analytic: Array, estimate: Estimate, label: Label,
        columns: Array = (), second: bool = False,
    ) -> None:  # fmt: skip
        """Raise where a derivative differs by more than the tolerance and the numeric one's own error.

        `columns` says which input element each column belongs to, where it belongs to one.
        Rows and columns with an unreliable entry are left out, because 0 times infinity spoils the whole of them; it
        is `settled` that complains.
        """
        shape = np.shape(analytic) if np.ndim(analytic) == 2 else (1, np.size(analytic))
        analytic, estimate = np.reshape(analytic, shape), estimate.map(lambda a: np.reshape(a, shape))
        reliable = estimate.reliable
        kept = reliable.all(axis=0, keepdims=True) & reliable.all(axis=1, keepdims=True)
        expected = np.where(kept, estimate.value, analytic)
        scale = np.max(np.abs(estimate.value), axis=0, keepdims=True, initial=0.0, where=kept)
        tolerance = np.where(kept, _tolerance(scale) + 10 * estimate.error, np.inf)
        inputs, outputs = self.problem.inputs, self.problem.outputs
        found = Disagreement(
            function=self.problem.name, what=what, analytic=analytic, numeric=expected, error=estimate.error,
            tolerance=tolerance, kept=kept, label=label, second=second,
            sizes=[side for shape in (*inputs.shapes, *outputs.shapes) for side in shape],
            parts=[inputs.part(i) for i in columns] if len(columns) else [0] * shape[1],
            shapes=inputs.shapes if len(columns) else [()],
        )  # fmt: skip
        if found.bad.any():
            raise errors.GradcheckError(report(found))

    def settled(self, estimate: Estimate, t: Array, label: Callable[[int], str]) -> None:
        """The numeric derivative exists, so that the comparison meant something."""
        if estimate.reliable.all():
            return
        j = int(np.argmin(estimate.reliable))
        moved = np.flatnonzero(t)
        inputs = self.problem.inputs
        where = f"{inputs.label(int(moved[0]))} = {self.problem.x[moved[0]]:.6g}" if len(moved) == 1 else "the inputs"
        left, right = float(estimate.left[j]), float(estimate.right[j])
        if estimate.kink[j]:
            cause = f"the slope is {left:.6g} on one side and {right:.6g} on the other: a kink, where no rule is right"
        else:
            cause = "it does not settle as the step shrinks: a jump, a pole, or the edge of the domain"
        raise self.fail(
            f"the numeric derivative of {label(j)} by {where} does not exist: {cause}. This says nothing against the "
            "rule; choose another point."
        )


def _tolerance(terms: Any) -> Any:
    return 2000 * numeric.EPS * (terms + 1.0)


def _unit(size: int, index: int) -> Array:
    vector = np.zeros(size)
    vector[index] = 1.0
    return vector


def _stack(rows: Sequence[Array], width: int) -> Array:
    return np.stack(rows) if rows else np.zeros((0, width))


def _columns(estimates: Sequence[Estimate], height: int) -> Estimate:
    """Estimates of single columns, side by side."""
    value, error, reliable, kink, left, right = (
        _stack([getattr(e, field.name) for e in estimates], height).T for field in fields(Estimate)
    )
    return Estimate(value, error, reliable.astype(bool), kink.astype(bool), left, right)


def _contracted(v: Array, estimate: Estimate) -> Estimate:
    """The estimate of ``⟨v, J t⟩`` from that of ``J t``."""
    return Estimate(
        v @ estimate.value, np.abs(v) @ estimate.error, estimate.reliable.all(), estimate.kink.any(),
        v @ estimate.left, v @ estimate.right,
    )  # fmt: skip
