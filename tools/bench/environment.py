"""One thread, one core, and a description of the machine that the figures belong to.

Numerical libraries read their thread counts when they are loaded, so `settle` runs before any of them is
imported. Where the platform can pin a process, it pins this one to a single core and starts it anew, so that
every thread which a library creates behind our back stays on that core too.
"""

import os
import platform
import sys
from importlib import metadata, util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


def settle() -> None:
    """Ask every library for one thread; on a platform that can pin, restart this command on a single core."""
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity") and len(cores := os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(cores)})
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def find_package() -> None:
    """Let `import tinygrad_opt` work from a checkout that was never installed."""
    if util.find_spec("tinygrad_opt") is None:
        sys.path.insert(0, str(ROOT))


def version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(checkout)"


def cpu_model() -> str:
    """The processor's own name where Linux tells it, otherwise the platform's best guess."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def thread_pools() -> list[str]:
    """Which BLAS and OpenMP libraries are loaded, and with how many threads, as threadpoolctl tells."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ["unknown (threadpoolctl is not installed)"]
    return sorted({describe_pool(pool) for pool in threadpool_info()})


def describe_pool(pool: dict[str, object]) -> str:
    parts = [pool["internal_api"], pool.get("version"), pool.get("architecture")]
    return " ".join(str(part) for part in parts if part) + f", threads: {pool['num_threads']}"


def describe() -> dict[str, str]:
    """The machine and the interpreter; asked once the peers are loaded, so that their BLAS libraries show."""
    pinned = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "not pinned"
    return {
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": cpu_model(),
        "cores used": str(pinned),
        "thread pools": "; ".join(thread_pools()),
    }
