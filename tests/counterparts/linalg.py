"""PyTorch's counterparts of linear algebra, with the signs that are free made unique as in the specifications."""

from __future__ import annotations

import itertools
from typing import Any

import torch

__all__ = ["TORCH", "WITHOUT"]


def joined(stack: int, *parts: Any) -> Any:
    return torch.cat([x.flatten(stack) if x.ndim > stack else x.unsqueeze(-1) for x in parts], dim=-1)


def symmetric(x: Any) -> Any:
    return (x + x.mT) * 0.5


def signs(vectors: Any) -> Any:
    return torch.sign((vectors.detach() ** 3).sum(-2, keepdim=True))


def eigh(x: Any, UPLO: str) -> Any:
    w, v = torch.linalg.eigh(symmetric(x), UPLO=UPLO)
    return joined(x.ndim - 2, w, v * signs(v))


def svd(x: Any, full_matrices: bool) -> Any:
    u, s, vh = torch.linalg.svd(x, full_matrices=full_matrices)
    return joined(x.ndim - 2, u * signs(u), s, vh * signs(u).mT)


def qr(x: Any, mode: str) -> Any:
    q, r = torch.linalg.qr(x, mode)
    turn = torch.sign(torch.diagonal(r.detach(), dim1=-2, dim2=-1))
    return joined(x.ndim - 2, q * turn.unsqueeze(-2), r * turn.unsqueeze(-1))


def solve(a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return torch.linalg.solve(a, b.unsqueeze(-1)).squeeze(-1)
    return torch.linalg.solve(a, b)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord is None or ord == "fro":
        axis = tuple(range(x.ndim)) if axis is None else axis
        return torch.linalg.vector_norm(x, 2, axis, keepdims) if axis != () else x.abs()
    return torch.linalg.norm(x, ord, axis, keepdims)


def rank(x: Any, rtol: float) -> Any:
    return torch.linalg.matrix_rank(x, rtol=rtol) if x.ndim > 1 else (x != 0).any().to(torch.int64)


def det(x: Any) -> Any:
    """By its definition: PyTorch's own derivatives are not finite for singular matrices."""
    total = torch.zeros(x.shape[:-2], dtype=x.dtype)
    for order in itertools.permutations(range(n := x.shape[-1])):
        inversions = sum(a > b for a, b in itertools.combinations(order, 2))
        term = torch.ones(x.shape[:-2], dtype=x.dtype)
        for row in range(n):
            term = term * x[..., row, order[row]]
        total = total + (-1) ** inversions * term
    return total


def cofactor(x: Any) -> Any:
    n = x.shape[-1]
    rest = [[i for i in range(n) if i != j] for j in range(n)]
    if not x.numel():
        return x * 1.0
    rows = [
        torch.stack([(-1) ** (i + j) * det(x[..., rest[i], :][..., rest[j]]) for j in range(n)], dim=-1)
        for i in range(n)
    ]
    return torch.stack(rows, dim=-2)


TORCH = {
    "linalg.det": det,
    "cofactor": cofactor,
    "linalg.inv": torch.linalg.inv,
    "linalg.solve": solve,
    "linalg.slogdet": lambda x: torch.stack(torch.linalg.slogdet(x), dim=-1),
    "linalg.cholesky": lambda x, upper: torch.linalg.cholesky(symmetric(x), upper=upper),
    "linalg.eigh": eigh,
    "linalg.eigvalsh": lambda x: torch.linalg.eigvalsh(symmetric(x)),
    "linalg.svd": svd,
    "linalg.svdvals": torch.linalg.svdvals,
    "linalg.qr": qr,
    "linalg.pinv": lambda b, c: torch.linalg.pinv(b @ c, rtol=1e-3),
    "linalg.lstsq": lambda a, b: torch.linalg.pinv(a) @ b,
    "linalg.matrix_rank": rank,
    "linalg.matrix_power": torch.linalg.matrix_power,
    "linalg.multi_dot": lambda *arrays: torch.linalg.multi_dot(arrays),
    "norm": norm,
    "norm by sums": norm,
    "norm by singular values": norm,
}
WITHOUT: dict[str, str] = {}
