"""What a server counts, in Prometheus' text format."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from vistune.serving.engine.engine import Engine
from vistune.serving.engine.rows import Order
from vistune.serving.engine.stepwise import Stepwise

_FIRST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RATE = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics:
    """Counts of one server; `engines` are asked when somebody looks."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._registry = CollectorRegistry()
        where = self._registry
        self.requests = Counter("vistune_requests", "Requests by path and status", ["path", "status"], registry=where)
        self.read = Counter("vistune_prompt_tokens", "Tokens read, those of media among them", ["model"], registry=where)
        self.cached = Counter("vistune_prompt_tokens_cached", "Tokens that were known", ["model"], registry=where)
        self.written = Counter("vistune_completion_tokens", "Tokens written", ["model"], registry=where)
        self.first = Histogram(
            "vistune_time_to_first_token_seconds", "From arrival to the first token", ["model"], buckets=_FIRST, registry=where
        )
        self.rate = Histogram(
            "vistune_tokens_per_second", "Of one answer, behind its first token", ["model"], buckets=_RATE, registry=where
        )
        self._registry.register(_Gauges(engines))

    def answered(self, model: str, order: Order, written: int) -> None:
        """An order is done."""
        self.read.labels(model).inc(order.length)
        self.cached.labels(model).inc(order.known)
        self.written.labels(model).inc(written)
        if order.first is not None:
            self.first.labels(model).observe(order.first - order.arrived)
            behind = time.monotonic() - order.first
            if written > 1 and behind > 0:
                self.rate.labels(model).observe((written - 1) / behind)

    def text(self) -> bytes:
        """All of them."""
        text: bytes = generate_latest(self._registry)
        return text


class _Gauges:
    """What is looked up when asked for."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines

    def collect(self) -> Iterable[Metric]:
        """What `CollectorRegistry` asks."""
        rows: dict[str, tuple[str, Callable[[Engine], float]]] = {
            "vistune_queue_requests": ("Requests that wait", lambda engine: engine.waiting),
            "vistune_running_rows": ("Answers that are written", lambda engine: engine.active),
            "vistune_media_cache_bytes": ("Encoded media", lambda engine: sum(each.bytes for each in engine.served.caches)),
            "vistune_media_cache_hits": (
                "Media that were known",
                lambda engine: sum(each.made.found for each in engine.served.caches),
            ),
            "vistune_media_cache_misses": (
                "Media that were encoded",
                lambda engine: sum(each.made.missed for each in engine.served.caches),
            ),
            "vistune_prefix_cache_bytes": ("Keys and values of prompts", _prefix_bytes),
        }
        for name, (said, of) in rows.items():
            family = GaugeMetricFamily(name, said, labels=["model"])
            for model, engine in list(self._engines.items()):
                family.add_metric([model], of(engine))
            yield family
        unit = 1 if sys.platform == "darwin" else 1024
        yield GaugeMetricFamily(
            "vistune_peak_memory_bytes", "Most memory so far", value=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        )


def _prefix_bytes(engine: Engine) -> int:
    return engine.method.beginnings.kept.bytes if isinstance(engine.method, Stepwise) else 0
