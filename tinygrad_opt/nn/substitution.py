"""A module as a function of its parameters: for the time of one call its tensors hold other values.

Names of parameters lead to tensors, and what a tensor holds (its array, and the node by which derivatives flow) can be
exchanged while it stays the same object. So wherever a parameter stands, under however many names, it has the given
value during the call, and its own again afterwards.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import errors
from ..core.tensor import Tensor
from .arguments import as_tensor
from .module import Module
from .walking import is_state, walk

__all__ = ["functional_call"]


def functional_call(
    module: Module, parameter_and_buffer_dicts: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None, *,
    strict: bool = False,
) -> Any:  # fmt: skip
    """Call a module with the given values in place of its parameters and buffers; afterwards it is as it was.

    The result can be differentiated by the given tensors, to any order and in either mode.

    Parameters
    ----------
    module : Module
    parameter_and_buffer_dicts : dict, or sequence of dicts
        From names, as in ``named_parameters()``, to tensors of the same shape. What is not named keeps its own
        value; a tensor with several names takes the value under all of them. Running statistics that the call moves
        move in the given buffer, where there is one.
    args : tuple, or one tensor
    kwargs : dict, optional
        What the module is called with.
    strict : bool
        Whether all parameters and buffers have to be given.

    Raises
    ------
    KeyError
        For a name that the module does not have, and with `strict` for one that is missing.
    ShapeError
        For a value of another shape.
    ValueError
        For two values for one tensor.

    Examples
    --------
    >>> model, x = tg.nn.Linear(2, 1), tg.tensor([[1.0, 2.0]])
    >>> def loss(parameters):
    ...     return (tg.nn.utils.functional_call(model, parameters, x) ** 2).sum()
    >>> tg.grad(loss)({"weight": tg.ones(1, 2), "bias": tg.zeros(1)})
    {'weight': tensor([[ 6., 12.]]), 'bias': tensor([6.])}
    """
    if not isinstance(module, Module):
        raise TypeError(f"functional_call: expected a Module first; got {type(module).__name__}")
    given = _merged(parameter_and_buffer_dicts)
    args = args if isinstance(args, tuple) else (args,)
    with _exchanged(_pairs(module, given, strict)):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    """All dicts as one."""
    merged: dict[str, Any] = {}
    for part in dicts if isinstance(dicts, Sequence) else [dicts]:
        if not isinstance(part, Mapping):
            raise TypeError(
                "functional_call: expected a dict from names to tensors, or a sequence of such dicts; got "
                f"{type(part).__name__}. Write functional_call(model, dict(model.named_parameters()), x)."
            )
        if twice := merged.keys() & part.keys():
            raise ValueError(f"functional_call: {sorted(twice)[0]!r} is given twice")
        merged.update(part)
    return merged


def _pairs(module: Module, given: Mapping[str, Any], strict: bool) -> list[tuple[Tensor, Tensor]]:
    """Each tensor that is to hold another value, with the value."""
    own = {name: part for name, part in walk(module) if is_state(part)}
    pairs: dict[int, tuple[str, Tensor, Tensor]] = {}
    for name, value in given.items():
        if name not in own:
            close = difflib.get_close_matches(str(name), own, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(own)}"
            raise KeyError(f"functional_call: {type(module).__name__} has no parameter or buffer {name!r}; {hint}")
        part = own[name]
        tensor = as_tensor(f"functional_call: '{name}'", value)
        if tensor.shape != part.shape:
            raise errors.ShapeError(f"functional_call: '{name}' has shape {part.shape}; got {tensor.shape}")
        other, _, present = pairs.setdefault(id(part), (name, part, tensor))
        if present is not tensor:
            raise ValueError(f"functional_call: '{other}' and '{name}' are one tensor; give one value for both")
    missing = [name for name, part in own.items() if id(part) not in pairs]
    if strict and missing:
        raise KeyError(f"functional_call: strict=True, and these are not given: {', '.join(missing)}")
    return [(part, tensor) for _, part, tensor in pairs.values()]


@contextmanager
def _exchanged(pairs: Sequence[tuple[Tensor, Tensor]]) -> Iterator[None]:
    """While open, the first of each pair holds what the second does."""
    held = [(part, part._array, part._node, part.name) for part, _ in pairs]
    try:
        for part, value in pairs:
            part._array, part._node = value._array, value._node
        yield
    finally:
        moved = [(value, part._array) for part, value in pairs if part._array is not value._array]
        for part, array, node, name in held:
            part._array, part._node = array, node
            part.name = name
        for value, array in moved:  # running statistics
            if value._node is None:
                value.rehome(array)
