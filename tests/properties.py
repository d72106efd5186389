"""What holds for every operation: the checks that the property suite applies to one example.

The oracles run on the NumPy reference of the specification, in float64 on the host, and share no code with the
operation under test. One rule of tolerance serves them all: |a - b| <= 2000 eps (Σ|terms| + 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_opt as tg
from strategies import Example, laid_out
from tinygrad_opt import backend
from tinygrad_opt.core.kinds import Constant, Linear
from tinygrad_opt.core.tape import reachable
from tinygrad_opt.testing import numeric

Array = Any
ROUTES = ("forward-over-reverse", "reverse-over-reverse", "reverse-over-forward")


def host(x: Any) -> Array:
    """The values of a tensor or array, as a NumPy array."""
    array = getattr(x, "_array", x)
    return np.asarray(backend.of(array).to_host(array))


def joined(tensors: Any) -> Array:
    """All values, one after the other, in float64."""
    return np.concatenate([host(t).astype(np.float64).reshape(-1) for t in tensors])


def largest(values: Array) -> float:
    """The largest finite magnitude; 0 where there is none."""
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))


class Call:
    """An example made concrete: its arguments on the device, the reference on the host."""

    def __init__(self, example: Example) -> None:
        self.example, self.spec, self.wanted = example, example.spec, example.wanted
        self.rng = np.random.default_rng(example.seed)
        self.plain = [
            x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x
            for x, dtype in zip(example.sample.args, example.dtypes, strict=True)
        ]
        self.args = [
            tg.Tensor(laid_out(self.placed(x.copy()), layout)) if isinstance(x, np.ndarray) else x
            for x, layout in zip(self.plain, example.layouts, strict=True)
        ]
        self.meta = {key: self.placed(value) for key, value in example.sample.meta.items()}
        floating = [x.dtype for x in self.plain if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        self.eps = max((float(np.finfo(dtype).eps) for dtype in floating), default=0.0)
        self.one_dtype = floating[0] if len(set(floating)) == 1 else None

    def __call__(self, *wanted: Any) -> Any:
        """The operation, as a function of the arguments to differentiate."""
        return self.spec.call(*self.filled(self.args, wanted), **self.meta)

    def reference(self, *wanted: Array) -> Array:
        """The NumPy reference, as a function of the same arguments, in float64."""
        with np.errstate(divide="ignore"):
            return self.spec.reference(*self.filled(self.example.sample.args, wanted), **self.example.sample.meta)

    def filled(self, args: Any, wanted: Any) -> list[Any]:
        """The arguments, with other values for those to differentiate."""
        filled = list(args)
        for i, x in zip(self.wanted, wanted, strict=True):
            filled[i] = x
        return filled

    def placed(self, value: Any) -> Any:
        """An array, or the arrays inside a tuple of metadata, on the device."""
        if isinstance(value, tuple):
            return tuple(self.placed(item) for item in value)
        return backend.to_device(value, self.example.device) if isinstance(value, np.ndarray) else value

    def tensor(self, values: Array, dtype: Any) -> tg.Tensor:
        """Values on the device."""
        return tg.Tensor(self.placed(np.asarray(values).astype(dtype)))

    @property
    def point(self) -> list[Array]:
        """The arguments to differentiate, in float64 on the host."""
        return [self.example.sample.args[i] for i in self.wanted]

    def leaves(self) -> list[tg.Tensor]:
        """The arguments to differentiate, as leaves."""
        return [tg.Tensor(self.args[i]._array, requires_grad=True) for i in self.wanted]

    def dense(self, shape: tuple[int, ...]) -> Array:
        """A direction without small components, on a grid that float32 represents."""
        return self.rng.choice([-1.0, -0.75, -0.5, 0.5, 0.75, 1.0], shape)

    def close(self, found: Any, expected: Any, terms: float, dtype: Any, error: float = 0.0) -> bool:
        """Whether two results agree to rounding, in the coarsest of the dtypes involved."""
        eps = max(self.eps, float(np.finfo(dtype).eps))
        atol = 2000 * self.spec.factor * eps * (terms + 1.0) + 10 * error
        return np.allclose(found, expected, rtol=0.0, atol=atol, equal_nan=True)


def check(example: Example) -> None:
    """Everything, on one example."""
    call = Call(example)
    leaves, y = check_value(call)
    if leaves and y.requires_grad and np.isfinite(host(y)).all():
        expected = reference_derivative(call, us := [call.dense(x.shape) for x in leaves])
        pushed, gradients = check_first_order(call, leaves, y, us)
        assert call.close(pushed, expected, largest(expected), y.dtype)
        if isinstance(call.spec.recorded, Linear) and len(call.args) == 1 and leaves[0].size <= 12:
            check_transpose(call, leaves[0], y, gradients[0])
        if example.thorough:
            check_second_order(call, leaves, y, numerically=True)
    check_unchanged(call)


def check_tied(example: Example) -> None:
    """At a kink: still one linear map in both modes, and a subgradient."""
    call = Call(example)
    leaves, y = check_value(call)
    us = [call.dense(x.shape) for x in leaves]
    pushed, _ = check_first_order(call, leaves, y, us)
    slopes = numeric.directional(call.reference, call.point, us, start=2.0**-5)
    lower, upper = np.minimum(slopes.left, slopes.right), np.maximum(slopes.left, slopes.right)
    assert call.close(np.clip(pushed, lower, upper), pushed, largest(pushed), y.dtype), "not a subgradient"
    if example.thorough:
        check_second_order(call, leaves, y, numerically=False)
    check_unchanged(call)


def check_value(call: Call) -> tuple[list[tg.Tensor], tg.Tensor]:
    """Value, shape and dtype are NumPy's; on raw arrays the operation is that very function of arrays."""
    spec, leaves = call.spec, call.leaves()
    y = call(*leaves)
    with np.errstate(divide="ignore"):
        expected = np.asarray(spec.reference(*call.plain, **call.example.sample.meta))
    exact = np.asarray(call.reference(*call.point))
    assert isinstance(y, tg.Tensor)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    if y.dtype.kind == "f":
        assert call.close(host(y), exact, largest(exact), y.dtype)
    else:
        assert np.array_equal(host(y), exact)
    raw = spec.call(*(x._array if isinstance(x, tg.Tensor) else x for x in call.args), **call.meta)
    assert not isinstance(raw, tg.Tensor)
    assert host(raw).tobytes() == host(y).tobytes()
    if isinstance(spec.recorded, Constant):
        assert not y.requires_grad
    elif leaves:
        assert spec.recorded in {node.primitive for node in reachable([y._node])}
    return leaves, y


def reference_derivative(call: Call, us: list[Array]) -> Array:
    """The reference's own derivative along `us`: a complex step, or extrapolated differences."""
    if call.spec.analytic:
        with np.errstate(all="ignore"):
            return numeric.complex_step(call.reference, call.point, us)
    estimate = numeric.directional(call.reference, call.point, us, start=2.0**-5)
    assert estimate.reliable.all(), "the example lies on a kink"
    return estimate.value


def check_first_order(
    call: Call, leaves: list[tg.Tensor], y: tg.Tensor, us: list[Array]
) -> tuple[Array, list[tg.Tensor]]:
    """⟨v, J u⟩ = ⟨Jᵀ v, u⟩; shapes, dtypes, memory; the same again when asked again, recorded or not.

    Returns ``J u`` and ``Jᵀ v``, with the v of `cotangent_of`.
    """
    tangents = [call.tensor(u, x.dtype) for u, x in zip(us, leaves, strict=True)]
    _, pushed = tg.jvp(call, tuple(leaves), tuple(tangents))
    assert (pushed.shape, pushed.dtype) == (y.shape, y.dtype)
    v = cotangent_of(y)
    cotangent = call.tensor(v, y.dtype)
    y.backward(cotangent, retain_graph=True)
    gradients = [x.grad for x in leaves]
    for x, g in zip(leaves, gradients, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
    check_memory(gradients, [cotangent, y, *leaves])
    assert np.array_equal(host(cotangent), v), "the cotangent was overwritten"

    forward, reverse, u = host(pushed).astype(np.float64), joined(gradients), np.concatenate([a.ravel() for a in us])
    terms = np.abs(v * forward).sum() + np.abs(reverse) @ np.abs(u)
    assert call.close((v * forward).sum(), reverse @ u, terms, y.dtype)
    for create_graph in (False, True):
        again = tg.gradients(y, leaves, cotangent, create_graph=create_graph)
        assert [host(g).tobytes() for g in again] == [host(g).tobytes() for g in gradients]
    if call.one_dtype is not None and y.dtype == call.one_dtype:
        nodes = reachable([g._node for g in again if g.requires_grad])
        assert {node.dtype for node in nodes} <= {y.dtype}, "a rule computes in another dtype"
    return forward, gradients


def cotangent_of(y: tg.Tensor) -> Array:
    """Some cotangent, the same for the same shape."""
    return np.random.default_rng(y.size).choice([-1.0, -0.5, 0.5, 1.0], y.shape)


def check_memory(gradients: list[tg.Tensor], others: list[tg.Tensor]) -> None:
    """No gradient shares memory with another tensor."""
    tensors = [*gradients, *others]
    bounds = [backend.of(t._array).byte_bounds(t._array) if t.size else (0, 0) for t in tensors]
    for i, (low, high) in enumerate(bounds[: len(gradients)]):
        for other_low, other_high in bounds[i + 1 :]:
            assert high <= other_low or other_high <= low, "a gradient shares memory with another tensor"


def check_transpose(call: Call, x: tg.Tensor, y: tg.Tensor, gradient: tg.Tensor) -> None:
    """A linear map, written out by the reference as a matrix: the pullback is its transpose, entry by entry."""
    v = cotangent_of(y)
    units = np.eye(x.size).reshape(x.size, *x.shape)
    products = [np.asarray(call.reference(unit)).astype(np.float64) * v for unit in units]
    expected = np.array([product.sum() for product in products]).reshape(x.shape)
    terms = max((np.abs(product).sum() for product in products), default=0.0)
    assert call.close(host(gradient), expected, terms, y.dtype)


def check_second_order(call: Call, leaves: list[tg.Tensor], y: tg.Tensor, numerically: bool) -> None:
    """Products with the Hessian of ``Σ c y + ½ Σ d y²`` by three routes: equal, symmetric, and the reference's.

    The quadratic part makes the cotangent depend on the point: a rule that takes it for a constant is seen.
    """
    c, d = call.dense(y.shape), call.dense(y.shape)
    us, ws = ([call.dense(x.shape) for x in leaves] for _ in range(2))
    c_here, d_here = (call.tensor(a, y.dtype) for a in (c, d))

    def scalar(*wanted: Any) -> tg.Tensor:
        out = call(*wanted)
        return tg.sum(out * (c_here + d_here * out * 0.5))

    def product(directions: list[Array], route: str) -> Array:
        tangents = [call.tensor(w, x.dtype) for w, x in zip(directions, leaves, strict=True)]
        found = tg.hvp(scalar, tuple(leaves), tuple(tangents), mode=route)
        assert [(h.shape, h.dtype) for h in found] == [(x.shape, x.dtype) for x in leaves]
        return joined(found)

    u, w = (np.concatenate([a.ravel() for a in directions]) for directions in (us, ws))
    along_w, *others = [product(ws, route) for route in ROUTES]
    along_u = product(us, ROUTES[0])
    for other in others:
        assert call.close(other, along_w, largest(along_w), y.dtype)
    terms = np.abs(u) @ np.abs(along_w) + np.abs(w) @ np.abs(along_u)
    assert call.close(u @ along_w, w @ along_u, terms, y.dtype), "the Hessian is not symmetric"
    if numerically:

        def plain(*wanted: Array) -> Array:
            out = call.reference(*wanted)
            return np.asarray(np.sum(out * (c + 0.5 * d * out)))

        analytic = call.spec.analytic
        start = 2.0**-3 if analytic else 2.0**-6  # off the kinks, which are an eighth away
        estimate = numeric.second_directional(plain, call.point, us, ws, analytic=analytic, start=start, inner=1.0)
        assert estimate.reliable
        assert call.close(u @ along_w, estimate.value, terms, y.dtype, estimate.error)


def check_unchanged(call: Call) -> None:
    """Nothing that was done has changed an argument."""
    for x, before in zip(call.args, call.plain, strict=True):
        if isinstance(before, np.ndarray):
            assert host(x).tobytes() == before.tobytes(), "an argument was overwritten"
