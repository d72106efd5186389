"""Progress: lines or a bar, where they belong, and silence when asked for."""

from __future__ import annotations

import builtins
import io
import sys

import pytest

import tinygrad_opt as tg
from tinygrad_opt.train import ProgressBar, ProgressLines, fit
from tinygrad_opt.train.progress import progress_display

BATCHES = [(tg.ones(1), tg.zeros(1))] * 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _fit(epochs: int = 3, batches=None, **options):
    theta = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([theta], lr=0.1)
    loss = lambda prediction, target: (prediction - target).square().mean()  # noqa: E731
    return fit(lambda x: x * theta, loss, optimizer, batches or BATCHES, epochs=epochs, **options)


def test_silence(capsys):
    _fit(progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_line_per_epoch_where_there_is_no_terminal(capsys):
    history = _fit()
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert len(lines) == 3
    assert lines[1].startswith(f"epoch 2/3: train_loss {history['train_loss'][1]:.4g}, seconds ")


def test_many_epochs_print_some_twenty_lines(capsys):
    _fit(epochs=1000, batches=BATCHES[:1])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert (lines[0][:13], lines[-1][:16]) == ("epoch 1/1000:", "epoch 1000/1000:")


def test_lines_at_intervals_into_a_file():
    file = io.StringIO()
    _fit(epochs=7, callbacks=[ProgressLines(every=3, file=file)], progress=False)
    assert [line.partition("/")[0] for line in file.getvalue().splitlines()] == [f"epoch {i}" for i in (1, 3, 6, 7)]
    with pytest.raises(ValueError, match="every must be at least 1"):
        ProgressLines(every=0)


def test_the_reason_for_stopping_is_printed():
    file = io.StringIO()

    class Stop(tg.train.Callback):
        def on_epoch_end(self, run):
            run.stop("enough")

    _fit(epochs=100, callbacks=[Stop(), ProgressLines(file=file)], progress=False)
    assert file.getvalue().splitlines()[-1] == "enough"


def test_a_bar_moves_with_every_batch():
    pytest.importorskip("tqdm")
    file = io.StringIO()
    history = _fit(epochs=2, callbacks=[ProgressBar(file)], progress=False)
    last = file.getvalue().split("\r")[-1]
    assert "epoch 2/2" in last
    assert "6/6" in last
    assert f"train_loss {history['train_loss'][1]:.4g}" in last


def test_a_loader_without_length_has_a_bar_without_end():
    pytest.importorskip("tqdm")

    class Endless:
        def __iter__(self):
            return iter(BATCHES)

    file = io.StringIO()
    _fit(epochs=2, batches=Endless(), callbacks=[ProgressBar(file)], progress=False)
    assert "6batch" in file.getvalue().split("\r")[-1]


def test_the_bar_is_for_terminals(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress_display(), ProgressBar)
    _fit()
    assert "9/9" in sys.stderr.getvalue()
    monkeypatch.setattr(sys, "stderr", None)
    assert isinstance(progress_display(), ProgressLines)


def test_without_tqdm_there_are_lines(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "tqdm":
            raise ImportError("No module named 'tqdm'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress_display(), ProgressLines)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_opt\[train\]'"):
        ProgressBar()
