"""What the lesson on supervised pre-training claims."""


def check(measured):
    (source,), rows = measured.values()
    assert source["test accuracy"] > 0.85
    accuracy = {row["start"]: row["accuracy"] for row in rows}
    assert accuracy["transferred, fine-tuned"] > accuracy["random weights"] + 0.02
    assert all(0.25 < value < 1 for value in accuracy.values())
