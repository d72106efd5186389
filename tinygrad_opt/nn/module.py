"""A module is an object with parameters. Whatever hangs on its attributes is found by walking them: no registration.

A `Parameter` is learned, any other Tensor is a buffer (state that is not learned), a Module is a part; all three may
also sit in lists, tuples and dicts. Names are the paths to them, with dots, as in PyTorch.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..core.tensor import Parameter, Tensor
from . import moving, states
from .hooks import Hooked
from .live import Live
from .states import Loaded
from .walking import Holder, assigned, is_state, walk

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class Module(Hooked, Holder):
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
        assigned(self, attribute, value)
        object.__setattr__(self, attribute, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses write it."""
        raise NotImplementedError(
            f"{type(self).__name__} must define forward(), the function that computes its output: "
            "def forward(self, x): return ..."
        )

    # What there is.

    def named_modules(self, *, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """The module itself (named `prefix`) and all its parts, with dotted names.

        Each once; without `remove_duplicate` what is shared under all its names.
        """
        found = ((name, part) for name, part in walk(self, prefix) if isinstance(part, Module))
        return _each_once(found) if remove_duplicate else found

    def modules(self) -> Iterator[Module]:
        """The module itself and all its parts, each once."""
        return (module for _, module in self.named_modules())

    def _parts(self) -> Iterator[tuple[str, Module]]:
        """The parts one level down, lists and dicts between them left aside; a shared one under all its names."""
        nearest = walk(self, deep=False)
        return ((name, part) for name, part in nearest if isinstance(part, Module) and part is not self)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The parts one level down, each once; lists and dicts are no level."""
        return _each_once(self._parts())

    def children(self) -> Iterator[Module]:
        """The parts one level down, each once."""
        return (module for _, module in self.named_children())

    def _named_tensors(
        self, wanted: Callable[[Tensor], bool], prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        found = ((name, x) for name, x in walk(self, prefix, deep=recurse) if is_state(x) and wanted(x))
        return _each_once(found) if remove_duplicate else found

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """What is learned, with dotted names. A parameter of a list that grew later learns its full name here.

        Parameters
        ----------
        prefix : str
            What all names begin with.
        recurse : bool
            Whether what the parts learn is included.
        remove_duplicate : bool
            List each tensor once; else what is shared under all its names.
        """
        for name, part in self._named_tensors(
            lambda part: isinstance(part, Parameter), prefix, recurse, remove_duplicate
        ):
            if not prefix and part.name != name and (part.name is None or name.endswith(f".{part.name}")):
                part.name = name
            yield name, part

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """What is learned, each tensor once; without `recurse` not that of the parts.

        An iterator, good for one use: to hand the parameters to two functions write ``list(model.parameters())``.
        """
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """State that is not learned, with dotted names; see `named_parameters`."""
        return self._named_tensors(lambda part: not isinstance(part, Parameter), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """State that is not learned, each tensor once; without `recurse` not that of the parts."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The part of that dotted name; the module itself for ``""``."""
        return self._get(target, Module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of that dotted name."""
        return self._get(target, Parameter)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of that dotted name."""
        return self._get(target, Tensor)

    def _get(self, target: str, kind: type) -> Any:
        named = {name: part for name, part in walk(self) if isinstance(part, kind)}
        if target not in named:
            raise AttributeError(
                f"{type(self).__name__} has no {kind.__name__} '{target}'; it has {', '.join(map(repr, named))}"
            )
        return named[target]

    # For those who come from PyTorch: assignments by another name.

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Assign a parameter: the same as ``self.name = param``."""
        if not (param is None or isinstance(param, Parameter)):
            raise TypeError(
                f"register_parameter: '{name}' must be a Parameter or None; got {type(param).__name__}. Write "
                "tg.nn.Parameter(...)."
            )
        self._register(name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Assign a buffer: the same as ``self.name = tensor``, unless it is not to be part of the state.

        Parameters
        ----------
        name : str
        tensor : Tensor or None
        persistent : bool
            Whether ``state_dict`` contains it. It moves with the module in any case.
        """
        if not (tensor is None or (isinstance(tensor, Tensor) and not isinstance(tensor, Parameter))):
            raise TypeError(f"register_buffer: '{name}' must be a Tensor or None; got {type(tensor).__name__}")
        self._register(name, tensor)
        object.__setattr__(self, "_unsaved", self._unsaved - {name} if persistent else self._unsaved | {name})

    def register_module(self, name: str, module: Module | None) -> None:
        """Assign a part: the same as ``self.name = module``."""
        if not (module is None or isinstance(module, Module)):
            raise TypeError(f"register_module: '{name}' must be a Module or None; got {type(module).__name__}")
        self._register(name, module)

    add_module = register_module

    def _register(self, name: str, value: Any) -> None:
        if not isinstance(name, str) or not name or "." in name or hasattr(Module, name):
            raise KeyError(f"{type(self).__name__}: {name!r} cannot name an attribute: it is empty, dotted or taken")
        setattr(self, name, value)

    # Switches.

    def train(self: M, mode: bool = True) -> M:
        """Put the module and its parts into training mode (or out of it); returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode is True or False; got {mode!r}")
        for module in self.modules():
            object.__setattr__(module, "training", mode)
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

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call a function on the module and each of its parts; returns the module."""
        if not callable(fn):
            raise TypeError(f"apply: expected a function of a module; got {type(fn).__name__}")
        for module in self.modules():
            fn(module)
        return self

    # Moves.

    def to(self: M, *targets: Any, device: str | None = None, dtype: Any = None) -> M:
        """Move all parameters and buffers to a device, or floating ones to a dtype; they stay the same objects.

        A parameter that is moved loses its gradient, and an optimizer made before refuses its next step: make it
        after the move. Where nothing changes, nothing is touched.

        Parameters
        ----------
        *targets : device or dtype, or a Tensor that has both
        device, dtype
            The same, by name.

        Raises
        ------
        TypeError
            For a dtype that is not floating: parameters have derivatives.

        Examples
        --------
        >>> tg.nn.Linear(2, 3).to("cpu", tg.float64).weight.dtype
        dtype('float64')
        """
        moving.move(list(self._named_tensors(lambda _: True)), *targets, device, dtype)
        return self

    def half(self: M) -> M:
        """Move floating parameters and buffers to float16; returns the module."""
        return self.to("float16")

    def float(self: M) -> M:
        """Move floating parameters and buffers to float32; returns the module."""
        return self.to("float32")

    def double(self: M) -> M:
        """Move floating parameters and buffers to float64; returns the module."""
        return self.to("float64")

    def cpu(self: M) -> M:
        """Move parameters and buffers to host memory; returns the module."""
        return self.to("cpu")

    def cuda(self: M, device: int | None = None) -> M:
        """Move parameters and buffers to a GPU; returns the module."""
        return self.to("cuda" if device is None else f"cuda:{device}")

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
        return {name: Live(part) for name, part in states.named_state(self).items()}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False, *, cast: bool = False
    ) -> Loaded:
        """Copy values into parameters and buffers, by name; nothing is changed unless everything fits.

        Parameters
        ----------
        state_dict : mapping of str to tensor or array
            Tensors of other libraries (PyTorch's, say) too. A tensor that two names share may come under one of them.
        strict : bool
            Whether a missing or an unexpected name is an error.
        assign : bool
            Hold the given arrays themselves from now on, on their device and in their dtype, instead of copying. The
            parameters stay the same objects; make an optimizer afterwards.
        cast : bool
            Allow casts that may lose digits, such as float64 into float32. Those that keep every value are made
            anyhow; an infinity is never made out of a number.

        Returns
        -------
        Loaded
            ``missing_keys`` and ``unexpected_keys``; empty where `strict`.

        Raises
        ------
        ShapeError
            Listing every name that is missing, unexpected, or of another shape or dtype.
        """
        return states.load(self, state_dict, strict, assign, cast)

    def extra_repr(self) -> str:
        """What ``repr`` shows between the parentheses of a layer."""
        return ""

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        count = sum(parameter.size for parameter in self.parameters())
        note = f"  # {count:,} parameters" if count else ""
        head, extra = f"{type(self).__name__}(", self.extra_repr()
        children = [f"({name}): {part!r}".replace("\n", "\n  ") for name, part in self._parts()]
        if not children:
            return f"{head}{extra}){note}"
        return head + note + "\n  " + "\n  ".join([extra, *children] if extra else children) + "\n)"


def _each_once(named: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for name, part in named:
        if id(part) not in seen:
            seen.add(id(part))
            yield name, part
