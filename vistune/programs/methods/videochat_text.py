"""VideoChat-Text (Li et al., arXiv 2305.06355, section 3.1): a film told in words, frame by frame, for a language model."""

from __future__ import annotations

from vistune.completer import Message, Request
from vistune.data.media.video import load_video
from vistune.programs.formats.base import turns
from vistune.programs.hands import Hands, PlannerError
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.program import earlier, open_tool, question
from vistune.programs.session import Session, UnknownNameError
from vistune.sample import Media, Sample
from vistune.spec import Spec

SYSTEM = (
    "You talk about a film that you cannot see. What follows says what its frames show and when, in seconds, and what is said "
    "in it. Answer from that alone, and do not mention that you read it."
)


class VideochatText:
    """The program `videochat_text`.

    caption: the tool that describes a frame; tag: names what is in one, if given; listen: gives a sound's words, if given
    frames:  frames of the film, evenly spread
    """

    paper, plans = "arXiv 2305.06355", True

    def __init__(self, caption: Spec, tag: Spec | None = None, listen: Spec | None = None, frames: int = 8) -> None:
        self._caption, self._frames = open_tool(caption), frames
        self._tag = None if tag is None else open_tool(tag)
        self._listen = None if listen is None else open_tool(listen)

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`."""
        try:
            told = self._told(session, hands)
            messages = (Message("system", f"{SYSTEM}\n\n{told}"), *turns(earlier(task)), Message("user", question(task)))
            return Outcome(hands.ask(Request(messages, 512)).text.strip())
        except (ToolError, UnknownNameError) as error:
            return Outcome(ended="tool", why=str(error))
        except PlannerError as error:
            return Outcome(ended="planner", why=str(error))

    def _told(self, session: Session, hands: Hands) -> str:
        """The film as lines, a frame each, and what is said in the session's sound."""
        clip = load_video(session.last("video").medium, self._frames)
        lines = []
        for pixels, second in zip(clip.frames, clip.seconds, strict=True):
            frame = session.add(Media("image", data=pixels)).name
            words = hands.use(self._caption, {"image": frame}, session)[0].text.strip()
            tags = "" if self._tag is None else hands.use(self._tag, {"image": frame}, session)[0].text.strip()
            when = "" if second is None else f"{second:.1f}: "
            lines.append(f"{when}{words}{f' ({tags})' if tags else ''}")
        if self._listen is not None:
            sound = session.last("audio").name
            lines.append(f"Heard: {hands.use(self._listen, {'sound': sound}, session)[0].text.strip()}")
        return "\n".join(lines)
