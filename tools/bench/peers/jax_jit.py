"""JAX: the whole step is compiled, the old state is donated to the new one, and every step is waited for."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from bench.peers.adam import adam
from bench.peers.base import Peer, SecondOrder
from bench.workload import Array, Problem


def loss_of(parameters: Sequence[jax.Array], x: jax.Array, labels: jax.Array) -> jax.Array:
    *hidden, (w, b) = zip(parameters[::2], parameters[1::2], strict=True)
    for w_h, b_h in hidden:
        x = jnp.tanh(x @ w_h.T + b_h)
    log_probabilities = jax.nn.log_softmax(x @ w.T + b)
    return -jnp.mean(jnp.take_along_axis(log_probabilities, labels[:, None], axis=1))


def train(state: Any, x: jax.Array, labels: jax.Array) -> tuple[Any, jax.Array]:
    parameters, first, second, t = state
    t = t + 1
    loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
    moved = [
        adam(p, g, m, v, t, sqrt=jnp.sqrt) for p, g, m, v in zip(parameters, gradients, first, second, strict=True)
    ]
    parameters, first, second = (list(part) for part in zip(*moved, strict=True))
    return (parameters, first, second, t), loss


class JaxJit(Peer):
    name = "JAX, jit"
    distribution = "jax"

    def training_step(self, problem: Problem) -> Callable[[], Any]:
        x, labels = jnp.array(problem.x), jnp.array(problem.labels)
        parameters = [jnp.array(p) for p in problem.parameters]
        first, second = ([jnp.zeros_like(p) for p in parameters] for _ in range(2))
        state: Any = (parameters, first, second, jnp.zeros((), jnp.float32))
        del parameters, first, second
        compiled = jax.jit(train, donate_argnums=0)

        def step() -> jax.Array:
            nonlocal state
            state, loss = compiled(state, x, labels)
            return loss.block_until_ready()

        return step

    def operands(self, a: Array, b: Array, recording: bool) -> tuple[Any, Any] | None:
        return None if recording else (jnp.array(a), jnp.array(b))

    def second_order(self, problem: Problem, direction: Sequence[Array]) -> SecondOrder:
        """The product is the compiled forward derivative of the gradient, which computes the gradient too."""
        x, labels = jnp.array(problem.x), jnp.array(problem.labels)
        parameters = [jnp.array(p) for p in problem.parameters]
        v = [jnp.array(d) for d in direction]
        gradient = jax.grad(lambda p: loss_of(p, x, labels))
        compiled_gradient = jax.jit(gradient)
        compiled_product = jax.jit(lambda p, d: jax.jvp(gradient, (p,), (d,))[1])
        return SecondOrder(
            gradient=lambda: jax.block_until_ready(compiled_gradient(parameters)),
            product=lambda: jax.block_until_ready(compiled_product(parameters, v)),
        )
