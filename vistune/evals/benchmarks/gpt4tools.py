"""GPT4Tools: is a tool needed, the right tool chosen, and given the right arguments? (Yang et al., NeurIPS 2023)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of
from vistune.evals.metrics.tool_use import tool_use
from vistune.evals.prediction import Prediction, identifier_of
from vistune.evals.reading.annotations import asked, label_of, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class Gpt4tools:
    """1,170 instructions for tools of the training data; `gpt4tools_test_unseen.json` has 652 for tools that are not in it."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "gpt4tools_val_seen.json"})
    answer_form: ClassVar[str] = "lines of Thought, Action and Action Input, or Thought and AI"
    result_form: ClassVar[str] = '[{"id", "output"}], the output with its instruction in front or without'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"id": 2, "output": "Thought: Do I need to use a tool? No\\nAI: Good morning to you."}]'}
    )
    departs: ClassVar[str] = "a missing reply is wrong; the released script leaves it out of the means"

    def read(self, source: str) -> list[Sample]:
        """A sample an instruction, which already names the tools; its answer is the trace that is due."""
        path = locate(source, self.files["annotations"])
        return [
            asked(
                label_of(record, "id", where),
                text_of(record, "instruction", where),
                [],
                [text_of(record, "output", where)],
                origin=where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """What the inference scripts write: the model's whole text behind the instruction, or the reply alone."""
        value = content.value
        if content.form not in ("json", "jsonl") or not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return None
        if not {"id", "output"} <= value[0].keys():
            return None
        instructions = {sample.id: sample.turns[0].text for sample in samples}
        found = []
        for index, record in enumerate(value):
            where = content.record(index)
            name = identifier_of(field_of(record, "id", where), where, "id")
            found.append(Prediction(name, _output(record, where).removeprefix(instructions.get(name, "")).strip()))
        return found

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """SR first, then of the thought, the tool and the arguments, and the IoU of steps."""
        return tool_use(answers(predictions), [sample.answers[0] for sample in samples])


def _output(record: Any, where: str) -> str:
    """The scripts write a text, or a list of one."""
    output = field_of(record, "output", where)
    if isinstance(output, list) and output:
        output = output[0]
    if not isinstance(output, str):
        raise InputError(f"{where}: field 'output' holds {str(output)[:60]!r}, expected text")
    return output
