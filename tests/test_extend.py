"""Primitives of one's own: declared through the public door, refused where they are wrong, checked in one call."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import extend
from tinygrad_opt.core.declaration import parameters
from tinygrad_opt.core.primitive import REGISTRY, ours
from tinygrad_opt.errors import GradcheckError
from tinygrad_opt.extend import Constant, Elementwise, General, Linear, Multilinear
from tinygrad_opt.testing import check_primitive
from tinygrad_opt.testing.specs import SPECS, Sample


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """Forget what a test declares."""
    before = set(REGISTRY)
    yield
    for name in set(REGISTRY) - before:
        extend.forget(name)


def bell(xp: Any, x: Any) -> Any:
    return xp.exp(-x * x)


def right() -> Elementwise:
    return Elementwise("bell", lambda g, y, x: g * (-2 * x * y), kernel=bell)


# Declared again, by whom.


def test_a_cell_can_be_run_again() -> None:
    first = right()
    x = tg.tensor([0.5, -1.0], requires_grad=True)
    y = first(x)
    second = Elementwise("bell", lambda g, _y, _x: g * 0.0, kernel=bell)
    assert REGISTRY["bell"] is second is not first
    y.sum().backward()  # a graph of the old one keeps to it
    assert np.allclose(x.grad.numpy(), -2 * x.data * np.exp(-(x.data**2)))


def test_names_of_the_package_are_taken() -> None:
    before = REGISTRY["exp"]
    with pytest.raises(ValueError, match=r"'exp' exists already: it was declared by the package itself.*'my_exp'"):
        Elementwise("exp", lambda g, y, _x: g * y)
    assert REGISTRY["exp"] is before


def declare_in(module: str) -> Any:
    """Run a declaration as the code of another module."""
    source = "from tinygrad_opt.extend import Constant\nmade = Constant('theirs', kernel='sign')"
    space = types.ModuleType(module).__dict__
    exec(compile(source, f"{module}.py", "exec"), space)
    return space["made"]


def test_modules_do_not_take_each_others_names() -> None:
    first = declare_in("library_a")
    assert first.__module__ == "library_a"
    assert declare_in("library_a") is REGISTRY["theirs"] is not first  # reloaded
    with pytest.raises(ValueError, match="declared by the module 'library_a'"):
        declare_in("library_b")


def test_the_package_knows_its_own() -> None:
    right()
    assert "bell" in REGISTRY
    assert "bell" not in ours()
    assert {"exp", "matmul", "sum_to", "cast"} <= set(ours())
    assert all(p.__module__.startswith("tinygrad_opt.") for p in ours().values())
    assert set(ours()) <= {spec.primitive or spec.name for spec in SPECS.values()}  # the user's needs no entry


def test_forget() -> None:
    made = right()
    extend.forget("bell")
    assert made(tg.tensor(0.0)).item() == 1.0
    with pytest.raises(LookupError, match="no primitive named 'bell'"):
        extend.forget("bell")
    with pytest.raises(ValueError, match="'exp' belongs to the package"):
        extend.forget("exp")


# Copies and files know a primitive by its name.


def test_a_copy_is_the_primitive_itself() -> None:
    made = right()
    assert copy.deepcopy(made) is copy.copy(made) is made
    assert copy.deepcopy({"activation": made})["activation"] is made
    assert pickle.loads(pickle.dumps(made)) is made
    right()
    assert copy.deepcopy(made) is made
    with pytest.raises(pickle.PicklingError, match="declared anew since"):
        pickle.dumps(made)


def test_unpickling_imports_the_module_that_declares_it(tmp_path: Any) -> None:
    (tmp_path / "my_ops.py").write_text(
        "from tinygrad_opt.extend import Constant\nstep = Constant('my_step', kernel='sign')\n"
    )
    run = [sys.executable, "-c"]
    dump = "import pickle, my_ops; print(pickle.dumps(my_ops.step).hex())"
    text = subprocess.run([*run, dump], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    load = f"import pickle; step = pickle.loads(bytes.fromhex('{text}')); import my_ops; print(step is my_ops.step)"
    found = subprocess.run([*run, load], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"


def test_unpickling_what_nobody_declares() -> None:
    dumped = pickle.dumps(right())
    extend.forget("bell")
    with pytest.raises(LookupError, match="no primitive named 'bell' is declared; run its declaration"):
        pickle.loads(dumped)


# Wrong declarations fail where they are written.

IDENTITY = {"kernel": lambda xp, x: x}


@pytest.mark.parametrize(
    ("declare", "error", "said"),
    [
        (lambda: Elementwise(lambda g, y, x: g), ValueError, "name comes first"),
        (lambda: Elementwise("my op", lambda g, y, x: g), ValueError, "got 'my op'"),
        (lambda: Elementwise("wrong", lambda g, y, x: g), ValueError, "NumPy has no function 'wrong'. Pass kernel="),
        (lambda: Elementwise("wrong", lambda g, y, x: g, kernel="bel"), ValueError, "no function 'bel'"),
        (lambda: Elementwise("wrong", lambda g, y, x: g, kernel=3), TypeError, "kernel must be a function"),
        (
            lambda: Elementwise("wrong", lambda g, y, x: g, kernel=lambda x: x),
            TypeError,
            "takes the array library first",
        ),
        (
            lambda: Elementwise("wrong", lambda g, y, x: g, kernel="hypot"),
            TypeError,
            "'hypot' takes 2 arrays; there are",
        ),
        (
            lambda: Multilinear("wrong", lambda g, a: g, kernel="matmul"),
            TypeError,
            "takes 2 arrays; there are rules for 1",
        ),
        (
            lambda: Elementwise("wrong", lambda g, y, x: g, kernel=lambda xp, a, b: a + b),
            TypeError,
            "unexpected keyword argument 'b'",
        ),
        (lambda: Elementwise("wrong", **IDENTITY), TypeError, "without any: Constant"),
        (lambda: Elementwise("wrong", None, **IDENTITY), TypeError, "without any: Constant"),
        (lambda: Elementwise("wrong", "exp", **IDENTITY), TypeError, r"a function rule_0\(g, y, x\); got 'exp'"),
        (lambda: Elementwise("wrong", lambda g, x: g, **IDENTITY), TypeError, r"called as rule_0\(g, y, x\)"),
        (lambda: Elementwise("wrong", lambda g, y, x, z: g, **IDENTITY), TypeError, "missing a required argument: 'z'"),
        (lambda: Elementwise("wrong", lambda g, x, y: g, **IDENTITY), TypeError, "gets the output before the inputs"),
        (
            lambda: Elementwise("wrong", lambda g, y, a, b: g, **IDENTITY),
            TypeError,
            r"rule_0\(g, y, a, b\) cannot be called as rule_0\(g, y, x\)",
        ),
        (
            lambda: Elementwise("wrong", lambda g, y, x: g, kernel=lambda xp, x, *, scale: x),
            TypeError,
            "unexpected keyword argument 'scale'",
        ),
        (
            lambda: Linear("wrong", lambda g, like, *, shpae: g, kernel=lambda xp, x, *, shape: x),
            TypeError,
            "missing a required argument: 'shpae'|unexpected keyword argument 'shape'",
        ),
        (lambda: Linear("wrong", lambda g: g, **IDENTITY), TypeError, r"transpose\(g, like\)"),
        (
            lambda: Linear("wrong", lambda g, like: g, kernel=lambda xp, *xs: xs[0], variadic=True),
            TypeError,
            "unexpected keyword argument 'position'",
        ),
        (lambda: Multilinear("wrong", **IDENTITY), TypeError, "an adjoint for each argument; got none"),
        (lambda: Multilinear("wrong", lambda g, a: g, lambda g, a, b: g, kernel="multiply"), TypeError, r"g, x0, x1"),
        (lambda: General("wrong", [lambda t, y, x: t], [], **IDENTITY), TypeError, "1 pushes and 0 pulls"),
        (lambda: General("wrong", [lambda t, y, x: t], [None], **IDENTITY), TypeError, "argument 0 has no pull"),
        (lambda: General("wrong", [lambda t, y: t], **IDENTITY), TypeError, r"called as push_0\(t, y, x\)"),
        (
            lambda: General("wrong", [lambda t, y, x: t], [lambda g, y: g], **IDENTITY),
            TypeError,
            r"called as pull_0\(g, y, x\)",
        ),
        (
            lambda: General("wrong", [lambda t, y, x: t], common=lambda g, x: g, **IDENTITY),
            TypeError,
            r"called as pull_0\(g, y, x, common\)",
        ),
        (
            lambda: General(
                "wrong", [lambda t, y, x: t], [lambda g, y, x, common: g], common=lambda g, x: g, **IDENTITY
            ),
            TypeError,
            r"called as common\(g, y, x\)",
        ),
        (lambda: Constant("wrong", kernel=lambda: 1), TypeError, "takes the array library first"),
    ],
)
def test_a_wrong_declaration(declare: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        declare()
    assert "wrong" not in REGISTRY


def test_an_argument_without_derivative_of_a_general_primitive() -> None:
    rule = lambda t, y, _x, mask: t * y * mask  # noqa: E731
    masked = General("masked", [rule, None], kernel=lambda xp, x, mask: xp.exp(x) * mask)
    mask = np.array([1.0, 0.0, 1.0])
    assert check_primitive(masked, Sample([np.array([0.5, 1.0, -1.0]), mask], differentiable=(0,)))
    x = tg.tensor([0.5, 1.0, -1.0], requires_grad=True)
    assert not masked(x.detach(), tg.tensor(mask, requires_grad=True)).requires_grad
    assert tg.gradients(masked(x, tg.tensor(mask)).sum(), x).tolist()[1] == 0.0


def test_what_pulls_have_in_common_is_computed_once_and_only_where_it_is_read() -> None:
    calls = []

    def common(g: Any, _y: Any, x: Any, _w: Any) -> Any:
        calls.append(type(g))
        return g * tg.exp(x)

    three: General = General(
        "affine_exp",
        [
            lambda t, _y, x, w, _b: t * tg.exp(x) * w,
            lambda t, _y, x, _w, _b: t * tg.exp(x),
            lambda t, _y, _x, _w, _b: t,
        ],
        [
            lambda g, _y, _x, w, _b, common: common * w,
            lambda g, _y, _x, _w, _b, common: common,
            lambda g, _y, _x, _w, _b, _common: g,
        ],
        common=lambda g, _y, x, _w, _b: common(g, _y, x, _w),
        kernel=lambda xp, x, w, b: xp.exp(x) * w + b,
    )
    arrays = [np.array([0.5, -1.0]), np.array([2.0, 3.0]), np.array([1.0, 1.0])]
    assert check_primitive(three, arrays)
    calls.clear()
    x, w, b = (tg.tensor(a, requires_grad=True) for a in arrays)
    first = tg.gradients(three(x, w, b).sum(), [x, w, b], create_graph=True)
    assert calls == [tg.Tensor]
    np.testing.assert_allclose(first[0].detach().numpy(), np.exp(arrays[0]) * arrays[1])
    (second,) = tg.gradients((first[0] * first[1]).sum(), [x])  # of w exp(2x): what is shared is on the tape as well
    np.testing.assert_allclose(second.numpy(), 2 * np.exp(2 * arrays[0]) * arrays[1])
    calls.clear()
    three(x.detach(), w.detach(), b).sum().backward()
    assert calls == []
    assert b.grad.tolist() == [1.0, 1.0]


def test_more_arguments_than_rules() -> None:
    total: Linear = Linear("total_of", lambda g, like: g, kernel=lambda xp, *xs: sum(xs))  # not said to be variadic
    with pytest.raises(TypeError, match="total_of: called with 2 arrays; it has rules for 1"):
        total(tg.ones(2, requires_grad=True), tg.ones(2))


def test_a_kernel_that_the_library_lacks() -> None:
    only_numpy = Elementwise("windowed", lambda g, _y, _x: g, kernel="require")
    with pytest.raises(NotImplementedError, match="windowed: the library of 'double' arrays has no 'require'"):
        only_numpy(tg.ones(2, device="double:0"))


# Checked in one call.


def test_right_primitives_of_each_kind_pass() -> None:
    assert check_primitive(right(), reference=lambda x: np.exp(-(x**2)))
    assert check_primitive(right(), [tg.tensor([0.5, 1.0])])
    assert check_primitive(right(), np.array([[0.5, 1.0]]))
    blend = Elementwise(
        "blend", lambda g, _y, _a, _b, *, share: g * share, lambda g, _y, _a, _b, *, share: g * (1 - share),
        kernel=lambda xp, a, b, *, share: a * share + b * (1 - share),
    )  # fmt: skip
    assert check_primitive(blend, lambda s: Sample([s.array(x) for x in s.shapes(2)], {"share": 0.25}))
    mirror: Linear = Linear("mirror", lambda g, like: mirror(g), kernel=lambda xp, x: x[::-1])
    assert check_primitive(mirror, lambda s: [s.array(s.shape(low=1))], lambda x: np.flip(x, 0))
    inner = Multilinear(
        "inner_rows", lambda g, _a, b: g[..., None] * b, lambda g, a, _b: g[..., None] * a,
        kernel=lambda xp, a, b: (a * b).sum(-1),
    )  # fmt: skip
    assert check_primitive(inner, lambda s: [s.array((3, 2)), s.array((3, 2))])
    inserted: Linear = Linear(  # two arrays by name, which is as good as any number
        "inserted", lambda g, like, *, at, position: g[at : at + 1] if position else g, variadic=True,
        kernel=lambda xp, t, v, *, at: xp.concatenate([t[:at], t[at : at + 1] + v, t[at + 1 :]]),
    )  # fmt: skip
    assert check_primitive(inserted, lambda s: Sample([s.array((4,)), s.array((1,))], {"at": s.integer(0, 3)}))
    assert check_primitive(Constant("heaven", kernel="sign"), [np.ones(3)], np.sign)


def planted(rule: Callable[..., Any], kernel: Any = bell) -> Elementwise:
    return Elementwise("planted", rule, kernel=kernel)


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: planted(lambda g, y, x: g * (-x * y)), "a factor 0.5"),
        (lambda: planted(lambda g, y, x: g * (-2 * x * getattr(y, "_array", y))), "treats a value that it saved"),
        (lambda: planted(lambda g, y, x: (g * (-2 * x * y)).sum()), r"rule_0 returns the shape \(\)"),
        (lambda: planted(lambda g, y, x: g * (np.float64(-2.0) * x * y)), "rule_0 returns float64"),
        (lambda: planted(lambda g, y, x: 1.0), "rule_0 must return an array.*returned a float"),
        (lambda: planted(lambda g, y, x: (g * (-2 * x * y))[None]), "returns the shape"),
        (lambda: planted(lambda g, y, x: g * 1.0, lambda xp, x: x.copy()), "kept for the derivative, and changing it"),
        (lambda: planted(lambda g, _y, _x: g, lambda xp, x: x * np.float64(1.0)), "float32 arguments give a float64"),
        (lambda: planted(lambda g, _y, _x: g, lambda xp, x: x.tolist()), "must return an array; it returned a list"),
        (lambda: planted(lambda g, _y, _x: g, lambda xp, x: xp.add(x, 1, out=x)), "overwrites an argument"),
        (lambda: planted(lambda g, _y, _x: g, lambda xp, x: x > 0), "only a floating result has derivatives"),
        (lambda: planted(lambda g, _y, x: g * (3 * x * x), lambda xp, x: x**3 + 1e-3), "the reference is"),
        (lambda: General("planted", [lambda t, y, x: t * y], [lambda g, y, x: -g * y], kernel="exp"), "disagrees"),
        (lambda: Multilinear("planted", lambda g, _a, b: g * b, lambda g, a, _b: g, kernel="multiply"), "disagree"),
    ],
)
def test_each_broken_promise_has_its_sentence(declare: Callable[[], Any], said: str) -> None:
    made = declare()
    count = 2 if isinstance(made, Multilinear) else 1
    reference = (lambda x: x**3) if "reference" in said else None
    with pytest.raises(GradcheckError, match=said):
        check_primitive(made, lambda source: [source.array((3,)) + 0.0625 for _ in range(count)], reference)


def test_a_raw_array_where_tensors_were_fed() -> None:
    wrong = planted(lambda g, y, x: -2 * getattr(g, "_array", g) * getattr(x, "_array", x) * getattr(y, "_array", y))
    x = tg.tensor([0.5], requires_grad=True)
    assert tg.gradients(wrong(x), x, tg.ones(1)).shape == (1,)  # nothing is recorded: an array is what was asked for
    for work in (
        lambda: tg.gradients(wrong(x), x, tg.ones(1), create_graph=True),
        lambda: tg.hvp(lambda x: wrong(x).sum(), x, tg.ones(1), mode="reverse-over-forward"),
        lambda: check_primitive(wrong),
    ):
        with pytest.raises(
            TypeError, match=r"'planted' was given tensors and returned a numpy\.ndarray.*without \.data"
        ):
            work()


@pytest.mark.parametrize("sample", [[3.0], [np.arange(3)], [np.zeros((0, 2))], 2, lambda source: [source.number()]])
def test_a_check_that_would_check_nothing(sample: Any) -> None:
    with pytest.raises(ValueError, match="nothing was checked, since no example has a floating array"):
        check_primitive(right(), sample)
    with pytest.raises(ValueError, match="nothing was checked"):
        check_primitive(right(), examples=0)


def test_what_is_no_primitive_and_what_has_no_sample() -> None:
    with pytest.raises(TypeError, match=r"expected a primitive.*gradcheck"):
        check_primitive(np.exp)
    with pytest.raises(TypeError, match=r"'flip_it' is not elementwise.*sample=lambda source"):
        check_primitive(Linear("flip_it", lambda g, like: g[::-1], kernel=lambda xp, x: x[::-1]))


def _told(function: Any) -> tuple[Any, ...]:
    """What `parameters` should say, from the signature."""
    found = inspect.signature(function).parameters.values()
    of = {kind: tuple(p.name for p in found if p.kind is kind) for kind in {p.kind for p in found}}
    one = inspect.Parameter
    positional = (*of.get(one.POSITIONAL_ONLY, ()), *of.get(one.POSITIONAL_OR_KEYWORD, ()))
    stars = ("".join(of.get(kind, ())) for kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD))
    return positional, of.get(one.KEYWORD_ONLY, ()), *stars


def test_parameters_are_those_of_the_signature() -> None:
    def odd(g: Any, /, _x: Any = 0, *rest: Any, axis: int, shape: Any = (), **more: Any) -> Any:
        inner = axis
        return inner

    @functools.wraps(odd)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return odd(*args, **kwargs)

    kernels = [p._kernel for p in ours().values() if not isinstance(p._kernel, str)]
    for function in (odd, wrapped, functools.partial(odd, 1), lambda: 0, lambda *, axis: axis, *kernels):
        assert parameters(function) == _told(function)
    assert parameters(min) is None  # it does not tell
