"""Where arrays live: NumPy on the host, CuPy on a GPU, and one way to speak to both.

The array namespace always comes from the arrays at hand: `namespace(x).exp(x)` means NumPy for a NumPy array and
CuPy for a CuPy array. CuPy is imported here and nowhere else, on the first request for a GPU, so that importing the
package neither needs nor touches it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from . import errors

__all__ = [
    "HOST", "Backend", "Cupy", "beside", "device_of", "for_device", "generator", "has_own_rules", "is_array",
    "is_array_type", "manual_seed", "namespace", "of", "random_state", "register", "replaying", "resolve",
    "restore_random_state", "to_device",
]  # fmt: skip

Array = Any


class Backend:
    """One array library on one kind of device; this base class is NumPy on the host.

    Attributes
    ----------
    kind : str
        What the names of its devices start with.
    namespace : module
        The array library.
    array : type
        The type of its arrays.
    """

    kind = "cpu"
    count = 1  # how many devices there are

    def __init__(self, module: ModuleType | Any) -> None:
        self.namespace = module
        self.array: type = module.ndarray

    def device_of(self, array: Array) -> str:
        """The device's name: ``"cpu"``, ``"cuda:0"``."""
        return self.kind

    def canonical(self, device: str) -> str:
        """The full name of a device of this kind, or an error that says why it cannot be had."""
        if device != self.kind:
            raise errors.device_unavailable(device, "no such device on this machine.", f"Write {self.kind!r}.")
        return device

    def from_host(self, array: np.ndarray[Any, Any], device: str) -> Array:
        """Bring a NumPy array to this device (no copy where none is needed)."""
        return array

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """Bring an array of this device to a NumPy array (no copy where none is needed)."""
        return array

    def on(self, device: str) -> contextlib.AbstractContextManager[Any]:
        """Make `device` current, for libraries that have such a thing."""
        return contextlib.nullcontext()

    def new_generator(self, seed: np.random.SeedSequence, device: str) -> Any:
        """A fresh random generator on `device`."""
        return np.random.default_rng(seed)

    def byte_bounds(self, array: Array) -> tuple[int, int]:
        """First address and one past the last address that the array touches."""
        low, high = np.lib.array_utils.byte_bounds(array)
        return int(low), int(high)


class Cupy(Backend):
    """CuPy on the GPUs of this machine, or a library that does as CuPy does on devices of its own."""

    kind = "cuda"

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module)
        self.count = int(module.cuda.runtime.getDeviceCount())

    def device_of(self, array: Array) -> str:
        return f"{self.kind}:{array.device.id}"

    def canonical(self, device: str) -> str:
        if device == self.kind:
            return f"{self.kind}:{self.namespace.cuda.runtime.getDevice()}"
        index = device.removeprefix(f"{self.kind}:")
        if not index.isdecimal() or int(index) >= self.count:
            raise errors.device_unavailable(
                device,
                f"this machine has {self.count} such device(s).",
                f"Write '{self.kind}:0' to '{self.kind}:{self.count - 1}'.",
            )
        return f"{self.kind}:{int(index)}"

    def from_host(self, array: np.ndarray[Any, Any], device: str) -> Array:
        with self.on(device):
            return self.namespace.asarray(array)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        return self.namespace.asnumpy(array)

    def on(self, device: str) -> contextlib.AbstractContextManager[Any]:
        return self.namespace.cuda.Device(int(device.partition(":")[2] or 0))

    def new_generator(self, seed: np.random.SeedSequence, device: str) -> Any:
        with self.on(device):
            return self.namespace.random.default_rng(int(seed.generate_state(1, np.uint64)[0]))

    def byte_bounds(self, array: Array) -> tuple[int, int]:
        low, high = self.namespace.byte_bounds(array)
        return int(low), int(high)


HOST = Backend(np)
_by_kind: dict[str, Backend] = {}
_by_array: dict[type, Backend] = {}


_several_devices = False


def register(backend: Backend) -> None:
    """Make a further array library known, by its device kind and its array type."""
    global _several_devices
    _several_devices = _several_devices or backend.count > 1
    _by_kind[backend.kind] = backend
    _by_array[backend.array] = backend


register(HOST)


def of(array: Array) -> Backend:
    """The backend that an array belongs to (numbers and NumPy scalars belong to the host)."""
    found = _by_array.get(type(array))
    if found is None:
        if isinstance(array, (np.ndarray, np.generic, bool, int, float)):
            return HOST
        for kind, backend in _by_array.items():
            if isinstance(array, kind):
                return backend
        if _of_cupy(type(array)):
            return _backend("cuda")
        raise TypeError(f"{type(array).__name__} is not an array of a known library (NumPy or CuPy)")
    return found


def is_array(value: Any) -> bool:
    """Whether `value` is an array of a known library."""
    return type(value) in _by_array or is_array_type(type(value))


def is_array_type(kind: type) -> bool:
    """Whether a class is that of the arrays of a known library."""
    return issubclass(kind, tuple(_by_array)) or _of_cupy(kind)


def has_own_rules(kind: type) -> bool:
    """Whether a class of arrays computes otherwise than arrays do: numpy.matrix, and masked arrays."""
    return any(
        base.__name__ in ("MaskedArray", "matrix") and base.__module__.startswith("numpy") for base in kind.__mro__
    )


def _of_cupy(kind: type) -> bool:
    """Whether a class is that of CuPy's arrays, made by the user's own ``import cupy`` perhaps."""
    return kind.__module__.partition(".")[0] == "cupy" and kind.__name__ == "ndarray"


def namespace(array: Array) -> Any:
    """The array library (a module) that `array` belongs to."""
    return of(array).namespace


def device_of(array: Array) -> str:
    """The name of the device that holds `array`."""
    return of(array).device_of(array)


_INSTALL = "Install it: pip install 'tinygrad_opt[cuda12]' (or cuda13)."
_INSTALL_LIBRARIES = "Install them: pip install 'cupy-cuda12x[ctk]' (or cupy-cuda13x[ctk])."
_INSTALL_ANEW = "Install it anew: pip install --force-reinstall cupy-cuda12x (or cupy-cuda13x)."
_SHOW = "See what CuPy finds: python -c 'import cupy; cupy.show_config()'."


def _load_cupy() -> Backend:
    """Import CuPy and try it, up to a first computation; each way to fail has its own sentence and remedy."""
    try:
        import cupy  # type: ignore[import-not-found,unused-ignore]
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            raise errors.device_unavailable("cuda", "CuPy is not installed.", _INSTALL) from None
        raise _unusable("CuPy cannot be imported", error, _INSTALL_ANEW) from error
    try:
        count, said = cupy.cuda.runtime.getDeviceCount(), ""
    except Exception as error:
        count, said = 0, f" ({error})"
    if count == 0:
        raise errors.device_unavailable(
            "cuda", f"CuPy finds no NVIDIA driver or no GPU{said}.", "Check the driver: nvidia-smi."
        )
    try:
        ones = cupy.arange(2, dtype="float32")
        float(ones @ ones)
        return Cupy(cupy)
    except Exception as error:
        raise _unusable("the GPU fails a first computation", error, _SHOW) from error


def _unusable(what: str, error: Exception, remedy: str) -> errors.DeviceUnavailableError:
    """The error for a CuPy that is there and does not work: for want of CUDA's libraries, as a rule."""
    if any(hint in str(error).lower() for hint in (".so", ".dll", "dll load", "librar")):
        what, remedy = "CUDA libraries are missing", _INSTALL_LIBRARIES
    return errors.device_unavailable("cuda", f"{what} ({error}).", remedy)


def _backend(kind: str) -> Backend:
    if kind not in _by_kind and kind == "cuda":
        register(_load_cupy())
    try:
        return _by_kind[kind]
    except KeyError:
        raise ValueError(f"unknown device {kind!r}; write 'cpu', 'cuda', 'cuda:1' or 'auto'") from None


def resolve(device: str | None, function: str = "") -> str:
    """The full name of a device that can be used now; ``None`` is the CPU, ``"auto"`` a GPU where there is one."""
    if device is None:
        return "cpu"
    if not isinstance(device, str):
        whose = f"{function}: " if function else ""
        raise TypeError(f"{whose}device must be a string such as 'cpu' or 'cuda:0'; got {device!r}")
    if device == "cpu":
        return "cpu"
    if device == "auto":
        try:
            return resolve("cuda")
        except errors.DeviceUnavailableError:
            return "cpu"
    try:
        return _backend(device.partition(":")[0]).canonical(device)
    except ValueError as error:
        raise errors.in_argument(function, "device", error) if function else error from None


def for_device(device: str) -> Backend:
    """The backend that serves a device, by the device's name."""
    return _backend(device.partition(":")[0])


def has_several_devices() -> bool:
    """Whether some library that is in use has more than one device, so that one of them has to be current."""
    return _several_devices


_anywhere = contextlib.nullcontext()


def beside(array: Array) -> contextlib.AbstractContextManager[Any]:
    """Make the device of `array` current: what is made inside lands beside it, and work on it is allowed."""
    if not _several_devices:
        return _anywhere
    library = of(array)
    return _anywhere if library is HOST else library.on(library.device_of(array))


def to_device(array: Array, device: str) -> Array:
    """Move an array; the same array comes back where it is there already."""
    source, target = of(array), for_device(device)
    if source is target and source.device_of(array) == device:
        return array
    return target.from_host(source.to_host(array), device)


# Random numbers. One seed drives all generators of the package; NumPy's global one is never touched.


class _Numbers:
    """The random generators of all devices, each made from the one seed when it is first asked for."""

    def __init__(self, seeds: Any = None, branch: int = 0) -> None:
        self.seeds = seeds  # made when first needed: importing numpy.random takes a while
        self.branch = branch  # counts how often the generators of devices were started anew under one seed
        self.generators: dict[str, Any] = {}


_numbers = _Numbers()
_replayed: ContextVar[_Numbers | None] = ContextVar("replayed", default=None)  # of this thread or task alone


def manual_seed(seed: int) -> None:
    """Seed every random generator of the package, on all devices.

    Parameters
    ----------
    seed : int
        A non-negative integer. The same seed gives the same initial weights, shuffles and dropout masks.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.manual_seed(0)
    >>> a = tg.rand(3)
    >>> tg.manual_seed(0)
    >>> bool((a == tg.rand(3)).numpy().all())
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"manual_seed: the seed is a non-negative integer; got {seed!r}")
    numbers = _replayed.get() or _numbers
    numbers.seeds, numbers.branch = np.random.SeedSequence(int(seed)), 0
    numbers.generators.clear()


def generator(device: str = "cpu") -> Any:
    """The package's random generator on `device`: ``numpy.random.Generator`` or its CuPy twin.

    On a GPU only ``random``, ``uniform``, ``integers`` and ``standard_normal`` may be relied upon; whatever must be
    the same for one seed on every device (initial weights, shuffles, splits) draws from the host's.
    """
    numbers = _replayed.get() or _numbers
    found = numbers.generators.get(device)
    if found is None:
        if numbers.seeds is None:
            numbers.seeds = np.random.SeedSequence()
        key = [ord(c) for c in device]
        if device != HOST.kind and numbers.branch:
            key.append(numbers.branch)
        seed = np.random.SeedSequence(numbers.seeds.entropy, spawn_key=key)
        found = numbers.generators.setdefault(device, for_device(device).new_generator(seed, device))
    return found


class RandomState(NamedTuple):
    """Where the random numbers of all devices stand at some moment."""

    seeds: np.random.SeedSequence
    branch: int
    host: Mapping[str, Any]


def random_state() -> RandomState:
    """Where the random numbers stand now: something that `replaying` can return to.

    The generator of a GPU does not tell its state. So those are dropped here, and the next number drawn on a GPU
    comes from a new one, of a branch that can be started again.
    """
    host = generator(HOST.kind)
    numbers = _replayed.get() or _numbers
    for device in [device for device in numbers.generators if device != HOST.kind]:
        numbers.generators.pop(device, None)
    numbers.branch += 1
    return RandomState(numbers.seeds, numbers.branch, host.bit_generator.state)


def restore_random_state(state: RandomState) -> None:
    """Go on drawing from where the random numbers stood, here or in another process."""
    numbers = _replayed.get() or _numbers
    numbers.seeds, numbers.branch = state.seeds, state.branch
    numbers.generators.clear()
    generator(HOST.kind).bit_generator.state = state.host


@contextlib.contextmanager
def replaying(state: RandomState) -> Iterator[None]:
    """Draw once more what was drawn after `state`, from generators of its own: nobody else's numbers change by it."""
    numbers = _Numbers(state.seeds, state.branch)
    numbers.generators[HOST.kind] = host = HOST.new_generator(state.seeds, HOST.kind)
    host.bit_generator.state = state.host
    token = _replayed.set(numbers)
    try:
        yield
    finally:
        _replayed.reset(token)
