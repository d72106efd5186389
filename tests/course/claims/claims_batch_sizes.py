"""What the lesson on batch sizes claims."""


def check(measured):
    rates, curves, gaps = measured.values()
    assert rates[0]["best rate"] < rates[1]["best rate"]  # a noisier gradient bears smaller steps

    online, *between, full = curves
    key_examples = list(online)[-2]
    losses = [row["loss"] for row in curves]
    assert losses == sorted(losses)  # after the same number of examples: the more updates the better
    assert full["loss"] > 5 * online["loss"]
    for row in between:
        assert online[key_examples] < row[key_examples] < full[key_examples]
    assert all(row["updates"] == online["updates"] // row["batch size"] for row in curves)

    for row in gaps:  # no batch size regularizes: none has a gap that is clearly smaller than that of the full batch
        assert row["gap"] > 0.05
        assert row["less that of the full batch"] > -0.1 * row["gap"]
    best, small = ([row for row in gaps if row["of the best rate"] == share] for share in (1, 1 / 8))
    for row, slower in zip(best, small, strict=True):
        assert slower["epochs"] > 3 * row["epochs"]
    assert all(abs(row["less that of the full batch"]) < 0.04 * row["gap"] for row in small)
