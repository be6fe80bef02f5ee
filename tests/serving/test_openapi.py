"""What the server says of itself is held to what it reads, and to requests that schemathesis draws from it."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest
from serving_requests import serving

from vistune.model.vlm import VisionLanguageModel
from vistune.serving.protocol.openapi import described
from vistune.serving.protocol.request import CHAT
from vistune.serving.protocol.responses import READ

REQUESTS = 60  # of each route, of fitting and of unfitting ones


def test_it_names_the_fields_that_are_read(http: httpx.Client) -> None:
    told = http.get("/openapi.json").json()
    assert told == described(["tiny"], 4096)
    assert set(told["components"]["schemas"]["Chat"]["properties"]) == set(CHAT)
    assert set(told["components"]["schemas"]["Ask"]["properties"]) == set(READ)


@pytest.mark.slow
def test_requests_drawn_from_it_are_answered_as_it_says(tiny_model: VisionLanguageModel) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis (pip install schemathesis)")
    from hypothesis import HealthCheck, given, settings
    from schemathesis import checks

    kept = (
        *(checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance),
        checks.response_schema_conformance,
    )
    tried: Counter[tuple[str, int]] = Counter()
    with serving({"tiny": lambda: tiny_model}, max_tokens=4) as server:
        schema = schemathesis.openapi.from_url(f"{server.url}openapi.json", wait_for_schema=5)
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                if mode is schemathesis.GenerationMode.NEGATIVE and operation.method.upper() == "GET":
                    continue  # nothing is said there that could be said wrongly

                @settings(max_examples=REQUESTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
                @given(case=operation.as_strategy(generation_mode=mode))
                def holds(case: schemathesis.Case) -> None:
                    answer = case.call_and_validate(checks=list(kept), timeout=60)
                    tried[case.path, answer.status_code] += 1

                holds()
    print(dict(tried))
    assert tried["/v1/chat/completions", 200] and tried["/v1/chat/completions", 400] and tried["/v1/rank", 200]
    assert tried["/v1/responses", 200] and tried["/v1/responses", 400]
