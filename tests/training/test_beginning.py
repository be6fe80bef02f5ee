"""What is found before a stage trains, what a changed recipe may keep, and models that training starts from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vistune.errors import InputError, advice
from vistune.model.answering.opening import load
from vistune.model.weights.checkpoint import checkpoint_of
from vistune.recipe import Recipe, only
from vistune.training.beginning.start import beginning_at
from vistune.training.run import check, train

ALIGN = {"train": {"connector": 1e-2}, "data": "world:?task=captions&size=32", "batch": 4, "steps": 2, "template": "plain"}
TUNE = {"train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=instructions&size=32", "batch": 4, "steps": 2}


def recipe(spec: dict[str, Any], *stages: dict[str, Any]) -> Recipe:
    made = [{"name": f"s{index}", **stage} for index, stage in enumerate(stages)]
    return Recipe.from_json({"name": "test", "model": spec, "stages": made})


def pictureless(folder: Path) -> str:
    file = folder / "instructions.json"
    file.write_text('[{"id": "w0", "image": "gone.png", "conversations": [{"from": "human", "value": "<image>\\nWhat?"},'
                    ' {"from": "gpt", "value": "a cat"}]}]')  # fmt: skip
    return f"conversations:{file}"


def test_wrong_data_of_the_last_stage_is_found_before_the_first_trains(tiny_spec: dict, tmp_path: Path) -> None:
    out = tmp_path / "run"
    wrong = recipe(tiny_spec, ALIGN, TUNE | {"data": pictureless(tmp_path)})
    with pytest.raises(InputError, match=r"stage 's1', before anything is trained.*gone\.png"):
        train(wrong, out, report=False)
    assert not out.exists()  # the mended command may use the folder


def test_stages_that_are_finished_are_kept_when_a_later_one_is_mended(tiny_spec: dict, tmp_path: Path) -> None:
    out = tmp_path / "run"
    made = recipe(tiny_spec, ALIGN, TUNE)
    train(only(made, ["s0"]), out, report=False)
    before = (out / "s0" / "model.safetensors").stat()
    last = train(recipe(tiny_spec, ALIGN, TUNE | {"steps": 3}), out, report=False)
    after = (out / "s0" / "model.safetensors").stat()
    assert last == out / "s1" and (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    with pytest.raises(InputError, match=r"differs in stages\.0\.steps: 5, not 2"):
        train(recipe(tiny_spec, ALIGN | {"steps": 5}, TUNE | {"steps": 3}), out, report=False)
    with pytest.raises(InputError, match=r"differs in model\.max_length: 128, not 256"):
        train(recipe(tiny_spec | {"max_length": 128}, ALIGN, TUNE | {"steps": 3}), out, report=False)


def test_what_only_costs_memory_may_change_in_the_middle_of_a_stage(tiny_spec: dict, tmp_path: Path) -> None:
    from vistune.training.beginning.claim import claim

    out = tmp_path / "run"
    claim(out, recipe(tiny_spec, TUNE))
    (out / "state" / "s0" / "00000001").mkdir(parents=True)
    claim(out, recipe(tiny_spec, TUNE | {"micro": 1}))
    with pytest.raises(InputError, match=r"differs in stages\.0\.batch: 8, not 4.*remove .*state/s0 to begin that stage again"):
        claim(out, recipe(tiny_spec, TUNE | {"micro": 1, "batch": 8}))


def test_stages_are_set_by_name(tiny_spec: dict) -> None:
    made = recipe(tiny_spec, ALIGN, TUNE)
    assert made.override({"stages.s1.epochs": 2}).stages[1].epochs == 2
    with pytest.raises(InputError, match="'s9' is no place in a list of 2"):
        made.override({"stages.s9.epochs": 2})


def test_a_check_trains_and_writes_nothing(tiny_spec: dict, tmp_path: Path) -> None:
    said = check(recipe(tiny_spec, ALIGN, TUNE), tmp_path / "run")
    assert "2 steps of 4 over 32 samples" in said and not (tmp_path / "run").exists()
    with pytest.raises(InputError, match=r"gone\.png"):
        check(recipe(tiny_spec, ALIGN, TUNE), tmp_path / "run", pictureless(tmp_path))


def test_a_stage_says_what_it_does_without_a_terminal(
    tiny_spec: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(recipe(tiny_spec, TUNE | {"steps": 12}), tmp_path / "run", report=False)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("stage s0: step")]
    assert [line.split(",")[0] for line in lines] == ["stage s0: step 10/12", "stage s0: step 12/12"]
    assert all("loss " in line and "tokens/s" in line for line in lines)


def test_training_starts_from_a_checkpoint_and_keeps_what_it_knew(tiny_spec: dict, tmp_path: Path) -> None:
    first = train(recipe(tiny_spec, TUNE), tmp_path / "first", report=False)
    held = load(tmp_path / "first", device="cpu")  # the run folder stands for its last stage
    lora = recipe(tiny_spec | {"adapt": {"llm": {"kind": "lora", "rank": 2}}}, TUNE | {"train": {"llm.adapter": 1e-2}})
    second = train(beginning_at(lora, tmp_path / "first"), tmp_path / "second", report=False)
    tuned = load(second, device="cpu")
    old, new = dict(held.named_parameters()), dict(tuned.named_parameters())
    for name, tensor in new.items():
        if "lora" not in name:
            assert torch.equal(tensor, old[name.replace(".base_layer", "")]), name
    assert any("lora_B" in name and tensor.any() for name, tensor in new.items())
    assert first.name == "s0"
    with pytest.raises(InputError, match=r"model\.codec is"):
        changed = beginning_at(lora, tmp_path / "first").override({"model.codec": "decimals"})
        train(changed, tmp_path / "third", report=False)


def test_a_checkpoint_means_the_same_from_any_current_folder(
    tiny_spec: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(tiny_spec["llm"]).parent)
    spec = tiny_spec | {"llm": os.path.join(".", Path(tiny_spec["llm"]).name)}
    train(recipe(spec, ALIGN), tmp_path / "run", report=False)
    monkeypatch.chdir("/")
    assert load(tmp_path / "run", device="cpu").spec.llm == str(Path(tiny_spec["llm"]).resolve())


def test_a_run_without_a_finished_stage_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("stages: [{name: align}]")
    with pytest.raises(InputError, match="none of whose stages is finished: align"):
        checkpoint_of(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "micro=1"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "micro=1"),
        (OSError(28, "No space left on device"), "the disk is full"),
        (OSError(36, "File name too long", "a" * 300), "too long: check what was given as a path"),
        (RuntimeError("something else"), None),
    ],
)
def test_running_out_of_memory_or_disk_is_advice(error: Exception, words: str | None) -> None:
    said = advice(error)
    assert said is None if words is None else said is not None and words in said and "\n" not in said


def test_the_language_model_of_a_checkpoint_is_a_start(tiny_spec: dict, tmp_path: Path) -> None:
    train(recipe(tiny_spec, TUNE), tmp_path / "first", report=False)
    begun = load(tmp_path / "first")
    frozen = {"train": {"connector": 1e-3}, "data": "world:?task=count&size=8", "batch": 4, "steps": 1}
    train(recipe(tiny_spec | {"llm": str(tmp_path / "first")}, frozen), tmp_path / "second", report=False)
    train(recipe(tiny_spec | {"llm": str(tmp_path / "second" / "s0")}, TUNE), tmp_path / "third", report=False)
    went_on = load(tmp_path / "second")
    before, after = begun.llm.state_dict(), went_on.llm.state_dict()
    assert set(before) == set(after) and all(torch.equal(before[name], after[name]) for name in before)
    assert went_on.llm.tokenizer.get_vocab() == begun.llm.tokenizer.get_vocab()
    assert "llm" not in yaml.safe_load((tmp_path / "second/s0/vistune.yaml").read_text())["parts"], "read where it lies"
    trained = load(tmp_path / "third").llm.state_dict()
    assert set(trained) == set(before) and any(not torch.equal(trained[name], before[name]) for name in before)


def test_a_language_model_with_adapters_is_no_start_by_itself(tiny_spec: dict, tmp_path: Path) -> None:
    adapted = tiny_spec | {"adapt": {"llm": {"kind": "lora", "rank": 2}}}
    stage = {"train": {"llm.adapter": 1e-3}, "data": "world:?task=count&size=8", "batch": 4, "steps": 1}
    train(recipe(adapted, stage), tmp_path / "first", report=False)
    with pytest.raises(InputError, match=r"has adapters: `vistune merge` it first, or go on with --from"):
        check(recipe(tiny_spec | {"llm": str(tmp_path / "first")}, TUNE), tmp_path / "run")
