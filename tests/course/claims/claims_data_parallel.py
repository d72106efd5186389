"""What the lesson on data-parallel gradients claims."""


def check(measured):
    rows, trained = measured.values()
    for row in rows:
        assert row["float64, weighted"] < 1e-14
        assert 1e-9 < row["float32, weighted"] < 1e-5  # that it is not float64 shows in the rounding
        for name, rounding in (("float64", 1e-14), ("float32", 1e-5)):
            if row["parts"] == "equal":
                assert row[f"{name}, plain mean"] < rounding
            else:
                assert row[f"{name}, plain mean"] > 0.05
    for row in trained:
        assert row["difference of parameters"] < 1e-10
        assert row["workers' loss"] < 1  # it has learned something: guessing is ln 10
