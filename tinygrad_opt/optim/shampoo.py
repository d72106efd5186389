"""Shampoo: a matrix for each axis of a parameter, in place of the matrix for all elements that Adagrad would want."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import backend
from ..ops import concatenate, isfinite, maximum, where
from .arguments import check_flags, check_frequency, check_number
from .optimizer import Optimizer
from .pieces import penalized

__all__ = ["Shampoo"]

Array = Any


def squares(vector: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """The matrices, one for each axis, that lie in a vector one after the other."""
    start = 0
    for n in shape:
        yield vector[start : start + n * n].reshape(n, n)
        start += n * n


def unfoldings(g: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """For each axis the matrix whose rows are the slices along it."""
    for n in shape:
        g = g.reshape(n, math.prod(shape) // n)
        yield g
        g = g.T  # the axis goes to the end


def check_precision(method: str, parameters: Sequence[Any]) -> None:
    """Refuse parameters in a precision that no library decomposes matrices in."""
    for position, parameter in enumerate(parameters):
        if parameter.dtype.itemsize < 4:
            raise TypeError(
                f"{method}: parameter {parameter.name or position} is {parameter.dtype}, and matrices are decomposed "
                "in float32 or float64: make the optimizer after model.to('float32')"
            )


def along_axes(u: Array, matrices: Iterable[Array], shape: tuple[int, ...]) -> Array:
    """`u` multiplied along each axis i by the transpose of matrix i."""
    for n, matrix in zip(shape, matrices, strict=True):
        u = u.reshape(n, -1).T @ matrix  # in its turn each axis goes to the end
    return u.reshape(shape)


def inverse_root(matrix: Array, degree: int, eps: float) -> Array:
    """``(δI + A)^(-1/degree)`` of a symmetric matrix A without negative eigenvalues; nan where A is not finite.

    The decomposition of the library itself: the package's own would wait for a GPU, to see whether it has converged.
    """
    spoiled = (matrix * 0).sum()  # 0, or nan
    values, vectors = backend.namespace(matrix).linalg.eigh(where(isfinite(matrix), matrix, 0.0))
    return (vectors * (maximum(values, 0.0) + eps) ** (-1 / degree)) @ vectors.T + spoiled


class Shampoo(Optimizer):
    """Full-matrix Adagrad for each axis: ``θ ← θ - ε L^(-1/4) g R^(-1/4)`` for a matrix.

    With g the gradient (plus λθ for weight decay λ) of k axes, and gᵢ the matrix whose rows are its slices along its
    axis i::

        Hᵢ ← Hᵢ + gᵢ gᵢᵀ                            for each axis; they start at zero
        u = g, multiplied along each axis i by (δI + Hᵢ)^(-1/2k)
        v ← α v + u                                 u itself without momentum
        θ ← θ - ε v

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε.
    momentum : float
        α, in [0, 1).
    weight_decay : float
        λ, the coefficient of an L2 penalty λ‖θ‖²/2.
    eps : float
        δ, above 0.
    update_freq : int
        After how many steps the roots are computed anew; the Hᵢ grow at every step. Until then a direction without a
        gradient so far is multiplied by δ^(-1/2): with a number above 1, take a larger δ.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    TypeError
        For parameters in float16.
    ValueError
        For numbers outside their range.

    Notes
    -----
    PyTorch does not have it. A vector has the full matrix of Adagrad, with the exponent -1/2; a number is a vector of
    one element. The state of an axis of length n is two n × n matrices, and its root costs n³: large axes (an
    embedding's) are a case for another optimizer. The paper's box has no momentum; its experiments have.

    References
    ----------
    V. Gupta, T. Koren, Y. Singer, "Shampoo: preconditioned stochastic tensor optimization", ICML 2018, algorithms 1
    and 2.

    Examples
    --------
    >>> w = tg.zeros(2, 2, requires_grad=True)
    >>> optimizer = tg.optim.Shampoo([w], lr=1.0, eps=1e-6)
    >>> _ = optimizer.step(lambda: (w * tg.tensor([[4.0, 3.0], [-0.3, 0.4]])).sum())
    >>> tg.round(w.detach(), 2)  # L = g gᵀ, R = gᵀ g: minus the orthogonal matrix that is nearest to the gradient
    tensor([[-0.8, -0.6],
            [ 0.6, -0.8]])
    """

    whole = True

    def __init__(
        self, params: Iterable[Any], lr: float = 0.1, momentum: float = 0.0, weight_decay: float = 0.0,
        eps: float = 1e-4, update_freq: int = 1, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, momentum=momentum, weight_decay=weight_decay, eps=eps, update_freq=update_freq,
            maximize=maximize,
        )  # fmt: skip

    def _check_parameters(self, parameters: Sequence[Any]) -> None:
        super()._check_parameters(parameters)
        check_precision("Shampoo", parameters)

    def check(self, group: Mapping[str, Any]) -> None:
        """A momentum in [0, 1), eps above 0, and a whole number of steps between roots."""
        check_number("Shampoo", "momentum", group["momentum"], high=1.0)
        check_number("Shampoo", "eps", group["eps"], above=True)
        check_flags("Shampoo", group, "maximize")
        check_frequency("Shampoo", group)

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The sums Hᵢ of all axes, their inverse roots, and the velocity."""
        return ("sums", "roots", "v") if group["momentum"] else ("sums", "roots")

    @staticmethod
    def state_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A square matrix for each axis, one after the other."""
        return shape if name == "v" else (sum(n * n for n in shape or (1,)),)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, sums: Array, roots: Array, *v: Array, t: int, lr: float, momentum: float,
        weight_decay: float, eps: float, update_freq: int, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        g = penalized(theta, g, weight_decay, maximize)
        shape = theta.shape or (1,)
        sums = sums + concatenate([(m @ m.T).reshape(-1) for m in unfoldings(g, shape)])
        if (t - 1) % update_freq == 0:
            degree = 2 * len(shape)
            roots = concatenate([inverse_root(h, degree, eps).reshape(-1) for h in squares(sums, shape)])
        u = along_axes(g, squares(roots, shape), shape).reshape(theta.shape)
        if v:
            u = momentum * v[0] + u
        return theta - lr * u, sums, roots, *([u] if v else [])
