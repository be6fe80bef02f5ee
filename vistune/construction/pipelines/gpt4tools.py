"""GPT4Tools: instructions that call for vision tools, as traces of thought, action and input, and ones that call for none."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import everywhere, near_duplicates, tidy, unique
from vistune.construction.operators.generate import generate
from vistune.construction.operators.source import require
from vistune.construction.operators.tool_traces import no_tool, tool_list, traces
from vistune.construction.parsers.base import Item
from vistune.construction.parsers.tool_lines import Tool, tool_lines
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, when

_EDGE = "Edge Detection On Image"
_DEPTH = "Predict Depth On Image"
_POSE = "Pose Detection On Image"
_LIST = (
    Tool("Get Photo Description", "says what a picture shows."),
    Tool("Answer Question About The Image", "answers a question about a picture.", 2),
    Tool("Generate Image From User Input Text", "makes a picture from words.", 1, needs_image=False),
    Tool("Remove Something From The Photo", "removes a named thing.", 2),
    Tool("Replace Something From The Photo", "replaces one named thing by another.", 3),
    Tool("Instruct Image Using Text", "changes a picture as told.", 2),
    Tool("Detect the Give Object", "draws boxes around a named thing.", 2),
    Tool("Segment the Image", "divides a picture into segments."),
    Tool("Segment the given object", "outlines a named thing.", 2),
    Tool("Crop the Given Object", "cuts out a named thing.", 2),
    Tool(_EDGE, "finds edges."),
    Tool("Generate Image Condition On Canny Image", "makes a picture from edges and words.", 2, prerequisite=_EDGE),
    Tool("Line Detection On Image", "finds straight lines."),
    Tool("Sketch Detection On Image", "makes a sketch."),
    Tool(_POSE, "finds people's poses."),
    Tool("Generate Image Condition On Pose Image", "makes a picture from poses and words.", 2, prerequisite=_POSE),
    Tool(_DEPTH, "estimates depth."),
    Tool("Generate Image Condition On Depth", "makes a picture from depth and words.", 2, prerequisite=_DEPTH),
    Tool("Predict Normal Map On Image", "estimates surface normals."),
    Tool("Detect Text In Image", "reads text."),
)
TOOLS = {tool.name: tool for tool in _LIST}
_SPELLINGS = {
    "detect the given object": "Detect the Give Object",
    "detect object": "Detect the Give Object",
    "segment image": "Segment the Image",
    "segment given object": "Segment the given object",
}

ASK = Prompt(
    "instructions",
    "tool",
    "A person talks to an assistant that has these tools:\n"
    f"{tool_list(TOOLS)}\n"
    "Write one instruction for each tool that suits the picture described, as different people would phrase them, and the "
    "call that "
    "fulfils it.",
    ("captions", "objects"),
    tool_lines(TOOLS, _SPELLINGS),
    (
        "Descriptions:\nA goat on a roof.",
        (
            Item.of(
                ("Is the goat alone up there?", ""),
                tool="Answer Question About The Image",
                arguments=("example.jpg", "is it alone"),
            ),
            Item.of(("Show me just the outlines.", ""), tool=_EDGE, arguments=("example.jpg",)),
        ),
    ),
    max_tokens=2048,
)


def _pictured(record: Record) -> bool:
    return bool(record.media)


def steps(kit: Kit) -> list[Operator]:
    """Calls from pictures; text-only questions and answers in the data become the negatives."""
    return [
        when(lambda record: not _pictured(record), require("qa")),
        when(lambda record: not _pictured(record), no_tool(1.0, kit.seed)),
        when(_pictured, require("captions")),
        when(_pictured, generate(kit.writer, ASK, traces(TOOLS, seed=kit.seed), kit.seed)),
        unique(everywhere),
        near_duplicates(),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "GPT4Tools (Yang et al., 2023, section 3)",
    ("captions or qa",),
    "tool traces, chains through a prerequisite, and traces without a tool",
    steps,
    (ASK,),
    deviations="20 tools; the released list has 23 after cleaning",
)
