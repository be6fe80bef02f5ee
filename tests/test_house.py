"""The front door: what importing costs, and that bad input is one sentence and exit code 2."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tokenize
import zlib
from pathlib import Path

import pytest
import yaml
from cli_calls import called
from PIL import Image


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd)


def test_importing_vistune_imports_no_torch() -> None:
    report = run("-X", "importtime", "-c", "import vistune").stderr
    modules = {line.rpartition("|")[2].strip().partition(".")[0] for line in report.splitlines()}
    assert "vistune" in modules and not modules & {"torch", "transformers", "numpy"}


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["data", "--help"], ["score", "--help"]])
def test_help_imports_no_torch(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = ['vistune', *{arguments!r}]\n"
    code += "from vistune.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    done = run("-c", code)
    assert "Usage: vistune" in done.stdout and done.returncode == 0
    assert not {"torch", "transformers"} & set(done.stdout.splitlines()[-1].split())


def test_public_names_resolve() -> None:
    import vistune

    for name in vistune.__all__:
        assert getattr(vistune, name) is not None
    assert callable(vistune.train) and callable(vistune.score)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = vistune.trian


def huge_png(path: Path) -> None:
    """A real PNG header that claims 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (30_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def dialogue(image: str | None, *turns: str) -> dict[str, object]:
    says = [{"from": ("human", "gpt")[index % 2], "value": text} for index, text in enumerate(turns)]
    return {"id": "r1", "conversations": says} | ({"image": image} if image else {})


TRAIN = ["train", "run.yaml", "--out", "run", "--data"]
CASES = {
    "unknown recipe": (["train", "lava", "--out", "run"], "there is no recipe 'lava' (did you mean 'llava'?)"),
    "unknown key": (["show", "llava", "--set", "stages.1.epoch=2"], "has no key 'epoch' (did you mean 'epochs'?)"),
    "unknown part": (["show", "llava", "--set", "modl.llm=x"], "there is no 'modl' (did you mean 'model'?)"),
    "no checkpoint": (["chat", ".", "What?"], ". is a run folder none of whose stages is finished: tune"),
    "unreadable picture": ([*TRAIN, "conversations:bad.json"], "bad.png"),
    "missing picture": ([*TRAIN, "conversations:missing.json"], "gone.png"),
    "huge picture": ([*TRAIN, "conversations:huge.json"], "30000x30000"),
    "nothing supervised": ([*TRAIN, "conversations:silent.json"], "r1"),
    "placeholder without picture": ([*TRAIN, "conversations:lost.json"], "1 <image> placeholder for 0 files"),
}

OWN_PROCESS = {"unknown key", "unknown part"}  # as users start them; in the others that would be most of the time


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_sentence_and_exit_code_two(name: str, tmp_path: Path, tiny_spec: dict) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:40])
    huge_png(tmp_path / "huge.png")
    for file, record in {
        "bad": dialogue("bad.png", "<image>\nWhat?", "Nothing."),
        "missing": dialogue("gone.png", "<image>\nWhat?", "Nothing."),
        "huge": dialogue("huge.png", "<image>\nWhat?", "Nothing."),
        "silent": dialogue("good.png", "<image>\nWhat?"),
        "lost": dialogue(None, "<image>\nWhat?", "Nothing."),
    }.items():
        (tmp_path / f"{file}.json").write_text(json.dumps([record]))
    stage = {"name": "tune", "train": {"connector": 1e-3}, "data": "world", "batch": 1, "steps": 1}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"name": "t", "model": tiny_spec, "stages": [stage]}))
    arguments, complaint = CASES[name]
    own = name in OWN_PROCESS
    done = run("-m", "vistune", *arguments, cwd=tmp_path) if own else called(*arguments, cwd=tmp_path)
    said = [line for line in done.stderr.splitlines() if line.startswith("vistune: ")]
    assert done.returncode == 2, done.stderr
    assert len(said) == 1 and complaint in said[0], done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "tune").exists()


def test_test_files_have_names_of_their_own() -> None:
    """Outside packages pytest knows a test file by its name alone; two of one name stop the whole suite."""
    root = Path(__file__).parent
    names = [path.name for path in root.rglob("test_*.py") if not (path.parent / "__init__.py").exists()]
    assert not {name for name in names if names.count(name) > 1}


_MARK = re.compile(r"#\s*(noqa|type:|fmt:)")


def test_a_reader_finds_why_beside_the_code() -> None:
    """At least 2 of 100 lines have a comment; marks for tools are none."""
    lines = comments = 0
    for file in (Path(__file__).parents[1] / "vistune").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        lines += sum(1 for line in text.splitlines() if line.strip())
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found = (token for token in tokens if token.type == tokenize.COMMENT and not _MARK.match(token.string))
        comments += len({token.start[0] for token in found})
    assert comments >= 0.02 * lines, f"{comments} of {lines} lines have a comment: say why the hard ones are as they are"
