"""The benchmark's own arithmetic: turns, ratios, tables, and the check that refuses wrong contestants.

No test asserts a time. Where timing itself is tested, the clock is a fake that the contestants move.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tinygrad_opt as tg

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))

from bench import cli, convolution, footprint, hessian, hvp, layers, optimizers, recomputation, report, rounds, verify
from bench.peers import OURS, load
from bench.peers.numpy_by_hand import NumPyByHand, loss_and_gradients
from bench.workload import SIZES, Problem, make_problem

TOOLS = Path(__file__).resolve().parent.parent / "tools"


class Clock:
    """A clock that stands still until a contestant works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def contestant(self, name: str, cost: float) -> Callable[[], None]:
        def work() -> None:
            self.now += cost
            self.log.append(name)

        return work


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rounds, "perf_counter", made)
    return made


@pytest.fixture(params=SIZES)
def problem(request: pytest.FixtureRequest) -> Problem:
    return make_problem(SIZES[request.param])


# Turns and ratios


def test_rounds_rotate() -> None:
    orders = [rounds.rotation("abc", turn) for turn in range(4)]
    assert ["".join(order) for order in orders] == ["abc", "bca", "cab", "abc"]
    assert rounds.rotation([], 1) == []


@pytest.mark.parametrize(("cost", "count"), [(0.0001, 300), (0.007, 4), (0.5, 1)])
def test_a_turn_is_filled(clock: Clock, cost: float, count: int) -> None:
    assert rounds.repeats(clock.contestant("a", cost), turn=0.03) == count


def test_race_times_everybody_in_turn(clock: Clock) -> None:
    costs = {"a": 0.5, "b": 0.25, "c": 2.0}
    effort = rounds.Effort(rounds=3, turn=0.1)
    times = rounds.race({name: clock.contestant(name, cost) for name, cost in costs.items()}, effort)
    assert times == {name: [cost] * 3 for name, cost in costs.items()}
    warm_up, untimed_and_timed = "abc", ["aabbcc", "bbccaa", "ccaabb"]
    assert "".join(clock.log) == warm_up + "".join(untimed_and_timed)


def test_ratio_is_taken_within_rounds() -> None:
    ours, peer = [1.0, 10.0, 3.0], [2.0, 5.0, 6.0]  # the ratio of the medians would be 0.6
    assert rounds.ratio(ours, peer) == rounds.Spread(median=0.5, low=0.5, high=1.25)


def test_ratio_needs_the_same_rounds() -> None:
    with pytest.raises(ValueError, match="shorter"):
        rounds.ratio([1.0, 2.0], [1.0])


# Tables


def test_table_is_aligned() -> None:
    text = report.table(["network", "who", "time"], [["tiny", "NumPy", "9.5 µs"], ["", "us", "12 ms"]])
    assert text.splitlines() == [
        "network  who      time",
        "-------  -----  ------",
        "tiny     NumPy  9.5 µs",
        "         us      12 ms",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.5, "2.50 s"),
        (0.0999, "99.9 ms"),
        (0.09996, "100 ms"),
        (1.5e-4, "150 µs"),
        (4.2e-8, "42.0 ns"),
        (0, "0.00 ns"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text


def test_memory_is_decimal() -> None:
    assert [report.memory(size) for size in (12, 1_000_000, 68_300_000)] == ["12.0 B", "1.00 MB", "68.3 MB"]


def test_rows_compare_ours_with_each_peer() -> None:
    times = {OURS: [1e-3, 2e-3], "numpy": [2e-3, 4e-3]}
    rows = report.race_rows("tiny", times, {OURS: "us", "numpy": "NumPy"})
    assert rows == [["tiny", "us", "1.50 ms", "–", ""], ["", "NumPy", "3.00 ms", "0.50", "0.50–0.50"]]


def test_rows_without_us_have_no_ratio() -> None:
    assert report.race_rows("tiny", {"numpy": [1.0, 1.0]}, {"numpy": "NumPy"}) == [["tiny", "NumPy", "1.00 s", "–", ""]]


def test_memory_rows_survive_a_peer_that_needs_none() -> None:
    peers = {"ours": NumPyByHand(), "numpy": NumPyByHand()}
    rows = footprint.rows_for("training", {"ours": 3e6, "numpy": 0.0}, peers)
    assert rows == [["training", "NumPy by hand", "3.00 MB", "–"], ["", "NumPy by hand", "0.00 B", "–"]]


# The work


def test_sizes() -> None:
    assert [str(size) for size in SIZES.values()] == [
        "tiny 32×[2,16,16,2]",
        "small 64×[64,64,64,10]",
        "mid 128×[784,256,128,10]",
        "large 256×[1024,1024,1024,10]",
    ]


def test_no_network_can_memorise_the_batch(problem: Problem) -> None:
    first, second = np.split(problem.x, 2)
    assert np.array_equal(first, second)
    assert np.all(np.not_equal(*np.split(problem.labels, 2)))


def test_problem_has_the_shapes_of_its_size(problem: Problem) -> None:
    size = next(size for size in SIZES.values() if size.widths[0] == problem.x.shape[1])
    assert problem.x.shape == (size.batch, size.widths[0])
    assert {p.dtype for p in (problem.x, *problem.parameters)} == {np.dtype(np.float32)}
    assert [w.shape for w, _ in problem.layers] == list(zip(size.widths[1:], size.widths, strict=False))
    assert [b.shape for _, b in problem.layers] == [(width,) for width in size.widths[1:]]


# The referee, and what it refuses


def test_referee_gradient_is_the_slope_of_its_loss() -> None:
    exact = make_problem(SIZES["small"]).astype(np.float64)
    direction = hvp.direction_for(exact)

    def loss_at(offset: float) -> float:
        moved = [p + offset * d for p, d in zip(exact.parameters, direction, strict=True)]
        return float(loss_and_gradients(moved, exact.x, exact.labels)[0])

    slope = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5
    gradient = verify.referee_gradient(exact)
    assert sum(np.vdot(g, d) for g, d in zip(gradient, direction, strict=True)) == pytest.approx(slope, rel=1e-6)


def test_referee_product_is_symmetric() -> None:
    problem = make_problem(SIZES["tiny"])
    u, w = hvp.direction_for(problem), [np.ones_like(p) for p in problem.parameters]
    hu, hw = verify.referee_product(problem, u), verify.referee_product(problem, w)
    there, back = (sum(np.vdot(a, b) for a, b in zip(*pair, strict=True)) for pair in ((u, hw), (w, hu)))
    assert there == pytest.approx(back, rel=1e-6)


def test_right_losses_pass(problem: Problem) -> None:
    losses = verify.trajectory(NumPyByHand().training_step(problem))
    verify.check_losses("NumPy", losses, verify.referee_losses(problem))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("name", "value"), [("LEARNING_RATE", 1.05e-3), ("BETA1", 0.8), ("BETA2", 0.9)])
def test_wrong_updates_are_refused(problem: Problem, monkeypatch: pytest.MonkeyPatch, name: str, value: float) -> None:
    expected = verify.referee_losses(problem)
    monkeypatch.setattr(f"bench.peers.adam.{name}", value)
    losses = verify.trajectory(NumPyByHand().training_step(problem))
    with pytest.raises(verify.Disagreement, match="NumPy follows other losses"):
        verify.check_losses("NumPy", losses, expected)


@pytest.mark.parametrize("wrong", [1.00002, np.nan])
def test_wrong_arrays_are_refused(wrong: float) -> None:
    expected = [np.ones((2, 3)), np.ones(2)]
    verify.check_arrays("it", "gradient", expected, expected)
    with pytest.raises(verify.Disagreement, match="its gradient is off by"):
        verify.check_arrays("it", "gradient", [wrong * e for e in expected], expected)


@pytest.fixture(scope="module")
def torch_loaded() -> None:
    """PyTorch loads a part of itself, which changes the warnings filters, at the first step of an optimizer."""
    torch = pytest.importorskip("torch")
    x = torch.ones(1, requires_grad=True)
    x.sum().backward()
    torch.optim.Adam([x]).step()


@pytest.mark.oracle
@pytest.mark.usefixtures("torch_loaded")
def test_pytorch_agrees_with_the_referee(problem: Problem) -> None:
    """The referee's Adam is written here; PyTorch's is not."""
    losses = verify.trajectory(load("torch").training_step(problem))
    verify.check_losses("PyTorch", losses, verify.referee_losses(problem))


# Convolution


LAYER = convolution.Layer(2, 3, 5, 3, padded=True)


def test_referee_convolution_has_the_slope_of_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is linear in each argument: its product with the cotangent is one number, however it is put."""
    monkeypatch.setattr(convolution, "BATCH", 2)
    work = convolution.make_work(LAYER)
    of_weight, of_bias, of_x = convolution.referee_gradients(work, images=True)
    assert [g.shape for g in (of_weight, of_bias, of_x)] == [work.weight.shape, work.bias.shape, work.x.shape]
    x = np.pad(work.x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = sum(
        np.einsum("nchw,oc->nohw", x[..., i : i + 5, j : j + 5], work.weight[:, :, i, j].astype(np.float64))
        for i, j in np.ndindex(3, 3)
    )
    expected = pytest.approx(float(np.sum(y * work.cotangent)), rel=1e-9)
    assert float(np.vdot(of_weight, work.weight)) == expected
    assert float(np.vdot(of_x, work.x)) == expected


@pytest.mark.parametrize("images", [True, False])
def test_our_convolution_is_right_and_a_wrong_one_is_refused(monkeypatch: pytest.MonkeyPatch, images: bool) -> None:
    monkeypatch.setattr(convolution, "BATCH", 2)
    work, ours = convolution.make_work(LAYER), load(OURS)
    assert set(convolution.verified_runs({OURS: ours, "numpy": NumPyByHand()}, work, images)) == {OURS}
    right = ours.convolution(work, images)
    monkeypatch.setattr(ours, "convolution", lambda work, images: lambda: [1.0001 * g.numpy() for g in right()])
    with pytest.raises(verify.Disagreement, match="gradient of a convolution is off"):
        convolution.verified_runs({OURS: ours}, work, images)


@pytest.mark.parametrize("padded", [True, False])
def test_padding_keeps_the_size(padded: bool) -> None:
    work = convolution.make_work(convolution.Layer(1, 2, 8, 5, padded))
    assert work.cotangent.shape == (convolution.BATCH, 2, *(8 if padded else 4,) * 2)


# Layers


@pytest.mark.oracle
@pytest.mark.usefixtures("torch_loaded")
def test_our_layers_are_right_and_wrong_ones_are_refused() -> None:
    peers = {key: load(key) for key in (OURS, "torch")}
    entry = layers.Entry(lambda nn: nn.Sequential(nn.Linear(3, 2), nn.Tanh()), [(4, 3)], images=True)
    runs = layers.verified_runs(entry, peers)
    assert [len(run()) for run in runs.values()] == [3, 3]
    wrong = layers.Entry(lambda nn: entry.make(nn)[:1] if nn is tg.nn else entry.make(nn), entry.shapes)
    with pytest.raises(verify.Disagreement, match="gradient of a layer is off"):
        layers.verified_runs(wrong, peers)


@pytest.mark.oracle
@pytest.mark.usefixtures("torch_loaded")
@pytest.mark.parametrize("label", layers.ENTRIES)
def test_entries_are_written_for_both(label: str) -> None:
    assert set(layers.verified_runs(layers.ENTRIES[label], {key: load(key) for key in (OURS, "torch")})) == {
        OURS, "torch",
    }  # fmt: skip


# Optimizers

SHAPES = [(40, 30), (30,), ()]


@pytest.mark.parametrize("label", ["SGD", "SGD, momentum", "Adam"])
def test_our_optimizers_are_right_and_a_wrong_one_is_refused(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers.engines(), "_host", {})  # what a measurement leaves behind ends here
    monkeypatch.setattr(optimizers.engines(), "PATIENCE", optimizers.engines().PATIENCE)
    name, options = optimizers.methods()[label]
    everybody = optimizers.contestants(name, options, SHAPES, {})
    assert optimizers.NUMPY in everybody
    optimizers.verify(everybody, optimizers.ours(name, options, SHAPES, False, "float64"), optimizers.drawn(SHAPES)[0])
    wrong = {"wrong": optimizers.ours(name, {**options, "lr": 1.002e-3}, SHAPES, False, "float32")}
    with pytest.raises(verify.Disagreement, match="wrong: parameters are"):
        optimizers.verify(wrong, optimizers.ours(name, options, SHAPES, False, "float64"), optimizers.drawn(SHAPES)[0])


@pytest.mark.oracle
@pytest.mark.usefixtures("torch_loaded")
def test_pytorchs_optimizers_are_found_and_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers.engines(), "_host", {})
    monkeypatch.setattr(optimizers.engines(), "PATIENCE", optimizers.engines().PATIENCE)
    everybody = optimizers.contestants("Adam", {}, SHAPES, {"torch": load("torch")})
    assert set(optimizers.WAYS) <= set(everybody)
    optimizers.verify(everybody, optimizers.ours("Adam", {}, SHAPES, False, "float64"), optimizers.drawn(SHAPES)[0])
    assert optimizers.torchs("Adam", {"no such": 1}, SHAPES, "PyTorch") is None
    assert optimizers.torchs("NoSuchMethod", {}, SHAPES, "PyTorch") is None


def test_rows_of_optimizers_compare_both_engines_with_everybody() -> None:
    times = {optimizers.NUMPY: [2e-3] * 3, optimizers.NUMBA: [1e-3] * 3, "PyTorch": [4e-3] * 3}
    assert optimizers.rows_for("Adam", times) == [
        ["Adam", "ours, NumPy", "2.00 ms", "–", "0.50"],
        ["", "ours, Numba", "1.00 ms", "2.00", "–"],
        ["", "PyTorch", "4.00 ms", "0.50", "0.25"],
    ]
    figures = optimizers.figures(times)
    assert figures["PyTorch"]["ours, Numba / this"]["median"] == 0.25


# Our side, and the command


def test_ours_is_right(problem: Problem) -> None:
    ours, direction = load(OURS), hvp.direction_for(problem)
    verify.check_losses("ours", verify.trajectory(ours.training_step(problem)), verify.referee_losses(problem))
    found = ours.second_order(problem, direction)
    assert found is not None
    verify.check_arrays("ours", "gradient", found.gradient(), verify.referee_gradient(problem))
    verify.check_arrays("ours", "product", found.product(), verify.referee_product(problem, direction))


def test_our_hessian_is_right_and_a_wrong_one_is_refused() -> None:
    ours, problem = load(OURS), make_problem(hessian.NETWORK)
    assert sum(p.size for p in problem.parameters) == 995
    direction = hvp.direction_for(problem)
    expected = verify.referee_product(problem, direction)
    blocks = [[np.array(block) for block in row] for row in ours.hessian(problem)()]
    verify.check_arrays("ours", "Hessian", hessian.product_with(blocks, direction), expected)
    blocks[2][0] = -blocks[2][0]
    with pytest.raises(verify.Disagreement, match="its Hessian is off by"):
        verify.check_arrays("ours", "Hessian", hessian.product_with(blocks, direction), expected)


def test_recomputed_steps_agree_take_less_and_wrong_ones_are_refused() -> None:
    found = recomputation.steps(layers=64, width=4, batch=20_000)
    recomputation.check(found)
    peaks = {way: recomputation.peak(step) for way, step in found.items()}
    assert peaks["plain"] > 3 * peaks["blocks of 8"]
    assert peaks["plain"] > 4 * peaks["nested"]
    plain = found["plain"]
    found["nested"] = lambda: [2 * g for g in plain()]
    with pytest.raises(verify.Disagreement, match=r"checkpointed \(nested\), the gradients are other ones"):
        recomputation.check(found)


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["speed"], ["--sizes", "tiny,huge"], ["--peers", "keras"]):
        with pytest.raises(SystemExit):
            cli.main(arguments)
        assert "is none of" in capsys.readouterr().err


def test_a_wrong_contestant_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> report.Report:
        raise verify.Disagreement("NumPy follows other losses")

    monkeypatch.setattr(cli, "load_installed", lambda keys: ({}, {}))
    monkeypatch.setitem(cli.MEASUREMENTS, "steps", refuse)
    assert cli.main(["steps"]) == 1
    assert "wrong: NumPy follows other losses" in capsys.readouterr().err


def test_the_command_runs(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, str(TOOLS / "bench"), "steps", "op", "hvp", "memory", "conv", "--sizes", "tiny"]
    result = subprocess.run(
        [*command, "--quick", "--peers", "numpy", "--json", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert "NumPy by hand" in result.stdout
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["about"]["missing"] == "none"
    assert found["steps"]["tiny"]["numpy"]["ours_over_peer"]["median"] > 0
    assert len(found["op"]["recording"][OURS]["seconds"]) == rounds.QUICK.rounds
    assert found["memory"]["chain"][OURS]["held"] >= 1_000_000
    assert set(found["conv"]) == {f"{layer}, {place}" for layer in convolution.LAYERS for place in convolution.PLACES}
