"""The table of a model."""

from __future__ import annotations

import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.viz import Row, summary


class Net(nn.Module):
    def __init__(self) -> None:
        self.layers = [nn.Linear(2, 3), nn.BatchNorm1d(3)]
        self.twice = nn.Linear(3, 3, bias=False)
        self.unused = nn.Tanh()

    def forward(self, x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        for layer in self.layers:
            x = layer(x)
        return self.twice(self.twice(x)), x.sum()


def test_every_part_has_a_row() -> None:
    model = Net()
    assert summary(model, tg.zeros((5, 2))).rows == (
        Row("", "Net", "(5, 3), scalar", 0),
        Row("layers.0", "Linear", "(5, 3)", 9),
        Row("layers.1", "BatchNorm1d", "(5, 3)", 6),
        Row("twice", "Linear", "(5, 3)", 9),
        Row("unused", "Tanh", "not called", 0),
    )
    assert summary(model, tg.zeros((5, 2))).total == sum(p.size for p in model.parameters())


def test_the_model_is_left_as_it_was() -> None:
    model = Net()
    model.layers[0].eval()
    before = {name: tensor.tolist() for name, tensor in model.state_dict().items()}
    summary(model, tg.ones((1, 2)))
    assert {name: tensor.tolist() for name, tensor in model.state_dict().items()} == before
    assert [part.training for part in model.modules()] == [True, False, True, True, True]
    assert not any("forward" in vars(part) for part in model.modules())


def test_an_error_in_the_model_comes_out_and_the_model_is_left_as_it_was() -> None:
    model = Net()
    with pytest.raises(tg.errors.ShapeError):
        summary(model, tg.zeros((5, 9)))
    assert not any("forward" in vars(part) for part in model.modules())
    assert model.training


def test_several_inputs_and_frozen_parameters() -> None:
    class Add(nn.Module):
        def __init__(self) -> None:
            self.scale = nn.Parameter(tg.ones(2), requires_grad=False)

        def forward(self, a: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
            return (a + b) * self.scale

    table = summary(Add(), (tg.zeros(2), tg.zeros((3, 2))))
    assert table.rows == (Row("", "Add", "(3, 2)", 2),)
    assert repr(table).splitlines() == [
        "part  type  output  parameters",
        "      Add   (3, 2)           2",
        "2 parameters, 2 of them frozen",
    ]


def test_a_function_is_not_a_model() -> None:
    with pytest.raises(TypeError, match="expected a module; got function"):
        summary(lambda x: x, tg.zeros(2))
