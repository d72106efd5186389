"""The parts of the lesson on the standard error."""

from __future__ import annotations

import numpy as np

import tinygrad_opt as tg


def test_the_gradients_of_examples_are_those_of_each_alone(lesson):
    module = lesson("standard_error")
    tg.manual_seed(0)
    model, rng = module.make_model(), np.random.default_rng(0)
    x, labels = tg.tensor(rng.standard_normal((3, 64)).astype("float32")), tg.tensor([1, 7, 7])
    rows = module.gradients_of_examples(model, x, labels)
    for i in range(3):
        loss = tg.nn.functional.cross_entropy(model(x[i : i + 1]), labels[i : i + 1])
        alone = np.concatenate([g.numpy().ravel() for g in tg.gradients(loss, list(model.parameters()))])
        np.testing.assert_allclose(rows[i], alone, rtol=1e-4, atol=1e-6)


def test_batches_of_everything_have_no_error(lesson):
    rows = np.random.default_rng(0).standard_normal((8, 3))
    error = lesson("standard_error").errors_of_batches(rows, 8, 10, False, np.random.default_rng(1))
    assert error < 1e-15
