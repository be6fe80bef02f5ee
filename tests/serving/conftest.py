"""A tiny model, untrained, served on loopback as `vistune serve` serves it; and the official client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving_requests import serving

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.serving.server import Server


@pytest.fixture(scope="session")
def tiny_model(tiny_spec: dict[str, Any]) -> VisionLanguageModel:
    import torch

    torch.manual_seed(2)
    return VisionLanguageModel(ModelSpec.from_json(tiny_spec)).eval()


@pytest.fixture(scope="session")
def server(tiny_model: VisionLanguageModel) -> Iterator[Server]:
    with serving({"tiny": lambda: tiny_model}) as made:
        yield made


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    """The official one."""
    openai = pytest.importorskip("openai")
    http = httpx.Client(trust_env=False)
    return openai.OpenAI(base_url=f"{server.url}v1", api_key="none", max_retries=0, http_client=http)
