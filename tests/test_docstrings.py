"""Every public name is documented, and the examples of primitives run.

Doctest finds the examples of functions and classes by itself; a primitive that is a public function is an object with
a docstring, which it passes over.
"""

import doctest
import inspect

import pytest

import tinygrad_opt as tg
from tinygrad_opt.core.primitive import REGISTRY, Primitive

PUBLIC_PRIMITIVES = {name: value for name, value in vars(tg).items() if isinstance(value, Primitive)}
MODULES = [
    tg, tg.linalg, tg.nn, tg.nn.functional, tg.nn.init, tg.optim, tg.optim.lr_scheduler, tg.data, tg.train, tg.viz,
    tg.testing, tg.cuda,
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(PUBLIC_PRIMITIVES))
def test_the_examples_of_a_primitive_run(name: str) -> None:
    primitive = PUBLIC_PRIMITIVES[name]
    examples = doctest.DocTestParser().get_doctest(primitive.__doc__ or "", {"tg": tg}, name, None, 0)
    assert examples.examples, f"tg.{name} has no example"
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples)
    assert failed == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_name_exists_and_is_documented(module: object) -> None:
    undocumented = []
    for name in module.__all__:  # type: ignore[attr-defined]
        value = getattr(module, name)
        if not inspect.ismodule(value) and (callable(value) or isinstance(value, type)) and not inspect.getdoc(value):
            undocumented.append(name)
    assert not undocumented


def test_a_primitive_is_known_by_its_own_name() -> None:
    assert all(primitive.__name__ == name for name, primitive in REGISTRY.items())
    assert inspect.isroutine(tg.exp), "help(tg.exp) should describe the function, not its class"
