"""What training must and must not change, and that stopping, splitting and accumulating change nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from vistune.errors import InputError
from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe
from vistune.training.run import train

PLAIN = {"train": {"connector": 1e-2}, "data": "world:?task=captions&size=64", "batch": 4, "template": "plain"}
TUNE = {"train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=instructions&size=64", "batch": 4}


def recipe(spec: dict, *stages: dict) -> Recipe:
    made = [{"name": f"s{index}", **stage} for index, stage in enumerate(stages)]
    return Recipe.from_json({"name": "test", "model": spec, "stages": made})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load(folder).state_dict())


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_frozen_parts_stay_bit_equal_and_trained_ones_change(tiny_spec: dict, tmp_path: Path) -> None:
    from vistune.model.spec import ModelSpec
    from vistune.model.vlm import VisionLanguageModel

    torch.manual_seed(0)
    before = VisionLanguageModel(ModelSpec.from_json(tiny_spec)).state_dict()
    after = weights(train(recipe(tiny_spec, PLAIN | {"steps": 3}), tmp_path / "run", report=False))
    for name, tensor in before.items():
        if name.startswith("connector"):
            assert not torch.equal(after[name], tensor), name
        else:
            assert torch.equal(after[name], tensor), name


def test_a_connector_that_stays_frozen_is_kept_in_the_checkpoint(tiny_spec: dict, tmp_path: Path) -> None:
    from vistune.model.spec import ModelSpec
    from vistune.model.vlm import VisionLanguageModel

    torch.manual_seed(0)  # the recipe's seed
    before = VisionLanguageModel(ModelSpec.from_json(tiny_spec)).state_dict()
    after = weights(train(recipe(tiny_spec, TUNE | {"train": {"llm": 1e-3}, "steps": 2}), tmp_path / "run", report=False))
    assert all(torch.equal(after[name], before[name]) for name in before if name.startswith("connector"))


def test_blocks_from_a_number_on_train_and_the_ones_before_do_not(tiny_spec: dict, tmp_path: Path) -> None:
    stage = TUNE | {"train": {"vision[1:]": 1e-3, "connector": 1e-3}, "steps": 2}
    after = weights(train(recipe(tiny_spec, stage), tmp_path / "run", report=False))
    base = load(train(recipe(tiny_spec, PLAIN | {"steps": 1}), tmp_path / "base", report=False)).state_dict()
    changed = {name for name in base if name.startswith("vision") and not torch.equal(base[name], after[name])}
    assert changed and all(".layers.1." in name for name in changed)  # block 2 lies above the layer that is used


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_n_and_n_steps_are_two_n_steps_bit_for_bit(
    tiny_spec: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    from vistune.training.log import Log

    stage = TUNE | {"steps": 8, "optimizer": optimizer}
    whole = weights(train(recipe(tiny_spec, stage), tmp_path / "whole", report=False))

    class StopError(Exception):
        pass

    add = Log.add

    def stop_at_six(self, step, *rest):
        add(self, step, *rest)
        if step == 6:
            raise StopError

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(Log, "add", stop_at_six)
        train(recipe(tiny_spec, stage), tmp_path / "cut", save_every=2, report=False)
    cut = weights(train(recipe(tiny_spec, stage), tmp_path / "cut", save_every=2, report=False))
    assert same(whole, cut)
    logs = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "logs" / "s0.jsonl").read_text().splitlines()]
        for name in ("whole", "cut")
    ]
    assert logs[0] == logs[1] and len(logs[0]) == 8


@pytest.mark.slow
def test_a_run_killed_outright_resumes_to_the_same_bits(tiny_spec: dict, tmp_path: Path) -> None:
    made = recipe(tiny_spec, TUNE | {"steps": 12})
    whole = weights(train(made, tmp_path / "whole", save_every=2, report=False))
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(made.to_json()))
    command = [sys.executable, "-m", "vistune", "train", str(file), "--out", str(tmp_path / "cut"), "--save-every", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    log = tmp_path / "cut" / "logs" / "s0.jsonl"
    while process.poll() is None and not (log.exists() and len(log.read_text().splitlines()) >= 5):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "cut" / "s0").exists()
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    assert same(whole, weights(tmp_path / "cut" / "s0"))


def test_accumulating_four_times_eight_is_one_times_thirty_two(tiny_spec: dict, tmp_path: Path) -> None:
    stage = TUNE | {"steps": 3, "batch": 32}
    one = weights(train(recipe(tiny_spec, stage), tmp_path / "one", precision="fp32", report=False))
    four = weights(train(recipe(tiny_spec, stage | {"micro": 8}), tmp_path / "four", precision="fp32", report=False))
    for name in one:
        torch.testing.assert_close(one[name], four[name], atol=2e-5, rtol=1e-4)


def test_another_recipe_in_the_same_folder_is_refused(tiny_spec: dict, tmp_path: Path) -> None:
    train(recipe(tiny_spec, PLAIN | {"steps": 1}), tmp_path / "run", report=False)
    with pytest.raises(InputError, match="holds a run of another recipe"):
        train(recipe(tiny_spec, PLAIN | {"steps": 2}), tmp_path / "run", report=False)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"train": {"conector": 1e-3}}, "matches no parameter \\(did you mean 'connector'\\?\\)"),
        ({"train": {}}, "trains nothing"),
        ({"batch": 0}, "batch is 0, expected at least 1"),
        ({"epoch": 1}, "has no key 'epoch' \\(did you mean 'epochs'\\?\\)"),
        ({"name": "../elsewhere"}, "a name is that of the stage's folder"),
        ({"name": "logs"}, "none of logs, state, features"),
        ({"clip": -1.0}, "clip is -1.0, expected a number above 0"),
        ({"epochs": -1}, "epochs is -1, expected a number above 0"),
        ({"epochs": float("nan")}, "epochs is nan"),
        ({"warmup": 7}, "warmup is 7, expected a share"),
        ({"weight_decay": -1}, "weight_decay is -1, expected at least 0"),
        ({"train": {"connector": -1e-3}}, "train.connector is -0.001, expected a pattern and a rate above 0"),
        ({"data": "wrld:"}, "readers has no kind 'wrld' \\(did you mean 'world'\\?\\)"),
    ],
)
def test_a_wrong_stage_is_one_sentence_and_leaves_nothing(
    tiny_spec: dict, tmp_path: Path, change: dict, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        train(recipe(tiny_spec, PLAIN | {"steps": 1} | change), tmp_path / "run", report=False)
    assert not (tmp_path / "run" / "s0").exists()


def test_two_stages_of_one_name_are_refused(tiny_spec: dict) -> None:
    with pytest.raises(InputError, match="two stages have the name 's'"):
        recipe(tiny_spec, PLAIN | {"name": "s"}, TUNE | {"name": "s"})


def test_data_that_changed_since_a_run_began_is_refused(
    tiny_spec: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state's place in other data is another place: with fewer samples the run even counted as finished."""
    from vistune.data.samples import read
    from vistune.training.log import Log

    lines = [json.dumps(sample.to_json()) + "\n" for sample in read("world:?task=captions&size=12")]
    file = tmp_path / "data.jsonl"
    file.write_text("".join(lines))
    made = recipe(tiny_spec, PLAIN | {"data": f"samples:{file}", "batch": 2, "epochs": 1})
    add = Log.add

    def interrupted(self: Log, step: int, *rest: object) -> None:
        add(self, step, *rest)  # type: ignore[arg-type]
        if step == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Log, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(made, tmp_path / "run", save_every=2, report=False)
    monkeypatch.setattr(Log, "add", add)
    for changed in (lines[:3], [*lines[:-1], lines[0]]):
        file.write_text("".join(changed))
        with pytest.raises(InputError, match=rf"data.jsonl .*now {len(changed)}\): that is not what it was"):
            train(made, tmp_path / "run", save_every=2, report=False)
    file.write_text("".join(lines))
    train(made, tmp_path / "run", save_every=2, report=False)
    file.write_text("".join(lines[:3]))
    assert train(made, tmp_path / "run", report=False) == tmp_path / "run" / "s0"  # finished: its data are no longer needed


def test_weights_that_are_not_finite_are_never_kept(tiny_spec: dict, tmp_path: Path) -> None:
    """The loss of the last step is that of the weights before it."""
    stage = PLAIN | {"train": {"connector": 1e30}, "weight_decay": 0.3, "optimizer": "muon", "steps": 2, "warmup": 0.0}
    with pytest.raises(InputError, match=r"at step [12]: lower the learning rates"):
        train(recipe(tiny_spec, stage), tmp_path / "run", report=False)
    assert not (tmp_path / "run" / "s0").exists()


def test_a_file_in_the_run_folders_place_is_one_sentence(tiny_spec: dict, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="is not empty and holds no run"):
        train(recipe(tiny_spec, PLAIN | {"steps": 1}), tmp_path / "run", report=False)
    assert (tmp_path / "run").read_text() == "mine"


def text_only(folder: Path, words: int = 2) -> str:
    turns = [{"from": "human", "value": "Say it."}, {"from": "gpt", "value": "one two " * words}] * 2
    (folder / "text.json").write_text(json.dumps([{"id": str(number), "conversations": turns} for number in range(4)]))
    return f"conversations:{folder}/text.json"


def test_a_part_that_no_sample_reaches_stays_and_is_named_and_the_rest_is_kept(
    tiny_spec: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = TUNE | {"data": text_only(tmp_path), "steps": 2}
    folder = train(recipe(tiny_spec, stage), tmp_path / "run", report=False)
    assert "stage s0: no sample reached connector, which stays as it was" in capsys.readouterr().err
    after, base = weights(folder), weights(train(recipe(tiny_spec, PLAIN | {"steps": 1}), tmp_path / "base", report=False))
    assert any(not torch.equal(after[name], base[name]) for name in base if name.startswith("llm"))


def test_turns_that_do_not_fit_are_counted_in_the_log_and_said(
    tiny_spec: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = TUNE | {"data": text_only(tmp_path, words=8), "steps": 2, "train": {"llm": 1e-3}}
    train(recipe(tiny_spec | {"max_length": 60}, stage), tmp_path / "run", report=False)
    lines = [json.loads(line) for line in (tmp_path / "run" / "logs" / "s0.jsonl").read_text().splitlines()]
    assert [(line["dropped_turns"], line["dropped_media"]) for line in lines] == [(8, 0), (8, 0)]
    assert "stage s0: 16 turns beyond max_length were left out" in capsys.readouterr().err


def test_a_typo_in_the_model_leaves_the_folder_free(tiny_spec: dict, tmp_path: Path) -> None:
    wrong = tiny_spec | {"connector": {"kind": "mlp", "dept": 3}}
    with pytest.raises(InputError, match="has no key 'dept'"):
        train(recipe(wrong, PLAIN | {"steps": 1}), tmp_path / "run", report=False)
    assert not (tmp_path / "run").exists()
    train(recipe(tiny_spec, PLAIN | {"steps": 1}), tmp_path / "run", report=False)
