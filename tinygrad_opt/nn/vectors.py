"""Parameters as one vector, and back: for methods that know nothing of layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend, errors, ops
from ..core.tensor import Tensor
from .arguments import as_tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _tensors(function: str, parameters: Any) -> list[Tensor]:
    if isinstance(parameters, Tensor) or hasattr(parameters, "parameters") or not isinstance(parameters, Iterable):
        raise TypeError(f"{function}: parameters must be a list of tensors; write model.parameters()")
    found = list(parameters)
    for position, parameter in enumerate(found):
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{function}: parameter {position} is no tensor; got {parameter!r:.80}")
    if not found:
        raise ValueError(
            f"{function}: there are no parameters. model.parameters() is good for one use: call it anew, or keep "
            "list(model.parameters())."
        )
    return found


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all tensors, one after the other; derivatives flow through.

    Examples
    --------
    >>> tg.nn.utils.parameters_to_vector([tg.ones(2, 2), tg.zeros(1)])
    tensor([1., 1., 1., 1., 0.])
    """
    return ops.concatenate([ops.ravel(p) for p in _tensors("parameters_to_vector", parameters)])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into tensors, one after the other, in place.

    No derivative flows through: a module as a function of a vector is ``functional_call`` with pieces of it.

    Raises
    ------
    ShapeError
        Where the vector is not as long as the parameters together; nothing is written.

    Examples
    --------
    >>> w, b = tg.zeros(2, 2), tg.zeros(1)
    >>> tg.nn.utils.vector_to_parameters(tg.arange(5.0), [w, b])
    >>> b
    tensor([4.])
    """
    found = _tensors("vector_to_parameters", parameters)
    vector = as_tensor("vector_to_parameters: vec", vec).detach()
    total = sum(parameter.size for parameter in found)
    if vector.shape != (total,):
        raise errors.ShapeError(
            f"vector_to_parameters: expected a vector of {total} elements, as many as the parameters have; got shape "
            f"{vector.shape}"
        )
    start = 0
    for parameter in found:
        piece = vector._array[start : start + parameter.size].reshape(parameter.shape)
        with backend.beside(piece):
            parameter.data = backend.to_device(piece.astype(parameter.dtype), parameter.device)
        start += parameter.size
