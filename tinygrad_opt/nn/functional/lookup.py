"""Rows of a table, looked up by their numbers."""

from __future__ import annotations

from typing import Any

from ... import backend, errors, ops
from ...core import ledger
from ...core.modes import current, no_grad
from ...core.primitive import operand
from ...core.tensor import Tensor
from ...ops.checks import as_real
from ...ops.choice import where
from ...ops.index import pick
from ...ops.shape import as_integer

__all__ = ["embedding"]


def embedding(
    indices: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """The rows of a table at `indices`; a row that is looked up several times gets the sum of their gradients.

    Parameters
    ----------
    indices : tensor or array of int, shape (...)
        From 0 to n - 1.
    weight : tensor, shape (n, m)
    padding_idx : int, optional
        A row that gets no gradient; negative ones are counted from the end.
    max_norm : float, optional
        Rows that are looked up and have a larger norm are first scaled down to it, *in place*.
    norm_type : float
        The p of that norm, ``(Σ |w|ᵖ)^(1/p)``.
    scale_grad_by_freq : bool
        Divide the gradient of a row by the number of times that it is looked up.
    sparse : False
        There are no sparse gradients.

    Returns
    -------
    tensor, shape (..., m)

    Raises
    ------
    IndexError
        For an index outside ``0 … n - 1``, on every device.
    TypeError
        For indices that are not integers.

    Examples
    --------
    >>> tg.nn.functional.embedding(tg.tensor([1, 0]), tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    no_sparse("embedding", sparse)
    weight = operand("embedding", weight, position="weight")
    if len(weight.shape) != 2 or weight.dtype.kind != "f":
        raise errors.ShapeError(
            f"embedding: expected a table of floating numbers, shape (n, m), after the indices; got "
            f"{tuple(weight.shape)} {weight.dtype}"
        )
    padding = padding_row("embedding", padding_idx, weight.shape[0])
    rows = _row_numbers(indices, weight)
    if max_norm is not None:
        _renormalize(weight, rows, as_real("embedding", "max_norm", max_norm),
                     as_real("embedding", "norm_type", norm_type))  # fmt: skip
    found = pick(weight, index=(rows,))
    return _weighted(found, rows, padding, scale_grad_by_freq)


def no_sparse(function: str, sparse: Any) -> None:
    """Refuse what there is not."""
    if sparse is not False:
        raise NotImplementedError(f"{function}: gradients are dense here; leave sparse={sparse!r} out")


def padding_row(function: str, padding_idx: Any, count: int) -> int | None:
    """The number of the padding row, counted from the front."""
    if padding_idx is None:
        return None
    row = as_integer(function, "padding_idx", padding_idx)
    if not -count <= row < count:
        raise IndexError(f"{function}: padding_idx {row} is not a row of a table of {count}")
    return row % count


def _row_numbers(indices: Any, weight: Any) -> Any:
    """The indices as int64, beside the table, in memory of their own; checked on every device."""
    given = operand("embedding", indices)
    array, table = getattr(given, "_array", given), getattr(weight, "_array", weight)
    if array.dtype.kind not in "iu":
        if isinstance(indices, (list, tuple)) and not array.size:
            array = array.astype("int64")
        else:
            raise TypeError(
                f"embedding: indices are whole numbers, and come first; got {array.dtype}. "
                "Write indices.astype(tg.int64)."
            )
    places = [("indices", backend.device_of(array)), ("weight", backend.device_of(table))]
    if places[0][1] != places[1][1]:
        if hasattr(indices, "shape"):
            raise errors.mixed_devices("embedding", places)
        array = backend.to_device(array, places[1][1])
    count = table.shape[0]
    with backend.beside(array):
        rows = backend.namespace(array).array(array, dtype="int64")
        if rows.size and int(rows.view("uint64").max()) >= count:  # read as unsigned, a negative number is huge
            low = int(rows.min())
            bad = low if low < 0 else int(rows.max())
            raise IndexError(f"embedding: index {bad} is outside 0 … {count - 1}, for a table of {count} rows")
    return rows


def _renormalize(weight: Any, rows: Any, limit: float, order: float) -> None:
    """Scale the rows that are looked up, where their norm is larger than `limit`, in place."""
    table = getattr(weight, "_array", weight)
    journal = current.get().journal
    with no_grad(), backend.beside(table):
        xp = backend.namespace(table)
        used = xp.unique(rows)
        found = table[used]
        norms = ops.linalg.norm(found, ord=order, axis=-1, keepdims=True)
        large = norms > limit
        if not bool(large.any()):
            return
        if journal is not None and isinstance(weight, Tensor):
            journal.changing(weight, in_place=True)
        table[used] = where(large, found * (limit / (norms + 1e-7)), found)
        if journal is None or not journal.repeating:
            ledger.wrote(table, "embedding (max_norm)")


def _weighted(found: Any, rows: Any, padding: int | None, by_frequency: bool) -> Any:
    """The same values; what flows back to a row is nothing for padding, and divided by the row's frequency."""
    if (padding is None and not by_frequency) or not isinstance(found, Tensor):
        return found
    held = found.detach()
    with backend.beside(rows):
        xp = backend.namespace(rows)
        kept = True if padding is None else (rows != padding)[..., None]
        if not by_frequency:
            return where(kept, found, held)
        _, places, counts = xp.unique(rows, return_inverse=True, return_counts=True)
        share = (kept / counts[places.reshape(rows.shape)][..., None]).astype(found.dtype)
    part = found * share
    return held + (part - part.detach())
