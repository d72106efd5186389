"""What a specification of an operation consists of, and the short forms for the common cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ... import ops
from ...core.primitive import REGISTRY, Primitive
from ..sources import REALS, Domain, Source

__all__ = ["Sample", "Spec", "binary", "unary"]

Array = Any


@dataclass(frozen=True)
class Sample:
    """Arguments for one call.

    Attributes
    ----------
    args : sequence
        The positional arguments: NumPy arrays, and numbers. Floating arrays are float64 with values that float32
        represents too.
    meta : dict
        The keyword arguments.
    differentiable : tuple of int, optional
        Which arguments to differentiate: all floating arrays where nothing is said.
    """

    args: Sequence[Any]
    meta: dict[str, Any] = field(default_factory=dict)
    differentiable: tuple[int, ...] | None = None

    @property
    def inputs(self) -> tuple[int, ...]:
        """The positions of the arguments to differentiate."""
        if self.differentiable is not None:
            return self.differentiable
        return tuple(i for i, x in enumerate(self.args) if getattr(x, "dtype", None) == "float64")


@dataclass(frozen=True, repr=False)
class Spec:
    """Everything that the property suite needs to know about one operation.

    Attributes
    ----------
    name : str
        The public function, or the primitive where it has no public function.
    reference : callable
        The same function in plain NumPy, written independently; it takes the arguments of the call. Where `analytic`,
        it takes complex arrays too.
    sample : callable
        ``sample(source) -> Sample``: arguments in the function's domain, off its kinks.
    primitive : str
        The primitive that a call records; the one of the same name by default.
    function : callable, optional
        What to call, where it is not the public function or the primitive of that name.
    analytic : bool
        Whether `reference` is analytic, so that a complex step differentiates it exactly.
    kinks : str
        Where no single derivative exists, in words. Empty: nowhere in the domain. The suite then also draws tied
        values, and looks whether the derivative is a subgradient.
    factor : float
        By how much the tolerance is widened.
    reason : str
        Why it is.
    """

    name: str
    reference: Callable[..., Array]
    sample: Callable[[Source], Sample]
    primitive: str = ""
    function: Callable[..., Any] | None = None
    analytic: bool = True
    kinks: str = ""
    factor: float = 1.0
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.factor != 1.0) != bool(self.reason):
            raise ValueError(f"spec {self.name!r}: a wider tolerance needs a reason, and a reason a wider tolerance")

    def __repr__(self) -> str:
        return f"<spec {self.name!r}>"

    @property
    def call(self) -> Callable[..., Any]:
        """The function under test."""
        if self.function is not None:
            return self.function
        place, _, name = self.name.rpartition(".")  # "linalg.solve" is solve in ops.linalg
        return getattr(getattr(ops, place) if place else ops, name, None) or REGISTRY[self.name]

    @property
    def recorded(self) -> Primitive:
        """The primitive that a call records."""
        return REGISTRY[self.primitive or self.name]


def each_axis(value: Any, count: int) -> tuple[Any, ...]:
    """A number for each of several axes: as given, or one for all."""
    return (value,) * count if isinstance(value, int) or value is None else tuple(value)


def unary(
    name: str, reference: Callable[..., Array], domain: Domain = REALS, *, analytic: bool = True, kinks: str = ""
) -> Spec:
    """An elementwise function of one array."""
    return Spec(
        name, reference, lambda source: Sample([source.array(source.shape(), domain)]), analytic=analytic, kinks=kinks
    )


def binary(
    name: str, reference: Callable[..., Array], left: Domain = REALS, right: Domain = REALS, *, analytic: bool = True
) -> Spec:
    """An elementwise function of two arrays that broadcast, or of an array and a Python number."""

    def sample(source: Source) -> Sample:
        a, b = (source.array(s, domain) for s, domain in zip(source.shapes(2), (left, right), strict=True))
        form = source.integer(0, 5)
        if form == 4:
            return Sample([a, source.number(right)])
        return Sample([source.number(left), b] if form == 5 else [a, b])

    return Spec(name, reference, sample, analytic=analytic)
