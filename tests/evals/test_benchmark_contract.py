"""Every benchmark keeps the contract on a hand-made fixture in its official layout.

The fixture reads; every sample asks something; perfect predictions get the highest score there is, empty and missing ones
the lowest, and both are counted.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vistune.completer import Request
from vistune.construction.completers.scripted import Scripted
from vistune.errors import InputError
from vistune.evals.benchmark import Benchmark
from vistune.evals.judges.base import Judge, run
from vistune.evals.judges.llava_bench import LlavaBench
from vistune.evals.judges.mm_vet import MmVet
from vistune.evals.judges.video_chatgpt import ASPECTS, VideoChatgpt
from vistune.evals.prediction import Prediction
from vistune.evals.reading.sources import load
from vistune.evals.score import BENCHMARKS, open_benchmark, score
from vistune.sample import Sample
from vistune.spec import kinds

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Case:
    """What of a benchmark is not as usual: usually a perfect answer is the sample's first, the best score 100, the worst 0."""

    spec: tuple[tuple[str, Any], ...] = ()
    source: str = ""  # the file in the fixture to read, where the folder will not do
    perfect: str | None = None  # a file of predictions in the fixture, where no sample states the perfect answer
    asks: bool = True  # False: its files hold no questions, it only scores
    best: float | None = 100.0  # None: unbounded (CIDEr)
    worst: float = 0.0  # of empty answers
    nothing: float = 0.0  # of no answers
    extras: tuple[tuple[str, Any], ...] = ()  # what an answer must carry to be scored at all
    judge: Judge | None = None  # whose verdicts the score needs, and what it says of the best and the worst answer
    verdicts: tuple[str, str] = ("", "")


CASES = {
    "flickr30k_captions": Case(best=None),
    "nocaps": Case(best=None),
    "text_caps": Case(best=None),
    "coco_captions": Case(best=None),
    "plain_captions": Case(best=None, asks=False),
    "ref_coco_captions": Case(best=None, asks=False),
    "coco_detection": Case(perfect="perfect.jsonl", best=1.0),
    "lvis": Case(perfect="perfect.jsonl", best=1.0),
    "math_vista": Case(spec=(("rule", "strict"),)),  # the official rule picks a choice for an empty answer
    "hallusion_bench": Case(worst=100 / 3),  # without the figure, saying nothing is right: one question in three here
    "mmmu": Case(spec=(("rule", "eval-only"),), best=1.0, asks=False),
    "short_answers": Case(source="samples.jsonl"),
    "pope": Case(spec=(("rule", "exact"),)),  # the official rule reads an empty answer as yes
    "mme": Case(best=200.0),  # of one perception subtask
    "chair": Case(spec=(("rule", "words"),), best=0.0, nothing=math.nan),  # lower is better: who says nothing makes nothing up
    "reason_seg": Case(perfect="perfect.jsonl"),
    "audio_caps": Case(best=None),
    "clotho": Case(best=None),
    "vatex": Case(best=None),
    "visual_mrc": Case(best=None),
    "avsd": Case(best=None),
    "objaverse": Case(best=None),
    "region_captions": Case(best=None),
    "grounded_captions": Case(perfect="perfect.jsonl", best=None),
    "owl_eval": Case(perfect="perfect.jsonl", extras=(("grade", "D"),)),
    "llm_doc": Case(perfect="perfect.jsonl", extras=(("grade", "D"),)),
    "ref_coco_segmentation": Case(perfect="perfect.jsonl"),
    "kvasir_seg": Case(perfect="perfect.jsonl"),
    "voc_segmentation": Case(perfect="perfect"),
    "davis": Case(perfect="DAVIS/Annotations/480p"),
    "mm_vet": Case(judge=MmVet(), verdicts=("1.0", "0.0")),
    "llava_bench_coco": Case(judge=LlavaBench(), verdicts=("9 9", "10 1"), worst=10.0),
    "llava_bench_in_the_wild": Case(judge=LlavaBench(), verdicts=("9 9", "10 1"), worst=10.0),
    "video_chatgpt": Case(judge=VideoChatgpt(), verdicts=("{aspect}: 5", "{aspect}: 0"), best=5.0),
}


def opened(kind: str) -> tuple[Benchmark, list[Sample], Case]:
    case = CASES.get(kind, Case())
    bench = open_benchmark({"kind": kind, **dict(case.spec)})
    return bench, bench.read(str(FIXTURES / kind / case.source)), case


def perfect(kind: str, samples: list[Sample], case: Case) -> list[Prediction]:
    if case.perfect is None:
        return [Prediction(sample.id, sample.answers[0]) for sample in samples]
    if (FIXTURES / kind / case.perfect).is_dir():
        return opened(kind)[0].recognise(load(FIXTURES / kind / case.perfect), samples) or []
    lines = (FIXTURES / kind / case.perfect).read_text().splitlines()
    return [Prediction.from_json(json.loads(line), kind) for line in lines]


def with_verdicts(
    kind: str, samples: list[Sample], predictions: list[Prediction], case: Case, best: bool, folder: Path
) -> Benchmark:
    """The benchmark, reading the replies that its judge gave; as it is where the score needs none."""
    if case.judge is None:
        return opened(kind)[0]

    def reply(request: Request) -> str:
        aspect = next((name for name in ASPECTS if f"{name}: <whole" in request.messages[0].text), "")
        return case.verdicts[0 if best else 1].replace("{aspect}", aspect)

    replies = folder / f"{kind}-{best}-{len(predictions)}.jsonl"
    run(case.judge, samples, predictions or [None] * len(samples), Scripted(answer=reply), replies)
    replies.touch()
    return open_benchmark({"kind": kind, "judgements": str(replies)})


@pytest.fixture(params=[name for name in kinds(BENCHMARKS) if (FIXTURES / name).is_dir()])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_every_benchmark_has_a_fixture() -> None:
    assert [name for name in kinds(BENCHMARKS) if not (FIXTURES / name).is_dir()] == []


def test_fixture_reads_and_every_sample_asks(kind: str) -> None:
    bench, samples, case = opened(kind)
    assert samples and len({sample.id for sample in samples}) == len(samples)
    assert "annotations" in bench.files and bench.answer_form and bench.result_form
    assert all(sample.origin for sample in samples) or kind == "short_answers"
    for sample in samples if case.asks else ():
        assert sample.turns[-1].role == "user" and sample.turns[-1].text.strip(), sample.where
        assert not re.search(r"\{\w+\}", sample.turns[-1].text), "an unfilled placeholder"


def test_perfect_predictions_score_the_most(kind: str, tmp_path: Path) -> None:
    _, samples, case = opened(kind)
    predictions = perfect(kind, samples, case)
    result = score(with_verdicts(kind, samples, predictions, case, True, tmp_path), predictions, samples)
    assert (result.n, result.missing, result.unparsed) == (len(samples), 0, 0)
    assert result.rule
    if case.best is None:
        assert result.headline > 1
    else:
        assert result.headline == pytest.approx(case.best)


def test_empty_and_missing_predictions_score_the_least_and_are_counted(kind: str, tmp_path: Path) -> None:
    _, samples, case = opened(kind)
    blank = [Prediction(sample.id, "", extras=dict(case.extras)) for sample in samples]
    empty = score(with_verdicts(kind, samples, blank, case, False, tmp_path), blank, samples)
    nothing = score(with_verdicts(kind, samples, [], case, False, tmp_path), [], samples)
    assert empty.headline == pytest.approx(case.worst) and nothing.headline == pytest.approx(case.nothing, nan_ok=True)
    assert (empty.n, empty.missing) == (len(samples), 0)
    assert (nothing.n, nothing.missing, nothing.missing_ids) == (len(samples), len(samples), tuple(s.id for s in samples))


NASTY = (
    "１２３ ４",
    "Yes, no",
    "**B** or (C)",
    "[nan, inf, 1e999, -0]",
    "\x00\ud7ff￿",
    "\n\n",
    "A" * 20_000,
    "{question} <AND>",
)


@pytest.mark.parametrize("answer", NASTY, ids=range(len(NASTY)))
def test_nasty_answers_get_a_defined_score(kind: str, tmp_path: Path, answer: str) -> None:
    _, samples, case = opened(kind)
    predictions = [Prediction(sample.id, answer, extras=dict(case.extras)) for sample in samples]
    bench = with_verdicts(kind, samples, predictions, case, False, tmp_path)
    result = score(bench, [*predictions, Prediction("no such sample", answer)], samples)
    assert result.n == len(samples) and np.isfinite(result.items).all()
    assert result.extra_ids == ("no such sample",) and result.missing == 0


def test_official_results_are_recognised(kind: str, tmp_path: Path) -> None:
    """A fixture's `results.*` is the official form: it is recognised, and so is its every answer."""
    bench, samples, _ = opened(kind)
    found = sorted((FIXTURES / kind).glob("results*"))
    assert found, f"{kind} has no official result file"
    predictions = bench.recognise(load(found[0]), samples)
    assert predictions and {prediction.id for prediction in predictions} <= {sample.id for sample in samples}
    other = tmp_path / "other.json"
    other.write_text('[{"entirely": "different"}]')
    assert bench.recognise(load(other), samples) is None


def test_an_absent_layout_is_one_sentence(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_benchmark(kind).read(str(tmp_path / "nowhere"))
    assert "nowhere" in str(caught.value)


@pytest.mark.parametrize("kind", [name for name, case in CASES.items() if case.judge is not None])
def test_a_judged_number_without_judgements_is_an_error(kind: str) -> None:
    bench, samples, _ = opened(kind)
    with pytest.raises(InputError, match="judge's number"):
        score(bench, [Prediction(sample.id, "an answer") for sample in samples], samples)
