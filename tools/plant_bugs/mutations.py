"""The mistakes, as data: each is one line of the sources, what it becomes, and what that breaks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTATIONS", "Mutation", "StaleMutationError"]

GRAPHS = ("tests/test_tape.py", "tests/test_transforms.py", "tests/test_random_graphs.py")
MODES = ("tests/test_modes.py", "tests/test_transforms.py")
WRITES = ("tests/test_inplace.py", "tests/test_random_graphs.py")
LAYERS = ("tests/nn/test_batchnorm.py",)
OPTIMIZERS = ("tests/optim/test_rules.py",)
PROTOCOLS = ("tests/test_numpy_protocols.py",)
EXCHANGE = ("tests/test_exchange.py",)


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
        "wrap(output, node) if",
        "wrap(output) if",
        "rules that read their output take it for a constant: wrong from the second order on",
        GRAPHS,
    ),
    Mutation(
        "detached saved input",
        "tinygrad_opt/core/primitive.py",
        "revived.append(wrap(array, parent) if",
        "revived.append(wrap(array) if",
        "rules that read an input take it for a constant: wrong from the second order on",
        GRAPHS,
    ),
    Mutation(
        "overwrite at a fork",
        "tinygrad_opt/core/walks.py",
        "pending[node] = pending[node] + cotangent",
        "pending[node] = cotangent",
        "a value used twice receives the gradient of one use",
        GRAPHS,
    ),
    Mutation(
        "overwrite in a leaf",
        "tinygrad_opt/core/gradients.py",
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
        "tinygrad_opt/core/walks.py",
        "            node.saved = None",
        "            pass",
        "backward() keeps the memory of the whole graph",
        GRAPHS,
    ),
    Mutation(
        "tangents dropped too early",
        "tinygrad_opt/core/walks.py",
        "last_use = {parent: node for node in nodes for",
        "last_use = {parent: node for node in nodes[::-1] for",
        "forward mode forgets a value's tangent after its first use",
        GRAPHS,
    ),
    Mutation(
        "view aliasing",
        "tinygrad_opt/core/gradients.py",
        'if id(array) in taken or getattr(array, "base", None) is not None or',
        "if",
        "gradients share memory with each other and with the caller's cotangent",
        GRAPHS,
    ),
    Mutation(
        "not nested",
        "tinygrad_opt/transforms/recording.py",
        "leaves = [leaf for leaf in self._leaves if leaf.is_open]",
        "leaves = [leaf for leaf in self._leaves if not leaf.is_open]",
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
        "tinygrad_opt/ops/arithmetic.py",
        "    lambda g, _y, _a, _b: -g,",
        "    lambda g, _y, _a, _b: g,",
        "subtract: the gradient of what is subtracted",
        GRAPHS,
    ),
    Mutation(
        "wrong unread declaration",
        "tinygrad_opt/ops/exponential.py",
        "    lambda g, _y, x: g / x,",
        "    lambda g, _y, _x: g / _x,",
        "log: the rule reads what it has declared as not read",
        GRAPHS,
    ),
    Mutation(
        "tie",
        "tinygrad_opt/ops/choice.py",
        "    lambda g, _y, a, b: where(a < b, 0.0, where(a == b, 0.5 * g, g)),",
        "    lambda g, _y, a, b: where(a < b, 0.0, g),",
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
        "tinygrad_opt/nn/norms.py",
        "axis=along) / (count - 1)",
        "axis=along) / count",
        "BatchNorm1d: evaluation uses a variance that is too small",
        LAYERS,
    ),
    Mutation(
        "batch statistics in evaluation",
        "tinygrad_opt/nn/norms.py",
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
    # What is told to the user.
    Mutation(
        "anomaly in derivatives unseen",
        "tinygrad_opt/core/anomaly.py",
        "        if not _is_finite(found):",
        "        if False:",
        "detect_anomaly: a gradient or tangent that is not finite goes on to the next operation",
        ("tests/test_anomaly.py",),
    ),
    Mutation(
        "repeated axis left out",
        "tinygrad_opt/core/explain.py",
        "if i < lead or (part[i - lead] == 1 and n != 1)",
        "if i < lead",
        "explain: an axis of length 1 that was repeated is not told",
        ("tests/test_explain.py",),
    ),
    Mutation(
        "live sum taken for a spent one",
        "tinygrad_opt/core/running_sum.py",
        "if not parents or not _was_swept(parents[-1])",
        "if not parents",
        "reading a long sum warns though it is still to be differentiated",
        ("tests/test_running_sum.py",),
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
        "declaration taken over",
        "tinygrad_opt/core/declaration.py",
        "existing.__module__ == module and not is_ours(module)",
        "not is_ours(module)",
        "a user's primitive takes the place of the package's own, or of another module's",
        ("tests/test_extend.py",),
    ),
    # Sums of products, and linear algebra.
    Mutation(
        "adjoint read off the wrong term",
        "tinygrad_opt/ops/einstein.py",
        "    wanted, terms[position] = terms[position], out",
        "    wanted, terms[position] = terms[position], out[::-1]",
        "einsum: the cotangent's axes are taken in reversed order",
        rule_of("einsum"),
    ),
    Mutation(
        "gap turned round",
        "tinygrad_opt/ops/matrices.py",
        "    return over(x * (1 - identity(x)), w[..., None, :] - w[..., :, None])",
        "    return over(x * (1 - identity(x)), w[..., :, None] - w[..., None, :])",
        "eigh, svd: the vectors turn the wrong way; the values are right",
        (*rule_of("linalg.eigh"), *rule_of("linalg.svd")),
    ),
    Mutation(
        "span counted twice",
        "tinygrad_opt/ops/spectra.py",
        "        x = x + over(gu - u @ a, s[..., None, :]) @ vh",
        "        x = x + over(gu, s[..., None, :]) @ vh",
        "svd: in reverse mode what U moves within its own span counts twice for tall matrices",
        rule_of("linalg.svd"),
    ),
    Mutation(
        "diagonal counted twice",
        "tinygrad_opt/ops/triangles.py",
        "    return symmetric(inverse.mT @ lower(y.mT @ g, 0.5) @ inverse)",
        "    return symmetric(inverse.mT @ lower(y.mT @ g, 1.0) @ inverse)",
        "cholesky: in reverse mode the diagonal counts in full",
        rule_of("linalg.cholesky"),
    ),
    Mutation(
        "sign of the singular vectors",
        "tinygrad_opt/ops/determinant.py",
        "    return turn * (u @ inner @ vh)",
        "    return u @ inner @ vh",
        "det: the second derivative has the wrong sign where the singular vectors are a reflection",
        rule_of("linalg.det"),
    ),
    # Functions of elements.
    Mutation(
        "bound without its tie",
        "tinygrad_opt/ops/choice.py",
        "    lambda g, _y, x, low: where(x >= low, g, 0.0),",
        "    lambda g, _y, x, low: where(x > low, g, 0.0),",
        "clip: what lies on its bound loses its derivative to nobody",
        ("tests/test_conventions.py",),
    ),
    Mutation(
        "cancelling slope",
        "tinygrad_opt/ops/trigonometric.py",
        "xp.sqrt((1 - x) * (1 + x))",
        "xp.sqrt(1 - x * x)",
        "arcsin: the slope near 1 has lost the digits of the distance to 1",
        ("tests/test_extreme_values.py",),
    ),
    Mutation(
        "recurrence near 0",
        "tinygrad_opt/ops/special.py",
        "    near = order + 1.0 if order else 0.0",
        "    near = 1e-3 if order else 0.0",
        "sinc: derivatives near 0 are differences of nearly equal numbers",
        ("tests/test_extreme_values.py",),
    ),
    Mutation(
        "mistyped coefficient",
        "tinygrad_opt/ops/special.py",
        "1.13864154151050156e2",
        "1.13864154151500156e2",
        "erf: the tenth digit of one coefficient of its rational approximation",
        ("tests/test_extreme_values.py",),
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
        "            steps.append(inner * run - d * far)",
        "            steps.append(inner * run - far)",
        "conv_input: folds dilated windows as if they were dense",
        ("tests/test_conv.py",),
    ),
    Mutation(
        "seen without its node",
        "tinygrad_opt/ops/conv.py",
        "    return wrap(unfolded(x._array, windows=windows), x._node)",
        "    return wrap(unfolded(x._array, windows=windows), None)",
        "conv2d: an image whose columns are kept gets no derivative",
        rule_of("conv2d"),
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
    # Reductions, order and updates.
    Mutation(
        "product without its zeros",
        "tinygrad_opt/ops/scan.py",
        "    return before * after",
        "    return x.prod(axis, keepdims=True) / x",
        "prod: 0/0 where a factor is zero",
        rule_of("prod"),
    ),
    Mutation(
        "scan in the wrong direction",
        "tinygrad_opt/ops/scan.py",
        "_cumsum(g, axis=axis, reverse=not reverse)",
        "_cumsum(g, axis=axis, reverse=reverse)",
        "cumsum: its transpose runs forwards too",
        rule_of("cumsum"),
    ),
    Mutation(
        "biased variance",
        "tinygrad_opt/ops/statistics.py",
        "* (2 / (count(x.shape, axis) - ddof))",
        "* (2 / count(x.shape, axis))",
        "var: the derivative forgets ddof",
        rule_of("var"),
    ),
    Mutation(
        "first value stays",
        "tinygrad_opt/ops/updates.py",
        'xp.concatenate([places[1:] != places[:-1], xp.ones(1, dtype="bool")])',
        'xp.concatenate([xp.ones(1, dtype="bool"), places[1:] != places[:-1]])',
        "at[...].set: of several values for one element the first one stays",
        ("tests/test_updates.py::test_the_last_of_several_values_stays_and_has_the_derivative",),
    ),
    Mutation(
        "unstable sort",
        "tinygrad_opt/ops/order.py",
        "    return xp.sort(group + order, axis=axis) - group",
        "    return order",
        "argsort: tied elements change places in long rows",
        ("tests/test_order.py::test_large_rows_with_and_without_ties",),
    ),
    Mutation(
        "tied median",
        "tinygrad_opt/ops/reduce.py",
        "    return chosen / chosen.sum(axis, keepdims=True)",
        "    return chosen",
        "max, median: every tied element gets the whole derivative",
        ("tests/test_order.py::test_tied_elements_share_a_quantile_equally",),
    ),
    # Transforms and checkpoints.
    Mutation(
        "entries stay open",
        "tinygrad_opt/core/scopes.py",
        "return self.scope.depth > 0",
        "return True",
        "a pullback made before a derivative and used inside it gives a result that still requires gradients",
        ("tests/test_scopes.py",),
    ),
    Mutation(
        "columns for rows",
        "tinygrad_opt/transforms/matrices.py",
        "ops.moveaxis(block, 0, -1)",
        "block",
        "a Jacobian by forward mode is transposed",
        ("tests/test_matrices.py",),
    ),
    Mutation(
        "other random numbers at the second run",
        "tinygrad_opt/backend.py",
        "    host.bit_generator.state = state.host",
        "    pass",
        "a recomputed dropout draws another mask",
        ("tests/test_checkpoint.py",),
    ),
    Mutation(
        "running averages move twice",
        "tinygrad_opt/core/replay.py",
        "                _exchange(now)",
        "                pass",
        "the recomputation of a normalization layer changes its state",
        ("tests/test_checkpoint.py",),
    ),
    # Moving elements around.
    Mutation(
        "lost patch",
        "tinygrad_opt/core/patches.py",
        "held.indices += cotangent.indices",
        "held.indices += held.indices",
        "all pieces of a tensor send their gradients to the place of the first",
        ("tests/test_patches.py",),
    ),
    Mutation(
        "patches forget the rest",
        "tinygrad_opt/core/patches.py",
        "return written if self.rest is None else self.rest + written",
        "return written",
        "a tensor that is read as a whole and in pieces gets the gradient of the pieces only",
        ("tests/test_patches.py",),
    ),
    Mutation(
        "rolled the same way twice",
        "tinygrad_opt/ops/arrange.py",
        "shift=tuple(-n for n in shift), axis=axis),",
        "shift=shift, axis=axis),",
        "roll: the gradient is shifted on instead of back",
        rule_of("roll"),
    ),
    Mutation(
        "reflected border",
        "tinygrad_opt/ops/padding.py",
        "(n - 1) - abs(i % (2 * n - 2) - (n - 1))",
        "(n - 1) - abs((i - 1) % (2 * n - 2) - (n - 1))",
        "pad: the mirror stands beside the last element instead of in it",
        rule_of("pad_continued"),
    ),
    Mutation(
        "slope of the other side",
        "tinygrad_opt/ops/sampled.py",
        "near + (near - far) * gap / (gap + next_gap)",
        "near + (near - far) * next_gap / (gap + next_gap)",
        "gradient: at the ends, uneven distances are exchanged",
        rule_of("gradient"),
    ),
    Mutation(
        "knot of the left",
        "tinygrad_opt/ops/sampled.py",
        'xp.searchsorted(knots, x, side="right")',
        'xp.searchsorted(knots, x, side="left")',
        "interp: at a knot the line to its left counts, at the first one a line that is not there",
        ("tests/test_conventions.py",),
    ),
    Mutation(
        "values behind NumPy's back",
        "tinygrad_opt/core/protocols.py",
        "if _records(inputs) or any(isinstance(x, Variable) for x in out):",
        "if any(isinstance(x, Variable) for x in out):",
        "a += t writes what requires gradients into an array, and the derivative is lost",
        PROTOCOLS,
    ),
    Mutation(
        "arguments by our places",
        "tinygrad_opt/core/numpy_arguments.py",
        "given = dict(zip(theirs, args, strict=False))",
        "given = dict(zip(accepted, args, strict=False))",
        "np.full_like(t, 2, None, 'K', True, (3,)): the order is taken for the shape",
        PROTOCOLS,
    ),
    Mutation(
        "reduce everything",
        "tinygrad_opt/core/protocols.py",
        'return _call(function, inputs, {"axis": 0, **options})',
        "return _call(function, inputs, options)",
        "np.add.reduce(t) sums over all axes instead of the first",
        PROTOCOLS,
    ),
    Mutation(
        "memory given away",
        "tinygrad_opt/core/protocols.py",
        "            raise errors.not_exported()",
        "            pass",
        "a tensor that requires gradients is exported by DLPack, and its graph forgotten",
        EXCHANGE,
    ),
    # Reductions, order and updates.
    Mutation(
        "choosing the other one by bits",
        "tinygrad_opt/ops/blend.py",
        "    chosen ^= b",
        "    chosen ^= a",
        "where, of many elements: what is not chosen is mixed with what is",
        ("tests/test_quick_kernels.py",),
    ),
    Mutation(
        "fold without the third column",
        "tinygrad_opt/core/folding.py",
        "    for i in range(2, x.shape[-1]):",
        "    for i in range(3, x.shape[-1]):",
        "sum over a short last axis: a term is left out",
        ("tests/test_quick_kernels.py",),
    ),
    Mutation(
        "quotient by a product that vanished on the way",
        "tinygrad_opt/ops/scan.py",
        "if bool(((abs(y) > limits.tiny / limits.eps) & (abs(y) < limits.max)).all()):",
        "if bool((y == y).all()):",
        "prod: 0/0 where a factor is zero",
        rule_of("prod"),
    ),
    # Transforms and checkpoints.
    Mutation(
        "one generator for all",
        "tinygrad_opt/backend.py",
        "host = HOST.new_generator(state.seeds, HOST.kind)",
        "host = generator(HOST.kind)",
        "a recomputation in one thread sets back the random numbers of all others",
        ("tests/test_checkpoint.py",),
    ),
    Mutation(
        "counted twice",
        "tinygrad_opt/core/tensor.py",
        "if (journal := current.get().journal) is not None and self.is_leaf:",
        "if (journal := current.get().journal) is not None and False:",
        "a recomputation adds once more to what the function counts by x.data += 1",
        ("tests/test_checkpoint.py",),
    ),
    Mutation(
        "asked for twice",
        "tinygrad_opt/transforms/sweeps.py",
        "tensor.clone() if tensor is not None and id(tensor) in seen else tensor",
        "tensor",
        "gradients that were asked for twice share memory",
        ("tests/test_gradients.py", "tests/test_scopes.py"),
    ),
]
