"""The quickstart runs as it stands, learns, and what it measures is right."""

from __future__ import annotations

import importlib.util
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn

FILE = Path(__file__).resolve().parent.parent / "examples" / "quickstart.py"
EPOCHS = 5


@pytest.fixture(scope="module")
def quickstart() -> ModuleType:
    """The example as a module."""
    specification = importlib.util.spec_from_file_location("quickstart", FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ran(quickstart: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float], str]:
    """The folder that one short run has filled, what it measured, and what it printed."""
    out, lines = tmp_path_factory.mktemp("quickstart") / "made" / "here", []
    quickstart.print = lambda *words: lines.append(" ".join(str(word) for word in words))
    measured = quickstart.main(out, epochs=EPOCHS)
    del quickstart.print
    return out, measured, "\n".join(lines)


def assert_png(path: Path) -> None:
    """A PNG file: the signature, and chunks with right checksums from the header to the end."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    kinds, position = [], 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        assert zlib.crc32(kind + body) == checksum
        kinds.append(kind)
        position += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    assert b"IDAT" in kinds


@pytest.mark.slow
def test_it_learns(ran: tuple[Path, dict[str, float], str]) -> None:
    _, measured, _ = ran
    assert measured["accuracy"] > 0.93  # 30 epochs bring about 0.98; guessing would bring 0.1
    assert 0 < measured["loss"] < 0.3
    assert 0.1 < measured["largest_eigenvalue"] < 1000


@pytest.mark.slow
def test_what_it_prints_is_what_it_returns(ran: tuple[Path, dict[str, float], str]) -> None:
    _, measured, printed = ran
    number = r"(-?[\d.e+]+)"
    found = re.search(rf"test accuracy {number}, test loss {number}\nlargest Hessian .* loss {number}\n", printed)
    expected = [measured[name] for name in ("accuracy", "loss", "largest_eigenvalue")]
    assert [float(x) for x in found.groups()] == pytest.approx(expected, rel=1e-2)
    assert "BatchNorm1d" in printed


@pytest.mark.slow
def test_its_pictures_are_pictures(ran: tuple[Path, dict[str, float], str]) -> None:
    out, _, printed = ran
    names = ["gradient_graph.png", "gradient_graph.svg", "history.png", "loss_graph.png", "loss_graph.svg"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert printed.endswith("pictures: " + ", ".join(names))
    for path in out.glob("*.png"):
        assert_png(path)
    texts = {}
    for path in out.glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        texts[path.stem] = " ".join(root.itertext())
    for word in ("softmax", "affine", "0.weight", "3.bias"):
        assert word in texts["loss_graph"]
    assert "gradient of 0.weight" in texts["gradient_graph"]
    assert len(texts["gradient_graph"]) > len(texts["loss_graph"])


def dense_hessian(loss: nn.Module, model: nn.Module, x: tg.Tensor, labels: tg.Tensor) -> np.ndarray:
    """Differences of gradients, one column for each parameter: nothing here is differentiated twice."""
    parameters = list(model.parameters())
    start = np.concatenate([p.data.ravel() for p in parameters])
    bounds = np.cumsum([0, *(p.size for p in parameters)])

    def gradient(theta: np.ndarray) -> np.ndarray:
        for p, low, high in zip(parameters, bounds, bounds[1:], strict=False):
            p.data = theta[low:high].reshape(p.shape)
        parts = tg.gradients(loss(model(x), labels), parameters)
        return np.concatenate([part.numpy().ravel() for part in parts])

    step = 1e-5
    columns = [(gradient(start + step * e) - gradient(start - step * e)) / (2 * step) for e in np.eye(start.size)]
    gradient(start)  # puts the parameters back
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_largest_eigenvalue_is_that_of_the_hessian(quickstart: ModuleType, seed: int) -> None:
    tg.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, labels = tg.tensor(rng.standard_normal((40, 3))), tg.tensor(rng.integers(0, 3, 40))
    model, loss = quickstart.make_model(inputs=3, hidden=4, classes=3).to(tg.float64), nn.CrossEntropyLoss()
    model(x)
    model.eval()
    hessian = dense_hessian(loss, model, x, labels)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-8)
    eigenvalues = np.linalg.eigvalsh(hessian)
    largest = eigenvalues[np.abs(eigenvalues).argmax()]
    found = quickstart.largest_eigenvalue(loss(model(x), labels), list(model.parameters()), iterations=400)
    assert found == pytest.approx(largest, rel=1e-6)


def test_a_negative_eigenvalue_of_largest_magnitude_keeps_its_sign(quickstart: ModuleType) -> None:
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    loss = (tg.tensor([1.0, -4.0, 2.0]) * w * w).sum()
    assert quickstart.largest_eigenvalue(loss, [w]) == pytest.approx(-8.0, rel=1e-5)
