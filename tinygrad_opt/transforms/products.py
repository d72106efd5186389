"""Products of second-derivative matrices with vectors; the matrices are never formed."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from .arguments import Fn, as_tuples, check_function, only_scalar
from .first_order import grad, jvp
from .recording import Recording

__all__ = ["ggnvp", "hvp"]


def hvp(fn: Fn, primals: Any, tangents: Any, mode: str = "forward-over-reverse") -> Any:
    """Hessian-vector product of a scalar function, without forming the Hessian: ``v ↦ ∇²f(x) v``.

    Parameters
    ----------
    fn : callable
        Returns one scalar tensor.
    primals, tangents
        One tensor each, or two tuples of equal length, as long as `fn` has arguments.
    mode : {"forward-over-reverse", "reverse-over-reverse", "reverse-over-forward"}
        Three independent routes to the same product: the gradient's derivative along v; the gradient of ⟨∇f, v⟩;
        the gradient of f's derivative along v. One product costs about the same by each; for many at one point,
        linearize the gradient once (see `linearize`).

    Returns
    -------
    like `primals`

    Examples
    --------
    >>> tg.hvp(lambda x: (x**3).sum(), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))
    tensor([ 6., 12.])

    References
    ----------
    B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).
    """
    xs, vs = as_tuples("hvp", primals, tangents)
    check_function("hvp", fn)
    places = tuple(range(len(xs)))
    gradient = grad(fn, argnums=places)
    product: Any
    if mode == "forward-over-reverse":
        product = jvp(gradient, xs, vs)[1]
    elif mode == "reverse-over-reverse":
        recording = Recording("hvp", gradient, xs, places)
        product = tuple(recording.pull(recording.cotangents(vs)))
    elif mode == "reverse-over-forward":
        product = grad(lambda *a: _scalar_jvp(fn, a, vs), argnums=places)(*xs)
    else:
        raise ValueError(
            f"hvp: mode must be 'forward-over-reverse', 'reverse-over-reverse' or 'reverse-over-forward'; got {mode!r}"
        )
    return product if isinstance(primals, tuple) else product[0]


def _scalar_jvp(fn: Fn, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Tensor:
    recording = Recording("hvp", fn, primals, range(len(primals)))
    only_scalar("hvp", recording.outputs)
    return recording.push(recording.tangents(tangents))[0]


def ggnvp(model_fn: Fn, loss_fn: Fn, primals: Any, tangents: Any) -> Any:
    """Product of the generalized Gauss-Newton matrix with a vector: ``v ↦ Jᵀ H J v``.

    J is the Jacobian of the model at the primals, H the Hessian of the loss at the model's output. For a loss that is
    convex in the output the matrix has no negative eigenvalues, whatever the model.

    Parameters
    ----------
    model_fn : callable
        From the primals to a tensor, or nested lists, tuples and dicts of tensors.
    loss_fn : callable
        From that, as its only argument, to one scalar tensor.
    primals, tangents
        One tensor each, or two tuples of equal length, as long as `model_fn` has arguments.

    Returns
    -------
    like `primals`

    Examples
    --------
    >>> model = lambda w: tg.stack([w[0] * w[1], w[1]])
    >>> tg.ggnvp(model, lambda z: (z * z).sum(), tg.tensor([2.0, 3.0]), tg.tensor([1.0, 0.0]))
    tensor([18., 12.])

    References
    ----------
    N. N. Schraudolph, "Fast curvature matrix-vector products for second-order gradient descent", Neural Computation 14
    (2002).
    """
    xs, vs = as_tuples("ggnvp", primals, tangents)
    check_function("ggnvp", loss_fn)
    recording = Recording("ggnvp", model_fn, xs, range(len(xs)))
    moved = recording.built(recording.push(recording.tangents(vs)))
    curved = jvp(grad(loss_fn), (recording.output(),), (moved,))[1]
    product = tuple(recording.pull(recording.cotangents(curved)))
    return product if isinstance(primals, tuple) else product[0]
