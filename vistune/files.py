"""Reading and writing files so that nothing is lost and nothing is half-written."""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml

from vistune.errors import InputError, reading

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # an escape for half of a pair


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it is renamed to `path`, otherwise removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside its target, since a rename is atomic only within a disk; with the process number, so that two writers do not
    # share it.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; on a clean exit, its files safe on the disk, it takes the name, otherwise it goes.

    A folder cannot be renamed over one that is not empty, so an old one goes first; a kill in between leaves the new one whole,
    under its temporary name.
    """
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        settle(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        settle(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sweep(path: str | Path) -> None:
    """Remove what killed processes left half-written of `path`: temporary files of `atomic_path` whose process is no more."""
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        process = left.name.removeprefix(f".{path.name}.").removesuffix(".tmp")
        if process.isdecimal() and not _alive(int(process)):
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        # Signal 0 is never sent: the call only says whether the process exists.
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; no process at all, and no file of ours
        return True
    return True


@contextmanager
def atomic_open(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open `path` for writing; it appears whole when the block ends, or not at all when the block raises."""
    with atomic_path(path) as temporary, open(temporary, mode, encoding=None if "b" in mode else "utf-8") as file:
        yield file
        file.flush()
        # Before the rename: without it a power cut may leave the new name with an empty file.
        os.fsync(file.fileno())


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON (indented, keys in the order given, NaN refused) atomically."""
    with atomic_open(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file. Raises `InputError` naming the file, and the line where it is broken."""
    try:
        with open(path, encoding="utf-8") as file:
            return _loaded(file.read())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: a text holds half of a surrogate pair") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from error
    except RecursionError as error:
        raise InputError(f"{path}: JSON nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{path}: {too_long(error)}") from error


def json_line(text: str, where: str) -> Any:
    """The JSON value of a line. Raises `InputError`, which begins with `where`: the file and the line."""
    try:
        return _loaded(text)
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: the text holds half of a surrogate pair") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error})") from error
    except ValueError as error:
        raise InputError(f"{where}: {too_long(error)}") from error


def _loaded(text: str) -> Any:
    """The value. Raises `UnicodeEncodeError` for half of a surrogate pair: only an escape brings one, and no file keeps it."""
    value = json.loads(text)
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def too_long(error: ValueError) -> str:
    """Python reads no whole number of more than some thousand digits, and calls that no JSON error."""
    return f"holds a number that is too long ({str(error).partition(';')[0]}); write it as text"


def write_jsonl(path: str | Path, records: Iterable[Any]) -> int:
    """Write one JSON value a line, atomically, and return how many."""
    count = 0
    with atomic_open(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def read_jsonl(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Yield `(line number from 1, value)`; blank lines are passed over. Raises `InputError` at the first broken line."""
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                yield number, json_line(line, f"{path}: line {number}")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} of a line is not UTF-8") from error


def escapes(folder: str | Path, path: str | Path) -> bool:
    """Does `path`, named as one in `folder`, lie elsewhere once its links are followed?

    The hub's cache keeps the files of `snapshots/REVISION` as links into `blobs` beside it, which is no other place.
    """
    if "\0" in str(path):  # no file's name, so none in the folder
        return True
    root, real = Path(os.path.realpath(folder)), Path(os.path.realpath(path))
    # Both sides with all links followed, or `/tmp` as a link would make every path inside it an escape.
    return not real.is_relative_to(root) and real.parent != root.parent.parent / "blobs"


def kept(folder: str | Path, path: Path) -> Path:
    """`path`, named as one in `folder`. Raises `InputError` for a link that leads out of it."""
    if escapes(folder, path):
        raise InputError(f"{path} is a link that leads out of {folder}: name the file itself, or copy it there")
    return path


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Within the block a library writes `path`; that it cannot, for want of room above all, is one sentence."""
    with reading(f"cannot write {path}"):
        yield


def settle(folder: Path) -> None:
    """Wait until the disk holds all files of a folder, so that a rename after it never brings forth half of them."""
    # The folder last: its entry for a file is on the disk only when the folder itself is.
    for path in (*(file for file in folder.rglob("*") if file.is_file()), folder):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder as its only writer. Raises `InputError` when another process does.

    The lock is the kernel's: it ends with this process, however that ends, and leaves no file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = [os.open(folder, os.O_RDONLY)]

    def release() -> None:
        while held:
            os.close(held.pop())

    os.register_at_fork(after_in_child=release)  # a child that outlives this process would keep it locked
    try:
        lock(held[0], folder)
        yield
    finally:
        release()


def lock(number: int, path: str | Path) -> None:
    """Lock an open file or folder until it is closed. Raises `InputError` when another process has locked it."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{path} is being written by another process: wait for it, or choose another --out") from error


def regular(path: str | Path) -> str | Path:
    """`path`, to be opened. Raises `OSError` for a pipe or a device: opening one waits, or reading it never ends."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file has a name with a zero byte")
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a folder says so itself
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")
    return path


def sha256(path: str | Path) -> str:
    """Hex digest of a file's content."""
    with open(regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file, as `parse_yaml` does. Raises `InputError` naming the file."""
    try:
        return parse_yaml(Path(path).read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8") from error


class _Yaml(yaml.SafeLoader):
    """YAML 1.1 takes `1e-3` for text, since it has no point; people mean the number."""


class _Dumper(yaml.SafeDumper):
    """Quotes texts that `_Yaml` would take for numbers."""


for _side in (_Yaml, _Dumper):
    _side.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789"))


def dump_yaml(value: Any, **options: Any) -> str:
    """Plain values as YAML text that `parse_yaml` reads back as they are; `options` are those of `yaml.dump`."""
    return str(yaml.dump(value, Dumper=_Dumper, **options))


def parse_yaml(text: str, where: str) -> Any:
    """Plain values from YAML text: no tags, no objects. Raises `InputError` naming `where`, also for a value that holds itself,
    is nested too deeply, or repeats its parts (`*name`) until it is too large to write out."""
    try:
        value = yaml.load(text, Loader=_Yaml)  # a SafeLoader
        _expanded(value, where, {}, 0)
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise InputError(f"{where} is nested too deeply") from error
    return value


_DEEPEST, _LARGEST = 100, 1_000_000


def _expanded(value: Any, where: str, known: dict[int, int | None], depth: int) -> int:
    """How many values it has once every `*name` is written out; `known` holds the counts of parts, None while one is open."""
    if not isinstance(value, dict | list):
        return 1
    # An anchor that is used many times is one object: its count is looked up, so that a "billion laughs" file costs no time
    # to refuse.
    if id(value) in known:
        count = known[id(value)]
        if count is None:
            raise InputError(f"{where} holds a value that contains itself")
        return count
    if depth > _DEEPEST:
        raise InputError(f"{where} is nested too deeply")
    # None while its inside is being counted: meeting it again then means that it holds itself.
    known[id(value)] = None
    inner = value.values() if isinstance(value, dict) else value
    count = known[id(value)] = 1 + sum(_expanded(one, where, known, depth + 1) for one in inner)
    if count > _LARGEST:
        raise InputError(f"{where} repeats its parts until they are more than {_LARGEST} values")
    return count
