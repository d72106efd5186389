"""One update rule, several engines: which one runs it is decided here.

A rule runs as it stands, array operation by array operation, on short vectors. On long ones it is traced, and its
operations run over blocks that stay in cache (`Program`), or as one loop that Numba compiled (`Loop`); on a GPU as one
fused kernel (`Kernel`). Loops and programs give the same bits, so that it does not matter when one takes over from the
other; rules whose operations are not exact never change engines. Which engine runs a stretch of a vector is decided
by its length, its dtype, its device and what was done before, never by a clock. None of them warns of overflow or nan:
a training that meets them goes the same way everywhere, and `detect_anomaly` finds where they come from.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from .. import backend, errors
from . import compiled, kernel, program, source
from .tracing import Structure, check_results, trace

__all__ = ["PATIENCE", "apply"]

Array = Any
Run = Callable[[Sequence[Array], Sequence[float]], None]
# Operations on elements (a tenth of a second's work) after which a rule has earned its loop: short trainings never wait
# for a compiler.
PATIENCE = 500_000_000


class _Host:
    """A structure in one dtype on the host: NumPy, until so much is done that a compiled loop repays."""

    def __init__(self, structure: Structure, dtype: Any) -> None:
        self.structure, self.dtype = structure, dtype
        self.run: Run = program.Program(structure, dtype).run
        self.done = 0
        self.may_compile = dtype.name in ("float32", "float64") and source.is_exact(structure)

    def __call__(self, vectors: Sequence[Array], numbers: Sequence[float]) -> None:
        if self.may_compile:
            if self.done >= PATIENCE and compiled.is_installed():
                self.compile()
            self.done += len(vectors[0]) * len(self.structure.steps)
        self.run(vectors, numbers)

    def compile(self) -> None:
        """Let a compiled loop take over, if Numba is able to make one."""
        self.may_compile = False
        try:
            self.run = compiled.Loop(self.structure, self.dtype).run
        except Exception as error:  # whatever is wrong with a compiler, the training goes on
            warnings.warn(f"Numba could not compile an update rule, NumPy runs it: {error!r:.200}", RuntimeWarning, 2)


_host: dict[tuple[Structure, Any], _Host] = {}


def apply(rule: Callable[..., Sequence[Any]], vectors: Sequence[Array], /, **hyper: Any) -> None:
    """Replace θ and the state in ``vectors = (theta, g, *state)`` by what ``rule(*vectors, **hyper)`` gives."""
    theta = vectors[0]
    on_host = backend.of(theta) is backend.HOST
    if on_host and len(theta) <= program.BLOCK:
        directly(rule, vectors, **hyper)
        return
    structure, numbers = trace(rule, len(vectors), theta.dtype, **hyper)
    run: Run | None = _on_host(structure, theta.dtype) if on_host else kernel.fused(structure, theta)
    if run is None:
        directly(rule, vectors, **hyper)
        return
    with _quiet():
        run(vectors, numbers)


def _quiet() -> Any:
    """No warnings of overflow, division by zero and nan."""
    return backend.HOST.namespace.errstate(all="ignore")


def _on_host(structure: Structure, dtype: Any) -> _Host:
    found = _host.get((structure, dtype))
    if found is None:
        found = _host[structure, dtype] = _Host(structure, dtype)
    return found


def directly(rule: Callable[..., Sequence[Any]], arrays: Sequence[Array], /, **hyper: Any) -> None:
    """The same by the rule itself, on arrays of any shape."""
    with _quiet():
        results = rule(*arrays, **hyper)
    check_results(results, len(arrays))
    given = set(map(id, arrays))
    # A copy of what the rule hands on as it is, such as the old θ: that will be overwritten.
    results = [+x if id(x) in given else x for x in results]
    for target, values in zip((arrays[0], *arrays[2:]), results, strict=True):
        if getattr(values, "shape", ()) not in (target.shape, ()):
            raise errors.ShapeError(
                f"an update rule keeps the shapes of what it replaces; expected {target.shape}, got {values.shape}"
            )
        target[...] = values
