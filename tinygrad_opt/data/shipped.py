"""Real data that comes with the package; `SOURCES.md` beside this file names its origin and licence."""

from __future__ import annotations

import numpy as np

from ..core.creation import tensor
from ..core.dtypes import default_dtype
from ..core.tensor import Tensor

__all__ = ["digits"]


def digits(*, flat: bool = True, device: str | None = None) -> tuple[Tensor, Tensor]:
    """1,797 handwritten digits, 8 × 8 pixels: a real set that trains in seconds.

    Parameters
    ----------
    flat : bool
        True for rows of 64 pixels, as `nn.Linear` takes them; False for images, as convolutions do.
    device : str, optional

    Returns
    -------
    images : Tensor, shape (1797, 64) or (1797, 1, 8, 8)
        In the default dtype (float32), from 0 (paper) to 1 (ink), in steps of 1/16.
    labels : Tensor of int64, shape (1797,)
        0 to 9; each occurs 174 to 183 times.

    Notes
    -----
    Thirteen people wrote the digits, and neighbours in the set tend to share a writer. A random split puts digits of
    one hand into both parts; for the accuracy on unknown hands, split by position.

    References
    ----------
    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits" (test set), UCI Machine Learning Repository,
    1998, DOI 10.24432/C50P49, licence CC BY 4.0. The same images as ``sklearn.datasets.load_digits``.

    Examples
    --------
    >>> images, labels = tg.data.digits()
    >>> images.shape, labels[:4].tolist()
    ((1797, 64), [0, 1, 2, 3])
    """
    from importlib import resources  # takes as long to import as half of this package

    with (
        (resources.files(__package__) / "digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        images, labels = stored["images"], stored["labels"]
    shape = (-1, 64) if flat else (-1, 1, 8, 8)
    scaled = images.reshape(shape).astype(default_dtype()) / 16
    return tensor(scaled, device=device), tensor(labels.astype(np.int64), device=device)
