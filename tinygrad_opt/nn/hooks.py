"""Functions that are called when a module is: before, after, and when a derivative comes back through it.

A module without hooks has no `Hooks` object, and its call looks for one and nothing more. Backward hooks are shown the
cotangents of *all* outputs (or inputs) at once, but a walk brings them one by one. So the tensors pass through a
`Gate` of two rows of nodes: walking back, everything comes by the last row before anything comes by the first, where
what was collected is shown to the hook, and goes on as the hook decides.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..core.modes import current
from ..core.primitive import wrap
from ..core.tensor import Tensor
from ..ops.shape import gate

__all__ = ["Handle", "Hooks"]

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
        self.waits = any(map(_recorded, args))
        return Gate(self._input_gradients).through(args)

    def leave(self, result: Any) -> Any:
        """The result, behind the gate where its gradients come in."""
        outputs = result if isinstance(result, tuple) else (result,)
        if not any(map(_recorded, outputs)):
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


def _recorded(x: Any) -> bool:
    return isinstance(x, Tensor) and x._node is not None


class Gate:
    """Brings together the cotangents of several tensors, and shows them to one function, which may replace them."""

    def __init__(self, decide: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        self.decide = decide
        self.count = 0
        self.collected: dict[int, Any] = {}
        self.decided: dict[int, Any] = {}

    def through(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        """The tensors, each under two more nodes where it is recorded."""
        self.count = len(tensors)
        passed = list(tensors)
        for meet in (self._let_out, self._let_in):
            for position, x in enumerate(passed):
                if _recorded(x):
                    passed[position] = gate(x, meet=_At(meet, position))
        return tuple(passed)

    # Nothing is held when a walk is over: a recorded cotangent holds the graph, and with it this gate.

    def _let_in(self, position: int, g: Any) -> Any:
        self.decided.clear()
        self.collected[position] = g if _is_tensor(g) else wrap(g)
        return g

    def _let_out(self, position: int, g: Any) -> Any:
        if self.collected:
            collected, self.collected = self.collected, {}
            self.decided = dict(enumerate(self.decide(tuple(collected.get(i) for i in range(self.count)))))
        decided = self.decided.pop(position)
        return decided if _is_tensor(g) else decided._array


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)


class _At:
    """A gate's function for one position."""

    __slots__ = ("meet", "position")

    def __init__(self, meet: Callable[[int, Any], Any], position: int) -> None:
        self.meet, self.position = meet, position

    def __call__(self, g: Any) -> Any:
        return self.meet(self.position, g)

    def __repr__(self) -> str:
        return "a hook"
