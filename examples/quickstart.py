"""The whole road in one file: data, a network with batch normalization, training, pictures, curvature.

Run it with ``python examples/quickstart.py``; it writes its pictures to ``out/quickstart`` (or where ``--out`` says).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import tinygrad_opt as tg
from tinygrad_opt import nn


def make_model(inputs: int = 64, hidden: int = 128, classes: int = 10) -> nn.Sequential:
    """One hidden layer, its pre-activations normalized over each mini-batch."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, classes))


def largest_eigenvalue(loss: tg.Tensor, parameters: list[tg.Tensor], iterations: int = 100) -> float:
    """The Hessian's eigenvalue of largest magnitude, by power iteration: v ← Hv / ‖Hv‖.

    The gradient is recorded once (double backward). Each product Hv is then one more sweep over its graph: the
    Hessian itself, a square matrix as wide as the network has parameters, is never formed.
    """
    gradient = tg.gradients(loss, parameters, create_graph=True)
    v = [tg.randn(p.shape) for p in parameters]
    eigenvalue = 0.0
    for _ in range(iterations):
        norm = sum((part * part).sum() for part in v).item() ** 0.5
        v = [part / norm for part in v]
        hv = tg.gradients(gradient, parameters, grad_outputs=v)
        eigenvalue = sum((a * b).sum() for a, b in zip(v, hv, strict=True)).item()
        v = hv
    return eigenvalue


def main(out: Path, epochs: int = 30) -> dict[str, float]:
    """Train, evaluate, draw; returns what was measured."""
    out.mkdir(parents=True, exist_ok=True)
    tg.manual_seed(0)

    images, labels = tg.data.digits()
    x_train, x_test, y_train, y_test = tg.data.train_test_split(images, labels, test_size=0.25, stratify=labels, seed=0)
    train = tg.data.DataLoader(tg.data.TensorDataset(x_train, y_train), batch_size=64, shuffle=True, drop_last=True)
    test = tg.data.DataLoader(tg.data.TensorDataset(x_test, y_test), batch_size=256)

    model = make_model()
    loss = nn.CrossEntropyLoss()
    optimizer = tg.optim.Adam(model.parameters(), lr=3e-3)
    print(model)
    history = tg.train.fit(model, loss, optimizer, train, test, epochs=epochs, metrics=["accuracy"])
    measured = tg.train.evaluate(model, test, loss, metrics=["accuracy"])
    print(f"test accuracy {measured['accuracy']:.4f}, test loss {measured['loss']:.4f}")

    model.eval()
    value = loss(model(x_train), y_train)
    sharpest = largest_eigenvalue(value, list(model.parameters()))
    print(f"largest Hessian eigenvalue of the training loss {sharpest:.4g}")

    draw(out, model, loss, x_train[:8], y_train[:8], history)
    return {**measured, "largest_eigenvalue": sharpest}


def draw(
    out: Path, model: nn.Sequential, loss: nn.Module, x: tg.Tensor, labels: tg.Tensor, history: tg.train.History
) -> None:
    """The loss curve, the graph of the loss, and the graph of its gradient."""
    model.train()
    value = loss(model(x), labels)
    parameters = dict(model.named_parameters())
    gradient = tg.gradients(value, list(parameters.values()), create_graph=True)
    for name, part in zip(parameters, gradient, strict=True):
        part.name = f"gradient of {name}"
    pictures = {
        "loss_graph": tg.viz.graph(value, params=model, inputs={"x": x}),
        "gradient_graph": tg.viz.graph(gradient, params=model, inputs={"x": x}),
    }
    for name, picture in pictures.items():
        for suffix in ("svg", "png"):
            picture.render(out / f"{name}.{suffix}")
    tg.viz.history(history).savefig(out / "history.png", dpi=150)
    print("pictures:", ", ".join(sorted(path.name for path in out.iterdir())))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/quickstart"), help="folder for the pictures")
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    main(arguments.out, arguments.epochs)
