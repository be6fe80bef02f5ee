"""Point clouds: the same points from every format; what is damaged is one sentence."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vistune.data.media.points import load_points
from vistune.errors import InputError
from vistune.sample import Media

XYZ = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
BYTES = np.random.default_rng(1).integers(0, 256, size=(7, 3), dtype=np.uint8)
CLOUD = np.concatenate([XYZ, BYTES.astype(np.float32) / np.float32(255)], axis=1)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def ply(order: str) -> bytes:
    """Seven vertices with a normal that is passed over, behind an element of another kind, before three faces."""
    head = f"ply\nformat {order} 1.0\ncomment made here\nelement camera 2\nproperty float f\nproperty uchar n\n"
    head += "element vertex 7\nproperty double x\nproperty float nx\nproperty float y\nproperty float z\n"
    head += "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    head += "element face 3\nproperty list uchar int vertex_indices\nend_header\n"
    if order == "ascii":
        rows = ["1.5 3", "2.5 4"]
        rows += [f"{x!r} 0 {y!r} {z!r} {r} {g} {b}" for (x, y, z), (r, g, b) in zip(XYZ.tolist(), BYTES.tolist(), strict=True)]
        return (head + "\n".join(rows) + "\n3 0 1 2\n" * 3).encode()
    mark = "<" if "little" in order else ">"
    cameras = np.zeros(2, [("f", mark + "f4"), ("n", "u1")])
    kinds = [("x", mark + "f8"), ("nx", mark + "f4"), ("y", mark + "f4"), ("z", mark + "f4"), ("c", "u1", 3)]
    table = np.zeros(7, kinds)
    table["x"], table["y"], table["z"], table["c"] = XYZ[:, 0], XYZ[:, 1], XYZ[:, 2], BYTES
    return head.encode() + cameras.tobytes() + table.tobytes() + b"\3" + bytes(12)


def off(colours: bool = False, glued: bool = False) -> bytes:
    rows = [" ".join(map(repr, row[: 6 if colours else 3])) for row in CLOUD.astype(float).tolist()]
    return (
        "\n".join([("COFF" if colours else "OFF") + ("7 1 0" if glued else "\n# counts\n7 1 0"), *rows, "3 0 1 2"])
    ).encode()


WHOLE = {
    "npy": npy(CLOUD),
    "npy_double": npy(CLOUD.astype(np.float64)),
    "npz": npz(points=CLOUD),
    "ply_ascii": ply("ascii"),
    "ply_little": ply("binary_little_endian"),
    "ply_big": ply("binary_big_endian"),
    "coff": off(colours=True),
}


def cloud(data: bytes) -> np.ndarray:
    return load_points(Media("points", data=data), "sample 3")


@pytest.mark.parametrize("kind", WHOLE)
def test_every_format_gives_the_points(kind: str) -> None:
    got = cloud(WHOLE[kind])
    assert got.dtype == np.float32 and np.array_equal(got, CLOUD)


@pytest.mark.parametrize("glued", [False, True])
def test_vertices_without_colour_are_three_values(glued: bool) -> None:
    assert np.array_equal(cloud(off(glued=glued)), XYZ)


def test_a_file_and_an_array_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "chair_8192.npy", CLOUD)
    assert np.array_equal(load_points(Media.file("points", str(tmp_path / "chair_8192.npy"))), CLOUD)
    assert np.array_equal(load_points(Media("points", data=CLOUD)), CLOUD)


@pytest.mark.parametrize("kind", [*WHOLE, "off"])
def test_a_file_cut_anywhere_is_one_sentence(kind: str) -> None:
    data = WHOLE.get(kind) or off()
    for end in range(4, len(data) * 2 // 3, 11):
        with pytest.raises(InputError, match=r"^sample 3: points <points in memory> [a-z]"):
            cloud(data[:end])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "known format"),
        (b"\x89PNG\r\n", "known format"),
        (npy(np.zeros((4, 2))), r"float64 \[4, 2\], expected numbers"),
        (npy(np.zeros((0, 3))), "has no points"),
        (npy(np.array([[0, 0, np.nan]])), "not finite: point 1 of 1"),
        (npy(np.array([["a", "b", "c"]])), "expected numbers"),
        (npz(a=CLOUD, b=CLOUD), "holds 2 arrays"),
        (ply("ascii").replace(b"double x", b"double w"), "vertices without x"),
        (ply("ascii").replace(b"double x", b"quad x"), "no known type"),
        (ply("ascii").replace(b"vertex 7", b"vertex 99999999999"), "more than the 20 million"),
        (ply("ascii").replace(b"property float f", b"property list uchar int f"), "lists in front"),
        (off().replace(b"7 1 0", b"seven"), "no number of vertices"),
        (off().replace(b"7 1 0", b"9999999999 1 0"), "more than the 20 million"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        cloud(data)


def test_an_archive_that_unpacks_to_far_more_is_refused_unread() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy(CLOUD) + bytes(2_000_000))
    with pytest.raises(InputError, match="more than any cloud"):
        load_points(Media("points", data=buffer.getvalue()), max_points=100)
