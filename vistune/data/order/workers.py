"""Processes that produce items ahead of their consumer, in a fixed order; they end with it, however it ends.

Each has a pipe of its own, whose writing end nobody else holds: the consumer sees the end of the pipe in the instant a worker
is killed, also in the middle of an item. Queues of `multiprocessing` would leave it waiting for the rest, and their locks and
events can be held by the dead.
"""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from vistune.errors import InputError

Item = TypeVar("Item")

_GRACE = 0.5  # seconds in which a worker that is no longer wanted may end by itself


class _End:
    pass


def in_order(part: Callable[[int, int], Iterator[Item]], workers: int, first: int, ahead: int) -> Iterator[Item]:
    """Items of `part(0, workers) ... part(workers - 1, workers)`, one from each in turn, beginning with worker `first`.

    An exception in a worker is raised here, at the item's place. When the consumer stops, or its process is killed, the
    workers end. Raises `InputError` when a worker was killed.
    """
    context = multiprocessing.get_context("fork")  # readers hold open offset tables: copied on write, never pickled
    pipes: list[Connection] = []
    processes = []
    try:
        for number in range(workers):
            reader, writer = context.Pipe(duplex=False)
            pipes.append(reader)
            arguments = (part, number, workers, writer, tuple(pipes), ahead)
            processes.append(context.Process(target=_work, args=arguments, daemon=True))
            processes[-1].start()
            writer.close()  # before the next worker is forked, which would hold it open
        number = first
        while True:
            item = _take(pipes[number], processes[number])
            if isinstance(item, _End):
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            number = (number + 1) % workers
    finally:
        for pipe in pipes:
            pipe.close()  # what a worker sends now fails, and it ends
        for process in processes:
            process.join(_GRACE)
            process.kill()
            # The pipe broke before an end was sent: the worker did not raise but was killed, and its exit code says how.
            process.join()


def _take(pipe: Connection, process: Any) -> Any:
    try:
        packed = pipe.recv_bytes()
    except (EOFError, OSError):
        process.join()
        code = process.exitcode
        ended = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        why = ", often for want of memory" if code == -signal.SIGKILL else ""
        raise InputError(
            f"a process that prepares data was {ended}{why}: run the same command again, perhaps with fewer workers"
        ) from None
    return pickle.loads(packed)  # noqa: S301 - our own process wrote it


def _work(
    part: Callable[[int, int], Iterator[Any]],
    number: int,
    workers: int,
    writer: Connection,
    readers: tuple[Connection, ...],
    ahead: int,
) -> None:
    for reader in readers:
        reader.close()  # the consumer's ends: held here, nobody's writing would fail when it is gone
    # The consumer decides what Ctrl-C means, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    waiting: queue.Queue[bytes | None] = queue.Queue(max(1, ahead - 1))  # one more is on its way
    gone = threading.Event()
    # A thread sends, so that preparing goes on while the pipe is full.
    sender = threading.Thread(target=_send, args=(writer, waiting, gone), daemon=True)
    sender.start()
    try:
        for item in part(number, workers):
            waiting.put(_packed(item))
            if gone.is_set():
                return
        waiting.put(_packed(_End()))
    except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
        waiting.put(_packed(error))
    waiting.put(None)
    sender.join()


def _packed(item: Any) -> bytes:
    return pickle.dumps(item, pickle.HIGHEST_PROTOCOL)


def _send(writer: Connection, waiting: queue.Queue[bytes | None], gone: threading.Event) -> None:
    while (packed := waiting.get()) is not None:
        if gone.is_set():
            continue  # nobody reads: make room, so that who waits for it sees that
        try:
            writer.send_bytes(packed)
        except OSError:
            gone.set()
