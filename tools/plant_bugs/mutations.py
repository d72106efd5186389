"""The mistakes, as data: each is one line of the sources, what it becomes, and what that breaks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTATIONS", "Mutation", "StaleMutationError"]

GRAPHS = ("tests/test_tape.py", "tests/test_transforms.py", "tests/test_random_graphs.py")
MODES = ("tests/test_modes.py", "tests/test_transforms.py")
WRITES = ("tests/test_inplace.py", "tests/test_random_graphs.py")
LAYERS = ("tests/nn/test_batchnorm.py",)
OPTIMIZERS = ("tests/optim/test_rules.py",)


def rule_of(operation: str, test: str = "test_operation") -> tuple[str, ...]:
    """The property test of one operation, on the CPU."""
    return (f"tests/test_every_primitive.py::{test}[cpu-{operation}]",)


class StaleMutationError(ValueError):
    """The sources no longer hold the line that a mutation changes, or hold it more than once."""


@dataclass(frozen=True)
class Mutation:
    """One planted bug.

    Attributes
    ----------
    name
        What the mistake is called.
    file
        The source, from the root of the repository.
    old, new
        A text that the source holds exactly once, on one line, and what takes its place.
    breaks
        What is wrong afterwards.
    tests
        The part of the suite that is to see it.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]

    def plant(self, source: str) -> str:
        """The source with the bug in it."""
        count = source.count(self.old)
        if count != 1:
            raise StaleMutationError(
                f"'{self.name}': {self.file} holds {self.old!r} {count} times instead of once. Write down in "
                "tools/plant_bugs/mutations.py what the line reads now."
            )
        return source.replace(self.old, self.new)


MUTATIONS = [
    # The tape and its two walks.
    Mutation(
        "detached saved output",
        "tinygrad_opt/core/primitive.py",
        "wrap(output, node)]",
        "wrap(output)]",
        "rules that read their output take it for a constant: wrong from the second order on",
        GRAPHS,
    ),
    Mutation(
        "detached saved input",
        "tinygrad_opt/core/primitive.py",
        "is UNREAD else wrap(array, parent))",
        "is UNREAD else wrap(array))",
        "rules that read an input take it for a constant: wrong from the second order on",
        GRAPHS,
    ),
    Mutation(
        "overwrite at a fork",
        "tinygrad_opt/core/tape.py",
        "pending[node] = pending[node] + cotangent",
        "pending[node] = cotangent",
        "a value used twice receives the gradient of one use",
        GRAPHS,
    ),
    Mutation(
        "overwrite in a leaf",
        "tinygrad_opt/core/tensor.py",
        "array if node.grad is None else node.grad._array + array",
        "array",
        "a second backward() replaces the gradient instead of adding to it",
        GRAPHS,
    ),
    Mutation(
        "order of discovery",
        "tinygrad_opt/core/tape.py",
        "return sorted(seen, key=_by_serial)",
        "return list(seen)",
        "nodes are visited before all their consumers were",
        GRAPHS,
    ),
    Mutation(
        "never freed",
        "tinygrad_opt/core/tape.py",
        "            node.saved = None",
        "            pass",
        "backward() keeps the memory of the whole graph",
        GRAPHS,
    ),
    Mutation(
        "tangents dropped too early",
        "tinygrad_opt/core/tape.py",
        "if parent is not None and last_use[parent] == node.serial and parent not in kept:",
        "if parent is not None and parent not in kept:",
        "forward mode forgets a value's tangent after its first use",
        GRAPHS,
    ),
    Mutation(
        "view aliasing",
        "tinygrad_opt/core/tensor.py",
        'if id(array) in taken or getattr(array, "base", None) is not None or',
        "if",
        "gradients share memory with each other and with the caller's cotangent",
        GRAPHS,
    ),
    Mutation(
        "not nested",
        "tinygrad_opt/transforms.py",
        "order[0].serial < started",
        "order[0].serial > started",
        "a derivative inside a derivative is cut off from the outer one",
        GRAPHS,
    ),
    Mutation(
        "frozen version counter",
        "tinygrad_opt/core/ledger.py",
        "self.serial = _last = clock()",
        "self.serial = clock()",
        "writes in place are never noticed: silently wrong gradients",
        WRITES,
    ),
    Mutation(
        "write seen only where it began",
        "tinygrad_opt/core/ledger.py",
        "and other.low < high and low < other.high",
        "and other.low == low",
        "a write through a view of a saved array is not noticed",
        WRITES,
    ),
    Mutation(
        "last block closes first",
        "tinygrad_opt/core/modes.py",
        "if blocks[position] is self:",
        "if True:",
        "blocks that end out of order leave the wrong mode behind",
        MODES,
    ),
    # The kinds of primitive.
    Mutation(
        "missing broadcast sum",
        "tinygrad_opt/core/kinds.py",
        "return fit(self.rules[position](g, *saved, **node.meta), node.parents[position])",
        "return self.rules[position](g, *saved, **node.meta)",
        "the gradient of a repeated argument keeps the repetitions",
        GRAPHS,
    ),
    Mutation(
        "missing unbroadcast in a batched matmul",
        "tinygrad_opt/core/kinds.py",
        "return fit(self.adjoints[position](g, *saved[1:], **node.meta), node.parents[position])",
        "return self.adjoints[position](g, *saved[1:], **node.meta)",
        "the gradient of a matrix shared by a batch is not summed over the batch",
        rule_of("matmul"),
    ),
    Mutation(
        "float64 leak",
        "tinygrad_opt/core/kinds.py",
        "        value = cast(value, dtype=like.dtype)",
        "        pass",
        "a gradient takes the widest dtype around instead of its input's",
        GRAPHS,
    ),
    # The declarations of operations.
    Mutation(
        "wrong sign",
        "tinygrad_opt/ops/elementwise.py",
        "    lambda g, _y, _a, _b: -g,",
        "    lambda g, _y, _a, _b: g,",
        "subtract: the gradient of what is subtracted",
        GRAPHS,
    ),
    Mutation(
        "wrong unread declaration",
        "tinygrad_opt/ops/elementwise.py",
        "    lambda g, _y, x: g / x,",
        "    lambda g, _y, _x: g / _x,",
        "log: the rule reads what it has declared as not read",
        GRAPHS,
    ),
    Mutation(
        "tie",
        "tinygrad_opt/ops/elementwise.py",
        "    lambda g, _y, a, b: where(a > b, g, where(a == b, 0.5 * g, 0.0)),",
        "    lambda g, _y, a, b: where(a >= b, g, 0.0),",
        "maximum: of two tied arguments one gets the whole gradient and the other half",
        rule_of("maximum", "test_ties"),
    ),
    Mutation(
        "swapped transpose",
        "tinygrad_opt/ops/shape.py",
        "_permute(g, axes=_inverse(axes))",
        "_permute(g, axes=axes)",
        "permute_dims: right for two axes, wrong for a rotation of three",
        rule_of("permute_dims"),
    ),
    Mutation(
        "repeated index",
        "tinygrad_opt/ops/index.py",
        "        xp.add.at(out, index, g)",
        "        out[index] += g",
        "getitem: an element that is picked twice gets the gradient of one pick",
        rule_of("getitem"),
    ),
    Mutation(
        "ddof",
        "tinygrad_opt/ops/normal.py",
        "y /= xp.sqrt((y * y).mean(axis=axis, keepdims=True) + eps)",
        "y /= xp.sqrt(y.var(axis=axis, keepdims=True, ddof=1) + eps)",
        "normalize: divides by the unbiased variance",
        rule_of("normalize"),
    ),
    # Layers and optimizers.
    Mutation(
        "biased running variance",
        "tinygrad_opt/nn/layers.py",
        "axis=along) / (count - 1)",
        "axis=along) / count",
        "BatchNorm1d: evaluation uses a variance that is too small",
        LAYERS,
    ),
    Mutation(
        "batch statistics in evaluation",
        "tinygrad_opt/nn/layers.py",
        "        if not self.training and self.running_mean is not None:",
        "        if False:",
        "BatchNorm1d: a prediction depends on what else is in the batch",
        LAYERS,
    ),
    Mutation(
        "off by one in a bias correction",
        "tinygrad_opt/optim/adam.py",
        "correct = math.sqrt(1 - rho2**t)",
        "correct = math.sqrt(1 - rho2 ** (t + 1))",
        "Adam: the second moment is corrected for a step that has not happened",
        OPTIMIZERS,
    ),
    Mutation(
        "swapped betas",
        "tinygrad_opt/optim/adam.py",
        "rho1, rho2 = betas",
        "rho2, rho1 = betas",
        "Adam: the moments decay at each other's rate",
        OPTIMIZERS,
    ),
    Mutation(
        "momentum from zero",
        "tinygrad_opt/optim/sgd.py",
        "v = g if t == 1 else momentum * v + (1 - dampening) * g",
        "v = momentum * v + (1 - dampening) * g",
        "SGD: dampening shrinks the first step too",
        OPTIMIZERS,
    ),
    # Convolution and pooling.
    Mutation(
        "swapped conv adjoint",
        "tinygrad_opt/ops/conv.py",
        "lambda weight, x, _g, *, windows, groups: _conv(x, weight, windows=windows, groups=groups),",
        "lambda weight, x, _g, *, windows, groups: -_conv(x, weight, windows=windows, groups=groups),",
        "conv_weight: its adjoint in the cotangent, which only second derivatives use, has the wrong sign",
        rule_of("conv_weight"),
    ),
    Mutation(
        "columns moved too far",
        "tinygrad_opt/ops/columns.py",
        "            steps.append(inner * size - d * far)",
        "            steps.append(inner * size - far)",
        "conv_input: folds dilated windows as if they were dense",
        ("tests/test_conv.py",),
    ),
    Mutation(
        "last block",
        "tinygrad_opt/ops/columns.py",
        "    return [slice(i, min(i + step, length)) for i in range(0, length, step)]",
        "    return [slice(i, i + step) for i in range(0, max(length - step, 0) + 1, step)]",
        "conv: the images behind the last full block are left out",
        ("tests/test_conv.py",),
    ),
    Mutation(
        "last of a tie",
        "tinygrad_opt/ops/pool.py",
        "        xp.maximum(left, (x[place] == y) * dtype.type(windows.taps - number), out=left)",
        "        xp.copyto(left, dtype.type(windows.taps - number), where=x[place] == y)",
        "max_pool: of several largest elements the last receives the derivative",
        ("tests/test_conventions.py",),
    ),
    Mutation(
        "padding counts",
        "tinygrad_opt/ops/pool.py",
        '    edges = whole(function, "padding", padding, dims, 0) if count_include_pad else (0,) * dims',
        '    edges = whole(function, "padding", padding, dims, 0)',
        "avg_pool2d: the padding counts although count_include_pad=False",
        rule_of("avg_pool2d"),
    ),
]
