"""A module is an object with parameters. Whatever hangs on its attributes is found by walking them: no registration.

A `Parameter` is learned, any other Tensor is a buffer (state that is not learned), a Module is a part; all three may
also sit in lists, tuples and dicts. Names are the paths to them, with dots, as in PyTorch.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .. import backend, errors
from ..core.tensor import Parameter, Tensor
from .live import Live

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """The named parts of a module or container, in the order in which they were assigned."""
    if isinstance(value, Module):
        yield from vars(value).items()
    elif isinstance(value, dict):
        yield from ((str(key), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(i), item) for i, item in enumerate(value))


def _walk(root: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every module and tensor below `root`, itself included, with its dotted name, parents before children."""
    stack: list[tuple[str, Any, tuple[Any, ...]]] = [(prefix, root, ())]
    while stack:
        name, value, above = stack.pop()
        if isinstance(value, (Module, Tensor)):
            yield name, value
        # A part that two others share is walked under both names; one that holds its own holder is not entered again.
        if isinstance(value, (Module, dict, list, tuple)) and not any(value is holder for holder in above):
            inside = (*above, value)
            parts = [(f"{name}.{key}" if name else key, item, inside) for key, item in _items(value)]
            stack.extend(reversed(parts))


class Module:
    """Base class of layers and models: assign parameters and parts in ``__init__``, compute in ``forward``.

    Examples
    --------
    >>> class Scale(tg.nn.Module):
    ...     def __init__(self):
    ...         self.factor = tg.nn.Parameter(tg.ones(1))
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(tg.tensor([2.0]))
    tensor([2.], grad_fn='multiply')
    """

    training: bool = True

    def __setattr__(self, attribute: str, value: Any) -> None:
        object.__setattr__(self, attribute, value)
        for name, part in _walk(value, attribute):
            if isinstance(part, Parameter):
                part.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the module."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses write it."""
        raise NotImplementedError(f"{type(self).__name__} must define forward()")

    # What there is.

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The module itself (named ``""``) and all its parts, each once, with dotted names."""
        seen: set[int] = set()
        for name, part in _walk(self):
            if isinstance(part, Module) and id(part) not in seen:
                seen.add(id(part))
                yield name, part

    def modules(self) -> Iterator[Module]:
        """The module itself and all its parts, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The parts one level down."""
        for name, value in vars(self).items():
            held = _items(value) if not isinstance(value, Module) else [("", value)]
            for key, part in held:
                if isinstance(part, Module):
                    yield (f"{name}.{key}" if key else name), part

    def _named_tensors(self, wanted: Callable[[Tensor], bool]) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        for name, part in _walk(self):
            if isinstance(part, Tensor) and wanted(part) and id(part) not in seen:
                seen.add(id(part))
                yield name, part

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """What is learned, each tensor once, with dotted names."""
        yield from self._named_tensors(lambda part: isinstance(part, Parameter))  # type: ignore[misc]

    def parameters(self) -> Iterator[Parameter]:
        """What is learned, each tensor once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """State that is not learned, each tensor once, with dotted names."""
        return self._named_tensors(lambda part: not isinstance(part, Parameter))

    def buffers(self) -> Iterator[Tensor]:
        """State that is not learned, each tensor once."""
        return (buffer for _, buffer in self.named_buffers())

    # Switches.

    def train(self: M, mode: bool = True) -> M:
        """Put the module and its parts into training mode (or out of it); returns the module."""
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self: M) -> M:
        """Put the module and its parts into evaluation mode; returns the module."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze (False) or unfreeze all parameters; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call a function on the module and each of its parts; returns the module."""
        for module in self.modules():
            function(module)
        return self

    def to(self: M, target: Any) -> M:
        """Move all parameters and buffers to a device, or floating ones to a dtype; they stay the same objects.

        A parameter that is moved loses its gradient, and an optimizer made before refuses its next step: make it
        after the move. Where nothing changes, nothing is touched.

        Raises
        ------
        TypeError
            For a dtype that is not floating: parameters have derivatives.
        """
        moves = []
        for name, tensor in self._named_tensors(lambda _: True):
            moved = tensor.detach().to(target)
            if moved.dtype == tensor.dtype or tensor.dtype.kind == "f":
                moves.append((tensor, moved))
            if tensor.dtype.kind == "f" and moved.dtype.kind != "f":
                raise TypeError(f"to: '{name}' is floating and cannot become {moved.dtype}; write model.to(tg.float64)")
        for tensor, moved in moves:
            if moved.data is not tensor.data:
                tensor.rehome(moved.data)
        return self

    # State.

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name: detached tensors that share the module's memory.

        They follow the module, also into an optimizer's memory and through `to`; for the values of this moment, to
        come back to later, copy them: ``copy.deepcopy(model.state_dict())``.

        Examples
        --------
        >>> list(tg.nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        return {name: Live(part) for name, part in _walk(self) if isinstance(part, Tensor)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Copy values into parameters and buffers, by name; nothing is changed unless everything fits.

        Parameters
        ----------
        state : mapping of str to tensor or array
        strict : bool
            Whether a missing or an unexpected name is an error.

        Raises
        ------
        ShapeError
            Listing every name that is missing, unexpected, or of another shape or dtype.
        """
        own = {name: part for name, part in _walk(self) if isinstance(part, Tensor)}
        values = {name: value.detach() if isinstance(value, Tensor) else Tensor(value) for name, value in state.items()}
        problems = []
        if strict:
            problems += [f"missing: '{name}'" for name in own if name not in values]
            problems += [f"unexpected: '{name}'" for name in values if name not in own]
        for name, part in own.items():
            value = values.get(name)
            if value is not None and (value.shape, value.dtype) != (part.shape, part.dtype):
                problems.append(f"'{name}': expected {part.shape} {part.dtype}, got {value.shape} {value.dtype}")
        if problems:
            raise errors.ShapeError(
                f"load_state_dict: the state does not fit {type(self).__name__}, nothing was loaded:\n  "
                + "\n  ".join(problems)
            )
        for name, part in own.items():
            if name in values:
                part.data = backend.to_device(values[name].data, part.device)

    def extra_repr(self) -> str:
        """What ``repr`` shows between the parentheses of a layer."""
        return ""

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        count = sum(parameter.size for parameter in self.parameters())
        note = f"  # {count:,} parameters" if count else ""
        head = f"{type(self).__name__}({self.extra_repr()}"
        children = [f"({name}): {part!r}".replace("\n", "\n  ") for name, part in self.named_children()]
        if not children:
            return f"{head}){note}"
        return head + note + "\n  " + "\n  ".join(children) + "\n)"
