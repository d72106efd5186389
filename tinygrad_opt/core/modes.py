"""What is going on around an operation: whether it is recorded, and whether it is inspected.

The answer belongs to a thread or an async task, so it lives in a context variable. A ``with`` block adds itself on
entering and removes itself, wherever it then stands, on leaving: blocks may end in any order.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

__all__ = ["Mode", "ModeBlock", "current", "detect_anomaly", "enable_grad", "is_grad_enabled", "no_grad"]

F = TypeVar("F", bound=Callable[..., Any])
B = TypeVar("B", bound="ModeBlock")


class Mode(NamedTuple):
    """The settings in force, and the open blocks that made them so."""

    recording: bool = True
    inspecting: bool = False
    watched: bool = False  # whether somebody wants to see each operation: a mode that inspects, or the journal
    journal: Any = None  # who notes the changes that a function makes around it (see `replay`)
    blocks: tuple[ModeBlock, ...] = ()


current: ContextVar[Mode] = ContextVar("mode", default=Mode())  # noqa: B039 - a named tuple is immutable


def _combine(blocks: tuple[ModeBlock, ...]) -> Mode:
    settings: dict[str, Any] = {}
    for block in blocks:
        settings.update(block.settings)
    return Mode(blocks=blocks, **settings)


class ModeBlock:
    """A context manager and decorator that puts its settings in force while it is open."""

    settings: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """A block; or, as a decorator written without parentheses, the wrapped function."""
        block = super().__new__(cls)
        return block if function is None else block(function)

    def __enter__(self: B) -> B:
        current.set(_combine((*current.get().blocks, self)))
        return self

    def __exit__(self, *_: object) -> None:
        blocks = list(current.get().blocks)
        for position in reversed(range(len(blocks))):
            if blocks[position] is self:
                del blocks[position]
                break
        current.set(_combine(tuple(blocks)))

    def __call__(self, function: F) -> F:
        """Wrap a function, a generator function or a coroutine function."""
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{type(self).__name__}() cannot wrap the asynchronous generator {function.__name__}; write "
                f"`with tg.{type(self).__name__}():` around the parts of its body that need it."
            )
        wrapper: Callable[..., Any]
        if inspect.isgeneratorfunction(function):

            def generator(*args: Any, **kwargs: Any) -> Any:
                return self._drive(function(*args, **kwargs))

            wrapper = generator
        elif inspect.iscoroutinefunction(function):

            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return await function(*args, **kwargs)

            wrapper = coroutine
        else:

            def plain(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return function(*args, **kwargs)

            wrapper = plain
        return functools.wraps(function)(wrapper)  # type: ignore[return-value]

    def _drive(self, body: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Run a generator with the settings in force inside its body only, not in its caller between two items."""
        resume: Callable[[], Any] = functools.partial(next, body)
        while True:
            try:
                with type(self)():
                    item = resume()
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield item
            except GeneratorExit:
                with type(self)():
                    body.close()
                raise
            except BaseException as error:
                resume = functools.partial(body.throw, error)
            else:
                resume = functools.partial(body.send, sent)


class no_grad(ModeBlock):
    """Turn recording off inside a ``with`` block, a decorated function or a decorated generator.

    Only the current thread or async task is affected.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> with tg.no_grad():
    ...     y = w * 2
    >>> y.requires_grad
    False
    """

    settings = MappingProxyType({"recording": False})


class enable_grad(ModeBlock):
    """Turn recording on, inside a block where `no_grad` turned it off.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> with tg.no_grad(), tg.enable_grad():
    ...     tg.is_grad_enabled()
    True
    """

    settings = MappingProxyType({"recording": True})


class detect_anomaly(ModeBlock):
    """Stop at the first value or gradient that is not finite, or saved array that was changed behind our back.

    Every operation inside the block checks its result, remembers the line of the user's code that called it and
    takes a fingerprint of the arrays that it saves. Derivatives taken inside the block, of any order and in either
    mode, check every gradient and tangent, and the vectors that they start from, and compare the fingerprints; an
    optimizer's step checks the parameters. An exception inside a derivative rule is told with the operation that the
    rule belongs to. This is slow (each check reads the array, and on a GPU waits for it): it is for finding a
    fault, not for training.

    Raises
    ------
    AnomalyError
        With the operation, the shapes of its inputs and the line of the user's code.
    RuleError
        For an exception inside a derivative rule, with the same; the exception itself is its cause.
    InPlaceError
        When a saved array has changed, even by a write that bypassed the package, such as ``x.data[0] = 1``.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_opt as tg
    >>> with np.errstate(divide="ignore"), tg.detect_anomaly():
    ...     tg.log(tg.tensor([1.0, 0.0]))
    Traceback (most recent call last):
        ...
    tinygrad_opt.errors.AnomalyError: the value of 'log' is the first that is not finite ...
    """

    settings = MappingProxyType({"inspecting": True, "watched": True})


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread or task.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.is_grad_enabled()
    True
    """
    return current.get().recording
