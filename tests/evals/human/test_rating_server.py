"""What the server refuses: names, paths, bodies, hosts; and what it keeps."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from vistune.errors import InputError
from vistune.evals.human.server import MAX_BODY, RatingServer
from vistune.evals.human.study import Study

GOOD = {"relevance": 4, "coherence": 5, "fluency": 3}


@pytest.fixture
def client(server: RatingServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, trust_env=False)


def rating_task(study: Study, rater: str) -> int:
    return next(number for number, task in enumerate(study.tasks(rater)) if task.ask == "rate")


def test_listens_on_loopback_and_forbids_everything_from_outside(server: RatingServer, client: httpx.Client) -> None:
    page = client.get("/")
    assert server.server_address[0] == "127.0.0.1"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("http-equiv", ""), "no asset from elsewhere"
    assert client.get("/", headers={"Host": "attacker.example"}).status_code == 403


@pytest.mark.parametrize("name", ["", "../ann", "ann/..", "Ann", "a" * 33, "-a", "ann\n", "ann.jsonl", "ä", "a b"])
def test_bad_rater_names_are_refused_and_leave_no_file(client: httpx.Client, server: RatingServer, name: str) -> None:
    assert client.get("/api/progress", params={"rater": name}).status_code == 400
    assert client.post("/api/rate", json={"rater": name, "n": 0, "values": GOOD}).status_code == 400
    assert not (server.out / "ratings").exists()


@pytest.mark.parametrize(
    "path",
    ["/media/../study.json", "/media/%2e%2e/study.json", "/media/", "/study.json", "/ratings/ann.jsonl", "/page/page.js"],
)
def test_only_the_pages_and_the_studys_media_are_served(server: RatingServer, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port)) as raw:  # httpx would tidy the path
        raw.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert raw.recv(64).split()[1] == b"404"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"relevance": 6, "coherence": 5, "fluency": 3}, "relevance"),
        ({"relevance": True, "coherence": 5, "fluency": 3}, "relevance"),
        ({"relevance": "4", "coherence": 5, "fluency": 3}, "relevance"),
        ({"relevance": 4.0, "coherence": 5, "fluency": 3}, "relevance"),
        ({"relevance": 4}, "exactly"),
        ({**GOOD, "model": "alpha"}, "exactly"),
    ],
)
def test_wrong_ratings_are_refused(client: httpx.Client, study: Study, server: RatingServer, body: Any, field: str) -> None:
    reply = client.post("/api/rate", json={"rater": "ann", "n": rating_task(study, "ann"), "values": body})
    assert reply.status_code == 400 and field in reply.json()["error"]
    assert not (server.out / "ratings/ann.jsonl").exists()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"rater": "ann"}', b'{"rater": 1, "n": 0, "values": {}}', b"[" * 50_000]
)
def test_bodies_that_are_no_rating(client: httpx.Client, body: bytes) -> None:
    assert client.post("/api/rate", content=body, headers={"Content-Type": "application/json"}).status_code == 400


def test_foreign_forms_and_large_bodies_are_refused_before_reading(client: httpx.Client) -> None:
    assert client.post("/api/rate", data={"rater": "ann"}).status_code == 415
    large = client.post("/api/rate", content=b"x" * (MAX_BODY + 1), headers={"Content-Type": "application/json"})
    assert large.status_code == 413


@pytest.mark.parametrize("number", ["-1", "9", "1e3", "", "9" * 30])
def test_task_numbers_out_of_range(client: httpx.Client, number: str) -> None:
    assert client.get("/api/task", params={"rater": "ann", "n": number}).status_code == 400


def test_tasks_are_blind_and_earlier_ratings_come_back(client: httpx.Client, study: Study) -> None:
    number = rating_task(study, "ann")
    assert client.post("/api/rate", json={"rater": "ann", "n": number, "values": GOOD}).json() == {"done": 1, "total": 9}
    task = client.get("/api/task", params={"rater": "ann", "n": number})
    assert not any(model in task.text for model in study.models)
    assert task.json()["given"] == {**GOOD, "preference": None}
    medium = client.get(f"/media/{task.json()['media'][0]['file']}")
    assert medium.headers["content-type"] == "image/png" and medium.content.startswith(b"\x89PNG")


def test_many_raters_at_once_lose_nothing(client: httpx.Client, server: RatingServer, study: Study) -> None:
    def rate(rater: str) -> None:
        for number, task in enumerate(study.tasks(rater)):
            values = GOOD if task.ask == "rate" else {"preference": "first"}
            assert client.post("/api/rate", json={"rater": rater, "n": number, "values": values}).status_code == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(rate, ["a", "b", "c", "d"]))
    for rater in "abcd":
        lines = (server.out / f"ratings/{rater}.jsonl").read_text().splitlines()
        assert len(lines) == 9 and all(json.loads(line) for line in lines)


def test_a_taken_port_is_one_sentence(server: RatingServer, study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot listen on 127\.0\.0\.1"):
        RatingServer(study, tmp_path, port=server.server_port)
