"""Normalization layers.

Of two values any normalization makes nearly ±1, with derivatives that are small differences: there are three, or eps is
large.
"""

from __future__ import annotations

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import Source

EPS = (1e-5, 0.1)


def tracking(name: str, single: int | None, axes: tuple[int, ...], least: int) -> Draw:
    """A layer with running averages; inputs with so many axes, and at least so many places along the first."""

    def draw(source: Source) -> Layer:
        features, count = source.integer(1, 4), source.choose(axes)
        places = [source.integer(1, 3) for _ in range(count - (1 if count == single else 2))]
        if places:
            places[0] = source.integer(least, 5)
        batch = () if count == single else (source.integer(3, 5),)
        options = {
            "eps": source.choose(EPS),
            "momentum": source.choose((0.1, 0.75, None)),
            "affine": source.flip(),
            "track_running_stats": source.flip(),
            "bias": source.flip(),
        }
        return Layer(name, (features,), options, tuple(source.distinct((*batch, features, *places))))

    return draw


def over_last_axes(name: str) -> Draw:
    """Layers that normalize each row, or several axes, of an input with any number of leading axes."""

    def draw(source: Source) -> Layer:
        sides = tuple(source.integer(3, 4) for _ in range(source.integer(1, 2)))
        options = {"elementwise_affine": source.flip(), "eps": source.choose(EPS)}
        if name == "LayerNorm":
            options["bias"] = source.flip()
        elif source.flip():
            options["eps"] = None
        shape = source.choose((sides[0], sides)) if len(sides) == 1 else sides
        return Layer(name, (shape,), options, tuple(source.distinct((*source.shape(0, 2, empty=False), *sides))))

    return draw


def group_norm(source: Source) -> Layer:
    groups, each = source.integer(1, 3), source.integer(1, 3)
    places = tuple(source.integer(1, 3) for _ in range(source.integer(0, 2)))
    shape = (source.integer(2, 4), groups * each, *places)
    options = {"eps": source.choose((0.1, 0.5)), "affine": source.flip(), "bias": source.flip()}
    return Layer("GroupNorm", (groups, groups * each), options, tuple(source.distinct(shape)))


CASES = [
    tracking("BatchNorm1d", None, (2, 3), 1),
    tracking("BatchNorm2d", None, (4,), 1),
    tracking("BatchNorm3d", None, (5,), 1),
    tracking("InstanceNorm1d", 2, (2, 3), 3),
    tracking("InstanceNorm2d", 3, (3, 4), 3),
    tracking("InstanceNorm3d", 4, (4, 5), 3),
    over_last_axes("LayerNorm"),
    over_last_axes("RMSNorm"),
    group_norm,
]
