"""One file of named arrays and short notes: safetensors, with a checksum in its notes.

The format is a header in JSON and the bytes of the arrays: no code runs when a file is read, nothing expands, and
other frameworks read it. Its own checks see a file that was cut off or whose header is broken; the checksum, over the
whole file, sees every changed byte. Files of others have none, and are taken as they are.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors

__all__ = ["FORMAT", "pack", "unpack"]

FORMAT = "tinygrad_opt"
_UNSEALED = "crc32:00000000"
_SEAL = re.compile(rb'(?<="checksum":")crc32:([0-9a-f]{8})(?=")')
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8",
    "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
_KINDS = {(np.dtype(text).kind, np.dtype(text).itemsize): kind for kind, text in _DTYPES.items()}

Arrays = dict[str, np.ndarray[Any, Any]]


def _reader(function: str) -> Any:
    try:
        from safetensors import deserialize
    except ImportError as error:
        raise ImportError(f"{function} needs safetensors: pip install 'tinygrad_opt[train]'") from error
    return deserialize


def pack(arrays: Mapping[str, np.ndarray[Any, Any]], notes: Mapping[str, str]) -> bytes:
    """The file's content: the same bytes for the same arrays and notes."""
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))  # so that each is aligned
    header: dict[str, Any] = {"__metadata__": {**dict(sorted(notes.items())), "format": FORMAT, "checksum": _UNSEALED}}
    start = 0
    for name in names:
        if name == "__metadata__":
            raise ValueError("a tensor cannot be called '__metadata__': the file has its notes under this name")
        dtype, stop = arrays[name].dtype, start + arrays[name].nbytes
        kind = _KINDS[dtype.kind, dtype.itemsize]
        header[name] = {"dtype": kind, "shape": list(arrays[name].shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = bytearray(len(text).to_bytes(8, "little") + text)
    for name in names:
        content += arrays[name].astype(_DTYPES[header[name]["dtype"]], copy=False).tobytes()
    place = content.index(f'"checksum":"{_UNSEALED}"'.encode()) + len('"checksum":"')
    content[place : place + len(_UNSEALED)] = f"crc32:{zlib.crc32(content):08x}".encode()
    return bytes(content)


def unpack(function: str, path: Any) -> tuple[Arrays, dict[str, str]]:
    """The arrays and notes of a file; bfloat16 becomes float32, which holds all its values.

    Raises
    ------
    WeightsError
        For a file that is damaged, is none of this format, or holds what no array can.
    """
    deserialize = _reader(function)
    content = Path(path).read_bytes()
    try:
        entries = dict(deserialize(content))
    except Exception as error:  # the library has one class for it, and others for texts that are no texts
        raise errors.WeightsError(f"{function}: {_complaint(content, path, error)}") from None
    header = json.loads(_header(content))
    notes = header.pop("__metadata__", None) or {}
    if _is_changed(content, notes):
        raise errors.WeightsError(
            f"{function}: '{path}' is damaged: its checksum is not that of its content. Nothing was loaded: take a "
            "copy of the file."
        )
    return {name: _array(function, path, name, entries[name]) for name in header}, notes


def _complaint(content: bytes, path: Any, error: Exception) -> str:
    pickled = content[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
    if pickled and (b"data.pkl" in content[:4096] or content[:1] == b"\x80"):
        return (
            f"'{path}' is a pickle, as torch.save writes it, and reading one can run any code. Convert it where it "
            "comes from: safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
        )
    return (
        f"'{path}' is no complete safetensors file ({len(content):,} bytes; {error}). Nothing was loaded: take a copy "
        "of the file, or write it anew with tg.train.save_weights(model, path)."
    )


def _header(content: bytes) -> bytes:
    return content[8 : 8 + int.from_bytes(content[:8], "little")]


def _is_changed(content: bytes, notes: Mapping[str, str]) -> bool:
    """Whether a file of ours is not as it was written. It has two marks, so that no one byte makes it a stranger's."""
    seal = _SEAL.search(_header(content))
    if seal is None:
        return notes.get("format") == FORMAT or "checksum" in notes
    start = 8 + seal.start()
    return int(seal[1], 16) != zlib.crc32(content[8 + seal.end() :], zlib.crc32(content[:start] + _UNSEALED.encode()))


def _array(function: str, path: Any, name: str, entry: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    kind, shape = entry["dtype"], entry["shape"]
    if kind == "BF16":  # the upper half of a float32
        wide = np.frombuffer(entry["data"], "<u2").astype("<u4") << 16
        return wide.view("<f4").reshape(shape)
    if kind not in _DTYPES:
        raise errors.WeightsError(
            f"{function}: '{name}' in '{path}' is of dtype {kind}, which no tensor here has. Save it as float32 where "
            "it comes from."
        )
    if kind == "BOOL":
        return np.frombuffer(entry["data"], "u1").reshape(shape) != 0
    return np.frombuffer(entry["data"], _DTYPES[kind]).reshape(shape)
