"""The web application: its addresses, its key, and how refusals look."""

from __future__ import annotations

import contextlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from modeling_spert.service import openapi
from modeling_spert.service.limits import Limits
from modeling_spert.service.refusals import Refusal, refuse
from modeling_spert.service.service import Service, run
from modeling_spert.version import __version__

logger = logging.getLogger(__name__)


def build_app(
    load: Callable[[], Any],
    limits: Limits | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    api_key: str | None = None,
    on_failure: Callable[[], None] | None = None,
) -> FastAPI:
    """The application around a pipeline. `app.state.service` is its `Service`.

    Args:
        load: Makes the pipeline; called in the worker's thread when the application starts, so that `/health` answers
            meanwhile.
        limits: What it takes; default: `Limits()`.
        settings: Of the pipeline's call, for requests that do not have them.
        api_key: What callers of `/extract` and `/metrics` must send; default: anybody may call.
        on_failure: Called in the worker's thread if the model cannot be loaded.
    """
    limits = limits or Limits()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Made here: an application that is started again, or sent to another process, begins with no thread.
        app.state.service = Service(load, limits, settings or {}, on_failure)
        async with run(app.state.service):
            yield

    app = FastAPI(
        title="SpERT: entities and relations", version=__version__, lifespan=lifespan, redoc_url=None, responses={}
    )
    check_key = _key_check(api_key)

    @app.post("/extract", **openapi.describe_extract(limits, needs_key=api_key is not None))
    async def extract(request: Request) -> Response:
        """Entities and relations of one text or many: the pipeline's answer to it."""
        service: Service = request.app.state.service
        try:
            check_key(request)
            return Response(await service.answer(request), media_type="application/json")
        except Refusal as refusal:
            service.metrics.count_refusal(refusal.status, refusal.reason)
            return JSONResponse({"detail": str(refusal)}, refusal.status, headers=refusal.headers)
        except ClientDisconnect:
            service.metrics.count_disconnect()
            return Response(status_code=499)  # nobody reads it
        except Exception as error:
            logger.exception("a request failed")
            service.metrics.count_refusal(500, "failed")
            return JSONResponse({"detail": f"the service failed ({type(error).__name__}); its log says why"}, 500)

    @app.get("/health")
    def health(request: Request) -> JSONResponse:
        """200 as long as the service works, loading included; 503 once its worker has ended: start it again."""
        is_alive = request.app.state.service.worker.is_alive
        return JSONResponse({"status": "ok" if is_alive else "the worker has ended"}, 200 if is_alive else 503)

    @app.get("/ready")
    def ready(request: Request) -> JSONResponse:
        """200 once the model is loaded and has answered; before that, 503."""
        worker = request.app.state.service.worker
        is_ready = worker.is_ready and worker.is_alive
        return JSONResponse({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)

    @app.get("/metrics", response_class=Response)
    def metrics(request: Request) -> Response:
        """Requests, texts, latency, queue, batches and refusals, for Prometheus."""
        try:
            check_key(request)
        except Refusal as refusal:
            return JSONResponse({"detail": str(refusal)}, refusal.status, headers=refusal.headers)
        return Response(request.app.state.service.metrics.format(), media_type="text/plain; version=0.0.4")

    return app


def _key_check(api_key: str | None) -> Callable[[Request], None]:
    """A function that refuses requests without the key."""
    expected = None if api_key is None else api_key.encode()

    def check(request: Request) -> None:
        if expected is None:
            return
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        sent = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        # Headers are read as Latin-1. The comparison takes the same time wherever the keys differ.
        if not hmac.compare_digest(sent.encode("latin-1"), expected):
            message = "the API key is missing or wrong: send it as Authorization: Bearer KEY, or as X-API-Key: KEY"
            raise refuse("unauthorized", message)

    return check
