"""ReAct as GPT4Tools speaks it (Yang et al., NeurIPS 2023; its loop is LangChain's conversational agent).

    Thought: Do I need to use a tool? Yes        Thought: Do I need to use a tool? No
    Action: Get Photo Description                AI: A cat on a mat.
    Action Input: image/1.png
    Observation: a cat on a mat

The layout, separators and role words are the released ones; the sentences about the task are ours. A recording of the released
loop holds what the model is shown and what is read in its replies.
"""

from __future__ import annotations

import re

from vistune.completer import Message, Reply, Request
from vistune.programs.formats.base import Call, Said, Talk, UnreadableError, seen
from vistune.programs.tool import Tool, Toolbox

PREFIX = (
    "You help people with pictures and texts. You see no picture yourself: tools do, and they are given pictures by the names "
    "that stand in the conversation. Keep to what the tools observed.\n\nTOOLS:\n------\n\nThese tools can be used:"
)
LAYOUT = """To use a tool, write:

```
Thought: Do I need to use a tool? Yes
Action: one of [{names}]
Action Input: what the tool is given
Observation: what came of it
```

To answer, or when no tool is needed, write:

```
Thought: Do I need to use a tool? No
AI: the answer
```
"""
CLOSING = "Name pictures as they were named last, invent no name, and repeat in the answer what matters. Think step by step."

_ACTION = re.compile(r"Action: (.*?)[\n]*Action Input: (.*)")
STOP = "\nObservation: "
_TWICE = "Observation:\n\nObservation:"
_THOUGHT = "Thought:"
_USER, _ASSISTANT = "USER: \n", "ASSISTANT:"


class ReactGpt4tools:
    """The format `react_gpt4tools`.

    released: as the released client does, put its marks around the prompt and cut the reply out by the length of the prompt
              without them: the first reply of a turn gains the end of the prompt, later ones lose their first character, and
              both end up in the next prompt. False leaves marks to the planner's own chat template and replies as they are
    keep:     paragraphs of the conversation to keep; a longer one is cut down to its last, as released
    """

    def __init__(
        self, released: bool = False, keep: int = 1, prefix: str = PREFIX, closing: str = CLOSING, max_tokens: int = 512
    ) -> None:
        self._released, self._keep, self._max_tokens = released, keep, max_tokens
        self._prefix, self._closing = prefix, closing

    def request(self, talk: Talk) -> Request:
        """The tools, the layout, what was said before, the new input and the steps so far, as one text."""
        return Request((Message("user", self._marked(self._prompt(talk))),), self._max_tokens, stop=(STOP,))

    def read(self, reply: Reply, talk: Talk) -> Said:
        """The text behind the last `AI:` is an answer; else the first action with its input is a call."""
        text = reply.text
        if self._released:
            prompt = self._prompt(talk)
            text = f"{self._marked(prompt).removesuffix(_ASSISTANT)}{text}"[len(prompt) :]
        return read_react(text)

    def cut(self, memory: str) -> str:
        """The memory, cut down to its last paragraph when it has more than `keep`; the mark it starts with counts as one."""
        paragraphs = memory.split("Human:")
        return memory if not memory or len(paragraphs) <= self._keep else f"Human:{paragraphs[-1]}"

    def _prompt(self, talk: Talk) -> str:
        memory = self.cut(remembered(talk))
        asked = f"Previous conversation:\n{memory}\n\nNew input: {talk.question}\n{self._closing}\n"
        return "\n\n".join([self._prefix, described(talk.tools), asked]) + self._steps(talk)

    def _steps(self, talk: Talk) -> str:
        texts = [step.said.text if self._released else step.said.text.strip() for step in talk.steps]
        if not self._released:  # a chat model begins each reply with the thought's own mark
            texts = [text if text.startswith(_THOUGHT) else f"{_THOUGHT} {text}" for text in texts]
            return "".join(f"{text}\nObservation: {seen(step)}\n" for text, step in zip(texts, talk.steps, strict=True))
        return "".join(f"{text}\nObservation: {seen(step)}\n{_THOUGHT}" for text, step in zip(texts, talk.steps, strict=True))

    def _marked(self, prompt: str) -> str:
        if not self._released:
            return prompt
        return f"{_USER}{prompt.removesuffix(_THOUGHT).replace(_TWICE, 'Observation:')}{_ASSISTANT}"


def read_react(text: str) -> Said:
    """A reply up to an observation it makes up. Raises `UnreadableError` where it holds neither an answer nor an action."""
    text = text.partition(STOP)[0]
    if "AI:" in text:
        return Said(text, answer=text.rpartition("AI:")[2].strip())
    match = _ACTION.search(text)
    if match is None:
        raise UnreadableError(f"Could not parse LLM output: `{text}`")
    return Said(text, (Call(match[1].strip(), match[2].strip(" ").strip('"')),))


def described(tools: Toolbox) -> str:
    """The tools, and the layout of a call."""
    about = "\n".join(f"> {tool.name}: {_use(tool)}" for tool in tools)
    return f"{about}\n\n{LAYOUT.format(names=', '.join(tool.name for tool in tools))}"


def _use(tool: Tool) -> str:
    takes = ", ".join(argument.name for argument in tool.takes)
    return (
        f"{tool.use} Input: {takes}, separated by commas."
        if len(tool.takes) > 1
        else f"{tool.use} Input: {takes or 'nothing'}."
    )


def remembered(talk: Talk) -> str:
    """The conversation as lines of `Human:` and `AI:`; a picture is a turn that names it and says what it shows."""
    shown = "".join(
        f"\nHuman: Provide an image named {held.name}. The description is: {about}. Understand the image using tools.\n"
        "AI: Received."
        for held, about in talk.shown
    )
    return shown + "".join(f"\nHuman: {question}\nAI: {answer}" for question, answer in talk.earlier)
