"""Functions that are called when a module is: before, after, and when a derivative comes back through it.

A module without hooks has no `Hooks` object, and its call looks for one and nothing more.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from .. import errors
from ..core.modes import current
from ..core.tensor import Tensor
from .gates import Gate, is_recorded

__all__ = ["Handle", "Hooked", "Hooks"]

Hook = Callable[..., Any]
_number = itertools.count().__next__


class Handle:
    """What registering a hook returns: ``remove()`` takes it away again, and so does the end of a ``with`` block."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks, self.id = hooks, key

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one module, of each kind in the order in which they are called."""

    def __init__(self) -> None:
        self.before: dict[int, Hook] = {}
        self.after: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}
        self.backward_before: dict[int, Hook] = {}
        self.with_kwargs: set[int] = set()

    def add(self, kind: str, hook: Hook, prepend: bool, with_kwargs: bool = False) -> Handle:
        """Register a hook."""
        if not callable(hook):
            raise TypeError(f"a hook is a function; got {type(hook).__name__}")
        hooks, key = getattr(self, kind), _number()
        others = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[key] = hook
        hooks.update(others)
        if with_kwargs:
            self.with_kwargs.add(key)
        return Handle(hooks, key)

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the module's ``forward`` with everything around it."""
        for key, hook in list(self.before.items()):
            args, kwargs = self._call_before(key, hook, module, args, kwargs)
        passage = None
        if (self.backward or self.backward_before) and current.get().recording:
            passage = _Passage(self, module)
            args = passage.enter(args)
        result = module.forward(*args, **kwargs)
        for key, hook in list(self.after.items()):
            changed = hook(module, args, kwargs, result) if key in self.with_kwargs else hook(module, args, result)
            result = result if changed is None else changed
        return result if passage is None else passage.leave(result)

    def _call_before(self, key: int, hook: Hook, module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        if key not in self.with_kwargs:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
            return args, kwargs
        changed = hook(module, args, kwargs)
        if changed is None:
            return args, kwargs
        if not (isinstance(changed, tuple) and len(changed) == 2 and isinstance(changed[0], tuple)):
            raise TypeError(
                f"{type(module).__name__}: a forward pre-hook with_kwargs=True returns None or a pair (args, kwargs); "
                f"got {changed!r:.80}"
            )
        return changed


class _Passage:
    """One call of a module with backward hooks: the gates before and behind it, and what came back so far."""

    def __init__(self, hooks: Hooks, module: Any) -> None:
        self.before, self.after = list(hooks.backward_before.values()), list(hooks.backward.values())
        self.name, self.module = type(module).__name__, module
        self.grad_output: tuple[Any, ...] = ()
        self.waits = False  # whether the gradient of an input is still to come when those of the outputs are there
        self.inputs = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, behind the gate where their gradients come out."""
        self.inputs = len(args)
        self.waits = any(map(is_recorded, args))
        return Gate(self._input_gradients).through(args)

    def leave(self, result: Any) -> Any:
        """The result, behind the gate where its gradients come in."""
        outputs = result if isinstance(result, tuple) else (result,)
        if not any(map(is_recorded, outputs)):
            return result
        outputs = Gate(self._output_gradients).through(outputs)
        if not isinstance(result, tuple):
            return outputs[0]
        return type(result)(*outputs) if hasattr(result, "_fields") else outputs

    def _output_gradients(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.before:
            gradients = self._replaced("grad_output", gradients, hook(self.module, gradients))
        if self.waits:
            self.grad_output = gradients
        else:
            for hook in self.after:
                if hook(self.module, (None,) * self.inputs, gradients) is not None:
                    raise errors.GraphError(
                        f"{self.name}: no input requires gradients, so a backward hook has no grad_input to replace; "
                        "return None"
                    )
        return gradients

    def _input_gradients(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_output, self.grad_output = self.grad_output, ()
        for hook in self.after:
            gradients = self._replaced("grad_input", gradients, hook(self.module, gradients, grad_output))
        return gradients

    def _replaced(self, what: str, old: tuple[Any, ...], new: Any) -> tuple[Any, ...]:
        """What a hook made of gradients: as many, of the same shapes."""
        if new is None:
            return old
        new = new if isinstance(new, tuple) else (new,)
        fits = len(new) == len(old) and all(
            a is None if b is None else isinstance(a, Tensor) and a.shape == b.shape
            for a, b in zip(new, old, strict=True)
        )
        if not fits:
            shapes = [[None if g is None else getattr(g, "shape", type(g)) for g in group] for group in (old, new)]
            raise errors.ShapeError(
                f"{self.name}: a backward hook returns None, or a {what} with tensors like those that it was given, "
                f"{shapes[0]}; got {shapes[1]}"
            )
        return new


class Hooked:
    """The part of a module that is called, and that hooks are registered with."""

    _hooks: Hooks | None = None
    forward: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the module."""
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return self._hooks.call(self, args, kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call ``hook(module, args)`` before each `forward`; what it returns, unless None, replaces the arguments.

        Parameters
        ----------
        hook : callable
            With `with_kwargs` it is called as ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        prepend : bool
            Before the hooks that are there, instead of after them.

        Returns
        -------
        Handle
            With ``remove()``; or use it in a ``with`` block.

        Examples
        --------
        >>> layer = tg.nn.Tanh()
        >>> with layer.register_forward_pre_hook(lambda module, args: (args[0] * 0.0,)):
        ...     layer(tg.ones(2))
        tensor([0., 0.])
        """
        return self._hook("before", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call ``hook(module, args, output)`` after each `forward`; what it returns, unless None, is the output.

        With `with_kwargs` it is called as ``hook(module, args, kwargs, output)``. See `register_forward_pre_hook`.

        Examples
        --------
        >>> layer, seen = tg.nn.Linear(2, 3), []
        >>> handle = layer.register_forward_hook(lambda module, args, output: seen.append(output.shape))
        >>> y = layer(tg.ones(4, 2))
        >>> seen
        [(4, 3)]
        >>> handle.remove()
        """
        return self._hook("after", hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when the derivative by the inputs has been computed.

        Both are tuples, with one gradient for each positional argument and for each output; None for what is no
        tensor, or has no gradient. What the hook returns, unless None, replaces `grad_input`. Where no input requires
        gradients, it is called when those of the outputs are there.

        Derivatives of higher order see the hook too: then the gradients that it is shown are recorded.

        Examples
        --------
        >>> layer, x = tg.nn.Tanh(), tg.zeros(2, requires_grad=True)
        >>> with layer.register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] * 10.0,)):
        ...     layer(x).sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        return self._hook("backward", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_output)`` before the derivative goes through; it may return another one."""
        return self._hook("backward_before", hook, prepend)

    def _hook(self, kind: str, hook: Callable[..., Any], prepend: bool, with_kwargs: bool = False) -> Handle:
        if self._hooks is None:
            object.__setattr__(self, "_hooks", Hooks())
        return self._hooks.add(kind, hook, prepend, with_kwargs)  # type: ignore[union-attr]
