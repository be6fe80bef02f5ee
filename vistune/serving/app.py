"""The routes.

POST /v1/chat/completions   answer, whole or as server-sent events
POST /v1/responses          the same in the form of OpenAI's responses
POST /v1/rank               the likeliest of given options
GET  /v1/models             what is served
GET  /openapi.json          these routes, for tools that read such a description
GET  /health                200 once all models are loaded, 503 before that and while draining
GET  /metrics               Prometheus' text format
GET  /                      the page
POST /votes                 which of two answers is better, for `vistune human report`
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from vistune.serving.engine.asking import Ended, Event, Failed, Ranked, Said
from vistune.serving.engine.engine import Engine
from vistune.serving.engine.rows import Order
from vistune.serving.guard import Bodies, Guard, parsed, refused
from vistune.serving.protocol import reply
from vistune.serving.protocol.openapi import described
from vistune.serving.protocol.request import Chat, read_chat
from vistune.serving.protocol.responses import read_response
from vistune.serving.refusals import Refusal, refusal
from vistune.serving.service import ReadChat, Service
from vistune.serving.votes import Votes

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


class Api:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        self.service, self.bodies = service, Bodies(service.settings)
        self.votes = None if service.settings.votes is None else Votes(service.settings.votes)
        self._files = {
            file.name: file.read_bytes() for file in (resources.files("vistune.serving") / "page").iterdir() if file.is_file()
        }
        self._started = int(time.time())

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        return await self._answer(request, read_chat)

    async def responses(self, request: Request) -> Response:
        """POST /v1/responses."""
        return await self._answer(request, read_response)

    async def _answer(self, request: Request, read: ReadChat) -> Response:
        body = parsed(await self.bodies.read(request))
        engine = self.service.engine(body)
        asked, order = await self.service.read(lambda: self.service.chat(engine, body, read))
        if asked.ask.streamed:
            return await self._stream(request, engine, asked, order)
        choices = [reply.Answered() for _ in range(asked.ask.copies)]
        async with self._heard(request, engine, order) as events:
            async for event in events:
                if isinstance(event, Said):
                    choices[event.copy].tokens += event.tokens
                elif isinstance(event, Ended):
                    choices[event.copy].ended = event
                if all(choice.ended is not None for choice in choices):
                    break
        usage = self._counted(asked.model, order, [choice.ended for choice in choices if choice.ended])
        return JSONResponse(asked.form.whole(choices, usage))

    async def rank(self, request: Request) -> Response:
        """POST /v1/rank."""
        body = parsed(await self.bodies.read(request))
        engine = self.service.engine(body)
        order = await self.service.read(lambda: self.service.choice(engine, body))
        scores: tuple[float, ...] = ()
        async with self._heard(request, engine, order) as events:
            async for event in events:
                if isinstance(event, Ranked):
                    scores = event.scores
                    break
        usage = self._counted(engine.served.name, order, [])
        best = scores.index(max(scores))
        # Relative to the best, so that the exponentials of long options do not all underflow to zero.
        total = sum(math.exp(score - scores[best]) for score in scores)
        ranked = [
            {"index": place, "option": option, "logprob": score, "probability": math.exp(score - scores[best]) / total}
            for place, (option, score) in enumerate(zip(order.options, scores, strict=True))
        ]
        head = {"id": reply.new_id("rank"), "object": "rank", "created": int(time.time()), "model": engine.served.name}
        return JSONResponse({**head, "best": best, "choices": ranked, "usage": usage.to_json()})

    async def _stream(self, request: Request, engine: Engine, asked: Chat, order: Order) -> Response:
        """Nothing is sent before the first token: until then a failure still has a status of its own."""
        heard = self._heard(request, engine, order)
        events = await heard.__aenter__()
        try:
            first = await anext(aiter(events))
        except BaseException:
            order.gone = True
            await heard.__aexit__(None, None, None)
            raise

        async def pieces() -> AsyncIterator[bytes]:
            form, ended = asked.form, list[Ended]()
            try:
                for piece in form.begin():
                    yield piece
                event: Event = first
                while True:
                    told = list[bytes]()
                    if isinstance(event, Said):
                        told = form.said(event)
                    elif isinstance(event, Ended):
                        ended.append(event)
                        told = form.ended(event)
                    for piece in told:
                        yield piece
                    if len(ended) == asked.ask.copies:
                        break
                    event = await anext(aiter(events))
                for piece in form.end(self._counted(asked.model, order, ended)):
                    yield piece
            except Refusal as error:
                for piece in form.failed(error):
                    yield piece
            finally:
                await heard.__aexit__(None, None, None)

        return StreamingResponse(pieces(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    @asynccontextmanager
    async def _heard(self, request: Request, engine: Engine, order: Order) -> AsyncIterator[AsyncIterator[Event]]:
        """Events of an order. A client that hangs up frees its place; what fails is raised as a `Refusal`."""
        async with self.service.events(engine, order) as queue:

            async def hung_up() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                order.gone = True
                # The handler may be waiting for an event that never comes; this one wakes it.
                queue.put_nowait(Failed(Refusal("the client hung up", 408)))

            async def events() -> AsyncIterator[Event]:
                while True:
                    event = await queue.get()
                    if isinstance(event, Failed):
                        raise refusal(event.error)
                    yield event

            watch = asyncio.create_task(hung_up())
            try:
                yield events()
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch

    def _counted(self, model: str, order: Order, ended: list[Ended]) -> reply.Usage:
        written = sum(each.tokens for each in ended)
        self.service.metrics.answered(model, order, written)
        return reply.Usage(order.length, order.known, written)

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        return JSONResponse({"object": "list", "data": [self._model(name) for name in self.service.engines]})

    async def model(self, request: Request) -> Response:
        """GET /v1/models/NAME."""
        name = request.path_params["name"]
        if name not in self.service.engines:
            raise Refusal(f"there is no model {name[:100]!r} here", 404, "model", "model_not_found")
        return JSONResponse(self._model(name))

    def _model(self, name: str) -> dict[str, Any]:
        served = self.service.engines[name].served
        own = {
            "reads": list(served.terms.reads),
            "points": list(served.terms.points),
            "makes": list(served.terms.makes),
            "context": served.terms.context,
        }
        return {"id": name, "object": "model", "created": self._started, "owned_by": "vistune", "vistune": own}

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(described(list(self.service.engines), self.service.settings.max_tokens))

    async def health(self, request: Request) -> Response:
        """GET /health."""
        state = self.service.state
        fault = {} if self.service.fault is None else {"error": self.service.fault}
        return JSONResponse({"status": state, **fault}, 200 if state == "ready" else 503)

    async def metrics(self, request: Request) -> Response:
        """GET /metrics."""
        return Response(self.service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def page(self, request: Request) -> Response:
        """GET / and the files beside it."""
        name = request.path_params.get("file", "index.html")
        if name not in self._files:
            raise Refusal("there is nothing here", 404)
        kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        return Response(self._files[name], media_type=kind, headers={"Cache-Control": "no-cache"})

    async def settings(self, request: Request) -> Response:
        """GET /settings: what the page must know before it asks."""
        key, votes = self.service.settings.key is not None, self.votes is not None
        return JSONResponse({"key": key, "votes": votes, "max_tokens": self.service.settings.max_tokens})

    async def vote(self, request: Request) -> Response:
        """POST /votes."""
        body = parsed(await self.bodies.read(request))
        if self.votes is None:
            raise Refusal("this server keeps no votes: start it with --votes FOLDER", 404)
        votes, known = self.votes, self.service.expected
        return JSONResponse(await self.service.read(lambda: votes.add(body, known)))


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        words = {404: "there is nothing here", 405: "this address does not take that method"}
        error = Refusal(words.get(error.status_code, str(error.detail)), error.status_code)
    assert isinstance(error, Refusal)
    return refused(error)


def make_app(service: Service) -> Guard:
    """The application."""
    api = Api(service)
    routes = [
        Route("/v1/chat/completions", api.chat, methods=["POST"]),
        Route("/v1/responses", api.responses, methods=["POST"]),
        Route("/v1/rank", api.rank, methods=["POST"]),
        Route("/v1/models", api.models),
        Route("/v1/models/{name:path}", api.model),
        Route("/openapi.json", api.openapi),
        Route("/health", api.health),
        Route("/metrics", api.metrics),
        Route("/votes", api.vote, methods=["POST"]),
        Route("/settings", api.settings),
        Route("/", api.page),
        Route("/page/{file}", api.page),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, Refusal: _refused})
    return Guard(app, service)
