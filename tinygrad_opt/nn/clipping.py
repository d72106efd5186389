"""Gradients cut to a length, or to a range, where they are: in place, without waiting for the device."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from .. import backend, errors, ops
from ..core import ledger
from ..core.primitive import wrap
from ..core.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_"]

Array = Any


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients together so that their norm, as one vector, is at most `max_norm`.

    ``g ← g · min(1, max_norm / (‖g‖ + 1e-6))``

    Parameters
    ----------
    parameters : iterable of tensors, or one tensor
        Those without a gradient are left aside.
    max_norm : float
    norm_type : float
        p of the p-norm; ``inf`` for the largest magnitude.
    error_if_nonfinite : bool
        Raise where the norm is nan or inf. This reads it: on a GPU it waits for the backward pass.

    Returns
    -------
    Tensor
        The norm before, a scalar; 0 where there are no gradients. It does not overflow for large gradients.

    Raises
    ------
    AnomalyError
        With `error_if_nonfinite`; the gradients are then left as they are.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    Examples
    --------
    >>> w = tg.tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tg.tensor([3.0, 4.0])).sum().backward()
    >>> tg.nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.59999..., 0.79999...])
    """
    max_norm = _number("clip_grad_norm_", "max_norm", max_norm, low=0.0)
    order = _number("clip_grad_norm_", "norm_type", norm_type)
    if not order > 0:
        raise ValueError(f"clip_grad_norm_: norm_type must be positive, or inf; got {norm_type!r}")
    stretches = _stretches(_gradients("clip_grad_norm_", parameters))
    if not stretches:
        return Tensor(0.0)
    total = _norm(stretches, order)
    if error_if_nonfinite and not math.isfinite(value := total.item()):
        raise errors.AnomalyError(
            f"clip_grad_norm_: the norm of the gradients is {value}, so they cannot be scaled, and were left as they "
            "are. tg.detect_anomaly() finds where it came from; error_if_nonfinite=False lets it pass."
        )
    for stretch in stretches:
        with backend.beside(stretch):
            norm = backend.to_device(total._array, backend.device_of(stretch))
            stretch *= backend.namespace(norm).minimum(max_norm / (norm + 1e-6), 1.0)
        ledger.wrote(stretch, "clip_grad_norm_")
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Cut every element of all gradients to ``[-clip_value, clip_value]``.

    Examples
    --------
    >>> w = tg.tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tg.tensor([3.0, -0.5])).sum().backward()
    >>> tg.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 1. , -0.5])
    """
    limit = _number("clip_grad_value_", "clip_value", clip_value, low=0.0)
    for stretch in _stretches(_gradients("clip_grad_value_", parameters)):
        with backend.beside(stretch):
            backend.namespace(stretch).clip(stretch, -limit, limit, out=stretch)
        ledger.wrote(stretch, "clip_grad_value_")


def _number(function: str, name: str, value: Any, low: float = -math.inf) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not number >= low:
        raise ValueError(f"{function}: {name} must be a number{'' if low < 0 else ' of at least 0'}; got {value!r}")
    return number


def _with_gradients(function: str, parameters: Any) -> Iterator[Tensor]:
    """The parameters that have elements and a gradient, each once."""
    if hasattr(parameters, "parameters"):
        raise TypeError(f"{function}: parameters must be a list of tensors; write model.parameters()")
    given = [parameters] if isinstance(parameters, Tensor) else _listed(function, parameters)
    seen: set[int] = set()
    for position, parameter in enumerate(given):
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{function}: parameter {position} is no tensor; got {parameter!r:.80}")
        if parameter.size and parameter.is_leaf and parameter.grad is not None and id(parameter) not in seen:
            seen.add(id(parameter))
            yield parameter


def _gradients(function: str, parameters: Any) -> list[Tensor]:
    """Their gradients."""
    return [parameter.grad for parameter in _with_gradients(function, parameters) if parameter.grad is not None]


def _listed(function: str, parameters: Any) -> list[Any]:
    if not isinstance(parameters, Iterable):
        raise TypeError(
            f"{function}: parameters must be a list of tensors, model.parameters(); got {type(parameters).__name__}"
        )
    given = list(parameters)
    if not given and isinstance(parameters, Iterator):
        raise ValueError(
            f"{function}: the iterator is at its end. model.parameters() is good for one use: call it anew, or keep "
            "list(model.parameters())."
        )
    return given


def _stretches(gradients: Iterable[Tensor]) -> list[Array]:
    """The arrays of gradients; what lies one after the other in an optimizer's vector is taken as one."""
    stretches: list[Array] = []
    vector, stop = None, 0
    for gradient in gradients:
        array = gradient._array
        base = array.base
        alike = type(base) is type(array) and base.dtype == array.dtype and base.ndim == 1
        if not (alike and base.flags.c_contiguous and array.flags.c_contiguous):
            vector = None
            stretches.append(array)
            continue
        bounds = backend.of(array).byte_bounds
        origin = bounds(base)[0]
        low, high = ((edge - origin) // array.itemsize for edge in bounds(array))
        if base is vector and low == stop:
            low = stop - stretches.pop().size
        vector, stop = base, high
        stretches.append(base[low:high])
    return stretches


def _norm(arrays: list[Array], order: float) -> Tensor:
    """The norm of all arrays as one vector: of their norms; float16 counts in float32, and nothing overflows."""
    home = backend.device_of(arrays[0])
    p = None if order == 2 else order
    norms = []
    for array in arrays:
        with backend.beside(array):
            whole = array.reshape(-1)
            norms.append(ops.norm(wrap(whole.astype("float32") if whole.dtype.itemsize < 4 else whole), ord=p))
    if len(norms) == 1:
        return norms[0]
    wide = max(norm.dtype for norm in norms)
    return ops.norm(ops.stack([norm.to(home).to(wide) for norm in norms]), ord=p)
