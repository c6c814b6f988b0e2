"""One request from its body to its answer: limits on the way in, the queue, and what happens when the client leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import ClientDisconnect, Request

from modeling_spert.inputs_spert import Document
from modeling_spert.service.batching import BatchQueue, Job
from modeling_spert.service.limits import Limits
from modeling_spert.service.metrics import Metrics
from modeling_spert.service.reading import Call, check_defaults, read_call, read_call_documents
from modeling_spert.service.refusals import Refusal, refuse
from modeling_spert.service.worker import Worker


class Service:
    """A queue, a worker, and the requests between them. It belongs to one event loop.

    Args:
        load: Makes the pipeline; called in the worker's thread.
        limits: What it takes.
        settings: Of the pipeline's call, where a request has none.
        on_failure: Called in the worker's thread if the model cannot be loaded.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        limits: Limits,
        settings: Mapping[str, Any],
        on_failure: Callable[[], None] | None = None,
    ):
        self.limits, self.metrics = limits, Metrics()
        self._settings = dict(settings)
        self._queue = BatchQueue(limits.max_batch_tokens, limits.max_wait_ms / 1000, limits.max_queue_tokens)
        self.worker = Worker(lambda: self._load(load), self._queue, self.metrics, on_failure)
        # Reading is Python's work, and so gains nothing from more threads; it must not hold up the event loop.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="spert-reader")
        self._num_requests = 0
        self.metrics.watch("spert_queue_texts", "Texts that wait", lambda: self._queue.num_texts)
        self.metrics.watch("spert_queue_tokens", "Tokens that wait, estimated", lambda: self._queue.num_tokens)
        self.metrics.watch("spert_requests_in_work", "Requests between arrival and answer", lambda: self._num_requests)
        self.metrics.watch("spert_ready", "1 once the model is loaded and warmed", lambda: self.worker.is_ready)

    def _load(self, load: Callable[[], Any]) -> Any:
        pipe = load()
        self._settings = check_defaults(pipe.model.config, self._settings)
        return pipe

    async def stop(self) -> None:
        """Let the worker finish what is waiting, but not for long: whoever waited for an answer has had the time."""
        self._queue.close()
        await asyncio.get_running_loop().run_in_executor(None, self.worker.join, 5.0)
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def answer(self, request: Request) -> bytes:
        """The answer to a request, as JSON.

        Raises:
            Refusal: If there is none.
            ClientDisconnect: If the client has left.
        """
        started = time.monotonic()
        with self._counted():
            self._check_ready()
            self._check_head(request)
            body = await self._read_body(request)
            call, documents = await asyncio.get_running_loop().run_in_executor(self._reader, self._read, body)
            if not documents:
                return b"[]"
            found = await self._extract(request, call, documents, started + self.limits.timeout)
        answers = [self.worker.pipe.postprocess(pair) for pair in zip(documents, found, strict=True)]
        self.metrics.count_answer(len(answers), time.monotonic() - started)
        return json.dumps(answers[0] if call.is_single else answers).encode()

    @contextlib.contextmanager
    def _counted(self) -> Any:
        if self._num_requests >= self.limits.max_requests:
            message = f"{self._num_requests} requests are in work, the most that may be: try again later"
            raise refuse("queue_full", message, self._queue.retry_after())
        self._num_requests += 1
        try:
            yield
        finally:
            self._num_requests -= 1

    def _check_ready(self) -> None:
        if not self.worker.is_ready:
            raise refuse("not_ready", "the model is still being loaded: try again later", 1)

    def _check_head(self, request: Request) -> None:
        """What can be refused without reading the body."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":  # which a web page cannot send to another site's address unasked
            got = media_type or "none"
            raise refuse("media_type", f"the body must be JSON, with Content-Type: application/json, got {got}")
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.limits.max_body_bytes:
            raise self._too_long(f"{length} bytes")
        self._queue.check_space(1)

    def _too_long(self, got: str) -> Refusal:
        message = f"the body must have at most {self.limits.max_body_bytes} bytes, got {got}: send the texts in parts"
        return refuse("too_large", message)

    async def _read_body(self, request: Request) -> bytes:
        async def read() -> bytes:
            body = bytearray()
            async for chunk in request.stream():
                body += chunk
                if len(body) > self.limits.max_body_bytes:
                    raise self._too_long("more")
            return bytes(body)

        try:
            return await asyncio.wait_for(read(), self.limits.timeout)
        except asyncio.TimeoutError:
            raise refuse("slow_body", f"the body did not arrive within {self.limits.timeout:g} seconds") from None

    def _read(self, body: bytes) -> tuple[Call, list[Document]]:
        """In the reader's thread."""
        pipe = self.worker.pipe
        call = read_call(body, pipe.model.config, self.limits, self._settings)
        self._queue.check_space(sum(call.tokens))  # before the work of splitting it into words
        return call, read_call_documents(call, pipe.preprocess)

    async def _extract(self, request: Request, call: Call, documents: list[Document], deadline: float) -> Any:
        """Wait in the queue, unless the client leaves or the time is up: then the place is free again."""
        job = Job(documents, call.tokens, call.extraction)
        self._queue.put(job)
        answer = asyncio.wrap_future(job.future)
        gone = asyncio.ensure_future(_wait_until_gone(request))
        try:
            left = max(0.0, deadline - time.monotonic())
            waiting: set[asyncio.Future[Any]] = {answer, gone}
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return _result_of(answer)
            if gone.done():
                raise ClientDisconnect
            message = f"no answer within {self.limits.timeout:g} seconds: send fewer texts, or try again later"
            raise refuse("timeout", message, self._queue.retry_after())
        finally:
            gone.cancel()
            if answer.cancel():
                self._queue.remove(job)


async def _wait_until_gone(request: Request) -> None:
    """Wait until the client closes the connection; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _result_of(answer: asyncio.Future[Any]) -> Any:
    error = answer.exception()
    if error is not None:
        raise refuse("failed", f"the extraction failed ({type(error).__name__}); the service's log says why") from error
    return answer.result()


@contextlib.asynccontextmanager
async def run(service: Service) -> AsyncIterator[None]:
    """A service from its start to its stop."""
    service.worker.start()
    try:
        yield
    finally:
        await service.stop()
