"""Disposable virtual environments for the commands beside this file.

An environment carries a stamp: a hash of everything that decides what is installed in it. The stamp is
removed before the first change and written after the last, so an environment with a matching stamp is
complete, whatever happened before; any other is thrown away and made anew, never mended.

The file parses on Python 3.6 and runs there as far as the sentence that asks for a newer one.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - the one place that has to run on an older Python
    sys.exit(
        "tinygrad_opt needs Python 3.10 or newer, and this is Python "
        + ".".join(map(str, sys.version_info[:3]))
        + ": run the command with a newer one."
    )

import hashlib
import os
import re
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
STAMP_FORMAT = "1"  # raise it when environments come to be made in another way: it outdates the existing ones
INTERRUPTED = 130  # the exit status that a shell gives to a command stopped with Ctrl-C

# Variables rather than options, because pip hands them on to the pip that fetches the build backend.
PIP_SETTINGS = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_RETRIES": "2"}

# What a failing step prints, and the sentence that helps. The first match counts: a cause stands before what
# it can lead to, as when an index that cannot be reached has no release of anything.
CAUSES = [
    (
        r"No space left on device|Disk quota exceeded|Errno (?:28|122)\b|WinError 112\b",
        "The disk is full: free some space, then run the command again.",
    ),
    (
        r"No module named '?(?:venv|ensurepip)\b|ensurepip is (?:disabled|not available)",
        "This Python cannot make virtual environments: install its venv module "
        "(on Debian and Ubuntu the package python{version}-venv).",
    ),
    (
        r"does not provide the extra '?([\w.-]+)",
        "There is no extra named {match}: pyproject.toml lists them under [project.optional-dependencies].",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|[Cc]onnection broken|ProxyError"
        r"|SSLError|CERTIFICATE_VERIFY_FAILED|Could not fetch URL|HTTP error \d+",
        "The package index cannot be reached: check the network connection, the proxy and pip's settings.",
    ),
    (
        r"Permission denied|Read-only file system|Operation not permitted|Errno (?:1|13|30)\b|WinError 5\b",
        "No permission to write: the environment is made in {root}, which has to be writable.",
    ),
    (
        r"No matching distribution found for ([^\s;]+)",
        "No installable release of {match} was found: check that pip may use a package index, "
        "and that the index has one for Python {version}.",
    ),
]


class SetupError(Exception):
    """The environment could not be made; the message is a sentence, with the step's last lines under it."""


def explain(output: str) -> str:
    """Return the sentence for the cause found in ``output``, with the last errors in it underneath."""
    lines = [textwrap.shorten(line, 160, placeholder=" ...") for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower()]
    for pattern, sentence in CAUSES:
        found = re.search(pattern, output)
        if found:
            version = "{}.{}".format(*sys.version_info)
            sentence = sentence.format(root=ROOT, version=version, match=found.group(found.lastindex or 0))
            break
    else:
        sentence = "The environment could not be made; the failing step said:"
        errors = errors or lines
    return "\n    ".join([sentence, *errors[-4:]])


def run(*command: str | Path) -> None:
    """Run one step with its output hidden, or raise `SetupError` with the end of that output."""
    step = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **PIP_SETTINGS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    # To pip an unknown extra is worth a warning only; here it is a misspelt request, not to be passed over.
    if step.returncode != 0 or "does not provide the extra" in step.stdout:
        raise SetupError(explain(step.stdout))


def fingerprint(extras: Iterable[str]) -> str:
    """Hash everything that decides what an environment with ``extras`` holds."""
    # The folder counts because an editable installation points to it: a copied checkout must not test its
    # original.
    parts = [STAMP_FORMAT, sys.version, str(ROOT), ",".join(sorted(extras))]
    described = "\n".join(parts).encode() + (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(described).hexdigest()


def is_complete(python: Path, stamp: Path, expected: str) -> bool:
    """Tell whether the environment of ``python`` was finished and is the expected one."""
    return python.exists() and stamp.is_file() and stamp.read_text() == expected


def make(folder: Path, python: Path, extras: list[str]) -> None:
    """Make the environment in ``folder`` and install the package into it, in place, with ``extras``."""
    # -I keeps packages that PYTHONPATH or the user's own site directory offers from counting as installed.
    print(f"Creating {folder.relative_to(ROOT)} with Python {sys.version.split()[0]}", flush=True)
    run(sys.executable, "-I", "-m", "venv", "--without-pip", "--clear", folder)
    run(python, "-I", "-m", "ensurepip")
    print(f"Installing tinygrad_opt with {', '.join(extras)}: a minute or so, once", flush=True)
    package = f".[{','.join(extras)}]"
    run(python, "-I", "-m", "pip", "install", "--quiet", "--prefer-binary", "--editable", package)


def prepare(name: str, extras: Iterable[str]) -> Path:
    """Return the interpreter of the environment ``.venv/name``, made first unless it is up to date."""
    extras = sorted(set(extras))
    folder = ROOT / ".venv" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "complete"
    try:
        expected = fingerprint(extras)
        if is_complete(python, stamp, expected):
            print(f"Using {folder.relative_to(ROOT)}, which is up to date", flush=True)
        else:
            started = time.monotonic()
            stamp.unlink(missing_ok=True)
            make(folder, python, extras)
            stamp.write_text(expected)
            print(f"Ready after {time.monotonic() - started:.0f} s", flush=True)
    except OSError as error:
        raise SetupError(explain(f"error: {error}")) from error
    return python


def exit_with(job: Callable[[], int]) -> NoReturn:
    """Run ``job`` and exit with its status; a failed set-up becomes its sentence, without a stack trace."""
    try:
        sys.exit(job())
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
