"""Files of weights: complete or not there, loaded as a whole or not at all, readable by others."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.train import container, files, load_weights, save_weights

pytest.importorskip("safetensors")
Array = Any


class Tied(nn.Module):
    """A part under two names, and buffers."""

    def __init__(self, seed: int = 0, device: str = "cpu") -> None:
        tg.manual_seed(seed)
        self.encode = nn.Linear(2, 2, device=device)
        self.again = self.encode
        self.norm = nn.BatchNorm1d(2, device=device)


def values(model: nn.Module) -> dict[str, bytes]:
    return {name: tensor.cpu().numpy().tobytes() for name, tensor in model.state_dict().items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# There and back.


def test_a_model_comes_back_bit_for_bit(path: Path, device: str) -> None:
    source, target = Tied(1, device), Tied(2, device)
    source.norm(tg.tensor([[1.0, 2.0], [3.0, 5.0]], device=device))
    save_weights(source, path)
    memory = target.encode.weight.data
    assert load_weights(target, path) == ([], [])
    assert values(target) == values(source)
    assert target.encode.weight.data is memory
    assert target.again is target.encode
    assert {tensor.device for tensor in target.state_dict().values()} == {device}


def test_a_file_goes_to_the_device_of_the_model(path: Path, device: str) -> None:
    source, target = Tied(1), Tied(2, device)
    save_weights(source, path)
    load_weights(target, path)
    assert values(target) == values(source)


def test_what_is_shared_is_written_once(path: Path) -> None:
    save_weights(Tied(), path)
    arrays, notes = container.unpack("test", path)
    assert sorted(arrays) == [
        "encode.bias", "encode.weight", "norm.bias", "norm.num_batches_tracked", "norm.running_mean",
        "norm.running_var", "norm.weight",
    ]  # fmt: skip
    assert (notes["again.weight"], notes["again.bias"]) == ("encode.weight", "encode.bias")


def test_shared_weights_into_a_model_that_shares_none(path: Path) -> None:
    save_weights(Tied(1), path)
    target = Tied(2)
    target.again = nn.Linear(2, 2)
    load_weights(target, path)
    assert target.again.weight.tolist() == target.encode.weight.tolist() == Tied(1).encode.weight.tolist()


def test_different_values_for_one_tensor_are_refused(path: Path) -> None:
    source = Tied(1)
    source.again = nn.Linear(2, 2)
    save_weights(source, path)
    target = Tied(2)
    before = values(target)
    with pytest.raises(tg.errors.WeightsError, match=r"'encode.weight' and 'again.weight' are one tensor here"):
        load_weights(target, path)
    assert values(target) == before


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_dtype_layout_and_size(path: Path, dtype: str) -> None:
    rng = np.random.default_rng(0)
    state = {
        "turned": rng.standard_normal((3, 4)).astype(dtype).T,
        "every second": rng.standard_normal(8).astype(dtype)[::2],
        "backwards": rng.standard_normal(8).astype(dtype)[::-1],
        "none": np.zeros((0, 3), dtype),
        "one": np.array(1.5, dtype),
        "flags": np.array([True, False]),
        "small": np.array([1, 2], "int8"),
        "count": np.array(7, "int64"),
        "spread": np.broadcast_to(np.array(2.0, dtype), (2, 2)),
        "größe": np.ones(1, dtype),
    }
    save_weights(state, path)
    arrays, _ = container.unpack("test", path)
    assert arrays.keys() == state.keys()
    for name, array in state.items():
        assert (arrays[name].shape, arrays[name].dtype) == (array.shape, array.dtype)
        np.testing.assert_array_equal(arrays[name], array)


def test_the_same_model_gives_the_same_bytes(path: Path) -> None:
    save_weights(Tied(), path)
    first = path.read_bytes()
    save_weights(Tied(), path)
    assert path.read_bytes() == first


def test_an_optimizer_goes_on_with_what_was_loaded(path: Path) -> None:
    model = nn.Linear(1, 1, bias=False)
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    model.weight.data = np.full((1, 1), 5.0, "float32")
    save_weights(model, path)
    model.weight.data = np.zeros((1, 1), "float32")
    load_weights(model, path)
    model(tg.ones(1, 1)).sum().backward()
    optimizer.step()
    assert model.weight.item() == 4.0


# Dtypes of others.


def half_precision(path: Path, bits: list[int]) -> None:
    """A file with one bfloat16 tensor, as another program would write it."""
    data = np.array(bits, "<u2").tobytes()
    header = b'{"weight":{"dtype":"BF16","shape":[1,%d],"data_offsets":[0,%d]}}' % (len(bits), len(data))
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def test_bfloat16_is_read_as_float32(path: Path) -> None:
    half_precision(path, [0x3FC0, 0xC040, 0x7F7F, 0x0001])  # 1.5, -3, the largest, the smallest
    model = nn.Linear(4, 1, bias=False)
    load_weights(model, path)
    assert model.weight.tolist() == [[1.5, -3.0, (2 - 2**-7) * 2.0**127, 2.0**-133]]


def test_float16_into_float32_keeps_every_value(path: Path) -> None:
    save_weights({"weight": np.array([[1.5, 6e-8]], "float16")}, path)
    model = nn.Linear(2, 1, bias=False)
    load_weights(model, path)
    assert model.weight.dtype == tg.float32
    assert model.weight.tolist() == [[1.5, float(np.float16(6e-8))]]


def test_float64_into_float32_is_refused_unless_asked_for(path: Path) -> None:
    save_weights({"weight": np.array([[0.1, 0.2]])}, path)
    model = nn.Linear(2, 1, bias=False)
    before = values(model)
    with pytest.raises(tg.errors.WeightsError, match=r"could lose digits: pass cast=True"):
        load_weights(model, path)
    assert values(model) == before
    load_weights(model, path, cast=True)
    assert model.weight.tolist() == np.array([[0.1, 0.2]], "float32").tolist()
    save_weights({"weight": np.array([[1e300, 0.2]])}, path)
    with pytest.raises(tg.errors.WeightsError, match="outside the range of float32"):
        load_weights(model, path, cast=True)


def test_dtypes_that_no_tensor_has_are_refused(path: Path) -> None:
    half_precision(path, [0])
    path.write_bytes(path.read_bytes().replace(b'"BF16","shape":[1,1]', b'"F8_E4M3","shape":[2]'))
    content = path.read_bytes()
    header = content[8:-2].rstrip()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[-2:])
    with pytest.raises(tg.errors.WeightsError, match=r"'weight' in .* is of dtype F8_E4M3, which no tensor here has"):
        load_weights(nn.Linear(1, 1, bias=False), path)


# Files that are no good.


def attempts(model: nn.Module, path: Path, contents: list[bytes]) -> set[str]:
    """What loading says of each content; the model must stay as it is."""
    said = set()
    before = values(model)
    for content in contents:
        path.write_bytes(content)
        try:
            load_weights(model, path)
        except Exception as error:
            said.add(type(error).__name__)
        else:
            said.add(f"loaded {content!r}")
    assert values(model) == before
    return said


def test_a_file_cut_anywhere_is_one_error_and_changes_nothing(path: Path) -> None:
    save_weights(Tied(1), path)
    content = path.read_bytes()
    assert attempts(Tied(2), path, [content[:n] for n in range(len(content))]) == {"WeightsError"}
    assert attempts(Tied(2), path, [content + b"0", b"0" + content]) == {"WeightsError"}


def test_a_changed_byte_anywhere_is_one_error_and_changes_nothing(path: Path) -> None:
    save_weights(Tied(1), path)
    content = path.read_bytes()
    changed = [
        content[:i] + bytes([content[i] ^ mask]) + content[i + 1 :]
        for i in range(len(content))
        for mask in (1 << i % 8, 255)
    ]
    assert attempts(Tied(2), path, changed) == {"WeightsError"}


def test_a_changed_header_of_somebody_else_s_file_is_the_same_error(path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    model = nn.BatchNorm1d(2)
    library.save_file({name: (t + 1).numpy() for name, t in model.state_dict().items()}, path)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    changed = [content[:i] + bytes([content[i] ^ (1 << i % 8)]) + content[i + 1 :] for i in range(header)]
    assert attempts(model, path, changed) == {"WeightsError"}
    assert attempts(model, path, [content[:n] for n in range(len(content))]) == {"WeightsError"}


def test_the_state_of_another_model_is_refused_with_its_names(path: Path) -> None:
    save_weights(nn.Linear(2, 3), path)
    model = nn.Linear(3, 2)
    with pytest.raises(tg.errors.WeightsError, match=r"'weight': expected \(2, 3\) float32, got \(3, 2\) float32"):
        load_weights(model, path)
    with pytest.raises(tg.errors.WeightsError, match=r"missing: '0.weight'\n.*missing: '0.bias'\n.*unexpected: 'bias'"):
        load_weights(nn.Sequential(model), path)
    assert load_weights(nn.Sequential(model), path, strict=False) == (["0.weight", "0.bias"], ["bias", "weight"])


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_refused_with_the_conversion(path: Path, zipped: bool) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 2).state_dict(), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        tg.errors.WeightsError, match=r"is a pickle.*safetensors.torch.save_file\(model.state_dict\(\), "
    ):
        load_weights(nn.Linear(2, 2), path)


def test_an_archive_of_numpy_is_no_pickle(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, weight=np.zeros((2, 2)))
    with pytest.raises(tg.errors.WeightsError, match="no complete safetensors file"):
        load_weights(nn.Linear(2, 2), path)


def test_files_that_are_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_weights(nn.Linear(2, 2), path)
    with pytest.raises(FileNotFoundError):
        save_weights(nn.Linear(2, 2), path / "deeper")


def test_what_is_no_model_or_state_is_refused(path: Path) -> None:
    with pytest.raises(TypeError, match=r"save_weights: expected a Module or a state_dict; got list"):
        save_weights([nn.Linear(1, 1)], path)
    with pytest.raises(TypeError, match=r"save_weights: a state leads from names to tensors; got 'a': 1"):
        save_weights({"a": 1}, path)
    with pytest.raises(TypeError, match=r"expected a Module; got PosixPath. Write load_weights\(model, path\)"):
        load_weights(path, nn.Linear(1, 1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot be called '__metadata__'"):
        save_weights({"__metadata__": np.zeros(1)}, path)
    assert names_in(path.parent) == []


# Writing.


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_what_fails_while_writing_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    save_weights(Tied(1), path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left")

    if step == "open":
        monkeypatch.setattr(files, "open", fail, raising=False)
    else:
        monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        save_weights(Tied(2), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert names_in(path.parent) == [path.name]


def test_the_content_is_on_the_disk_before_it_has_the_name_and_the_name_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def replaced(source: Any, target: Any) -> None:
        steps.append("replace")
        assert Path(source).parent == Path(target).parent
        replace(source, target)

    monkeypatch.setattr(files.os, "fsync", synced)
    monkeypatch.setattr(files.os, "replace", replaced)
    save_weights(Tied(), path)
    assert steps == ["file", "replace", "folder"]


def test_permissions_and_links_are_those_of_an_ordinary_file(path: Path) -> None:
    save_weights(Tied(1), path)
    plain = path.parent / "plain"
    plain.write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    link = path.parent / "link"
    link.symlink_to(path)
    save_weights(Tied(2), link)
    assert link.is_symlink()
    target = Tied(3)
    load_weights(target, path)
    assert values(target) == values(Tied(2))


def test_without_the_library_the_error_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_weights(Tied(), path)
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"load_weights needs safetensors: pip install 'tinygrad_opt\[train\]'"):
        load_weights(Tied(), path)


# Shared weights, beside PyTorch.


@pytest.mark.oracle
def test_shared_weights_from_and_to_pytorch(path: Path) -> None:
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")

    class Theirs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode = torch.nn.Linear(2, 2)
            self.again = self.encode
            self.norm = torch.nn.BatchNorm1d(2)

    theirs, ours = Theirs(), Tied()
    library.save_model(theirs, str(path))
    load_weights(ours, path)
    assert values(ours) == {name: t.numpy().tobytes() for name, t in theirs.state_dict().items()}
    ours = Tied(3)
    save_weights(ours, path)
    library.load_model(theirs, str(path))
    assert values(ours) == {name: t.numpy().tobytes() for name, t in theirs.state_dict().items()}


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_from_pytorch(path: Path, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    theirs, ours = torch.nn.Linear(3, 2).to(getattr(torch, dtype)), nn.Linear(3, 2)
    library.save_file(theirs.state_dict(), path)
    load_weights(ours, path)
    assert values(ours) == {name: t.float().numpy().tobytes() for name, t in theirs.state_dict().items()}
    ours = nn.Linear(3, 2)
    ours.load_state_dict(theirs.state_dict())
    assert values(ours) == {name: t.float().numpy().tobytes() for name, t in theirs.state_dict().items()}
