"""The history: rows in, columns out, and a table to look at."""

from __future__ import annotations

import math

import pytest

from tinygrad_opt.train import History


def _history(count: int) -> History:
    return History({"epoch": i, "train_loss": 1 / i, "valid_accuracy": 1.0} for i in range(1, count + 1))


def test_columns_rows_and_length():
    history = _history(3)
    assert len(history) == 3
    assert history["train_loss"] == [1.0, 0.5, 1 / 3]
    assert history.to_dict() == {"epoch": [1, 2, 3], "train_loss": [1.0, 0.5, 1 / 3], "valid_accuracy": [1.0] * 3}
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history.epochs[1] == {"epoch": 2, "train_loss": 0.5, "valid_accuracy": 1.0}


def test_an_entry_that_only_some_epochs_have():
    history = _history(2)
    history.epochs[1]["norm"] = 4.0
    assert history.columns == ["epoch", "train_loss", "valid_accuracy", "norm"]
    assert math.isnan(history["norm"][0])
    assert history["norm"][1] == 4.0


def test_an_unknown_column_names_the_known_ones():
    with pytest.raises(KeyError, match="no column 'loss'; there are: epoch, train_loss, valid_accuracy"):
        _history(1)["loss"]


def test_the_table_is_aligned_and_says_why_training_stopped():
    history = _history(3)
    history.stopped = "interrupted in epoch 4"
    assert repr(history).splitlines() == [
        "epoch  train_loss  valid_accuracy",
        "    1           1               1",
        "    2         0.5               1",
        "    3      0.3333               1",
        "interrupted in epoch 4",
    ]
    assert repr(History()) == "History(no complete epoch)"


def test_a_long_table_is_shortened_in_the_middle():
    assert len(repr(_history(11)).splitlines()) == 12
    lines = repr(_history(100)).splitlines()
    assert len(lines) == 12
    assert lines[5].split()[0] == "5"
    assert lines[6] == "... 90 more epochs ..."
    assert lines[7].split()[0] == "96"
