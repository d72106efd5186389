"""What the lesson on adaptive rates claims."""

import math


def check(measured):
    needed, final, rates = ({row["method"]: row for row in rows} for rows in measured.values())

    for method in ("gradient descent", "momentum"):  # no axes are special to these
        straight, turned = final[method]["canyon"], final[method]["turned canyon"]
        assert math.isclose(straight, turned, rel_tol=1e-4)
        assert rates[method]["canyon"] == rates[method]["turned canyon"]
    for method in ("AdaGrad", "RMSProp", "Rprop"):  # they are to these
        assert needed[method]["canyon"] < 30
        assert needed[method]["turned canyon"] > 3 * needed[method]["canyon"]
    for method in ("momentum", "Adam"):  # through both canyons alike
        assert 0.7 < needed[method]["turned canyon"] / needed[method]["canyon"] < 1.4

    assert needed["gradient descent"]["canyon"] > 2 * needed["momentum"]["canyon"]
    assert needed["AdaGrad"]["saddle"] < 0.3 * needed["momentum"]["saddle"]  # a tiny slope is scaled up
    assert max(final[method]["ravine"] for method in ("momentum", "Adam")) < 0.3 * final["AdaGrad"]["ravine"]
    assert len({row["ravine"] for row in rates.values()}) >= 3  # no rate suits all
