"""What `tg.viz.graph` reads off the tape, as plain data."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.core.primitive import REGISTRY
from tinygrad_opt.viz import Graph, Vertex, graph
from tinygrad_opt.viz.describe import value_lines
from tinygrad_opt.viz.names import Names
from tinygrad_opt.viz.repeats import common_name, fold
from tinygrad_opt.viz.trace import Item, read


def leaf(*shape: int, name: str | None = None, dtype: Any = tg.float32) -> tg.Tensor:
    tensor = tg.full(shape, 0.5, dtype=dtype).requires_grad_()
    tensor.name = name
    return tensor


def box(picture: Graph, title: str) -> Vertex:
    (found,) = [vertex for vertex in picture.vertices if vertex.title == title]
    return found


def kinds(picture: Graph) -> dict[str, int]:
    return dict(Counter(vertex.kind for vertex in picture.vertices))


def arrows(picture: Graph) -> list[tuple[str, str]]:
    title = {vertex.key: vertex.title for vertex in picture.vertices}
    return sorted((title[edge.source], title[edge.target]) for edge in picture.edges)


class Deep(nn.Module):
    """Equal layers, one after the other."""

    def __init__(self, count: int, width: int = 4) -> None:
        self.layers = [nn.Linear(width, width) for _ in range(count)]

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        for layer in self.layers:
            x = tg.relu(layer(x))
        return x


# What there is.


def test_every_operation_leaf_and_output_is_a_box_and_every_use_an_arrow() -> None:
    w, x = leaf(3), leaf(3)
    picture = graph((w * x + w).sum(), params={"w": w}, inputs={"x": x})
    assert [(v.title, v.kind, v.lines) for v in picture.vertices] == [
        ("w", "parameter", ("(3,)",)),
        ("x", "input", ("(3,)",)),
        ("multiply", "elementwise", ("(3,)",)),
        ("add", "elementwise", ("(3,)",)),
        ("sum", "linear", ("scalar", "axis=(0,)")),
        ("output", "output", ("scalar",)),
    ]
    expected = [("add", "sum"), ("multiply", "add"), ("sum", "output"), ("w", "add"), ("w", "multiply")]
    assert arrows(picture) == sorted([*expected, ("x", "multiply")])


def test_a_value_used_twice_by_one_operation_has_two_arrows() -> None:
    x = leaf(name="x")
    assert arrows(graph(x * x)) == [("multiply", "output"), ("x", "multiply"), ("x", "multiply")]


def test_kinds_of_operations_are_those_of_their_primitives() -> None:
    x = leaf(2, 2)
    picture = graph(tg.logsumexp(tg.matmul(tg.exp(x), x)))
    operations = {v.title: v.kind for v in picture.vertices if v.title in ("exp", "matmul", "logsumexp")}
    assert operations == {"exp": "elementwise", "matmul": "multilinear", "logsumexp": "general"}


def test_operations_have_ascii_names() -> None:
    assert all(name.isascii() for name in REGISTRY)


def test_operands_are_numbered_where_they_could_be_mistaken() -> None:
    a, b = leaf(name="a"), leaf(name="b")
    source = {"a": "1", "b": "2"}
    labels = {edge.source.split()[0]: edge.label for edge in graph(a - b).edges if "subtract" in edge.target}
    assert labels == source
    assert {edge.label for edge in graph(a * b).edges} == {""}


def test_only_an_unusual_dtype_is_mentioned() -> None:
    x = leaf(2, name="x", dtype=tg.float64)
    picture = graph(x.astype(tg.float32).sum())
    assert box(picture, "x").lines == ("(2,) float64",)
    assert box(picture, "cast").lines == ("(2,)", "dtype=float32")


def test_arguments_are_short() -> None:
    x = leaf(4, 5)
    assert box(graph(x[1:3, None, ..., ::2]), "getitem").lines[1] == "index=(1:3, None, ..., ::2)"
    assert box(graph(x[[0, 0]]), "getitem").lines[1] == "index=(int64[2],)"
    assert box(graph(tg.reshape(x, (5, 4))), "reshape").lines == ("(5, 4)",)


# Names.


@pytest.mark.parametrize("form", ["dict", "list", "pairs", "generator", "module"])
def test_parameters_may_be_given_in_every_natural_form(form: str) -> None:
    model = nn.Linear(2, 3)
    params = {
        "dict": dict(model.named_parameters()),
        "list": list(model.parameters()),
        "pairs": list(model.named_parameters()),
        "generator": model.named_parameters(),
        "module": model,
    }[form]
    picture = graph(model(tg.zeros((1, 2))), params=params)
    assert {v.title for v in picture.vertices if v.kind == "parameter"} == {"weight", "bias"}


def test_nameless_tensors_of_a_list_are_numbered() -> None:
    x = leaf()
    assert box(graph(x * 1.0, params=[x]), "params[0]").kind == "parameter"


def test_leaves_that_nobody_named_go_by_their_own_name() -> None:
    x, y = leaf(name="x"), leaf()
    picture = graph(x + y)
    assert box(picture, "x").kind == box(picture, "leaf").kind == "leaf"


def test_data_is_recognized_by_its_array_and_drawn_once(device: str) -> None:
    x = tg.tensor([1.0, 2.0], device=device)
    w = tg.ones_like(x).requires_grad_()
    picture = graph(((x * w) * x).sum(), inputs={"x": x})
    assert box(picture, "x").kind == "input"
    assert arrows(picture).count(("x", "multiply")) == 2


def test_a_view_of_named_data_says_so() -> None:
    x = tg.zeros((2, 3, 4))
    model = nn.Linear(4, 2)
    assert box(graph(model(x), params=model, inputs={"x": x}), "x (view)").kind == "input"


def test_labels_which_are_copied_when_recorded_are_recognized(device: str) -> None:
    labels = tg.tensor([1, 0], device=device)
    logits = tg.zeros((2, 2), device=device).requires_grad_()
    others = {"others": 1 - labels, "more": tg.tensor([1], device=device)}
    picture = graph(tg.softmax_cross_entropy(logits, labels), inputs={**others, "labels of y": labels})
    assert box(picture, "labels of y").lines == ("(2,) int64",)
    assert [edge.label for edge in picture.edges if edge.source.startswith("labels_of_y")] == ["labels"]
    assert not any("labels=" in line for vertex in picture.vertices for line in vertex.lines)


def test_the_only_unread_constant_is_the_only_input_that_was_not_met() -> None:
    w, y, z = leaf(3), tg.ones(3), tg.ones(3)
    assert box(graph(tg.square(w - y).sum(), inputs={"y": y}), "y").kind == "input"
    ambiguous = graph((w - y - z).sum(), inputs={"y": y, "z": z})
    assert [v.title for v in ambiguous.vertices if v.kind == "constant"] == ["data", "data"]
    assert box(graph((w - 1.0).sum(), inputs={"x": tg.ones((2, 3))}), "data").kind == "constant"  # does not fit


def test_numbers_that_a_rule_reads_are_shown_and_others_are_data() -> None:
    x = leaf()
    assert box(graph(x * 2.5), "2.5").lines == ()
    assert box(graph(x + 2.5), "data").lines == ()


def test_constants_of_a_concatenation_keep_their_shape_but_no_values() -> None:
    picture = graph(tg.concatenate([leaf(2), tg.ones(3)]), values=True)
    assert box(picture, "data").lines == ("(3,)", "value not kept")


def test_a_frozen_parameter_keeps_its_name_and_so_does_a_buffer() -> None:
    class Masked(nn.Linear):
        def __init__(self) -> None:
            super().__init__(2, 2)
            self.mask = tg.ones(2)

        def forward(self, x: tg.Tensor) -> tg.Tensor:
            return super().forward(x * self.mask)

    model = Masked()
    model.weight.requires_grad_(False)
    picture = graph(model(leaf(3, 2)), params=model)
    assert box(picture, "weight").kind == "parameter"
    assert box(picture, "mask").kind == "constant"


def test_keys_are_plain_whatever_the_names() -> None:
    names = ["&;", "a b", "a_b", "θ", 'x["w"].1']
    params = {name: leaf() for name in names}
    total = leaf()
    for parameter in params.values():
        total = total * parameter
    picture = graph(total, params=params, depth=1)
    keys = [vertex.key for vertex in picture.vertices] + [cluster.key for cluster in picture.clusters]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[\w. ]+", key, re.ASCII) for key in keys)
    assert set(names) <= {vertex.title for vertex in picture.vertices}


def test_a_named_result_shows_its_name() -> None:
    x = leaf()
    h = tg.exp(x)
    h.name = "h"
    assert box(graph(h * h), "exp").lines == ("h", "scalar")
    loss = h * h
    loss.name = "loss"
    assert box(graph(loss), "multiply").lines == ("scalar",)  # the output box has it
    assert box(graph(loss), "loss").kind == "output"
    assert box(graph(h * h, inputs={"hidden": h}), "exp").lines == ("hidden", "scalar")


# Outputs.


def test_the_graph_of_a_gradient_is_drawn_as_easily_as_that_of_a_loss() -> None:
    params = {"w": leaf(2), "b": leaf()}
    loss = tg.tanh(params["w"].sum() * params["b"])
    gradients = tg.gradients(loss, params, create_graph=True)
    picture = graph(gradients, params=params)
    assert [v.title for v in picture.vertices if v.kind == "output"] == ["w", "b"]
    assert kinds(picture)["parameter"] == 2
    titles = [v.title for v in graph(list(gradients.values())).vertices if v.kind == "output"]
    assert titles == ["output[0]", "output[1]"]


def test_an_output_may_be_a_leaf_or_not_recorded() -> None:
    x = leaf(name="x")
    assert arrows(graph([x, tg.zeros(2)])) == [("x", "x")]


def test_nothing_recorded_is_an_error() -> None:
    with pytest.raises(tg.errors.GraphError, match="requires_grad=True"):
        graph(tg.zeros(2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"output": np.zeros(2)}, TypeError, "expected a tensor.*ndarray"),
        ({"params": 3}, TypeError, "params is a module.*int"),
        ({"inputs": {"x": 3}}, TypeError, "inputs is .*int for 'x'"),
        ({"inputs": tg.zeros(2)}, TypeError, "inputs=.'w': w"),
        ({"show": "all"}, ValueError, "'forward', 'backward', 'both'; got 'all'"),
        ({"direction": "down"}, ValueError, "'LR'.*got 'down'"),
        ({"depth": 0}, ValueError, "depth is a whole number of at least 1; got 0"),
        ({"limit": True}, ValueError, "limit is a whole number"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        graph(**{"output": leaf() * 1.0, **arguments})


def test_the_picture_is_plain_data_that_holds_on_to_nothing() -> None:
    picture = graph(leaf(3).sum())
    assert pickle.loads(pickle.dumps(picture)) == picture
    assert repr(picture) == "Graph(leaf: 1, linear: 1, output: 1)"


# Values and gradients.


def test_values_are_shown_as_far_as_they_are_known(device: str) -> None:
    x = tg.tensor([1.0, 2.0, 3.0], device=device, requires_grad=True)
    big = tg.broadcast_to(x, (4, 3))
    y = tg.exp(big)
    picture = graph(y.sum(), inputs={"x": x}, values=True)
    assert box(picture, "x").lines[1:] == ("= [1, 2, 3]",)
    assert box(picture, "broadcast_to").lines[1:] == ("value not kept",)
    assert box(picture, "exp").lines[1:] == ("mean 10.1, std 7.34", "from 2.72 to 20.1")
    assert box(picture, "output").lines[1:] == (f"= {float(y.sum()):.3g}",)


def test_a_value_is_known_through_a_consumer_that_keeps_it() -> None:
    x = leaf()
    y = x + 1.0
    assert box(graph(tg.square(y), values=True), "add").lines == ("scalar", "= 1.5")


@pytest.mark.parametrize(
    ("array", "lines"),
    [
        (np.zeros((0, 2)), ["empty"]),
        (np.full(9, 2.0), ["all 2"]),
        (np.array([np.nan] * 8 + [1.0]), ["mean 1, std 0", "from 1 to 1", "8 of 9 not finite"]),
        (np.full(9, np.inf), ["9 of 9 not finite"]),
        (np.arange(9), ["from 0 to 8"]),
        (np.array([True, False]), ["= [True, False]"]),
        (np.float32(0.125), ["= 0.125"]),
    ],
)
def test_values_of_all_sorts_have_words(array: Any, lines: list[str]) -> None:
    assert value_lines(np.asarray(array)) == lines


def test_gradients_are_shown_once_they_are_there() -> None:
    w, x = leaf(2, name="w"), tg.ones(2)
    h = (w * x).retain_grad()
    loss = (h * 3.0).sum() + 0.0 * w.sum()
    before = graph(loss, show="backward")
    assert box(before, "w").lines == ("(2,)", "gradient: not computed yet")
    assert box(before, "add").lines == ("scalar",)  # does not keep its gradient
    loss.backward(retain_graph=True)
    after = graph(loss, show="both")
    assert box(after, "w").lines == ("(2,)", "|grad| = 4.24")
    assert sum("|grad| = 4.24" in v.lines for v in after.vertices if v.title == "multiply") == 1
    assert all("grad" not in line for v in graph(loss).vertices for line in v.lines)


def test_a_gradient_of_zero_is_zero_and_that_of_a_number_has_a_sign() -> None:
    x, y = leaf(name="x"), leaf(name="y")
    loss = -2.0 * x + 0.0 * y
    loss.backward()
    picture = graph(loss, show="backward")
    assert (box(picture, "x").lines[1], box(picture, "y").lines[1]) == ("grad = -2", "grad = 0")


def test_backward_leaves_out_what_gets_no_gradient() -> None:
    w, x = leaf(2), tg.ones(2)
    loss = (w * x).sum()
    assert kinds(graph(loss, inputs={"x": x})) == {"leaf": 1, "input": 1, "elementwise": 1, "linear": 1, "output": 1}
    backward = graph(loss, inputs={"x": x}, show="backward")
    assert kinds(backward) == {"leaf": 1, "elementwise": 1, "linear": 1, "output": 1}
    assert {edge.kind for edge in backward.edges} == {"backward"}
    both = graph(loss, inputs={"x": x}, show="both")
    assert {edge.source: edge.kind for edge in both.edges}[box(both, "x").key] == "forward"
    assert sum(edge.kind == "both" for edge in both.edges) == 3


def test_a_freed_graph_is_drawn() -> None:
    model = Deep(2)
    x = tg.ones((3, 4))
    loss = model(x).sum()
    loss.backward()
    picture = graph(loss, params=model, inputs={"x": x}, values=True, show="both")
    assert box(picture, "x").kind == "input"
    assert all("value not kept" in v.lines for v in picture.vertices if v.title in ("affine", "relu"))


# Frames.


def test_modules_are_framed_with_the_operations_that_use_their_parameters() -> None:
    model = Deep(2)
    picture = graph(model(tg.zeros((1, 4))), params=model, depth=2)
    assert [(c.kind, c.title, c.parent) for c in picture.clusters] == [
        ("module", "layers.0 (Linear)", None),
        ("module", "layers.1 (Linear)", None),
    ]
    key = picture.clusters[0].key
    assert [v.title for v in picture.vertices if v.cluster == key] == ["layers.0.weight", "layers.0.bias", "affine"]
    assert all(v.cluster is None for v in picture.vertices if v.title == "relu")


def test_depth_decides_how_fine_the_frames_are() -> None:
    model = Deep(2)
    y = model(tg.zeros((1, 4)))
    assert [c.title for c in graph(y, params=model, depth=1).clusters] == ["layers"]
    assert graph(y, params=model, depth=9).clusters == graph(y, params=model, depth=2).clusters
    assert graph(y, params=model).clusters == ()


# Repetition.


def test_repeated_blocks_are_folded() -> None:
    model = Deep(12)
    x = tg.zeros((1, 4))
    picture = graph(model(x), params=model, inputs={"x": x}, depth=2)
    assert [(c.kind, c.title) for c in picture.clusters] == [("repeat", "x 12"), ("module", "layers.0..11 (Linear)")]
    assert picture.clusters[1].parent == picture.clusters[0].key
    assert box(picture, "layers.0..11.weight").lines == ("(4, 4)", "12 of them")
    assert arrows(picture) == sorted(
        [("x", "affine"), ("layers.0..11.weight", "affine"), ("layers.0..11.bias", "affine"), ("affine", "relu")]
        + [("relu", "output")]
    )


def test_few_blocks_are_drawn_each_and_so_are_all_on_request() -> None:
    for model, collapse in ((Deep(3), True), (Deep(12), False)):
        picture = graph(model(tg.zeros((1, 4))), collapse=collapse)
        assert kinds(picture)["general"] == len(model.layers)
        assert picture.clusters == ()


def test_an_unrolled_recurrence_shares_its_weights() -> None:
    u, w = leaf(3, 4), leaf(4, 4)
    steps = {f"x{i}": tg.full((2, 3), float(i)) for i in range(6)}
    h = tg.zeros((2, 4))
    start = {"h": h}
    for x in steps.values():
        h = tg.tanh(x @ u + h @ w)
    picture = graph(h.sum(), params={"u": u, "w": w}, inputs={**steps, **start})
    assert [c.title for c in picture.clusters] == ["x 6"]
    assert box(picture, "x0..x5").cluster == "repeat 0"
    assert box(picture, "w").cluster is None
    assert ("h", "matmul") in arrows(picture)


def test_results_that_are_used_elsewhere_stay_visible() -> None:
    x = leaf()
    chain = [x]
    for _ in range(8):
        chain.append(tg.tanh(chain[-1]))
    picture = graph(chain[8] + chain[3])
    assert [(c.title) for c in picture.clusters] == ["x 5"]  # the first three and the sum are drawn each
    assert kinds(picture) == {"leaf": 1, "elementwise": 5, "output": 1}
    assert kinds(graph(chain[1:])) == {"leaf": 1, "elementwise": 8, "output": 8}


def test_gradients_of_folded_parameters_are_given_as_a_range() -> None:
    model = Deep(5)
    loss = model(tg.ones((2, 4))).sum()
    assert "gradient: not computed yet" in box(graph(loss, params=model, show="both"), "layers.0..4.bias").lines
    for i, layer in enumerate(model.layers):
        layer.bias.grad = tg.full(4, float(i))
    assert "|grad| from 0 to 8" in box(graph(loss, params=model, show="both"), "layers.0..4.bias").lines


@pytest.mark.parametrize(
    ("names", "common"),
    [
        (["tanh"] * 3, "tanh"),
        (["a.0.w", "a.1.w", "a.2.w"], "a.0..2.w"),
        (["w", "a.w"], "w .. a.w"),
    ],
)
def test_names_of_folded_parameters(names: list[str], common: str) -> None:
    assert common_name(names) == common


@st.composite
def programs(draw: st.DrawFn) -> list[tg.Tensor]:
    """Blocks, repeated or not, that use what came before at random; some of their results are outputs."""
    values = [leaf(name="x"), leaf(name="y")]
    leaves, outputs = [leaf(name="shared")], []
    for _ in range(draw(st.integers(1, 3))):
        steps = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.sampled_from("vclr?")), max_size=4))
        for _ in range(draw(st.integers(1, 7))):
            for back, further, how in steps:
                a = values[-min(back, len(values))]
                if how == "l" or (how == "?" and draw(st.booleans())):
                    leaves.append(leaf())
                other = {"c": 0.5, "v": values[-min(further, len(values))]}.get(how, leaves[-1])
                values.append(a + other if further % 2 else tg.maximum(a, other))
            if draw(st.integers(0, 5)) == 0:
                outputs.append(values[-1])
    return [*outputs, values[-1]]


@given(programs())
def test_folding_loses_nothing(outputs: list[tg.Tensor]) -> None:
    items = read([(str(i), y) for i, y in enumerate(outputs)], Names(None, None))
    before = {id(item): [items[source] for source in item.sources] for item in items}
    folded, counts = fold(list(items))
    stands_for = [item.members or [item] for item in folded]
    assert Counter(id(m) for members in stands_for for m in members) == Counter(id(item) for item in items)
    where = {id(m): (place, b) for place, members in enumerate(stands_for) for b, m in enumerate(members)}
    for item, members in zip(folded, stands_for, strict=True):
        assert item.repeat is None or len(members) == counts[item.repeat] >= 4
        assert len({(m.kind, m.shape, m.dtype, len(before[id(m)])) for m in members}) == 1
        for slot, source in enumerate(item.sources):
            used = [before[id(m)][slot] for m in members]
            _check_operand(folded, item, source, used, where)


def _check_operand(
    folded: list[Item], item: Item, source: int, used: list[Item], where: dict[int, tuple[int, int]]
) -> None:
    """All that the members of an item read in one slot is what its one arrow says."""
    drawn = folded[source]
    if item.repeat is None:  # from a block that is folded, only results of the last one are used outside
        assert used == [(drawn.members or [drawn])[-1]]
    elif drawn.repeat == item.repeat:  # inside a block
        assert used == drawn.members
    elif all(other is used[0] for other in used):  # shared by all blocks
        assert used[0] in (drawn.members or [drawn])[-1:]
    else:  # enters the first block from outside, every other one from the block before
        assert used[0] is (drawn.members or [drawn])[-1]
        places, blocks = zip(*(where[id(other)] for other in used[1:]), strict=True)
        assert len(set(places)) == 1
        assert folded[places[0]].repeat == item.repeat
        assert list(blocks) == list(range(len(used) - 1))


# Size.


def test_a_large_graph_is_capped_with_a_note() -> None:
    x = leaf(name="x")
    y = x
    for i in range(30):
        y = tg.exp(y) if i % 7 in (0, 3) else tg.tanh(y) if i % 5 else tg.square(y)
    picture = graph(y, limit=10)
    assert kinds(picture) == {"omitted": 1, "elementwise": 9, "output": 1}
    assert picture.notes == (
        "Not drawn, being further from the output than these 10 boxes: operations: 21, leaves and constants: 1.",
    )
    assert [edge.kind for edge in picture.edges].count("omitted") == 1
    assert graph(y, limit=32).notes == ()


def test_what_is_kept_of_a_large_graph_hangs_together() -> None:
    rng = np.random.default_rng(0)
    values = [leaf(), leaf()]
    for _ in range(300):
        a, b = rng.integers(max(0, len(values) - 20), len(values), 2)
        values.append(values[a] * values[b])
    picture = graph(values[-1], limit=50)
    drawn = {v.key for v in picture.vertices if v.kind != "omitted"}
    assert len(drawn) == 50
    used = {edge.source for edge in picture.edges}
    assert all(v.key in used for v in picture.vertices if v.kind != "output")
    assert drawn | {v.key for v in picture.vertices} >= {edge.target for edge in picture.edges} | used


def test_100_000_equal_operations_are_folded() -> None:
    y = leaf()
    for _ in range(100_000):
        y = tg.tanh(y)
    assert [c.title for c in graph(y).clusters] == ["x 100,000"]


def test_100_000_different_operations_are_capped() -> None:
    y = leaf()
    for step in np.random.default_rng(0).integers(3, size=100_000):
        y = (tg.tanh, tg.negative, tg.absolute)[step](y)
    picture = graph(y)
    assert sum(v.kind != "omitted" for v in picture.vertices) == 200
    assert "leaves and constants: 1" in picture.notes[0]


def test_60_doublings_take_linear_time() -> None:
    y = leaf()
    for _ in range(60):
        y = y + y
    assert kinds(graph(y, collapse=False)) == {"leaf": 1, "elementwise": 60, "output": 1}
