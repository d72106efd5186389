"""What can go wrong, in words: one exception type per kind of mistake, and the wording of every message.

A message says what was expected, what came, why it matters, and the corrected call. The hot code only decides
*that* something is wrong; the sentences live here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.linalg import LinAlgError

__all__ = [
    "AnomalyError",
    "DeviceError",
    "DeviceUnavailableError",
    "FreedGraphError",
    "GradcheckError",
    "GraphError",
    "InPlaceError",
    "LinAlgError",
    "MatrixError",
    "RendererError",
    "RuleError",
    "ShapeError",
    "UnusedInputError",
    "WeightsError",
]


class ShapeError(ValueError):
    """Shapes that do not fit the operation."""


class MatrixError(ShapeError, LinAlgError):
    """Something that is not a matrix, or not a square one, where linear algebra needs it."""


class WeightsError(ShapeError):
    """A file that cannot be loaded into a model: damaged, of another format, or the state of something else."""


class DeviceError(RuntimeError):
    """Arrays of different devices, or of different array libraries, met in one operation."""


class DeviceUnavailableError(DeviceError):
    """A device was asked for that this machine cannot give."""


class GraphError(RuntimeError):
    """The recorded graph cannot answer the question that was asked of it."""


class FreedGraphError(GraphError):
    """A second sweep over a graph whose saved arrays were freed by the first."""


class InPlaceError(GraphError):
    """An array that was saved for the derivative has been overwritten since."""


class RuleError(GraphError):
    """An exception inside a derivative rule, told by `detect_anomaly` with the operation it belongs to."""


class UnusedInputError(GraphError):
    """A derivative was asked with respect to something that the output does not depend on."""


class AnomalyError(FloatingPointError):
    """The first value or gradient that is not finite, found by `detect_anomaly`."""


class GradcheckError(AssertionError):
    """A derivative that disagrees with the numeric one."""


class RendererError(RuntimeError):
    """No program was found that turns a graph description into a picture."""


def _shapes(arrays: Iterable[Any]) -> str:
    shapes = [str(tuple(x.shape)) for x in arrays if hasattr(x, "shape")]
    if not shapes:
        return "the arguments do"
    return f"shape {shapes[0]} does" if len(shapes) == 1 else f"shapes {' and '.join(shapes)} do"


_REMEDIES = {
    "Singular matrix": (
        ". Use linalg.pinv or linalg.lstsq, or add a small multiple of the unit matrix, a + eps * tg.eye(n)"
    ),
    "Matrix is not positive definite": (
        ": its eigenvalues must be positive. Rounding may be to blame: add a small multiple of the unit matrix, "
        "a + eps * tg.eye(n)"
    ),
    "SVD did not converge": ": look for nan and inf in the matrix",
    "Eigenvalues did not converge": ": look for nan and inf in the matrix",
}


# What an array library raises over arguments: AttributeError from inside an array of objects, OverflowError over a
# number that is too large, MemoryError over a result that is.
OF_KERNELS = (ValueError, TypeError, IndexError, AttributeError, OverflowError, MemoryError)


def kernel_failed(operation: str, arrays: Iterable[Any], meta: dict[str, Any], error: Exception) -> Exception:
    """Rephrase what the array library said, naming the operation, the shapes and the arguments."""
    details = f" with {', '.join(f'{k}={v!r}' for k, v in meta.items())}" if meta else ""
    said = str(error).strip() or type(error).__name__
    arrays = list(arrays)
    if isinstance(error, LinAlgError):
        return factorization_failed(operation, said)
    if isinstance(error, IndexError):
        return IndexError(f"{operation}: {_shapes(arrays)} not have such elements: {said}")
    if isinstance(error, MemoryError):
        return MemoryError(f"{operation}: the result is too large{details}: {said}")
    if isinstance(error, (ValueError, OverflowError)):
        return ShapeError(f"{operation}: {_shapes(arrays)} not fit{details}: {said}")
    if isinstance(error, (TypeError, AttributeError)):
        dtypes = " and ".join(str(getattr(x, "dtype", type(x).__name__)) for x in arrays)
        return TypeError(f"{operation}: cannot take {dtypes}{details}: {said}")
    return error


def _argument(position: int | str) -> str:
    return position if isinstance(position, str) else f"argument {position}"


def unsupported_argument(operation: str, position: int | str, value: Any) -> TypeError:
    return TypeError(
        f"{operation}: {_argument(position)} is a {type(value).__name__}; expected a tensor, an array, a number "
        "or a (nested) list of numbers."
    )


def in_argument(operation: str, position: int | str, error: Exception) -> Exception:
    """The same complaint, with the operation and the argument that it is about."""
    return type(error)(f"{operation}: {_argument(position)}: {error}")


def unsupported_dtype(dtype: Any) -> TypeError:
    if getattr(dtype, "kind", "") == "c":
        return TypeError(
            f"complex tensors are out of scope; got {dtype}. Keep real and imaginary parts as two real tensors."
        )
    return TypeError(
        f"tensors hold bool, integer or floating numbers (float16, float32, float64); got {dtype}. "
        "Convert first: tg.tensor(numpy.asarray(data, dtype='float32'))."
    )


def not_a_dtype(value: Any, function: str = "") -> TypeError:
    return TypeError(
        f"{function and function + ': '}dtype: expected a dtype such as tg.float32, 'float32' or bool; got {value!r}"
    )


def mixed_devices(operation: str, places: Iterable[tuple[str, str]]) -> DeviceError:
    listed = list(places)
    where = ", ".join(f"{name} is on {device}" for name, device in listed)
    target = next((device for _, device in listed if device != "cpu"), "cpu")
    return DeviceError(f"{operation}: {where}. Move one: x.to({target.split(':')[0]!r}).")


def only_floating(dtype: Any) -> TypeError:
    return TypeError(
        f"only floating tensors can require gradients; got {dtype}. Write tg.tensor([1., 2.]) or pass dtype=tg.float32."
    )


def not_matrices(function: str, name: str, shape: Any, square: bool) -> MatrixError:
    kind = "a square matrix, or a stack of them, shape (..., n, n)" if square else "a matrix, or a stack, (..., m, n)"
    return MatrixError(f"{function}: {name} must be {kind}; got shape {tuple(shape)}")


def undefined_basis(function: str, shape: Any, instead: str) -> GraphError:
    return GraphError(
        f"{function}: for matrices of shape {tuple(shape)} the vectors that complete the basis are any that do, so "
        f"they have no derivative. Write {instead}, or detach the matrix: x.detach()."
    )


def factorization_failed(function: str, problem: str) -> LinAlgError:
    return LinAlgError(f"{function}: {problem}{_REMEDIES.get(problem, '')}")


def not_scalar(shape: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"backward() needs a scalar; this tensor has shape {shape}. Reduce it (.sum(), .mean()), or pass "
        "gradient= of the same shape (a vector-Jacobian product)."
    )


def gradient_shape(what: str, got: Any, expected: Any) -> ShapeError:
    return ShapeError(
        f"{what} must have the shape of what it belongs to, {tuple(expected)}; got {tuple(got)}. "
        f"Use tg.broadcast_to(v, {tuple(expected)}) if one value is meant for all entries."
    )


def no_graph(what: str) -> GraphError:
    return GraphError(
        f"{what} does not require gradients: nothing was recorded for it. Create the inputs with "
        "requires_grad=True, and check that the computation is outside no_grad() and does not pass through "
        "detach(), numpy() or an integer type."
    )


def freed_graph(operation: str) -> FreedGraphError:
    return FreedGraphError(
        f"the arrays saved by '{operation}' are gone: an earlier backward() freed them. The usual causes: "
        "(1) backward() called twice on one loss, or on two losses that share a part: add the losses first; "
        "(2) the forward pass is outside the loop or closure: compute the loss anew before each backward(); "
        "(3) a tensor of the previous step is still attached to its graph: detach() it. "
        "If two sweeps over one graph are really meant: backward(retain_graph=True) the first time."
    )


def changed_in_place(what: str, writer: str, operation: str) -> InPlaceError:
    return InPlaceError(
        f"{what} was changed in place (by {writer}) after '{operation}' saved it; call backward() before step(), "
        "or write out of place: x = x + 1 instead of x.data += 1."
    )


def no_out(function: str) -> TypeError:
    return TypeError(
        f"{function}: out= is not supported, because nothing is written into tensors; write y = tg.{function}(...), "
        "and what stands behind out by name (keepdims=True)"
    )


def recomputed_otherwise(difference: str) -> GraphError:
    return GraphError(
        f"checkpoint: the function did something else when it was run again: {difference}. It has to do the same "
        "every time: let it depend on its arguments and on parameters that stay as they are until the derivative is "
        "taken (no model.eval() in between), and draw random numbers with the package's functions."
    )


def leaf_renamed(sign: str) -> GraphError:
    return GraphError(
        f"`w {sign} ...` would give the name w to a new tensor, and leave the one that requires gradients, which a "
        f"model or an optimizer may hold, unchanged. To update it write w.data {sign} lr * w.grad.data; for a new "
        f"tensor write v = w {sign[:-1]} ..."
    )


def item_assignment() -> TypeError:
    return TypeError(
        "tensors do not support t[i] = v: it would overwrite values that a derivative may still need. Build a new "
        "tensor: t.at[i].set(v), tg.where(mask, v, t), or tg.stack([...])."
    )


def unused_input(label: str) -> UnusedInputError:
    return UnusedInputError(f"{label} is not used in computing this output; pass unused='zero' or unused='none'.")


def create_graph_in_backward() -> TypeError:
    return TypeError(
        "backward() stores plain gradients. For derivatives of gradients: "
        "g, = tg.gradients(loss, [x], create_graph=True)."
    )


def not_an_array(requires_grad: bool, device: str) -> TypeError:
    if requires_grad:
        return TypeError(
            "this tensor requires gradients, and NumPy would not record what it does with it: "
            "write t.detach().numpy() for the values alone, tg.stack([a, b]) for a list of tensors, or use the "
            "function of the same name in tg."
        )
    return TypeError(f"this tensor is on {device}; NumPy needs host memory: write t.cpu().numpy().")


def not_exported() -> BufferError:
    return BufferError(
        "this tensor requires gradients, and another library would not record what it does with the memory: "
        "export t.detach() instead."
    )


def backwards() -> BufferError:
    return BufferError(
        "copy=False: the elements of this tensor lie backwards in memory (as those of t[::-1] do), which not every "
        "library can hold. Export tg.copy(t)."
    )


def no_numpy_function(name: str) -> TypeError:
    return TypeError(
        f"{name} is not among the functions that differentiate tensors, under that name. For the values alone write "
        f"{name}(t.detach().numpy()); for derivatives compose it of functions of tg."
    )


def no_ufunc_method(name: str, method: str) -> TypeError:
    remedy = {
        "at": "it writes in place; t.at[index].add(values) makes a new tensor",
        "reduceat": "reduce the slices one by one, and tg.stack the results",
    }[method]
    return TypeError(f"{name}.{method} does not work on tensors: {remedy}.")


def no_numpy_argument(name: str, argument: str) -> TypeError:
    remedy = {
        "out": "Results are new tensors: leave out= away.",
        "where": f"Choose afterwards: np.where(mask, {name}(...), other).",
    }.get(argument, "Leave it away, or use t.detach().numpy() for the values alone.")
    return TypeError(f"{name}: the argument {argument!r} is not supported on tensors. {remedy}")


def written_by_numpy(name: str, into_tensor: bool) -> TypeError:
    if into_tensor:
        return TypeError(
            f"{name}: out= would overwrite a tensor, which a derivative may still need. Leave out= away: the result "
            "is a new tensor; or write into its memory: out=t.data."
        )
    return TypeError(
        f"{name}: a NumPy array would be overwritten (by an operator such as a += t, or by out=) with what requires "
        "gradients, and no derivative could flow through it. Write a = a + t, or a += t.detach()."
    )


def special_array(name: str, kind: str) -> TypeError:
    return TypeError(
        f"{name}: a numpy.{kind} does not mix with tensors: its own rules (masks, matrix products) would be lost. "
        "Convert it first: numpy.asarray(a), or a.filled(value) for a masked array."
    )


def device_unavailable(device: str, cause: str, remedy: str) -> DeviceUnavailableError:
    return DeviceUnavailableError(
        f"device {device!r} is not available: {cause} {remedy} (device='auto' takes the CPU then.)"
    )


def pickled_elsewhere(error: Exception) -> DeviceUnavailableError:
    return DeviceUnavailableError(
        f"a copied or pickled tensor goes back to the device that it came from: {error} To read it on a machine "
        "without that device, write it as t.cpu(), or save a state_dict."
    )


def anomaly(what: str, details: str, where: str) -> AnomalyError:
    return AnomalyError(f"{what} is the first that is not finite ({details}){where}")


def rule_failed(operation: str, mode: str, shapes: str, where: str, error: Exception) -> RuleError:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return RuleError(f"the {mode}-mode rule of '{operation}' raised {said} ({shapes}){where}")


def rule_returned(operation: str, value: Any) -> TypeError:
    return TypeError(
        f"a derivative rule of '{operation}' was given tensors and returned a {type(value).__module__}."
        f"{type(value).__name__}: what it computed is not recorded, and second derivatives would be wrong. Write the "
        "rule in operators and functions of tinygrad_opt, without .data, .numpy() or np."
    )
