"""The table of functions: complete, made from the functions themselves, and right about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from properties import Call
from strategies import Example
from tinygrad_opt import catalogue, ops
from tinygrad_opt.core.kinds import Elementwise
from tinygrad_opt.core.primitive import Primitive, ours
from tinygrad_opt.testing.sources import RandomSource
from tinygrad_opt.testing.specs import SPECS, Sample, Spec, unary

TABLE = {f.name: f for f in tg.functions()}


def test_every_public_function_has_one_line() -> None:
    listed = [f.name for f in tg.functions()]
    public = {name for name in TABLE if "." not in name}
    assert listed == sorted(set(listed))
    assert public == set(ops.__all__)
    for space in {name.partition(".")[0] for name in TABLE if "." in name}:
        below = {name for name, value in vars(getattr(ops, space)).items() if not isinstance(value, type)}
        listed = {name.partition(".")[2] for name in TABLE if name.startswith(f"{space}.")}
        assert listed == below & set(getattr(ops, space).__all__)


@pytest.mark.parametrize("name", TABLE)
def test_a_line_agrees_with_the_function(name: str) -> None:
    f = TABLE[name]
    function: Any = tg
    for part in name.split("."):
        function = getattr(function, part)
    if isinstance(function, Primitive):
        assert f.kind == function.kind
    assert f.kind in {"composition", "elementwise", "linear", "multilinear", "general", "constant"}
    assert set(f.records) <= set(ours())
    assert (f.kind == "constant") == (not f.records)
    assert {f.forward, f.reverse, f.second} == ({"zero"} if f.kind == "constant" else {"yes"})
    assert f.summary


def test_functions_with_several_results_are_called_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def halves(x: Any) -> Any:
        """Two halves."""
        return [x[: len(x) // 2], x[len(x) // 2 :]]

    def joined(x: Any) -> Any:
        return tg.concatenate(halves(x))

    draw = lambda source: Sample([source.array((4,))])  # noqa: E731
    monkeypatch.setitem(SPECS, "halves", Spec("halves", np.copy, draw, primitive="getitem", function=joined))
    found = catalogue._described("halves", halves)
    assert (found.kind, found.records, found.second) == ("linear", ("getitem",), "yes")


@pytest.mark.parametrize(
    ("name", "kind", "records", "numpy"),
    [
        ("exp", "elementwise", ("exp",), True),
        ("swapaxes", "linear", ("permute_dims",), True),
        ("softmax", "general", ("softmax",), False),
        ("stack", "composition", ("concatenate", "reshape"), True),
        ("softmax_cross_entropy", "composition", ("log_softmax", "nll"), False),
        ("unbroadcast", "linear", ("sum_to",), False),
        ("argmax", "constant", (), True),
    ],
)
def test_what_is_known_of_some(name: str, kind: str, records: tuple[str, ...], numpy: bool) -> None:
    assert (TABLE[name].kind, TABLE[name].records, TABLE[name].numpy) == (kind, records, numpy)
    assert TABLE[name].numpy == hasattr(np, name)


@pytest.mark.parametrize("name", sorted(set(TABLE) & set(SPECS)))
def test_a_function_runs_on_the_backends_that_its_line_names(name: str, device: str) -> None:
    library = {"cpu": "NumPy"}.get(device, "CuPy")  # the double stands for CuPy
    assert library in TABLE[name].backends
    sample = SPECS[name].sample(RandomSource(3, device=device))
    same = ["float64"] * len(sample.args), ["C"] * len(sample.args)
    call = Call(Example(SPECS[name], sample, *same, sample.inputs, device, 0))
    with np.errstate(all="ignore"):
        assert call(*call.leaves()).device == device


def test_a_derivative_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_opt.core.primitive.REGISTRY", registry := dict(ours()))
    monkeypatch.setattr("tinygrad_opt.testing.specs.spec.REGISTRY", registry)

    def once(g: Any, y: Any, _x: Any) -> Any:
        if isinstance(g, tg.Tensor):
            raise NotImplementedError
        return g * y

    shy = Elementwise("shy", once, kernel="exp")
    monkeypatch.setitem(SPECS, "shy", unary("shy", np.exp))
    found = catalogue._described("shy", shy)
    assert (found.forward, found.reverse, found.second) == ("yes", "yes", "no")


def test_an_alias_is_told_as_what_it_stands_for() -> None:
    found = catalogue._described("another_name", ops.concatenate)
    assert found[1:] == TABLE["concatenate"]._replace(numpy=False)[1:]
    assert catalogue._described("exponential", ops.exp).records == ("exp",)


def test_a_function_that_nobody_specified_is_told_as_such() -> None:
    def lonely(x: Any) -> Any:
        """Do something with x."""

    found = catalogue._described("lonely", lonely)
    assert (found.kind, found.forward, found.backends, found.summary) == (
        "untested",
        "untested",
        (),
        "Do something with x.",
    )


def test_it_prints_as_a_table() -> None:
    text, markdown = repr(tg.functions()).splitlines(), tg.functions().markdown().splitlines()
    assert len(text) == len(TABLE) + 1
    assert len(markdown) == len(TABLE) + 2
    assert all(line.count("|") == markdown[0].count("|") for line in markdown)
    assert ["exp", "elementwise", "yes"] in [line.split()[:3] for line in text]
    assert tg.functions()._repr_markdown_() == tg.functions().markdown()
