"""Which engine runs a rule makes no difference: every optimizer gives the same numbers, to the bit on the host."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from optimizers import MAKERS, Maker, every_elementwise
from tinygrad_opt import backend
from tinygrad_opt.optim import compiled, engines, program, source

SIZES = (700, 1300, 37)


class Training:
    """Three parameters, the middle one of them not used in every step; drawn gradients, the same for all engines."""

    def __init__(self, make: Maker, dtype: str, device: str = "cpu", seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        values = [rng.standard_normal(n).astype(dtype) for n in SIZES]
        self.params = [tg.tensor(v, requires_grad=True, device=device) for v in values]
        self.optimizer = make(self.params, lr=0.01, weight_decay=0.1)

    def run(self, first: int, last: int) -> None:
        for step in range(first, last):
            self.optimizer.step(lambda step=step: self.loss(step))

    def loss(self, step: int) -> tg.Tensor:
        """A linear function, so that the gradients are the drawn numbers, some of them zero."""
        rng = np.random.default_rng(step)
        gradients = [rng.standard_normal(n).astype(p.dtype) for n, p in zip(SIZES, self.params, strict=True)]
        for g in gradients:
            g[::5] = 0
        used = [k for k in range(len(SIZES)) if step % 3 != 1 or k != 1]
        terms = [(self.params[k] * tg.tensor(gradients[k], device=self.params[k].device)).sum() for k in used]
        return sum(terms[1:], terms[0])

    def arrays(self) -> list[np.ndarray]:
        ((vector,),) = self.optimizer._vectors
        return [backend.of(x).to_host(x).copy() for x in (vector.theta, *vector.state.values())]


def trained(make: Maker, dtype: str, device: str = "cpu") -> list[np.ndarray]:
    training = Training(make, dtype, device)
    training.run(0, 6)
    return training.arrays()


def assert_equal(xs: list[np.ndarray], ys: list[np.ndarray]) -> None:
    for x, y in zip(xs, ys, strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def loops_in_use() -> list[bool]:
    return [isinstance(host.run.__self__, compiled.Loop) for host in engines._host.values()]


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BLOCK", 64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_elementwise
def test_blocks_give_the_same_bits(make: Maker, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained(make, dtype)
    for block in (64, 1000):
        monkeypatch.setattr(program, "BLOCK", block)
        assert_equal(trained(make, dtype), expected)


@every_elementwise
def test_a_compiled_loop_gives_the_same_bits(make: Maker, short_blocks: None, compiling: None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "PATIENCE", float("inf"))
        expected = trained(make, "float32")
        assert not any(loops_in_use())
    engines._host.clear()
    assert_equal(trained(make, "float32"), expected)
    assert loops_in_use() == [source.is_exact(host.structure) for host in engines._host.values()]


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_a_compiled_loop_gives_the_same_bits_in_double_precision(
    name: str, short_blocks: None, compiling: None
) -> None:
    found = trained(MAKERS[name], "float64")
    assert all(loops_in_use())
    engines._host.clear()
    engines.PATIENCE = float("inf")
    assert_equal(found, trained(MAKERS[name], "float64"))


@every_elementwise
def test_a_kernel_agrees(make: Maker, device: str) -> None:
    for dtype, rtol in (("float32", 1e-4), ("float64", 1e-12)):
        for x, y in zip(trained(make, dtype, device), trained(make, dtype), strict=True):
            np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * np.abs(y).max())


@pytest.mark.parametrize("engine", ["blocks", "loop", "switch"])
@every_elementwise
def test_a_training_that_was_interrupted_goes_on_bit_for_bit(
    make: Maker, engine: str, short_blocks: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the second half runs in another engine than the first."""
    if engine != "blocks":
        request.getfixturevalue("compiling")
    if engine == "switch":
        monkeypatch.setattr(engines, "PATIENCE", float("inf"))
    whole = Training(make, "float32")
    whole.run(0, 3)
    values, state = [p.detach().numpy().copy() for p in whole.params], copy.deepcopy(whole.optimizer.state_dict())
    whole.run(3, 7)

    if engine == "switch":
        monkeypatch.setattr(engines, "PATIENCE", 0)
    again = Training(make, "float32", seed=1)
    for p, value in zip(again.params, values, strict=True):
        p.data[...] = value
    again.optimizer.load_state_dict(state)
    again.run(3, 7)
    assert_equal(again.arrays(), whole.arrays())


@pytest.mark.parametrize("size", [5, 100])
def test_no_engine_warns_of_numbers_that_are_none(size: int, short_blocks: None, device: str) -> None:
    """A warning that is made an error would stop an update halfway."""
    p = tg.zeros(size, requires_grad=True, device=device)
    optimizer = tg.optim.Adam([p], eps=0.0)
    for value in (0.0, float("inf"), float("nan")):
        p.grad = tg.ones(size, device=device) * value
        optimizer.step()
    assert np.isnan(p.detach().cpu().numpy()).all()


# When a loop is compiled.


@pytest.fixture
def work(short_blocks: None, compiling: None, monkeypatch: pytest.MonkeyPatch) -> tg.optim.Optimizer:
    """An SGD with momentum and 2 operations on each of 1,000 elements a step."""
    p = tg.zeros(1000, requires_grad=True)
    p.grad = tg.ones(1000)
    optimizer = tg.optim.SGD([p], lr=0.1, momentum=0.9)
    optimizer.step()  # the first step of a velocity is another rule
    engines._host.clear()
    monkeypatch.setattr(engines, "PATIENCE", 12_000)
    return optimizer


def test_short_trainings_do_not_wait_for_a_compiler(work: tg.optim.Optimizer) -> None:
    used = []
    for _ in range(6):
        work.step()
        used += loops_in_use()
    (host,) = engines._host.values()
    operations = len(host.structure.steps)
    assert operations == 5  # two products for the velocity, their sum, a product, a difference
    assert used == [False] * 3 + [True] * 3  # 3 * 5 * 1000 operations are more than 12,000


def test_short_vectors_run_as_they_stand(compiling: None) -> None:
    p = tg.zeros(program.BLOCK, requires_grad=True)
    p.grad = tg.ones(program.BLOCK)
    tg.optim.Adam([p]).step()
    assert not engines._host


def test_without_numba_numpy_goes_on(work: tg.optim.Optimizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "is_installed", lambda: False)
    for _ in range(5):
        work.step()
    assert loops_in_use() == [False]


def test_a_compiler_that_fails_is_told_and_the_training_goes_on(
    work: tg.optim.Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(compiled, "_loop", broken)
    for _ in range(3):
        work.step()
    with pytest.warns(
        RuntimeWarning, match=r"could not compile an update rule, NumPy runs it: OSError\('no space left"
    ):
        work.step()
    work.step()  # once is enough
    assert loops_in_use() == [False]
    assert np.isfinite(work.param_groups[0]["params"][0].detach().numpy()).all()


# Loops on disk.

SCRIPT = """
import tinygrad_opt as tg
from tinygrad_opt.optim import engines, program
engines.PATIENCE, program.BLOCK = 0, 8
p = tg.zeros(100, requires_grad=True)
p.grad = tg.ones(100)
tg.optim.Adam([p], lr=0.5).step()
(host,) = engines._host.values()
stats = host.run.__self__.function.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), p[0].item())
"""


def in_another_process(folder: Path) -> list[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "LOCALAPPDATA": str(folder), "HOME": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return ran.stdout.split()


def test_a_second_process_does_not_compile_again(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    assert in_another_process(tmp_path) == ["0", "1", "-0.5"]
    assert in_another_process(tmp_path) == ["1", "0", "-0.5"]
    (folder,) = tmp_path.rglob("loops")
    assert not list(folder.glob("*.tmp"))
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0  # nobody else can put machine code there


@pytest.fixture
def text() -> str:
    return "def loop(numbers, v0):\n    one = numbers[0]\n    zero = numbers[1]\n    v0[:] = one\n"


def test_a_loop_is_compiled_where_nothing_can_be_written(text: str, tmp_path: Path, monkeypatch: Any) -> None:
    pytest.importorskip("numba")
    (tmp_path / "a file").touch()
    monkeypatch.setattr(compiled, "cache_folder", lambda: str(tmp_path / "a file" / "loops"))
    assert compiled._kept(text) is None
    x = np.zeros(3)
    compiled._compiled(text, 1, x.dtype)(np.array([1.0, 0.0]), x)
    assert x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.skipif(os.name != "posix", reason="folders have no modes")
def test_a_folder_that_others_can_write_to_is_not_trusted(text: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(compiled, "cache_folder", lambda: str(tmp_path))
    tmp_path.chmod(0o700)
    kept = compiled._kept(text)
    assert kept is not None
    assert Path(kept).read_text("utf-8") == text
    tmp_path.chmod(0o777)
    assert compiled._kept(text) is None


def test_numba_without_its_compiler_is_not_used(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(RuntimeError, match="NUMBA_DISABLE_JIT is set"):
        compiled._compiled(text, 1, np.dtype("float32"))


def test_spoilt_files_are_no_obstacle(text: str, tmp_path: Path, monkeypatch: Any) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "cache_folder", lambda: str(tmp_path))
    x = np.zeros(3)
    compiled._compiled(text, 1, x.dtype)
    (index,) = tmp_path.rglob("*.nbi")
    for contents in (b"", b"spoilt", index.read_bytes()[:-20]):
        index.write_bytes(contents)
        x[:] = 0
        compiled._compiled(text, 1, x.dtype)(np.array([1.0, 0.0]), x)
        assert x.tolist() == [1.0, 1.0, 1.0]


def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(os.path, "expanduser", lambda _: str(tmp_path / "home"))
    home = {"linux": tmp_path, "win32": tmp_path, "darwin": tmp_path / "home" / "Library" / "Caches"}
    for platform, folder in home.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert Path(compiled.cache_folder()) == folder / "tinygrad_opt" / "loops"


def test_threads_have_buffers_of_their_own(short_blocks: None) -> None:
    """Two optimizers in two threads share a program, and no memory."""
    expected, found = trained(MAKERS["adam"], "float32"), []
    threads = [threading.Thread(target=lambda: found.append(trained(MAKERS["adam"], "float32"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for arrays in found:
        assert_equal(arrays, expected)
