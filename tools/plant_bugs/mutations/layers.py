"""Layers, losses, starting values."""

from __future__ import annotations

from .mutation import Mutation

__all__ = ["MUTATIONS"]

LAYERS = ("tests/nn/test_batchnorm.py",)
LOSSES = ("tests/nn/test_losses.py", "tests/nn/test_every_layer.py")
STARTS = ("tests/nn/test_initializers.py",)
ATTENTION = ("tests/nn/test_attention.py",)
LOOKUP = ("tests/nn/test_lookup.py",)
DROPPING = ("tests/nn/test_dropping.py",)
RECURRENT = ("tests/nn/test_recurrent.py",)

MUTATIONS = [
    Mutation(
        "biased running variance",
        "tinygrad_opt/nn/functional/norms.py",
        "shares = momentum, momentum * values / (values - 1)",
        "shares = momentum, momentum",
        "BatchNorm1d: evaluation uses a variance that is too small",
        LAYERS,
    ),
    Mutation(
        "batch statistics in evaluation",
        "tinygrad_opt/nn/norms.py",
        "by_batch = self.training or mean is None",
        "by_batch = True",
        "BatchNorm1d: a prediction depends on what else is in the batch",
        LAYERS,
    ),
    Mutation(
        "one weight each",
        "tinygrad_opt/nn/functional/losses/classification.py",
        "    total = ops.sum(share)",
        "    total = ops.sum(share * 0.0 + 1.0)",
        "cross_entropy: the mean of weighted losses divides by the number of labels",
        LOSSES,
    ),
    Mutation(
        "pairs of all with all",
        "tinygrad_opt/nn/functional/losses/checks.py",
        "    if prediction.shape == target.shape:",
        "    if prediction.size == target.size:",
        "mse_loss: a prediction (64, 1) and a target (64,) are broadcast",
        LOSSES,
    ),
    Mutation(
        "unweighted fans",
        "tinygrad_opt/nn/init/fans.py",
        "return tensor.shape[1] * field, tensor.shape[0] // groups * field",
        "return tensor.shape[1], tensor.shape[0] // groups * field",
        "kaiming_normal_: the weights of a convolution are too large",
        STARTS,
    ),
    Mutation(
        "rotations of one kind",
        "tinygrad_opt/nn/init/structured.py",
        "q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)",
        "q = q * 1.0",
        "orthogonal_: the signs are those that the factorization happens to choose",
        STARTS,
    ),
    Mutation(
        "accepted too often",
        "tinygrad_opt/nn/init/filling.py",
        "chance = np.exp((nearest - x) * (nearest + x) / 2)",
        "chance = np.exp((nearest - x) * (nearest + x))",
        "trunc_normal_: the density between the bounds is not the normal one",
        STARTS,
    ),
    Mutation(
        "state left behind",
        "tinygrad_opt/nn/module.py",
        "{name: Live(part) for",
        "{name: part.detach() for",
        "state_dict: a state stops following its model once an optimizer is made",
        ("tests/nn/test_state_dict.py",),
    ),
    Mutation(
        "digits lost on the way in",
        "tinygrad_opt/nn/states.py",
        'xp.can_cast(value.dtype, own.dtype, "safe")',
        'xp.can_cast(value.dtype, own.dtype, "same_kind")',
        "load_state_dict: float64 is rounded to float32 without being asked for",
        ("tests/nn/test_state_dict.py",),
    ),
    Mutation(
        "statistics of one model only",
        "tinygrad_opt/nn/frozen.py",
        "held is None or id(module) in held for",
        "held is None or held for",
        "frozen_stats(model) stops the statistics of every other model too",
        ("tests/nn/test_frozen.py",),
    ),
    Mutation(
        "node not put back",
        "tinygrad_opt/nn/substitution.py",
        "            part._array, part._node = array, node",
        "            part._array = array",
        "functional_call: the module's parameters stay tied to the given ones",
        ("tests/nn/test_functional_call.py",),
    ),
    Mutation(
        "gates the wrong way round",
        "tinygrad_opt/nn/gates.py",
        "for meet in (self._let_out, self._let_in):",
        "for meet in (self._let_in, self._let_out):",
        "a backward hook is called before all gradients are there",
        ("tests/nn/test_hooks.py",),
    ),
    Mutation(
        "clipping scales up",
        "tinygrad_opt/nn/clipping.py",
        "backend.namespace(norm).minimum(",
        "backend.namespace(norm).maximum(",
        "clip_grad_norm_: small gradients are made as long as max_norm",
        ("tests/nn/test_clipping.py",),
    ),
    Mutation(
        "statistics that thaw",
        "tinygrad_opt/nn/norms.py",
        " and not statistics_frozen(self)",
        "",
        "frozen_stats: a line search moves the running averages",
        ("tests/nn/test_norms.py",),
    ),
    Mutation(
        "instances counted as one",
        "tinygrad_opt/nn/functional/norms.py",
        "newest = newest.mean(axis=0)",
        "newest = newest[0]",
        "InstanceNorm: the running averages follow the first example alone",
        ("tests/nn/test_norms.py",),
    ),
    Mutation(
        "batches merged without their distance",
        "tinygrad_opt/nn/population.py",
        "self.squares + squares + distance",
        "self.squares + squares + 0 * distance",
        "update_bn_statistics: the spread between batches is lost",
        ("tests/nn/test_population.py",),
    ),
    Mutation(
        "layers in the order of their attributes",
        "tinygrad_opt/nn/population.py",
        "            self.target = layer",
        "            self.target = self.pending[0]",
        "update_bn_statistics: a layer's statistics are those of inputs that change later",
        ("tests/nn/test_population.py",),
    ),
    Mutation(
        "present taken for the future",
        "tinygrad_opt/nn/functional/attention.py",
        "return xp.arange(columns) > xp.arange(rows)[:, None]",
        "return xp.arange(columns) >= xp.arange(rows)[:, None]",
        "causal attention does not see the token itself",
        ATTENTION,
    ),
    Mutation(
        "scale of all heads",
        "tinygrad_opt/nn/functional/heads.py",
        "probability(name, dropout_p) if training else 0.0, 1 / math.sqrt(call.width))",
        "probability(name, dropout_p) if training else 0.0, 1 / math.sqrt(call.heads * call.width))",
        "the scores of each head are too small",
        ATTENTION,
    ),
    Mutation(
        "padding alone learns",
        "tinygrad_opt/nn/functional/lookup.py",
        "(rows != padding)",
        "(rows == padding)",
        "the padding gets gradients, the other rows none",
        LOOKUP,
    ),
    Mutation(
        "dropout without scale",
        "tinygrad_opt/nn/functional/dropping.py",
        "xp.multiply(_kept(x, sides, p), 1 / (1 - p), dtype=x.dtype)",
        "xp.multiply(_kept(x, sides, p), 1.0, dtype=x.dtype)",
        "activations are smaller in training than in evaluation",
        DROPPING,
    ),
    Mutation(
        "input never learns",
        "tinygrad_opt/nn/functional/recurrent.py",
        'learns = getattr(x, "_node", None) is not None',
        "learns = False",
        "the gradient of the input of a recurrent layer is zero",
        RECURRENT,
    ),
    Mutation(
        "dropout behind the last layer",
        "tinygrad_opt/nn/recurrent.py",
        "if layer < self.num_layers - 1:",
        "if layer < self.num_layers:",
        "the output of the last recurrent layer is dropped too",
        RECURRENT,
    ),
    Mutation(
        "clipped as a whole",
        "tinygrad_opt/nn/gradients.py",
        "units = len(array) if array.ndim > 1 else 1",
        "units = 1",
        "clip_grad_adaptive_: one long row shortens all others",
        ("tests/nn/test_gradients.py",),
    ),
    Mutation(
        "noise one step late",
        "tinygrad_opt/nn/gradients.py",
        "variance / (1 + t) **",
        "variance / (2 + t) **",
        "add_grad_noise_: the noise is weaker than that of the paper",
        ("tests/nn/test_gradients.py",),
    ),
]
