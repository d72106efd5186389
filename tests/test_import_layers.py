"""Imports go one way, and only to what an installation has: read from the sources, lazy imports included."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tinygrad_opt

ROOT = Path(tinygrad_opt.__file__).parent
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))
PACKAGE = ROOT.name

# In the order in which data flows. A layer may import the ones before it.
LAYERS = [
    "errors", "backend", "cuda", "core", "ops", "extend", "transforms", "testing", "catalogue", "nn", "optim",
    "curvature", "data", "train", "viz", "__init__",
]  # fmt: skip
# Tensors have operators and methods, so their class needs the operations; these need only what lies under the class.
UPWARD = {
    (f"core/{name}.py", "ops")
    for name in ("creation", "draws", "numpy_arguments", "numpy_names", "operators", "protocols", "tensor", "values")
}

# Third-party packages are imported inside functions, and only where the extra that brings them is about.
OPTIONAL = {
    "cupy": {"backend"},
    "numba": {"optim"},
    "safetensors": {"nn", "train"},
    "tqdm": {"train"},
    "graphviz": {"viz"},
    "matplotlib": {"viz"},
    "scipy": {"curvature"},
}

# Operations, layers and update rules take the namespace from their arrays. These files also work on the host.
HOST_SIDE = {
    "nn/init/filling.py": "starting values are drawn on the host, so that one seed gives one model on every device",
    "nn/init/structured.py": "the same",
    "optim/compiled.py": "compiled loops run over vectors in host memory",
    "optim/program.py": "compiles update rules for vectors in host memory, into calls of NumPy's functions",
    "optim/tracing.py": "what an update rule does is written down under the names of NumPy's functions",
}


@dataclass(frozen=True)
class Import:
    """One imported module: its absolute dotted name, where it stands, and whether importing the package runs it."""

    file: str
    line: int
    module: str
    eager: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def statements(body: list[ast.stmt], eager: bool = True) -> Iterator[tuple[ast.stmt, bool]]:
    """All statements below `body`, and whether importing the file runs them."""
    for node in body:
        yield node, eager
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inside = eager and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and field == "body":
                inside = False
            yield from statements(getattr(node, field, []), inside)


def imports(file: str, source: str) -> Iterator[Import]:
    """All imports of a file, those inside functions and under TYPE_CHECKING too."""
    here = [PACKAGE, *Path(file).parent.parts]
    for node, eager in statements(ast.parse(source).body):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            start = ".".join([*above, *filter(None, [node.module])])
            # `from . import errors`: what is imported may itself be a module.
            modules = [f"{start}.{alias.name}" for alias in node.names] if start == PACKAGE else [start]
        else:
            continue
        yield from (Import(file, node.lineno, module, eager) for module in modules)


def layer_of_file(file: str) -> str:
    first = Path(file).parts[0]
    return first.removesuffix(".py")


def layer_of_module(module: str) -> str:
    _, _, rest = module.partition(".")
    return rest.partition(".")[0] or "__init__"


@functools.cache
def found() -> list[Import]:
    """All imports of the package."""
    return [entry for file in FILES for entry in imports(file, (ROOT / file).read_text(encoding="utf-8"))]


def goes_up(entry: Import) -> bool:
    """Whether an import goes against the order."""
    if entry.module.partition(".")[0] != PACKAGE:
        return False
    source, target = layer_of_file(entry.file), layer_of_module(entry.module)
    return LAYERS.index(target) > LAYERS.index(source) and (entry.file, target) not in UPWARD


def is_foreign(entry: Import) -> bool:
    """Whether a module belongs neither to the package nor to what every installation has."""
    return entry.module.partition(".")[0] not in {PACKAGE, "numpy", "__future__", *sys.stdlib_module_names}


def may_be_missing(entry: Import) -> bool:
    """Whether a third-party import is lazy, and belongs to an extra that is about this layer."""
    allowed = OPTIONAL.get(entry.module.partition(".")[0], set())
    return not entry.eager and layer_of_file(entry.file) in allowed


def test_every_file_belongs_to_a_layer():
    assert [file for file in FILES if layer_of_file(file) not in LAYERS] == []


def test_imports_go_one_way():
    assert [str(entry) for entry in found() if goes_up(entry)] == []


def test_only_the_backend_imports_cupy():
    files = {entry.file for entry in found() if entry.module.partition(".")[0] in ("cupy", "cupyx")}
    assert files == {"backend.py"}


def test_importing_the_package_needs_numpy_alone():
    assert [str(entry) for entry in found() if is_foreign(entry) and not may_be_missing(entry)] == []


def test_numpy_is_kept_out_of_device_code():
    using = {
        entry.file for entry in found()
        if entry.module.partition(".")[0] == "numpy" and layer_of_file(entry.file) in ("ops", "nn", "optim")
    }  # fmt: skip
    assert using == set(HOST_SIDE)


# The reader itself, on lines that it has to see.


@pytest.mark.parametrize(
    ("file", "line", "module"),
    [
        ("core/tape.py", "from .. import errors", "tinygrad_opt.errors"),
        ("core/tape.py", "from ..ops import add", "tinygrad_opt.ops"),
        ("core/tape.py", "from . import ledger", "tinygrad_opt.core"),
        ("core/tape.py", "from .modes import current", "tinygrad_opt.core.modes"),
        ("ops/deep/file.py", "from ... import nn", "tinygrad_opt.nn"),
        ("transforms.py", "from . import viz", "tinygrad_opt.viz"),
        ("transforms.py", "import tinygrad_opt.viz.graph", "tinygrad_opt.viz.graph"),
        ("ops/shape.py", "import numpy.linalg as la", "numpy.linalg"),
    ],
)
def test_the_reader_resolves(file, line, module):
    assert [entry.module for entry in imports(file, line)] == [module]


@pytest.mark.parametrize(
    ("file", "source", "upward", "refused"),
    [
        ("core/tape.py", "from ..ops import add", True, False),
        ("core/tensor.py", "from .. import ops", False, False),
        ("core/tensor.py", "def f():\n    from .. import transforms", True, False),
        ("ops/shape.py", "import tinygrad_opt", True, False),
        ("nn/norms.py", "from ..core.tensor import Tensor", False, False),
        ("train/fit.py", "import tqdm", False, True),
        ("train/fit.py", "def f():\n    import tqdm", False, False),
        ("ops/shape.py", "def f():\n    import tqdm", False, True),
        ("train/fit.py", "try:\n    import tqdm\nexcept ImportError:\n    pass", False, True),
        ("viz/plots.py", "if TYPE_CHECKING:\n    import matplotlib", False, False),
        ("viz/plots.py", "if True:\n    pass\nelse:\n    import matplotlib", False, True),
        ("nn/norms.py", "async def f():\n    import torch", False, True),
    ],
)
def test_the_reader_sees_what_is_wrong(file, source, upward, refused):
    (entry,) = imports(file, source)
    assert goes_up(entry) == upward
    assert (is_foreign(entry) and not may_be_missing(entry)) == refused


def test_what_is_built_on_tensors_is_imported_when_it_is_asked_for() -> None:
    idle = ["data", "nn", "optim", "testing", "train", "viz", "catalogue", "core.explain"]
    code = (
        f"import sys, tinygrad_opt as tg\nidle = {[f'{PACKAGE}.{name}' for name in idle]} + ['numpy.random']\n"
        "assert not sys.modules.keys() & set(idle), sys.modules.keys() & set(idle)\n"
        "tg.data, tg.nn, tg.optim, tg.train, tg.functions, tg.testing, tg.viz, tg.ones(1).explain(), tg.rand(1)\n"
        "assert sys.modules.keys() >= set(idle)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_only_public_names_and_parts_of_the_package_show() -> None:
    shown = {name for name in dir(tinygrad_opt) if not name.startswith("_")}
    parts = {Path(file).stem for file in FILES if "/" not in file} | {Path(file).parts[0] for file in FILES}
    assert shown - set(tinygrad_opt.__all__) <= parts


def test_the_guide_names_every_file_of_the_core() -> None:
    guide = (ROOT.parent / "CONTRIBUTING.md").read_text()
    assert [file for file in FILES if file.startswith("core/") and f"`{Path(file).name}`" not in guide] == [
        "core/__init__.py"
    ]
