"""No file decides what code runs: what is built from a spec keeps to a contract, and foreign modules need the caller's word."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import vistune
from tests.security.conftest import HOSTILE
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.model.native.spec import read_spec
from vistune.recipe import Recipe
from vistune.spec import build, class_name, keeps, kinds, resolve

ROOT = Path(vistune.__file__).parent
# Modules that import by a name which is no literal, each after looking the name up in a folder's listing or `vistune.trust`.
BY_NAME = {
    "__init__.py",
    "spec.py",
    "trust.py",
    "recipe.py",
    "data/convert.py",
    "data/catalogue/__init__.py",
    "evals/listing.py",
    "world/instructions.py",
    "world/senses.py",
    "construction/pipeline.py",
    "commands/parts.py",  # of the contracts in its own table
    "commands/programs.py",  # of the module that a class which was looked up lies in
}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `vistune.spec`'s `build` and `resolve`, under whatever name they were imported."""
    names = {"spec.build": "build", "spec.resolve": "resolve"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "vistune.spec":
            names |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in ("build", "resolve")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield names[ast.unparse(node.func)], node


def named(node: ast.expr, space: dict[str, Any]) -> Any:
    """The value of a literal or of a name in a module."""
    return ast.literal_eval(node) if isinstance(node, ast.Constant) else space[ast.unparse(node)]


@cache
def places() -> list[tuple[str, str, type]]:
    """`(module, folder, base)` of every place that builds from a spec."""
    found = []
    for file, tree in sources():
        module = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
        if module in ("vistune.spec", "vistune.promptlearn.towers.tower", "vistune.commands.parts"):
            continue  # the last takes a folder and its contract from a table of its own, and the kind from the command line
        for name, call in calls(tree):
            given = [*call.args, *(word.value for word in call.keywords if word.arg == "base")]
            assert len(given) >= 3, f"{module}:{call.lineno}: {name} without a base: a file could name any class there is"
            space = vars(importlib.import_module(module))
            folder = named(given[0], space)
            bases = [value for value in map(ast.unparse, given[2:]) if value[0].isupper()]
            late = {
                alias.name: getattr(importlib.import_module(node.module), alias.name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module
                for alias in node.names
                if alias.name in bases
            }
            found.append((module, folder, (space | late)[bases[0]]))
    return found


def test_every_place_that_builds_from_a_spec_says_which_contract_holds_there() -> None:
    found = places()
    assert {module for module, _, _ in found} >= {
        "vistune.model.vlm",
        "vistune.model.connectors.anyres",
        "vistune.model.encoders.anyres",
        "vistune.model.encoders.pair",
        "vistune.model.native.model",
        "vistune.data.samples",
        "vistune.data.readers.shards",
        "vistune.data.readers.huggingface",
        "vistune.evals.http_model",
        "vistune.construction.completers.endpoint",
        "vistune.construction.opening",
    }
    for module, folder, base in found:
        assert inspect.isclass(base) and base is not object, (module, base)


def test_nothing_else_imports_or_runs_what_a_name_says() -> None:
    for file, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            said = ast.unparse(node.func)
            assert said not in ("eval", "exec", "__import__", "compile", "pickle.load", "os.system"), f"{file}:{node.lineno}"
            if said.endswith("import_module") and not isinstance(node.args[0], ast.Constant):
                assert str(file.relative_to(ROOT)) in BY_NAME, f"{file}:{node.lineno}: imports {ast.unparse(node.args[0])}"
            if said == "torch.load":
                assert any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords), file
            if said == "yaml.load":
                assert [ast.unparse(word.value) for word in node.keywords] == ["_Yaml"], file  # a SafeLoader
            if said.endswith(".from_pretrained") or said.endswith("auto.from_config"):
                text = ast.unparse(node)
                told = "trust_remote_code=False" in text or "**where" in text
                assert told or "Auto" not in said, f"{file}:{node.lineno}: {text[:90]}"  # other classes run no code of a folder


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_place_imports_what_a_spec_names(hostile: str, unmarked: Callable[[], bool]) -> None:
    for module, folder, base in places():
        with pytest.raises(InputError, match=f"is no {base.__name__} of this package") as caught:
            build(folder, {"kind": hostile, "args": ["touch", "mark"]}, base)
        assert "--trust" in str(caught.value), module
        with pytest.raises(InputError, match="has no kind"):
            resolve(folder, hostile.replace(":", "."), base)
    assert unmarked()


def offered(folder: str, base: type) -> dict[str, Any]:
    """The folder's classes that keep to the contract, by kind."""
    found = {kind: importlib.import_module(f"{folder}.{kind}") for kind in kinds(folder)}
    classes = {kind: vars(module).get(class_name(kind)) for kind, module in found.items()}
    return {kind: target for kind, target in classes.items() if keeps(target, base)}


def nested() -> list[tuple[str, str, str, type]]:
    """`(folder, kind, key, base)` of every argument of a part that is a spec itself."""
    found = {}
    for _, folder, base in places():
        for kind, target in offered(folder, base).items():
            for name, parameter in inspect.signature(target).parameters.items():
                if "Spec" in str(parameter.annotation) or name in ("layout", "sources") or (kind, name) == ("endpoint", "api"):
                    found[folder, kind, name] = base
    return [(*key, base) for key, base in sorted(found.items(), key=lambda item: item[0])]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_nested_key_imports_what_it_names(hostile: str, unmarked: Callable[[], bool], tmp_path: Path) -> None:
    keys = nested()
    assert {(kind, key) for _, kind, key, _ in keys} >= {
        ("anyres", "inner"),
        ("pair", "first"),
        ("pair", "second"),
        ("shards", "layout"),
        ("mixture", "sources"),
        ("endpoint", "api"),
    }
    shard = tmp_path / "rows.jsonl"
    shard.write_text('{"id": "1"}\n')
    given = {"width": 4, "out_width": 4, "load_weights": False, "fit": "pad"}
    for folder, kind, key, base in keys:
        inner: Any = {"kind": hostile, "args": ["touch", "mark"]}
        spec: dict[str, Any] = {"kind": kind, key: inner}
        if key == "api":
            spec |= {"url": "http://127.0.0.1:9/v1", "model": "x", "api": hostile}
        elif key == "sources":
            spec[key] = [{"data": inner}]
        elif key == "layout":
            spec["path"] = str(shard if kind == "shards" else tmp_path)
        for name, parameter in inspect.signature(resolve(folder, kind, base)).parameters.items():
            if "Spec" in str(parameter.annotation):
                spec.setdefault(name, inner)
            elif parameter.default is inspect.Parameter.empty and name not in given:  # another key that must be there
                others: dict[str, Any] = {"str": "x", "Sequence[str]": ["x"]}
                if str(parameter.annotation) in others:
                    spec.setdefault(name, others[str(parameter.annotation)])
            if name in spec and spec[name] is inner and "Mapping[str, Spec" in str(parameter.annotation):
                spec[name] = {"one": inner}
        with pytest.raises(InputError, match=r"of this package|needs the library"):
            build(folder, spec, base, **given)
    assert unmarked()


MODEL = {"llm": "builtin:language", "vision": {"kind": "huggingface", "path": "builtin:clip"}, "connector": "mlp"}
SPECS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "vision": lambda spec: {"vision": spec},
    "vision.inner": lambda spec: {"vision": {"kind": "anyres", "inner": spec}},
    "vision.first": lambda spec: {"vision": {"kind": "pair", "first": spec, "second": MODEL["vision"]}},
    "vision.second": lambda spec: {"vision": {"kind": "pair", "first": MODEL["vision"], "second": spec}},
    "connector": lambda spec: {"connector": spec},
    "connector.inner": lambda spec: {"connector": {"kind": "anyres", "inner": spec}},
    "fusion": lambda spec: {"fusion": spec},
    "template": lambda spec: {"template": spec},
    "codec": lambda spec: {"codec": spec},
    "adapt": lambda spec: {"adapt": {"llm": spec}},
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("key", SPECS)
def test_a_checkpoint_runs_nothing_that_it_names(
    key: str, hostile: str, tmp_path: Path, unmarked: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = MODEL | SPECS[key]({"kind": hostile, "args": ["touch", "mark"]})
    record = {"format": 1, "parts": ["connector", "llm", "vision"], "model": model}
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "vistune.yaml").write_text(yaml.safe_dump(record))
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"of this package|adapt.llm has no kind"):
        vistune.load(folder)
    assert unmarked() and not (tmp_path / "mark").exists()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_commands_run_nothing_that_their_files_name(
    hostile: str, tmp_path: Path, unmarked: Callable[[], bool], refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = {"kind": hostile, "args": ["touch", "mark"]}
    run = {"name": "x", "model": MODEL, "stages": [{"name": "s", "train": {"connector": 1e-3}, "data": spec}]}
    asked = {"url": "http://127.0.0.1:9/v1", "model": "x"}
    files = {
        "run": run,
        "mix": {"sources": [{"data": spec}]},
        "api": asked | {"api": hostile},
        "codec": asked | {"codec": spec},
        "template": run | {"stages": [run["stages"][0] | {"data": "world:?task=captions&size=8", "template": spec}]},
    }
    for name, content in files.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(content))
    world = "world:?task=captions&size=2"
    for arguments in (
        ("train", "run.yaml", "--out", "o"),
        ("train", "template.yaml", "--out", "o"),
        ("data", "check", "mixture:mix.yaml"),
        ("data", "manifest", "mixture:mix.yaml"),
        ("predict", "http:api.yaml", "--data", world, "--out", "p"),
        ("predict", "http:codec.yaml", "--data", world, "--out", "p"),
        ("score", hostile, "mix.yaml", "--annotations", "mix.yaml"),
        ("train", "llava_1_5", "--nano", "--out", "o2", "--set", f"model.connector={hostile}"),
    ):
        assert "of this package, and other code is not imported" in refused(*arguments), arguments
        assert unmarked() and not (tmp_path / "mark").exists(), arguments


def test_what_is_trusted_must_still_be_a_part() -> None:
    with pytest.raises(InputError, match=r"kind 'subprocess:Popen' is no Reader \(vistune\.data\.readers\.base\)"):
        read({"kind": "subprocess:Popen", "args": ["true"]}, trust=["subprocess"])
    with pytest.raises(InputError, match="is no Reader"):
        read({"kind": "os:system", "command": "true"}, trust=["os"])
    for wrong in (["no-name"], ["a..b"], [""], [3]):
        with pytest.raises(InputError, match="trust names"):
            read("world", trust=wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected a list of packages"):
        read("world", trust="mypkg")


def test_a_word_for_a_part_of_a_package_is_for_that_part_and_for_the_call(unmarked: Callable[[], bool]) -> None:
    for trust in (["pwned_module.inner"], ["pwned"], ["pwned_module_too"]):
        with pytest.raises(InputError, match="not imported without your word"):
            read({"kind": "pwned_module:Thing"}, trust=trust)
    assert unmarked()
    with pytest.raises(InputError, match="is no Reader"):
        read({"kind": "pwned_module:Thing"}, trust=["pwned_module"])
    assert not unmarked()
    with pytest.raises(InputError, match="not imported without your word"):
        read({"kind": "pwned_module:Thing"})


def test_recipes_and_specs_are_read_without_importing(unmarked: Callable[[], bool]) -> None:
    model = MODEL | {"connector": "pwned_module:Thing"}
    stage = {"name": "s", "train": {"connector": 1e-3}, "data": {"kind": "pwned_module:Thing"}}
    Recipe.from_json({"name": "x", "model": model, "stages": [stage]})
    read_spec(model)
    assert unmarked()
