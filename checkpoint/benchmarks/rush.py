"""A rush of declarations at a fixed rate, whether or not the server keeps up; those who are sent away come back as they were told."""

import asyncio
import heapq
import time
from dataclasses import dataclass, field

from checkpoint.benchmarks.crowd import CUT, Crowd
from checkpoint.benchmarks.load import quantile

AT_ONCE = 1500  # requests under way at most: the next ones wait, and `offered_rps` tells how many really came


@dataclass(slots=True)
class Rush:
    """What became of it: seconds until the answer of those who were taken, how many were told to come back, how many heard nothing."""

    seconds: float
    offered: int = 0
    told: int = 0
    untold: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return quantile(self.latencies, 0.95)

    @property
    def offered_rps(self) -> float:
        return self.offered / self.seconds

    @property
    def accepted_rps(self) -> float:
        return len(self.latencies) / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.offered_rps:.0f}/s offered, {self.accepted_rps:.0f}/s accepted, p95 {self.p95:.3f} s, "
            f"{self.told} told to come back, {self.untold} heard nothing"
        )


async def run(crowd: Crowd, rate: float, seconds: float) -> Rush:
    """Offer `rate` declarations a second for some seconds; latencies count from the sending to the whole answer."""
    rush = Rush(seconds)
    waiting: list[tuple[float, int, str, bytes]] = []
    under_way: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    due, number = began, 0
    while (now := time.monotonic()) < began + seconds:
        while due <= now and len(under_way) < AT_ONCE:
            due += 1 / rate
            number += 1
            if waiting and waiting[0][0] <= now:
                _when, _number, client_id, body = heapq.heappop(waiting)
            else:
                client_id, body = crowd.next_body()
                crowd.ledger.sent.add(client_id)
            task = asyncio.create_task(_one(crowd, rush, (client_id, body), waiting, number))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            if number % 20 == 0:
                break  # let answers be read between two handfuls
        await asyncio.sleep(0 if due <= time.monotonic() else due - time.monotonic())
    await asyncio.gather(*under_way)
    return rush


async def _one(
    crowd: Crowd, rush: Rush, sent: tuple[str, bytes], waiting: list[tuple[float, int, str, bytes]], number: int
) -> None:
    client_id, body = sent
    rush.offered += 1
    try:
        answer = await crowd.line.ask("POST", "/api/v1/registrations", body)
    except CUT:
        rush.untold += 1
        return
    if answer.status in (200, 201):
        rush.latencies.append(answer.seconds)
        crowd.took(client_id, answer.json())
    elif answer.status in (429, 503) and answer.retry_after is not None:
        rush.told += 1
        heapq.heappush(waiting, (time.monotonic() + answer.retry_after, number, client_id, body))
    else:
        crowd.ledger.wrong.append(f"in the rush a declaration is answered {answer.status}")
