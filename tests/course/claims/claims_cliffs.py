"""What the lesson on cliffs claims."""


def check(measured):
    (plain, norm, value), several = measured.values()

    assert plain["longest jump"] > 10 * norm["longest jump"]  # far away, and no way back from the plain
    assert plain["final cost"] > 0.08
    for clipped in (norm, value):
        assert clipped["largest gradient"] > 1  # it met the wall too
    assert norm["longest jump"] <= 0.5 * 0.2 * (1 + 1e-9)  # rate times limit
    assert value["longest jump"] <= 0.5 * 0.2 * 2**0.5 * (1 + 1e-9)  # that for each of two elements
    assert norm["final cost"] < 0.02
    assert norm["largest turn, degrees"] < 1e-3  # the direction stays
    assert value["largest turn, degrees"] > 5  # this one does not

    plain, norm, value = several
    assert plain["longest jump of all"] > 1
    assert max(norm["longest jump of all"], value["longest jump of all"]) < 0.15
    assert norm["worst final cost"] < 0.02 < plain["worst final cost"]
