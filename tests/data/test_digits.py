"""The digits that come with the package: the right ones, whole, and as float32."""

from __future__ import annotations

import hashlib
from importlib import resources

import numpy as np
import pytest

import tinygrad_opt as tg

IMAGES = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
LABELS = "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"
# The numbers of test images per class that the repository of the data publishes.
PER_CLASS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_checksums_of_the_pixels_and_labels():
    images, labels = tg.data.digits()
    assert _digest((images.numpy() * 16).astype(np.uint8)) == IMAGES
    assert _digest(labels.numpy().astype(np.uint8)) == LABELS
    assert np.bincount(labels.numpy()).tolist() == PER_CLASS


def test_the_notice_beside_the_file_names_licence_and_checksums():
    folder = resources.files("tinygrad_opt.data")
    notice = (folder / "SOURCES.md").read_text(encoding="utf-8")
    for words in ("CC BY 4.0", "10.24432/C50P49", "E. Alpaydin and C. Kaynak", IMAGES, LABELS):
        assert words in notice
    assert len((folder / "digits.npz").read_bytes()) < 100_000


def test_shapes_dtypes_and_range(device):
    images, labels = tg.data.digits(device=device)
    assert (images.shape, images.dtype, images.device) == ((1797, 64), tg.float32, device)
    assert (labels.shape, labels.dtype, labels.device) == ((1797,), tg.int64, device)
    assert (float(images.min()), float(images.max())) == (0.0, 1.0)


def test_images_for_convolutions_hold_the_same_pixels():
    flat, _ = tg.data.digits()
    square, _ = tg.data.digits(flat=False)
    assert square.shape == (1797, 1, 8, 8)
    assert (square.reshape(1797, 64) == flat).all()


def test_each_call_returns_memory_of_its_own():
    images, labels = tg.data.digits()
    images.data += 1
    labels.data += 1
    again, labels_again = tg.data.digits()
    assert float(again.max()) == 1.0
    assert int(labels_again.max()) == 9


@pytest.mark.oracle
def test_the_same_digits_as_scikit_learn():
    source = pytest.importorskip("sklearn.datasets").load_digits()
    images, labels = tg.data.digits()
    assert (images.numpy() * 16 == source.data).all()
    assert (labels.numpy() == source.target).all()
