"""First derivatives of functions: gradients, and products with the Jacobian from both sides."""

from __future__ import annotations

from typing import Any

from ..core.tensor import seed_for
from ..core.tree import flatten
from .arguments import Argnums, Fn, as_tuples, check_function, grouped, only_scalar, positions
from .recording import Recording

__all__ = ["grad", "jvp", "linearize", "value_and_grad", "vjp"]


def value_and_grad(fn: Fn, argnums: Argnums = 0, has_aux: bool = False) -> Fn:
    """A function that returns both ``fn(*args)`` and its gradient.

    Parameters
    ----------
    fn : callable
        Returns one scalar tensor; with `has_aux`, a pair of it and anything else.
    argnums : int or sequence of int
        Which arguments to differentiate; each may be a tensor or nested lists, tuples and dicts of tensors.
    has_aux : bool
        Whether `fn` returns something beside the value.

    Returns
    -------
    callable
        With the arguments of `fn`; returns ``(value, gradient)``, or ``((value, aux), gradient)``. The gradient is
        built like the argument, or is a tuple of such where `argnums` is a sequence.

    Examples
    --------
    >>> tg.value_and_grad(lambda x: (x**2).sum())(tg.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    check_function("grad", fn)

    def evaluate(*args: Any, **kwargs: Any) -> Any:
        places = positions("grad", argnums, len(args))
        recording = Recording("grad", fn, args, places, kwargs=kwargs, has_aux=has_aux)
        y = only_scalar("grad", recording.outputs)
        gradient = grouped(argnums, recording.pull([seed_for(y)]))
        value = flatten(recording.output())[0][0]
        return ((value, recording.aux), gradient) if has_aux else (value, gradient)

    return evaluate


def grad(fn: Fn, argnums: Argnums = 0, has_aux: bool = False) -> Fn:
    """A function that returns the gradient of a scalar function; it can be differentiated again, to any order.

    Parameters are those of `value_and_grad`. An argument that the value does not depend on has gradient zero.

    Returns
    -------
    callable
        With the arguments of `fn`; returns the gradient, or ``(gradient, aux)`` with `has_aux`.

    Raises
    ------
    ShapeError
        Where `fn` does not return a scalar.

    Examples
    --------
    >>> cube = lambda x: x**3
    >>> tg.grad(tg.grad(cube))(tg.tensor(2.0))
    tensor(12.)
    """
    both = value_and_grad(fn, argnums, has_aux)

    def evaluate(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return evaluate


def vjp(fn: Fn, *primals: Any, has_aux: bool = False) -> Any:
    """Evaluate `fn`, and return a function that applies its transposed Jacobian: ``v ↦ vᵀ ∂y/∂x``.

    Returns
    -------
    out
        ``fn(*primals)``.
    pullback : callable
        Takes a cotangent built like `out` and returns a tuple with one cotangent for each primal. It costs one
        sweep, and can be called any number of times.
    aux
        With `has_aux`: what `fn` returned beside its output.

    Examples
    --------
    >>> y, pullback = tg.vjp(lambda x: x * x, tg.tensor([1.0, 2.0]))
    >>> pullback(tg.tensor([1.0, 0.0]))
    (tensor([2., 0.]),)
    """
    recording = Recording("vjp", fn, primals, range(len(primals)), has_aux=has_aux)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return tuple(recording.pull(recording.cotangents(cotangent)))

    return (recording.output(), pullback, recording.aux) if has_aux else (recording.output(), pullback)


def linearize(fn: Fn, *primals: Any, has_aux: bool = False) -> Any:
    """Evaluate `fn`, and return a function that applies its Jacobian: ``t ↦ ∂y/∂x t``.

    Returns
    -------
    out
        ``fn(*primals)``.
    pushforward : callable
        Takes one tangent for each primal, built like it, and returns a tangent built like `out`. It costs one sweep:
        linearize a gradient, and each Hessian-vector product costs about as much as a gradient.
    aux
        With `has_aux`: what `fn` returned beside its output.

    Examples
    --------
    >>> y, pushforward = tg.linearize(tg.grad(lambda x: (x**3).sum()), tg.tensor([1.0, 2.0]))
    >>> pushforward(tg.tensor([1.0, 0.0]))
    tensor([6., 0.])
    """
    recording = Recording("linearize", fn, primals, range(len(primals)), has_aux=has_aux)

    def pushforward(*tangents: Any) -> Any:
        return recording.built(recording.push(recording.tangents(tangents)))

    return (recording.output(), pushforward, recording.aux) if has_aux else (recording.output(), pushforward)


def jvp(fn: Fn, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Evaluate `fn` and its derivative in one direction: ``(y, ∂y/∂x t)``.

    Parameters
    ----------
    fn : callable
    primals, tangents
        One tensor each, or two tuples of equal length, as long as `fn` has arguments.
    has_aux : bool
        Whether `fn` returns a pair of its output and anything else, which then is the last of three results.

    Examples
    --------
    >>> tg.jvp(lambda x: x * x, tg.tensor([1.0, 2.0]), tg.tensor([1.0, 0.0]))
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    primals, tangents = as_tuples("jvp", primals, tangents)
    recording = Recording("jvp", fn, primals, range(len(primals)), has_aux=has_aux)
    tangent = recording.built(recording.push(recording.tangents(tangents)))
    return (recording.output(), tangent, recording.aux) if has_aux else (recording.output(), tangent)
