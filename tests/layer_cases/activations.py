"""Activations, away from their kinks."""

from __future__ import annotations

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import NONZERO, REALS, Domain, Source

FACTORS = (1.0, 0.5, 1.75)


def simple(name: str, domain: Domain = REALS, **choices: tuple[object, ...]) -> Draw:
    """An activation of elements, with options that are chosen among a few values."""

    def draw(source: Source) -> Layer:
        options = {option: source.choose(values) for option, values in choices.items()}
        return Layer(name, (), options, (source.array(source.shape(), domain),))

    return draw


def hardtanh(source: Source) -> Layer:
    low, high = source.choose(((-1.0, 1.0), (0.25, 2.0)))
    x = source.array(source.shape(), Domain(-3.0, 3.0, avoid=(low, high)))
    return Layer("Hardtanh", (low, high), {}, (x,))


def softplus(source: Source) -> Layer:
    beta, threshold = source.choose(((1.0, 20.0), (2.0, 20.0), (1.75, 2.0), (-1.0, 20.0), (1.0, 1.0)))
    x = source.array(source.shape(), Domain(-3.0, 3.0, avoid=(threshold / beta,)))
    return Layer("Softplus", (beta, threshold), {}, (x,))


def threshold(source: Source) -> Layer:
    x = source.array(source.shape(), Domain(-3.0, 3.0, avoid=(0.5,)))
    return Layer("Threshold", (0.5, source.choose((-7.0, 20.0))), {}, (x,))


def along(name: str) -> Draw:
    """A softmax along some axis."""

    def draw(source: Source) -> Layer:
        shape = source.shape(1)
        return Layer(name, (), {"dim": source.axis(len(shape))}, (source.array(shape),))

    return draw


def glu(source: Source) -> Layer:
    shape = list(source.shape(1))
    axis = source.axis(len(shape))
    shape[axis] *= 2
    return Layer("GLU", (axis,), {}, (source.array(tuple(shape)),))


def prelu(source: Source) -> Layer:
    shape = source.shape(1, empty=False)
    channels = shape[1] if len(shape) > 1 and source.flip() else 1
    return Layer("PReLU", (channels,), {}, (source.array(shape, NONZERO),))


CASES = [
    along("LogSoftmax"),
    along("Softmax"),
    glu,
    hardtanh,
    prelu,
    simple("CELU", NONZERO, alpha=FACTORS),
    simple("ELU", NONZERO, alpha=FACTORS),
    simple("GELU", approximate=("none", "tanh")),
    simple("Hardswish", Domain(-4.0, 4.0, avoid=(-3.0, 3.0))),
    simple("LeakyReLU", NONZERO, negative_slope=(0.01, 0.5, -1.0)),
    simple("LogSigmoid"),
    simple("Mish"),
    simple("ReLU", NONZERO),
    simple("ReLU6", Domain(-2.0, 8.0, avoid=(0.0, 6.0))),
    simple("SELU", NONZERO),
    simple("SiLU"),
    simple("Sigmoid"),
    simple("Softsign", NONZERO),
    simple("Tanh"),
    simple("Tanhshrink"),
    softplus,
    threshold,
]
