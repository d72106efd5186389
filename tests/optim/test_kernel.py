"""The text of the kernels is C that NVRTC compiles; no GPU is needed for that, only CuPy's wheel with NVRTC."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from optimizers import Maker, every_elementwise
from tinygrad_opt.optim import kernel, source
from tinygrad_opt.optim.tracing import Structure, trace

# Around the text stands what CuPy's ElementwiseKernel puts there: names of elements, in a loop over them.
PROGRAM = """
#include <cupy/complex.cuh>
#include <cupy/float16.cuh>
#include <cupy/carray.cuh>
typedef float float32; typedef double float64;
extern "C" __global__ void update_rule({parameters}, long long n) {{
    for (long long i = threadIdx.x; i < n; i += blockDim.x) {{
        {names}
        {text}
    }}
}}
"""


@pytest.fixture(scope="module")
def nvrtc() -> Any:
    pytest.importorskip("cupy")
    from cupy_backends.cuda.libs import nvrtc

    try:
        nvrtc.getVersion()
    except Exception as error:
        pytest.skip(f"CuPy is there without NVRTC: {error!r:.80}")
    return nvrtc


def include_folders() -> list[str]:
    import cupy

    folders = [Path(cupy.__file__).parent / "_core" / "include"]
    if found := importlib.util.find_spec("nvidia"):
        folders += [f for place in found.submodule_search_locations or [] for f in Path(place).glob("*/include")]
    return [f"-I{folder}" for folder in folders]


def compiled(nvrtc: Any, structure: Structure, dtype: str) -> str:
    text = source.in_c(structure, dtype)
    parameters = [f"const {dtype} *a1", *(f"const {dtype} c{k}" for k in range(structure.slots))]
    parameters += [f"{dtype} *a{target}" for target in structure.targets]
    names = [f"const {dtype} &x1 = a1[i];", *(f"{dtype} &x{t} = a{t}[i];" for t in structure.targets)]
    whole = PROGRAM.format(parameters=", ".join(parameters), names=" ".join(names), text=text)
    made = nvrtc.createProgram(whole, "update_rule.cu", (), ())
    try:
        nvrtc.compileProgram(made, ("--fmad=false", "-std=c++17", "-arch=compute_75", *include_folders()))
    except Exception:
        pytest.fail(nvrtc.getProgramLog(made))
    ptx = nvrtc.getPTX(made)
    return ptx if isinstance(ptx, str) else ptx.decode()


def structure_of(make: Maker) -> Structure:
    optimizer = make([tg.zeros(1, requires_grad=True)], weight_decay=0.1)
    hyper = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    return trace(optimizer.rule, 2 + len(optimizer.state_names(hyper)), np.dtype("float32"), t=50, **hyper).structure


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@every_elementwise
def test_every_optimizer_compiles(make: Maker, dtype: str, nvrtc: Any) -> None:
    ptx = compiled(nvrtc, structure_of(make), dtype)
    assert "st.global" in ptx
    if dtype == "float32":
        assert not re.search(r"\bfma\.", ptx), "a product and a sum were contracted"
        assert ".f64" not in ptx  # no literal, and no function, in double precision


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", sorted(source._C))
def test_every_operation_compiles(name: str, dtype: str, nvrtc: Any) -> None:
    function = np.where if name == "where" else getattr(np, name)
    count = 3 if function is np.where else function.nin
    boolean = name.startswith("logical")
    first = tg.where if name == "where" else None

    def rule(theta: Any, g: Any) -> Any:
        operands: list[Any] = [g, theta, 0.5][:count]
        if boolean:
            operands = [x > 0 for x in operands]
        if first is not None:
            operands[0] = g > 0
        result = g.recorder.write(name, *operands)
        return (tg.where(result, theta, g) if result.is_condition else result,)

    assert "st.global" in compiled(nvrtc, trace(rule, 2, np.dtype("float32")).structure, dtype)


# One kernel a step, on the double.


def test_a_step_is_one_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    launched = []
    real = kernel.Kernel.__call__
    monkeypatch.setattr(kernel.Kernel, "__call__", lambda self, *args: (launched.append(1), real(self, *args))[0])
    params = [tg.zeros(n, requires_grad=True, device="double") for n in (3, 4)]
    optimizer = tg.optim.Adam(params)
    for p in params:
        p.grad = tg.ones(p.shape[0], device="double")
    optimizer.step()
    assert launched == [1]


def test_what_has_no_name_in_c_runs_as_array_operations() -> None:
    class Method(tg.optim.Optimizer):
        def rule(self, theta: Any, g: Any, *, t: int) -> Any:  # type: ignore[override]
            return (theta - tg.arcsin(g),)

    p = tg.zeros(3, requires_grad=True, device="double")
    p.grad = tg.ones(3, device="double") * 0.5
    Method([p]).step()
    np.testing.assert_allclose(p.detach().cpu().numpy(), -np.arcsin(np.full(3, 0.5, "float32")), rtol=1e-6)


# The double reads the text as a compiler does.

X = strict_double.library.asarray(np.array([1.0, -2.0, 3.0], "float32"))


def run(text: str, *args: Any, read: str = "float32 x", written: str = "float32 y") -> np.ndarray:
    y = strict_double.library.zeros(3, "float32")
    strict_double.library.ElementwiseKernel(read, written, text, "k", options=("--fmad=false",))(*(args or (X,)), y)
    return y.get()


def test_the_double_runs_the_text() -> None:
    x = X.get()
    expressions = {
        "x > 0.0f || x < -5 && x == x ? x * 2.0f + 1.0f : -(x - 1.0f) / 2.0f": np.where(x > 0, x * 2 + 1, -(x - 1) / 2),
        "x - x - x": -x,
        "fabs(x) + sqrt(x * x) / pow(x, x)": np.abs(x) + np.sqrt(x * x) / np.power(x, x),
        "!(x > float32(0)) ? float32(1) : x > float32(2) ? float32(3) : float32(4)": np.array([4, 1, 3], "f4"),
    }
    for text, expected in expressions.items():
        np.testing.assert_array_equal(run(f"const float32 a = {text};\ny = a;"), expected)


WRONG = {
    "double": (TypeError, "declared as float32 and computed as float64", "y = x * 2.0"),
    "not declared": (SyntaxError, "not a statement", "a = x"),
    "written": (SyntaxError, "not a statement", "x = y"),
    "twice": (SyntaxError, "not a statement", "const float32 a = x; const float32 a = x"),
    "condition": (TypeError, "declared as bool and computed as float32", "const bool a = x"),
    "unknown": (KeyError, "z", "y = z"),
    "left over": (SyntaxError, "left over", "y = x x"),
    "half": (SyntaxError, "expected ':'", "y = x > x ? x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_double_refuses_what_a_compiler_refuses_and_double_precision(case: str) -> None:
    error, message, text = WRONG[case]
    with pytest.raises(error, match=message):
        run(text)


def test_the_double_refuses_wrong_arguments() -> None:
    y64 = strict_double.library.zeros(3, "float64")
    with pytest.raises(TypeError, match=r"Type is mismatched. x float64 float32"):
        run("y = x", y64)
    with pytest.raises(TypeError, match=r"takes 1 \+ 1 arguments; got 3"):
        run("y = x", X, X)
    with pytest.raises(TypeError, match="Unsupported type"):
        run("y = x", np.ones(3, "float32"))
    with pytest.raises(ValueError, match="expected parameters such as"):
        run("y = x", read="x")
    with pytest.raises(TypeError, match="has no"):
        strict_double.library.ElementwiseKernel("float32 x", "float32 y", "y = x", speed=3)
    with strict_double.Device(1), pytest.raises(ValueError, match="different from the current device"):
        run("y = x")
