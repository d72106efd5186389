"""SOAP: Adam in the coordinates in which Shampoo's matrices are diagonal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import backend
from ..ops import concatenate, isfinite, sqrt, where
from .arguments import check_decays, check_flags, check_frequency, check_number
from .optimizer import Optimizer
from .pieces import average, penalized, shrunk
from .shampoo import along_axes, check_precision, squares, unfoldings

__all__ = ["SOAP"]

Array = Any


def finite(matrix: Array) -> tuple[Array, Array]:
    """The matrix with 0 for what is not finite, so that it can be decomposed; and a number: 0, or nan instead."""
    return where(isfinite(matrix), matrix, 0.0), (matrix * 0).sum()


def eigenvectors(matrix: Array) -> Array:
    """Of a symmetric matrix, as columns. The library's own function: ours would wait for a GPU."""
    matrix, spoiled = finite(matrix)
    return backend.namespace(matrix).linalg.eigh(matrix)[1] + spoiled


def refined(matrix: Array, vectors: Array) -> Array:
    """One step of the power iteration towards the eigenvectors: Q of ``A Q = Q R``."""
    product, spoiled = finite(matrix @ vectors)
    return backend.namespace(matrix).linalg.qr(product)[0] + spoiled


class SOAP(Optimizer):
    """Shampoo with Adam in the preconditioner's eigenbasis: ``θ ← θ - ε Q ŝ' / (√r̂ + δ)``.

    With g the gradient, t the number of the step, and for each axis i of a matrix (or of more axes) gᵢ the matrix whose
    rows are the slices of g along it, and Qᵢ a basis. The first step only makes Hᵢ and, from its eigenvectors, Qᵢ: in
    the basis of its own gradient most of r would be rounding errors. Then t counts from 1::

        g' = g in the bases Qᵢ
        s ← ρ₁ s + (1 - ρ₁) g;  s' = s in the bases
        r ← ρ₂ r + (1 - ρ₂) g'²
        θ ← (1 - ε λ) θ - ε u,  u' = (s' / (1 - ρ₁ᵗ)) / (√(r / (1 - ρ₂ᵗ)) + δ) turned back
        Hᵢ ← ρ₂ Hᵢ + (1 - ρ₂) gᵢ gᵢᵀ
        Qᵢ ← Q of Hᵢ Qᵢ = Q R                       after every `update_freq` steps

    Parameters
    ----------
    params : iterable of tensors or of dicts
    lr : float
        The learning rate ε.
    betas : (float, float)
        The decay rates ρ₁ and ρ₂, in [0, 1).
    eps : float
        δ.
    weight_decay : float
        λ, decoupled.
    update_freq : int
        After how many steps the bases follow.
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
    PyTorch does not have it. Numbers and vectors are updated as by `AdamW`. The paper's box leaves out the start and
    the bias correction. The state of an axis of length n is two n × n matrices, and a new basis costs n³.

    References
    ----------
    N. Vyas et al., "SOAP: improving and stabilizing Shampoo using Adam", 2024, algorithms 3 and 4.

    Examples
    --------
    >>> w = tg.zeros(2, 2, requires_grad=True)
    >>> optimizer = tg.optim.SOAP([w], lr=1.0)
    >>> loss = lambda: ((w - tg.eye(2)) ** 2).sum()
    >>> _ = optimizer.step(loss)
    >>> w.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    >>> _ = optimizer.step(loss)
    >>> tg.round(w.detach(), 2)  # -2 for each element of the diagonal, and Adam's first step is the sign
    tensor([[1., 0.],
            [0., 1.]])
    """

    whole = True

    def __init__(
        self, params: Iterable[Any], lr: float = 3e-3, betas: tuple[float, float] = (0.95, 0.95), eps: float = 1e-8,
        weight_decay: float = 0.01, update_freq: int = 10, *, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, update_freq=update_freq, maximize=maximize
        )

    def _check_parameters(self, parameters: Sequence[Any]) -> None:
        super()._check_parameters(parameters)
        check_precision("SOAP", parameters)

    def check(self, group: Mapping[str, Any]) -> None:
        """Two decay rates in [0, 1), eps not negative, and a whole number of steps between bases."""
        check_decays("SOAP", group["betas"])
        check_number("SOAP", "eps", group["eps"])
        check_flags("SOAP", group, "maximize")
        check_frequency("SOAP", group)

    def state_names(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The moments, the matrices of all axes, and their bases."""
        return ("s", "r", "matrices", "bases")

    @staticmethod
    def state_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Moments have the parameter's shape; of two axes and more each has a square matrix, one after the other."""
        return shape if name in ("s", "r") else (sum(n * n for n in shape) if len(shape) > 1 else 0,)

    def rule(  # type: ignore[override]
        self, theta: Array, g: Array, s: Array, r: Array, matrices: Array, bases: Array, *, t: int, lr: float,
        betas: tuple[float, float], eps: float, weight_decay: float, update_freq: int, maximize: bool,
    ) -> tuple[Array, ...]:  # fmt: skip
        """One step, as in the docstring of the class."""
        rho1, rho2 = betas
        g = penalized(theta, g, 0.0, maximize)
        shape = theta.shape if len(theta.shape) > 1 else ()  # what has less axes is not turned
        if not shape:
            s, r = average(s, g, rho1), average(r, g * g, rho2)
            return shrunk(theta, lr, weight_decay) - change(s, r, t, lr, rho1, rho2, eps), s, r, matrices, bases
        products = stacked(m @ m.T for m in unfoldings(g, shape))
        matrices = average(matrices, products, rho2)
        if t == 1:
            return theta, s, r, matrices, stacked(map(eigenvectors, squares(products, shape)))
        turned = along_axes(g, squares(bases, shape), shape)
        s, r = average(s, g, rho1), average(r, turned * turned, rho2)
        u = change(along_axes(s, squares(bases, shape), shape), r, t - 1, lr, rho1, rho2, eps)
        u = along_axes(u, (q.T for q in squares(bases, shape)), shape)
        if (t - 1) % update_freq == 0:
            bases = stacked(map(refined, squares(matrices, shape), squares(bases, shape)))
        return shrunk(theta, lr, weight_decay) - u, s, r, matrices, bases


def change(s: Array, r: Array, t: int, lr: float, rho1: float, rho2: float, eps: float) -> Array:
    """Adam's, in any coordinates."""
    correct = math.sqrt(1 - rho2**t)
    return s * (lr * correct / (1 - rho1**t)) / (sqrt(r) + eps * correct)


def stacked(matrices: Iterable[Array]) -> Array:
    """Matrices in one vector, one after the other."""
    return concatenate([matrix.reshape(-1) for matrix in matrices])
