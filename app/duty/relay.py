"""The relay: notices by the interface, many receivers side by side, five on their way to each at most.

Each receiver has a lane of its own, so that one that is dead, slow or hangs delays nobody else. While a lane's batch is
on its way the next is claimed; results of all lanes are written down together. Rows are read and written in one other
thread; this one only waits for the network.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from app.duty import claims
from app.duty.claims import Job, Receiver
from app.duty.record import Result, record, result_of
from app.duty.verdict import BREAK_AFTER, Outcome
from app.notices.couriers.http import Answer, HttpCourier
from app.notices.signing import NoSecret, signed_headers
from app.now import now

IN_FLIGHT = 5
"""Notices on their way to one receiver at once."""
SMALLEST, LARGEST = 100, 500
"""Notices claimed at once for a receiver: what it takes in AHEAD seconds, within these, and at most twice as many as
the last time, so that what waits to be sent lasts while the next are claimed."""
AHEAD = 2.0
GATHER = 0.1
"""Seconds for which results wait for each other while others are on their way."""
LOOK, AGAIN = 0.5, 0.05
"""Seconds between two looks for new work while something is on its way; the second when something has been written
down since, so that the next about the same company may go."""
MARGIN = timedelta(seconds=20)
"""What must be left of a lease when a try begins: more than the time-out of a try."""
RETRIES = 3
_log = logging.getLogger("jiannuo.watch")
_T = TypeVar("_T")


class Lane:
    """One receiver while notices go to it."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.queue: deque[Job] = deque()
        self.sending = 0
        self.unwritten = 0
        self.failures = receiver.failures
        self.shut = False
        self.more = True
        self.claimed_at = 0.0
        self.sent = 0
        self.last = SMALLEST // 2
        self.low = 0

    @property
    def idle(self) -> bool:
        """Nothing is claimed, on its way or still to be written down."""
        return not (self.queue or self.sending or self.unwritten)

    @property
    def hungry(self) -> bool:
        """It is worth claiming more."""
        return self.more and not self.shut and len(self.queue) <= self.low

    @property
    def hands(self) -> int:
        """How many may be on their way: after failures only so many that they could not exceed the breaker's count."""
        return 1 if self.receiver.probing else max(1, min(IN_FLIGHT, BREAK_AFTER - self.failures))

    def size(self, clock: float) -> int:
        """How many to claim: as many as went out lately, for AHEAD seconds."""
        pace = self.sent / max(clock - self.claimed_at, 0.001)
        return max(SMALLEST, min(LARGEST, 2 * self.last, int(pace * AHEAD)))


class Relay:
    """One turn. `look` is called for whatever else there is to do and says how many it did and whether something of it
    is still under way; `stop` says when to come to an end early."""

    def __init__(
        self,
        courier: HttpCourier,
        seconds: float,
        look: Callable[[], tuple[int, bool]],
        stop: Callable[[], bool],
    ) -> None:
        self.courier, self.seconds, self.look, self.stop = courier, seconds, look, stop
        self.lanes: dict[int, Lane] = {}
        self.results: list[tuple[Lane, Result]] = []
        self.counts = {"delivered": 0, "failed": 0}
        self.freed = False
        self.trouble: Exception | None = None
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="post")

    async def run(self) -> None:
        """Until nothing can be claimed and nothing is on its way, or the time is up. Raises what stopped it early."""
        self.wake, self.written = asyncio.Event(), asyncio.Event()
        self.senders: set[asyncio.Task[None]] = set()
        self.loop = asyncio.get_running_loop()
        self.ends = self.loop.time() + self.seconds
        books = asyncio.create_task(self._keep_books())
        try:
            async with self.courier:
                await self._work()
                while not all(lane.idle for lane in self.lanes.values()):
                    await self._rest()
        finally:
            books.cancel()
            self._clerk.shutdown(wait=False)
        if self.trouble is not None:
            raise self.trouble

    @property
    def _over(self) -> bool:
        return self.trouble is not None or self.stop() or self.loop.time() >= self.ends

    async def _work(self) -> None:
        looked_at, found, busy = -LOOK, 0, False
        try:
            while not self._over:
                passed = self.loop.time() - looked_at
                looked = not self.lanes or passed >= LOOK
                opened = 0
                if looked or (self.freed and passed >= AGAIN):
                    self.freed, looked_at = False, self.loop.time()
                    opened = await self._open_lanes()
                if looked:
                    found, busy = await self._ask(self.look)
                found += opened
                await self._fill([lane for lane in self.lanes.values() if lane.hungry])
                for id, lane in list(self.lanes.items()):
                    if lane.shut:
                        await self._empty(lane)
                    else:
                        self._man(lane)
                    if lane.idle and (lane.shut or not lane.more):
                        del self.lanes[id]
                if not self.lanes and (found or not looked):
                    continue
                if not self.lanes and not busy:
                    return
                await self._rest(AGAIN if self.freed else LOOK)
        except Exception as error:
            self.trouble = error
        for lane in self.lanes.values():
            lane.shut = True
            await self._empty(lane)

    async def _open_lanes(self) -> int:
        """Open lanes for receivers with something due, and say so to those that are open; returns how many notices."""
        fresh = []
        known = [id for id, lane in self.lanes.items() if lane.more or lane.shut]
        for id in await self._ask(claims.due, now(), known):
            if id in self.lanes:
                self.lanes[id].more = True
            else:
                self.lanes[id] = lane = Lane(Receiver(id, "", (), 0))
                fresh.append(lane)
        return await self._fill(fresh)

    async def _fill(self, lanes: Sequence[Lane]) -> int:
        """Claim for lanes, all at once, and see that they are served; returns how many notices."""
        if not lanes:
            return 0
        clock, found = self.loop.time(), 0
        asked = {lane.receiver.id: lane.size(clock) for lane in lanes}
        claimed = await self._ask(claims.claim, asked, now())
        for lane in lanes:
            receiver, jobs = claimed[lane.receiver.id]
            lane.claimed_at, lane.sent = clock, 0
            if receiver is None:
                lane.shut = True
                continue
            if lane.idle:
                lane.failures = receiver.failures
            lane.receiver, lane.more = receiver, len(jobs) == asked[receiver.id]
            lane.last, lane.low = len(jobs), len(jobs) * 3 // 4
            lane.queue.extend(jobs)
            self._man(lane)
            found += len(jobs)
        return found

    def _man(self, lane: Lane) -> None:
        """See that as many hands serve a lane as may."""
        for _ in range(min(lane.hands - lane.sending, len(lane.queue))):
            lane.sending += 1
            sender = asyncio.create_task(self._serve(lane))
            self.senders.add(sender)
            sender.add_done_callback(self._left)

    async def _serve(self, lane: Lane) -> None:
        """One of a lane's hands: takes the next, sends it, until there is none or there are too many hands."""
        try:
            while lane.queue and not (lane.shut or self._over) and lane.sending <= lane.hands:
                job = lane.queue.popleft()
                if job.lease - now() < MARGIN:  # it may be another's by the time it arrives
                    continue
                result = await self._send(lane, job)
                lane.sent += 1
                lane.unwritten += 1
                self.results.append((lane, result))
                self.written.set()
                self._judge(lane, result)
                if len(lane.queue) == lane.low:
                    self.wake.set()
        finally:
            lane.sending -= 1
            self.wake.set()

    def _left(self, sender: asyncio.Task[None]) -> None:
        self.senders.discard(sender)
        if not sender.cancelled() and (error := sender.exception()) is not None:
            self.trouble = RuntimeError(f"{type(error).__name__} while sending")
            _log.error("a notice was not sent", exc_info=error)

    async def _send(self, lane: Lane, job: Job) -> Result:
        at, began, body = now(), self.loop.time(), job.body.encode()
        try:
            headers = signed_headers(lane.receiver.secrets, job.key, at, body)
        except NoSecret as error:
            answer = Answer(None, str(error))
        else:
            answer = await self.courier.post(lane.receiver.address, body, headers)
        return result_of(job, at, round((self.loop.time() - began) * 1000), answer)

    def _judge(self, lane: Lane, result: Result) -> None:
        """What the row will say of the receiver once this is written down holds for the rest of the lane at once."""
        self.counts["delivered" if result.verdict.outcome is Outcome.DELIVERED else "failed"] += 1
        before, lane.failures = lane.failures, 0 if result.verdict.alive else lane.failures + 1
        if before and not lane.failures:
            self.wake.set()
        if lane.failures >= BREAK_AFTER or result.verdict.rest or result.verdict.outcome is Outcome.GONE:
            lane.shut = True
            self.wake.set()

    async def _empty(self, lane: Lane) -> None:
        jobs, lane.queue = list(lane.queue), deque()
        if jobs:
            try:
                await self._ask(claims.give_back, jobs)
            except Exception:  # the leases run out by themselves
                _log.exception("leases of receiver %s", lane.receiver.id)

    async def _keep_books(self) -> None:
        """Write down what has come in, all lanes together, for as long as the turn lasts."""
        while True:
            await self.written.wait()
            gathered = self.loop.time() + GATHER
            while self.loop.time() < gathered and any(lane.sending for lane in self.lanes.values()):
                await asyncio.sleep(GATHER / 10)
            self.written.clear()
            batch, self.results = self.results, []
            watched = {lane.receiver.id for lane, _ in batch if lane.receiver.failures}
            try:
                await self._ask(_persistently, [result for _, result in batch], watched)
            except Exception as error:  # the leases run out, and what was sent is sent again under the same key
                _log.exception("%s results were not written down", len(batch))
                self.trouble = error
            for lane, _ in batch:
                lane.unwritten -= 1
            self.freed = True
            self.wake.set()

    async def _rest(self, seconds: float = LOOK) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), seconds)
        except TimeoutError:
            return
        self.wake.clear()

    async def _ask(self, work: Callable[..., _T], *about: Any) -> _T:
        """Have the clerk do something with rows; it keeps this turn's clock and application."""
        return await self.loop.run_in_executor(self._clerk, copy_context().run, work, *about)


def _persistently(results: list[Result], watched: set[int]) -> None:
    """Two posts that write at once may find themselves in each other's way; one of them then tries again."""
    for chance in range(1, RETRIES + 1):
        try:
            return record(results, watched)
        except OperationalError:
            if chance == RETRIES:
                raise
