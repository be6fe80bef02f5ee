"""From a valid input to a hostile one: changed trees, changed bytes, changed tensors."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.oracles import CANARY

SECRET = "secret.png"
WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2.5, -0.5, 10**12, 10**30, 10**400, 1e308, 1e-300, float("nan"), float("inf"), -(2**63)),
    *("", " ", "x", "0", "1e5", "<image>", "{", "}", "{}", "%s", "é" * 300, "\ud800", "a\x00b", "a\nb", "9" * 5000, "\\" * 50),
    *(f"../{SECRET}", f"/tmp/{SECRET}", f"a/../../{SECRET}", f"file:///tmp/{SECRET}", "http://10.1.2.3/c.jpg", "/dev/zero"),
    *("C:\\x.png", "data:image/png;base64,AAAA", "checkpoint:../x", "builtin:../x", "~/x", ".", "..", "/"),
    *([], {}, [None], [[]], ["x"], [1, 2], [[1, 2, 3, 4]], {"bytes": 5}, {"path": "../x"}, {"x": None}, [[[[[[[[[]]]]]]]]]),
)
KINDS: tuple[Any, ...] = (
    *(f"{CANARY}:Touch", {"kind": f"{CANARY}:Touch"}, {"kind": "os:system", "command": "true"}),
    *({"kind": "subprocess:Popen", "args": ["true"]}, "builtins:exec", f"{CANARY}", "base", "__init__", "os.path:join"),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def tree(value: Any, chance: random.Random, known: Sequence[Any] = ()) -> Any:
    """A copy with one to three faults. `known` are values that would be right elsewhere: kinds, names, paths."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        spots = list(places(value))
        if not spots:
            return chance.choice(WRONG)
        _fault(*chance.choice(spots), chance.choice(spots), chance, known)
    return value


def _fault(container: Any, key: Any, other: tuple[Any, Any], chance: random.Random, known: Sequence[Any]) -> None:
    fault = chance.choice(("wrong", "wrong", "wrong", "kind", "near", "known", "swap", "drop", "rename", "wrap", "double"))
    old = container[key]
    if fault == "wrong":
        container[key] = copy.deepcopy(chance.choice(WRONG))
    elif fault == "kind":
        container[key] = copy.deepcopy(chance.choice(KINDS))
    elif fault == "near" and isinstance(old, int | float) and not isinstance(old, bool) and abs(old) < 1e300:
        container[key] = chance.choice((old + 1, old - 1, -old, old * 2, old * 1000, old / 3, float(old), str(old)))
    elif fault == "known" and known:
        container[key] = copy.deepcopy(chance.choice(known))
    elif fault == "swap":
        container[key], other[0][other[1]] = copy.deepcopy(other[0][other[1]]), copy.deepcopy(old)
    elif fault == "drop":
        del container[key]
    elif fault == "wrap":
        container[key] = chance.choice(([old], {"kind": old}, {"x": old}, [old] * 3))
    elif isinstance(container, dict):
        container[f"{key}_" if fault == "rename" else chance.choice(("kind", "path", "x", "args"))] = container.pop(key)
    else:
        container.insert(key, copy.deepcopy(old))


def dumps(value: Any) -> str:
    """JSON with whatever it holds: NaN, half characters, numbers beyond all limits."""
    return json.dumps(value, ensure_ascii=True)


def json_text(value: Any, chance: random.Random, known: Sequence[Any] = ()) -> bytes:
    """A JSON file with faults in its tree, or in its bytes."""
    if chance.random() < 0.85:
        return dumps(tree(value, chance, known)).encode()
    if chance.random() < 0.1:  # a key twice
        return dumps(value).replace("{", '{"id": 1, "kind": "x", ', 1).encode()
    return raw(dumps(value).encode(), chance)


_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1, (1 << 64) - 1)
_FOREIGN = (
    b"\0",
    b"\xff",
    b'"',
    b"\n",
    b"\t",
    b",",
    b"NaN",
    b"1e999",
    b"\xed\xa0\x80",
    b"[" * 99,
    b"\xef\xbb\xbf",
    b"{",
    b"\\",
)


def raw(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """One to four faults in bytes: flips, cuts, doubled and foreign pieces, numbers at their limits, pieces of another file."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if not changed:
            break
        # The beginning, where headers are, is hit as often as all the rest.
        at = chance.randrange(min(len(changed), 64) if chance.random() < 0.5 else len(changed))
        fault = chance.choice(("flip", "flip", "cut", "cut", "drop", "double", "foreign", "number", "number", "zero", "splice"))
        if fault == "flip":
            changed[at] ^= 1 << chance.randrange(8)
        elif fault == "cut":
            del changed[at:]
        elif fault == "drop":
            del changed[at : at + chance.randrange(1, 9)]
        elif fault == "double":
            changed[at:at] = changed[at : at + chance.randrange(1, 40)]
        elif fault == "foreign":
            changed[at:at] = chance.choice(_FOREIGN)
        elif fault == "number":
            size = chance.choice((1, 2, 4, 8))
            number = chance.choice(_EXTREMES) & ((1 << 8 * size) - 1)
            changed[at : at + size] = number.to_bytes(size, chance.choice(("little", "big")))
        elif fault == "zero":
            end = min(len(changed), at + chance.randrange(1, 200))
            changed[at:end] = bytes(end - at)
        elif others:
            other = chance.choice(others)
            begin = chance.randrange(len(other))
            changed[at : at + 32] = other[begin : begin + chance.randrange(1, 64)]
    return bytes(changed)


def weights(file: Path, chance: random.Random) -> str:
    """Faults in a safetensors file: its tensors, its header, its bytes. Says which."""
    fault = chance.choice(("tensors", "tensors", "tensors", "header", "bytes", "cut"))
    data = file.read_bytes()
    if fault == "tensors" and _has_tensors(data):
        return f"tensor {_tensors(file, chance)}"
    if fault == "cut":
        file.write_bytes(data[: chance.randrange(len(data))])
    elif fault == "bytes":
        file.write_bytes(raw(data[:400], chance) + data[400:])
    else:
        size = struct.unpack("<Q", data[:8])[0]
        header = dumps(tree(json.loads(data[8 : 8 + size]), chance, ("F32", "I64", "BF16", "F8_E4M3", "BOOL"))).encode()
        file.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + size :])
    return fault


def _has_tensors(data: bytes) -> bool:
    """Has the file a header that names any? Those of some parts have none."""
    return len(json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]]).keys() - {"__metadata__"}) > 0


def _tensors(file: Path, chance: random.Random) -> str:
    import torch
    from safetensors.torch import load_file, save_file

    held = load_file(file)
    name = chance.choice(sorted(held))
    tensor = held[name]
    fault = chance.choice(
        ("renamed", "dropped", "added", "reshaped", "retyped", "nan", "infinite", "longer", "empty", "swapped")
    )
    if fault == "renamed":
        held[chance.choice((f"{name}_", name.upper(), f"../{name}", "x", name.partition(".")[2] or "y"))] = held.pop(name)
    elif fault == "dropped":
        del held[name]
    elif fault == "added":
        held[chance.choice(("x", f"{name}.x", "llm.model.x"))] = torch.zeros(2)
    elif fault == "reshaped":
        held[name] = chance.choice((tensor.reshape(-1), tensor[None], tensor.reshape(*tensor.shape, 1))).contiguous()
    elif fault == "retyped":
        kinds = (torch.int64, torch.int8, torch.bool, torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn)
        held[name] = tensor.to(chance.choice(kinds))
    elif fault in ("nan", "infinite"):
        held[name] = tensor.clone() if tensor.is_floating_point() else tensor.float()
        held[name].reshape(-1)[chance.randrange(max(1, tensor.numel()))] = float("nan" if fault == "nan" else "inf")
    elif fault == "longer":
        held[name] = torch.cat([tensor, tensor[:1]]) if tensor.dim() else tensor[None]
    elif fault == "empty":
        held[name] = torch.zeros(0)
    else:
        other = chance.choice(sorted(held))
        held[name], held[other] = held[other], held[name]
    if not held:
        held["x"] = torch.zeros(1)
    save_file({key: value.clone() for key, value in held.items()}, file, metadata={"format": "pt"})
    return fault


def holds(found: Any, said: Any) -> bool:
    """Does what was read hold all that the input says? What the input leaves out may be anything."""
    if isinstance(said, dict):
        return isinstance(found, dict) and all(key in found and holds(found[key], value) for key, value in said.items())
    if isinstance(said, list | tuple):
        return isinstance(found, list | tuple) and len(found) == len(said) and all(map(holds, found, said))
    if isinstance(said, float) and said != said:
        return bool(found != found)
    return type(found) is type(said) and bool(found == said)
