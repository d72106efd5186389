"""Losses, with derivatives by floating targets too. (Where PyTorch has none, targets come as whole numbers.)"""

from __future__ import annotations

from typing import Any

from layer_cases.case import Draw, Layer
from tinygrad_opt.testing.sources import POSITIVE, Domain, Source

Array = Any
REDUCTIONS = ("mean", "sum", "none")
CHANCES = Domain(0.125, 0.875)


def reduction(source: Source, *more: str) -> dict[str, Any]:
    return {"reduction": source.choose((*REDUCTIONS, *more))}


def regression(name: str, **options: tuple[float, ...]) -> Draw:
    """A loss of a prediction and a target in one shape, with numbers among its options."""

    def draw(source: Source) -> Layer:
        shape = source.shape(empty=False)
        chosen = {key: source.choose(values) for key, values in options.items()}
        inputs = (source.array(shape), source.array(shape))
        return Layer(name, options=reduction(source) | chosen, inputs=inputs)

    return draw


def poisson_nll(source: Source) -> Layer:
    shape, in_logarithms = source.shape(empty=False), source.flip()
    options = {"log_input": in_logarithms, "full": source.flip(), "eps": source.choose((1e-8, 0.125))}
    prediction = source.array(shape) if in_logarithms else source.array(shape, POSITIVE)
    return Layer(
        "PoissonNLLLoss", options=reduction(source) | options, inputs=(prediction, source.array(shape, POSITIVE))
    )


def gaussian_nll(source: Source) -> Layer:
    shape = source.shape(low=1, empty=False)
    sides = source.choose((shape, shape[:-1], (*shape[:-1], 1)))
    options = {"full": source.flip(), "eps": source.choose((1e-6, 0.5))}  # some variances are below the larger
    inputs = (source.array(shape), source.array(shape), source.array(sides, POSITIVE))
    return Layer("GaussianNLLLoss", options=reduction(source) | options, inputs=inputs)


# Of classes.


def class_weights(source: Source, classes: int) -> dict[str, Any]:
    return {"weight": source.array((classes,), POSITIVE)} if source.flip() else {}


def scores_and_labels(source: Source, most: int) -> tuple[Array, Array, int]:
    """Scores (classes,), (batch, classes) or (batch, classes, ...), and a label for each row of them."""
    classes, sides = source.integer(1, 4), source.shape(0, most, empty=False)
    shape = (*sides[:1], classes, *sides[1:])
    return source.array(shape), source.labels(sides, classes), classes


def ignoring(source: Source, labels: Array, classes: int) -> dict[str, int]:
    """An index that some labels, but not all of them, have."""
    ignored = source.choose((-100, 7, source.integer(0, classes - 1)))
    if ignored >= classes or ignored < 0:
        labels.reshape(-1)[1:][source.mask((max(labels.size - 1, 0),))] = ignored
    return {"ignore_index": ignored} if (labels != ignored).any() else {}


def nll(source: Source) -> Layer:
    scores, labels, classes = scores_and_labels(source, 3)
    options = reduction(source) | class_weights(source, classes) | ignoring(source, labels, classes)
    return Layer("NLLLoss", options=options, inputs=(scores, labels))


def cross_entropy(source: Source) -> Layer:
    scores, labels, classes = scores_and_labels(source, 3)
    options = reduction(source) | class_weights(source, classes) | {"label_smoothing": source.choose((0.0, 0.25, 1.0))}
    if source.flip():
        return Layer("CrossEntropyLoss", options=options, inputs=(scores, source.array(scores.shape, CHANCES)))
    return Layer("CrossEntropyLoss", options=options | ignoring(source, labels, classes), inputs=(scores, labels))


def multi_margin(source: Source) -> Layer:
    scores, labels, classes = scores_and_labels(source, 1)
    options = {"p": source.integer(1, 2), "margin": source.choose((1.0, 0.5))}
    options |= reduction(source) | class_weights(source, classes)
    return Layer("MultiMarginLoss", options=options, inputs=(scores, labels), order=1)


def binary(name: str, domain: Domain) -> Draw:
    """Yes or no, for certain or with a probability."""

    def draw(source: Source) -> Layer:
        shape = source.shape(empty=False)
        options = reduction(source)
        for key in ("weight", "pos_weight") if name == "BCEWithLogitsLoss" else ("weight",):
            if source.flip():
                options[key] = source.array(source.part_of(shape), POSITIVE)
        target = source.array(shape, CHANCES) if source.flip() else source.labels(shape, 2).astype(float)
        # PyTorch's second derivative of BCELoss adds 10⁻¹² to p and 1 - p: test_losses.py compares with the formula.
        order = 1 if name == "BCELoss" else 2
        return Layer(name, options=options, inputs=(source.array(shape, domain), target), order=order)

    return draw


def kl_div(source: Source) -> Layer:
    # The mean over all elements is compared in test_losses.py: PyTorch warns of it.
    shape, in_logarithms = source.shape(low=1, empty=False), source.flip()
    options = {"reduction": source.choose(("batchmean", "sum", "none")), "log_target": in_logarithms}
    target = source.array(shape) if in_logarithms else source.array(shape, POSITIVE)
    return Layer("KLDivLoss", options=options, inputs=(source.array(shape), target))


# Of margins.


def signs(source: Source, shape: tuple[int, ...]) -> Array:
    return 2 * source.labels(shape, 2) - 1


def hinge_embedding(source: Source) -> Layer:
    shape, options = source.shape(empty=False), {"margin": source.choose((1.0, 0.5))}
    inputs = (source.array(shape), signs(source, shape))
    return Layer("HingeEmbeddingLoss", options=reduction(source) | options, inputs=inputs)


def soft_margin(source: Source) -> Layer:
    shape = source.shape(empty=False)
    return Layer("SoftMarginLoss", options=reduction(source), inputs=(source.array(shape), signs(source, shape)))


def margin_ranking(source: Source) -> Layer:
    shape, options = source.shape(empty=False), {"margin": source.choose((0.0, 0.5))}
    inputs = (source.array(shape), source.array(shape), signs(source, shape))
    return Layer("MarginRankingLoss", options=reduction(source) | options, inputs=inputs)


def cosine_embedding(source: Source) -> Layer:
    shape, options = source.shape(1, 2, empty=False), {"margin": source.choose((0.0, 0.25))}
    inputs = (source.array(shape, POSITIVE), source.array(shape, POSITIVE), signs(source, shape[:-1]))
    return Layer("CosineEmbeddingLoss", options=reduction(source) | options, inputs=inputs)


def triplet_margin(source: Source) -> Layer:
    shape = source.shape(low=1, empty=False)
    options = {"margin": source.choose((1.0, 4.0)), "p": source.choose((2.0, 3.0)), "swap": source.flip()}
    inputs = tuple(source.distinct(shape, shape, shape))
    return Layer("TripletMarginLoss", options=reduction(source) | options, inputs=inputs)


CASES = [
    binary("BCELoss", CHANCES),
    binary("BCEWithLogitsLoss", Domain(-3.0, 3.0)),
    cosine_embedding,
    cross_entropy,
    gaussian_nll,
    hinge_embedding,
    kl_div,
    margin_ranking,
    multi_margin,
    nll,
    poisson_nll,
    regression("HuberLoss", delta=(1.0, 0.5, 1.5)),
    regression("L1Loss"),
    regression("MSELoss"),
    regression("SmoothL1Loss", beta=(1.0, 0.5, 0.0)),
    soft_margin,
    triplet_margin,
]
