"""The completers that ask nobody on a network: stored, scripted, local, offline."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vistune.completer import Message, Reply, Request
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.completers.local import Local
from vistune.construction.completers.offline import Offline
from vistune.construction.completers.replay import Replay
from vistune.construction.completers.scripted import Scripted
from vistune.construction.opening import open_completer, open_part
from vistune.construction.pipelines import iluvui, llava_instruct, pmc_vqa
from vistune.construction.record import Record
from vistune.construction.running.store import ReplyStore, read_replies, reply_key
from vistune.construction.sources import Sources
from vistune.errors import InputError
from vistune.sample import Media

QUESTION = Request((Message("user", "How many?"),), max_tokens=6)


def test_a_stored_reply_is_found_again_and_a_cut_line_is_dropped(tmp_path: Path):
    path = tmp_path / "replies.jsonl"
    with ReplyStore(path) as store:
        store.put("a", Reply("one", "m", "stop", 3, 1))
        store.put("b", Reply("two"))
    path.write_bytes(path.read_bytes()[:-5])
    with ReplyStore(path) as store:
        assert store.get("a") == Reply("one", "m", "stop", 3, 1) and store.get("b") is None
        store.put("b", Reply("zwei"))
    assert read_replies(path)["b"].text == "zwei"


def test_failures_are_not_stored(tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store, pytest.raises(ValueError, match="no reply to store"):
        store.put("a", Reply("", error="status 500"))


def test_a_broken_line_is_named(tmp_path: Path):
    (tmp_path / "replies.jsonl").write_text('{"key": "a"}\n')
    with pytest.raises(InputError, match=r"replies.jsonl: line 1 is not a stored reply"):
        read_replies(tmp_path / "replies.jsonl")


def test_the_key_depends_on_everything_that_matters():
    same = Request(QUESTION.messages, max_tokens=6, id="another record")
    assert reply_key(QUESTION, {"model": "a"}) == reply_key(same, {"model": "a"})
    others = [
        reply_key(QUESTION, {"model": "b"}),
        reply_key(Request(QUESTION.messages, max_tokens=7), {"model": "a"}),
        reply_key(Request(QUESTION.messages, max_tokens=6, temperature=0.5), {"model": "a"}),
        reply_key(Request(QUESTION.messages, max_tokens=6, seed=1), {"model": "a"}),
        reply_key(Request((Message("system", "How many?"),), max_tokens=6), {"model": "a"}),
    ]
    assert len({*others, reply_key(QUESTION, {"model": "a"})}) == 6


def test_replay_gives_what_was_stored_and_fails_the_rest(tmp_path: Path):
    identity = {"url": "http://host/v1", "model": "m", "extra": {}}
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        store.put(reply_key(QUESTION, identity), Reply("Three.", "m"))
    completer = open_completer(f"replay:{tmp_path}/replies.jsonl?url=http://host/v1&model=m")
    known, unknown = completer.complete([QUESTION, Request((Message("user", "Where?"),))])
    assert known == Reply("Three.", "m") and unknown.error == "not in the replay file"
    assert isinstance(completer, Replay)
    account = completer.account
    assert (account.asked, account.cached, account.failed) == (2, 1, 1)
    with pytest.raises(InputError, match="there is no such file"):
        Replay(str(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    ("identity", "spec"),
    [
        ({"url": "http://host/v1", "model": "m", "extra": {}, "api": "anthropic"}, "url=http://host/v1/&model=m&api=anthropic"),
        ({"local": "org/model", "vision": True}, "local=org/model&vision=true"),
    ],
)
def test_replay_reads_what_other_completers_stored(tmp_path: Path, identity: dict[str, object], spec: str):
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        store.put(reply_key(QUESTION, identity), Reply("Three.", "m"))
    (reply,) = open_completer(f"replay:{tmp_path}/replies.jsonl?{spec}").complete([QUESTION])
    assert reply == Reply("Three.", "m")


@pytest.mark.parametrize("fields", [{"text": 3}, {"text": "a", "prompt_tokens": "3"}, {"text": "a", "completion_tokens": -1}])
def test_replies_of_wrong_types_are_named(tmp_path: Path, fields: dict[str, object]):
    (tmp_path / "replies.jsonl").write_text(json.dumps({"key": "a", "reply": fields}) + "\n")
    with pytest.raises(InputError, match=r"replies.jsonl: line 1 is not a stored reply"):
        open_completer(f"replay:{tmp_path}/replies.jsonl")
    (tmp_path / "script.jsonl").write_text(json.dumps(fields) + "\n")
    with pytest.raises(InputError, match=r"script.jsonl: line 1: expected a text or a reply's fields"):
        list(Scripted(str(tmp_path / "script.jsonl")).complete([QUESTION]))


def test_a_store_counts_what_each_completer_cost_over_all_runs(tmp_path: Path):
    path = tmp_path / "replies.jsonl"
    with ReplyStore(path) as store:
        store.put("a", Reply("one", prompt_tokens=3, completion_tokens=1), "me")
        store.put("b", Reply("two", prompt_tokens=50, completion_tokens=60), "somebody else")
        store.put("c", Reply("three", prompt_tokens=10, completion_tokens=20))  # as files of old have it
        assert store.spent("me") == (13, 21)
    with ReplyStore(path) as store:
        assert store.spent("me") == (13, 21) and store.spent("nobody") == (10, 20)


@pytest.mark.parametrize("name", ["folder", "file/replies.jsonl"])
def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"is a folder: expected a file|cannot write .*replies.jsonl"):
        ReplyStore(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_values_of_a_completer_are_yaml_and_a_broken_one_is_named():
    endpoint = open_completer("endpoint:http://host/v1?model=m&max_usd=1e-3&price_in=1e0&price_out=2&extra={top_p: 9e-1}")
    assert isinstance(endpoint, Endpoint) and endpoint.identity["extra"] == {"top_p": 0.9}
    endpoint.close()
    with pytest.raises(InputError, match=r"the value of 'model' is not YAML"):
        open_completer("endpoint:http://host/v1?model=[m")
    with pytest.raises(InputError, match="what follows '\\?' is not key=value"):
        open_completer("endpoint:http://host/v1?model")


def test_a_script_is_followed_and_must_not_end_early(tmp_path: Path):
    (tmp_path / "script.jsonl").write_text('"Yes."\n{"text": "No", "finish": "length"}\n')
    completer = Scripted(str(tmp_path / "script.jsonl"))
    replies = list(completer.complete([QUESTION, QUESTION]))
    assert [(reply.text, reply.finish) for reply in replies] == [("Yes.", "stop"), ("No", "length")]
    with pytest.raises(InputError, match="fewer replies than there are requests"):
        list(completer.complete([QUESTION]))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("endpont:http://x/v1", "did you mean 'endpoint'"),
        ("offline?speed=3", "no key 'speed'"),
        ("endpoint:http://x/v1", "'model'"),
    ],
)
def test_completers_that_are_none_are_refused(spec: str, said: str):
    with pytest.raises(InputError, match=said):
        open_completer(spec)


def test_parts_of_the_users_own():
    detector = open_part("tests.construction.pipelines.models:Detector", "label")
    assert detector.label(None).objects
    with pytest.raises(InputError, match="has no method 'paint'"):
        open_part("tests.construction.pipelines.models:Detector", "paint")
    with pytest.raises(InputError, match=r"expected package\.module:Class"):
        open_part("Detector", "label")


def world() -> list[Record]:
    return list(Sources(["world:?size=4"], "captions"))


@pytest.mark.parametrize("prompt", [llava_instruct.CONVERSATION, llava_instruct.DETAIL, llava_instruct.REASONING, pmc_vqa.ASK])
def test_offline_replies_follow_the_prompts_format_and_the_scene(prompt):
    records = world()
    asks = [prompt.ask(record, 0) for record in records]
    for record, reply in zip(records, Offline().complete(asks), strict=True):
        parsed = prompt.format.parse(reply.text)
        assert parsed.items and not parsed.problems
        if prompt.name == "detail":
            assert all((region.label or "") in reply.text.lower() for region in record.facts.objects)
    assert list(Offline().complete(asks)) == list(Offline().complete(asks))


def test_offline_knows_only_the_world_and_its_tasks(tmp_path: Path):
    (record, *_) = world()
    with pytest.raises(InputError, match="no rule for the task 'plan' about pictures"):
        list(Offline().complete([iluvui.PROMPTS[4].ask(record, 0)]))
    stranger = Record("1", record.media, record.facts)
    with pytest.raises(InputError, match="is not of the embedded world"):
        list(Offline().complete([llava_instruct.DETAIL.ask(stranger, 0)]))
    with pytest.raises(InputError, match="answers only what a pipeline asks"):
        list(Offline().complete([QUESTION]))


@pytest.fixture(scope="module")
def tiny(tiny_language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny language model with a chat template."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("chat") / "model"
    shutil.copytree(tiny_language, folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_language)
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
    tokenizer.save_pretrained(folder)
    return folder


def test_a_local_model_answers_in_batches_as_it_does_alone_and_once(tiny: Path, tmp_path: Path):
    from transformers import AutoTokenizer

    asks = [Request((Message("user", text),), max_tokens=6) for text in ("How many?", "Where is it, then?", "Why?")]
    alone = [next(Local(str(tiny)).complete([ask])) for ask in asks]
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        completer = Local(str(tiny), batch=3, store=store)
        assert [reply.text for reply in completer.complete(asks)] == [reply.text for reply in alone]
        assert [reply.text for reply in completer.complete(asks)] == [reply.text for reply in alone]
        assert (completer.account.asked, completer.account.cached, completer.account.answered) == (6, 3, 3)
    assert all(reply.finish == "length" and reply.completion_tokens == 6 for reply in alone)
    chat = [{"role": "user", "content": "How many?"}]
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert alone[0].prompt_tokens == len(tokenizer(prompt, add_special_tokens=False).input_ids)


def test_a_picture_that_cannot_be_read_fails_alone_where_a_local_model_sees(tiny: Path, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    completer = Local(str(tiny))
    completer._vision = True  # the check of the pictures comes before any model
    asks = [
        Request((Message("user", "?", (Media("image", path=str(tmp_path / name)),)),)) for name in ("broken.png", "none.png")
    ]
    replies = list(completer.complete(asks))
    assert all(reply.error.startswith("picture: ") for reply in replies)
    assert (completer.account.asked, completer.account.failed, completer.account.cached) == (2, 2, 0)


def test_a_model_without_a_chat_template_is_refused(tiny_language: str):
    with pytest.raises(InputError, match="has no chat template"):
        Local(tiny_language)


def test_sampling_follows_the_seed(tiny: Path):
    asks = [Request(QUESTION.messages, max_tokens=12, temperature=1.0, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (reply.text for reply in Local(str(tiny)).complete(asks))
    assert first == again != other


def test_models_that_are_none_are_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nothing"}))
    with pytest.raises(InputError, match="cannot load model"):
        Local(str(tmp_path))
