"""Ways to speak of calls, each through the loop; function calls against a real server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import numpy as np
import pytest

from vistune.completer import FunctionCall, Message, Reply, Request
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.completers.scripted import Scripted
from vistune.programs.formats.base import CallFormat, Talk
from vistune.programs.formats.function_calls import FunctionCalls
from vistune.programs.formats.json_plan import JsonPlan
from vistune.programs.formats.module_calls import ModuleCalls
from vistune.programs.formats.react_gpt4tools import ReactGpt4tools
from vistune.programs.hands import Live
from vistune.programs.loop import Outcome, converse
from vistune.programs.observation import Observation
from vistune.programs.session import Session
from vistune.programs.tool import Image, Toolbox, tool_of
from vistune.sample import Media, Region


def find(image: Image, what: str) -> Observation:
    "Finds a named thing."
    return Observation(regions=(Region(box=(0.1, 0.2, 0.5, 0.9), label=what),)) if what == "dog" else Observation(f"no {what}")


def cut(image: Image, region: Region) -> Media:
    "Cuts a part out."
    return Media("image", data=np.full((2, 2, 3), round(100 * region.bounds()[0]), np.uint8))


def session() -> Session:
    held = Session()
    held.add(Media("image", data=np.zeros((4, 4, 3), np.uint8)), name="image/a.png")
    return held


def talked(form: CallFormat, *replies: str | Reply, most: int = 8) -> tuple[Outcome, list[Request], Session]:
    asked: list[Request] = []
    left = iter(replies)

    def answer(request: Request) -> str | Reply:
        asked.append(request)
        return next(left)

    held = session()
    talk = Talk(Toolbox(tool_of(find), tool_of(cut)), "Cut out the dog.", [(one, "a dog") for one in held])
    return converse(talk, form, held, Live(Scripted(answer=answer)), most), asked, held


def test_a_plan_runs_whole_and_its_answer_names_what_came_of_it() -> None:
    plan = [
        {"tool": "find", "arguments": {"image": "image/a.png", "what": "dog"}},
        {"tool": "cut", "arguments": {"image": "image/a.png", "region": "$1"}},
        {"answer": "Here: $2"},
    ]
    outcome, asked, held = talked(JsonPlan(), f"```json\n{json.dumps(plan)}\n```")
    assert outcome.text == f"Here: {outcome.made[0]}" and held[outcome.made[0]].arguments["region"] == [0.1, 0.2, 0.5, 0.9]
    assert outcome.regions[0].label == "dog" and len(asked) == 1
    assert '"name": "find"' in asked[0].messages[0].text and "image/a.png: a dog" in asked[0].messages[-1].text


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("find the dog", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "no list"),
        ('[{"tool": "find", "arguments": {}}]', "no answer"),
        ('[{"tool": 3, "arguments": {}}, {"answer": ""}]', "step 1"),
    ],
)
def test_what_is_no_plan_ends_the_task_with_a_sentence(reply: str, said: str) -> None:
    outcome = talked(JsonPlan(), reply)[0]
    assert outcome.ended == "unreadable" and said in outcome.why


def test_modules_take_visuals_by_number_also_those_that_were_made() -> None:
    outcome, asked, _ = talked(
        ModuleCalls(),
        'Thought: where?\nAct: find("dog", visual[0])\nObs: made up',
        "Thought: cut\nAct: cut(visual-0, [0.1, 0.2, 0.5, 0.9])",
        'Act: find("cat", visual[1])',
        'Thought: done\nAct: answer("It is cut out.")',
    )
    assert outcome.text == "It is cut out." and len(outcome.made) == 1
    assert "made up" not in asked[1].messages[-1].text and "Obs: dog[0.100, 0.200, 0.500, 0.900]" in asked[1].messages[-1].text
    assert "visual[1]: image, made by cut from image/a.png" in asked[2].messages[-1].text
    assert [step.observations for step in outcome.steps][-1] == ("no cat",)


@pytest.mark.parametrize(
    "action",
    [
        "find",
        "__import__('os').system('id')",
        "find(open('/etc/passwd'), visual[0])",
        "find('dog', visual[7])",
        "find(1, 2, 3, 4)",
    ],
)
def test_an_action_is_read_and_never_run(action: str) -> None:
    outcome = talked(ModuleCalls(), f"Act: {action}")[0]
    assert outcome.ended == "unreadable"


def test_react_without_the_released_quirks_repeats_each_step_as_it_was_said() -> None:
    outcome, asked, _ = talked(
        ReactGpt4tools(),
        "Thought: Do I need to use a tool? Yes\nAction: find\nAction Input: image/a.png, dog\nObservation:",
        " Do I need to use a tool? No\nAI: There.",
    )
    assert outcome.text == "There."
    assert (
        asked[1]
        .messages[0]
        .text.endswith(
            "Thought: Do I need to use a tool? Yes\nAction: find\nAction Input: image/a.png, dog\nObservation:"
            "\nObservation: dog[0.100, 0.200, 0.500, 0.900]\n"
        )
    )


def test_a_planner_that_never_answers_is_stopped() -> None:
    call = "Action: find\nAction Input: image/a.png, cat"
    outcome = talked(ReactGpt4tools(), call, call, call, most=3)[0]
    assert (outcome.ended, outcome.why, len(outcome.steps)) == ("steps", "no answer after 3 steps", 3)


def test_calls_in_a_reply_that_no_tool_can_take_are_told_to_the_planner() -> None:
    calls = (FunctionCall("find", '{"image": "image/b.png", "what": "dog"}', "1"), FunctionCall("fly", "{}", "2"))
    outcome, asked, _ = talked(FunctionCalls(), Reply("", calls=calls), Reply("Sorry."))
    assert outcome.text == "Sorry."
    told = [message.text for message in asked[1].messages if message.answers]
    assert told == [
        "find: there is no medium 'image/b.png'; there are: image/a.png",
        "fly is not a valid tool, try another one.",
    ]
    for arguments in ("[1]", "{", '"x"'):
        assert talked(FunctionCalls(), Reply("", calls=(FunctionCall("find", arguments),)))[0].ended == "unreadable"


class Planner(BaseHTTPRequestHandler):
    """OpenAI's chat: the first reply calls a function, the second answers with what the function said."""

    seen: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append(body)
        last = body["messages"][-1]
        if last["role"] == "tool":
            message: dict[str, Any] = {"role": "assistant", "content": f"It lies at {last['content']}."}
        else:
            function = {"name": "find", "arguments": '{"image": "image/a.png", "what": "dog"}'}
            call = {"id": "call_7", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "stop" if message["content"] else "tool_calls"
        reply = json.dumps({"model": "m", "choices": [{"message": message, "finish_reason": reason}], "usage": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Planner) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}/v1"
        http.shutdown()


def test_function_calls_over_http_are_those_of_openai_s_chat(server: str) -> None:
    Planner.seen.clear()
    held = session()
    planner = Endpoint(server, "m")
    talk = Talk(Toolbox(tool_of(find)), "Where is the dog?", [(one, "") for one in held])
    outcome = converse(talk, FunctionCalls(), held, Live(planner))
    planner.close()
    assert outcome.text == "It lies at dog[0.100, 0.200, 0.500, 0.900]."
    first, second = Planner.seen
    assert first["tools"][0]["function"]["name"] == "find" and "tool_calls" not in str(first["messages"])
    said, result = second["messages"][-2:]
    assert said["tool_calls"][0]["id"] == result["tool_call_id"] == "call_7" and result["role"] == "tool"


def test_a_request_without_functions_has_the_key_it_always_had() -> None:
    asked = Request((Message("user", "hello"),))
    assert asked.key() == "aa37f5c79f350b71478003f9004108d18f7181956c8945309100147c341e4842"
    assert asked.key() != Request((Message("user", "hello"),), tools=({"type": "function"},)).key()
