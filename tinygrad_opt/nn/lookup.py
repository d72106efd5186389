"""Tables whose rows are looked up and learned."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..core.creation import zeros
from ..core.modes import no_grad
from ..core.primitive import operand
from ..core.tensor import Parameter, Tensor
from ..ops.checks import as_number
from . import functional, init
from .arguments import positive, truth
from .functional.lookup import no_sparse, padding_row
from .init import Initializer
from .module import Module

__all__ = ["Embedding"]


class Embedding(Module):
    """A vector for each of `num_embeddings` symbols, looked up by the number of the symbol.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    padding_idx : int, optional
        A symbol whose vector starts as 0 and gets no gradient; negative ones are counted from the end.
    max_norm : float, optional
        Vectors that are looked up and have a larger norm are first scaled down to it, *in place*.
    norm_type : float
        The p of that norm.
    scale_grad_by_freq : bool
        Divide the gradient of a vector by the number of times that it is looked up.
    sparse : False
        There are no sparse gradients.
    init : str, function or number
        What the vectors start with: standard normal numbers where nothing is said.
    dtype, device
        Of the table.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Raises
    ------
    IndexError, TypeError
        When called with a number outside ``0 … num_embeddings - 1``, or with anything but integers.

    Examples
    --------
    >>> layer = tg.nn.Embedding.from_pretrained(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> layer(tg.tensor([1, 0, 1]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, *,
        init: Initializer = "normal_", dtype: Any = None, device: str | None = None,
    ) -> None:  # fmt: skip
        positive("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        no_sparse("Embedding", sparse)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_row("Embedding", padding_idx, num_embeddings)
        self.max_norm = None if max_norm is None else as_number("Embedding", "max_norm", max_norm)
        self.norm_type = as_number("Embedding", "norm_type", norm_type)
        self.scale_grad_by_freq = truth("Embedding", "scale_grad_by_freq", scale_grad_by_freq)
        self.init = init
        self.weight = Parameter(zeros(num_embeddings, embedding_dim, dtype=dtype, device=device))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """A layer with the given vectors, which are copied.

        Parameters
        ----------
        embeddings : tensor, shape (num_embeddings, embedding_dim)
        freeze : bool
            Whether they stay as they are: the parameter then requires no gradient.
        padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
            As for the layer.
        """
        table = operand("Embedding.from_pretrained", embeddings)
        table = table if isinstance(table, Tensor) else Tensor(table)
        if table.ndim != 2 or table.dtype.kind != "f":
            raise errors.ShapeError(
                "Embedding.from_pretrained: expected floating vectors, shape (num_embeddings, embedding_dim); got "
                f"{table.shape} {table.dtype}"
            )
        layer = cls(
            table.shape[0], table.shape[1], padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, init=0.0,
            dtype=table.dtype, device=table.device,
        )  # fmt: skip
        layer.weight.data = table.detach()
        layer.weight.requires_grad_(not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw new starting values; those of the padding are 0."""
        init.resolve("Embedding", self.init)(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight.data = self.weight.at[self.padding_idx].set(0.0)

    def forward(self, indices: Any) -> Any:
        """The vectors of the symbols, shape (..., embedding_dim) for indices of shape (...)."""
        return functional.embedding(
            indices, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq
        )

    def extra_repr(self) -> str:
        """The sizes, the options that were chosen, and the initializer."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        norm = "" if self.max_norm is None else f", max_norm={self.max_norm}, norm_type={self.norm_type}"
        frequency = ", scale_grad_by_freq=True" if self.scale_grad_by_freq else ""
        sizes = f"{self.num_embeddings}, {self.embedding_dim}"
        return f"{sizes}{padding}{norm}{frequency}, init={init.shown(self.init)}"
