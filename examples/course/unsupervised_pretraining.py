"""Unsupervised pre-training: a deep network that has seen the images before it sees a label.

Many images, few labels. Greedily, from the first layer to the last, each layer is trained as the encoder of an
autoencoder: with a decoder of its own, which is thrown away, it learns to reproduce the output of the layer below it
(of a *denoising* autoencoder: to restore it after a share of it was set to zero). The stack is then fine-tuned on the
labelled images, and compared with the same network fine-tuned from random weights.

Y. Bengio et al., "Greedy layer-wise training of deep networks", NIPS 2006; P. Vincent et al., "Stacked denoising
autoencoders", JMLR 2010; Goodfellow, Bengio, Courville, *Deep Learning*, section 15.1.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
from lesson import averaged, bars, figure, run, save

import tinygrad_opt as tg
from tinygrad_opt import nn

DEPTH, WIDTH = 5, 100
NOISE = {"random weights": None, "autoencoders": 0.0, "denoising autoencoders": 0.3}


def make_encoder() -> list[nn.Linear]:
    """The hidden layers, as yet untrained."""
    return [nn.Linear(inputs, WIDTH) for inputs in [64] + [WIDTH] * (DEPTH - 1)]


def make_classifier(encoder: list[nn.Linear]) -> nn.Sequential:
    """The hidden layers with their activations, and an output layer with random weights."""
    hidden = [part for layer in encoder for part in (layer, nn.Tanh())]
    return nn.Sequential(*hidden, nn.Linear(WIDTH, 10))


def pretrain(encoder: list[nn.Linear], x: tg.Tensor, noise: float, epochs: int, seed: int) -> list[float]:
    """Train layer after layer to reproduce what it is given; the last reconstruction error of each."""
    loss, errors = nn.MSELoss(), []
    for layer in encoder:
        decoder = nn.Linear(layer.out_features, layer.in_features)
        optimizer = tg.optim.Adam([*layer.parameters(), *decoder.parameters()], lr=1e-3)
        batches = tg.data.DataLoader(tg.data.TensorDataset(x, x), batch_size=64, shuffle=True, seed=seed)
        for _ in range(epochs):
            for whole, _same in batches:
                corrupted = whole * (tg.rand(*whole.shape) >= noise)
                error = loss(decoder(tg.tanh(layer(corrupted))), whole)
                optimizer.zero_grad()
                error.backward()
                optimizer.step()
        errors.append(error.item())
        with tg.no_grad():
            x = tg.tanh(layer(x))
    return errors


def fine_tune(model: nn.Sequential, x: tg.Tensor, labels: tg.Tensor, steps: int, seed: int) -> None:
    """Supervised training of all layers, on batches drawn with replacement."""
    loss, rng = nn.CrossEntropyLoss(), np.random.default_rng(seed)
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(steps):
        chosen = rng.integers(0, len(x), 32)
        optimizer.zero_grad()
        loss(model(x[chosen]), labels[chosen]).backward()
        optimizer.step()


def experiment(labelled: list[int], seed: int, epochs: int, steps: int) -> list[dict[str, Any]]:
    """Test accuracy of each start, for each number of labelled images; all starts see the same images."""
    images, digits = tg.data.digits()
    x, x_test, y, y_test = tg.data.train_test_split(images, digits, stratify=digits, seed=seed)
    rows = []
    for start, noise in NOISE.items():
        tg.manual_seed(seed)
        encoder = make_encoder()
        if noise is not None:
            pretrain(encoder, x, noise, epochs, seed)
        for count in labelled:
            few, _, few_labels, _ = tg.data.train_test_split(x, y, test_size=len(x) - count, stratify=y, seed=seed)
            model = make_classifier(copy.deepcopy(encoder))
            fine_tune(model, few, few_labels, steps, seed)
            right = tg.argmax(model(x_test), axis=1) == y_test
            accuracy = right.astype(tg.float64).mean().item()
            rows.append({"start": start, "labels": count, "accuracy": accuracy})
    return rows


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Fine-tune each start on several numbers of labels; draw accuracy against their number."""
    labelled, seeds = ([60], 2) if quick else ([20, 50, 100, 200, 400], 5)
    epochs, steps = (8, 150) if quick else (30, 600)
    runs = [experiment(labelled, seed, epochs, steps) for seed in range(seeds)]
    rows = averaged(runs, "accuracy")
    made, ((axes,),) = figure(1, 1, width=6.2, height=4.2)
    bars(axes, rows, "start", "labels", "accuracy")
    axes.set(xlabel="labelled images", ylabel="test accuracy")
    save(made, out, "unsupervised_pretraining")
    return {f"{DEPTH} hidden layers, means over {seeds} seeds": rows}


if __name__ == "__main__":
    run(main)
