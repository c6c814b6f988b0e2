"""`spert serve`: the model as a web service."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spert_cli.models import Model, load_pipeline
from spert_cli.names import check_model_name

_LIMITS: dict[str, Any] = {"rich_help_panel": "Limits"}
_EXTRACTION: dict[str, Any] = {"rich_help_panel": "Extraction, where a request does not say"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("serve")(serve)


def serve(
    model: Model,
    host: Annotated[str, typer.Option("--host", help="address; 0.0.0.0 is every network's")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="port; 0 takes a free one", min=0, max=65535)] = 8000,
    api_key_file: Annotated[
        Path | None, typer.Option("--api_key_file", help="file with the API key; default: $SPERT_API_KEY, else no key")
    ] = None,
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"] | None,
        typer.Option("--precision", help="default: as the model was saved"),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="such as cuda:0; default: the fastest here")] = None,
    num_threads: Annotated[
        int | None, typer.Option("--num_threads", help="CPU threads of the model; default: torch's", min=1)
    ] = None,
    entity_threshold: Annotated[
        float | None, typer.Option("--entity_threshold", help="least probability", **_EXTRACTION)
    ] = None,
    relation_threshold: Annotated[
        float | None, typer.Option("--relation_threshold", help="least probability", **_EXTRACTION)
    ] = None,
    overlap: Annotated[
        Literal["allow", "nested", "flat"] | None,
        typer.Option("--overlap", help="overlaps of entities; default: the model's", **_EXTRACTION),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch_size", help="windows per forward pass", min=1, **_LIMITS)] = 32,
    max_body_bytes: Annotated[int, typer.Option("--max_body_bytes", help="of a request", **_LIMITS)] = 1_048_576,
    max_texts: Annotated[int, typer.Option("--max_texts", help="of a request", **_LIMITS)] = 256,
    max_text_length: Annotated[
        int, typer.Option("--max_text_length", help="characters of a text", **_LIMITS)
    ] = 100_000,
    max_batch_tokens: Annotated[int, typer.Option("--max_batch_tokens", help="a batch is full", **_LIMITS)] = 4096,
    max_wait_ms: Annotated[float, typer.Option("--max_wait_ms", help="wait for others to share", **_LIMITS)] = 5.0,
    max_queue_tokens: Annotated[int, typer.Option("--max_queue_tokens", help="then 429", **_LIMITS)] = 65_536,
    max_requests: Annotated[int, typer.Option("--max_requests", help="in work; then 429", **_LIMITS)] = 256,
    timeout: Annotated[float, typer.Option("--timeout", help="seconds for a request", **_LIMITS)] = 30.0,
    stop_timeout: Annotated[float, typer.Option("--stop_timeout", help="seconds to stop in", **_LIMITS)] = 30.0,
) -> None:
    """Serve a model over HTTP: POST /extract, /health, /ready, /metrics, /docs.

    Example: spert serve runs/demo --port 8000
    """
    try:
        from modeling_spert.service import Limits, read_api_key
        from modeling_spert.service import serve as run_service
    except ImportError as error:
        raise ImportError(f'the service needs FastAPI: pip install "modeling-spert[serve]" ({error})') from error
    limits = Limits(
        max_body_bytes=max_body_bytes,
        max_texts=max_texts,
        max_text_length=max_text_length,
        max_batch_tokens=max_batch_tokens,
        max_wait_ms=max_wait_ms,
        max_queue_tokens=max_queue_tokens,
        max_requests=max_requests,
        timeout=timeout,
        stop_timeout=stop_timeout,
    )
    settings: dict[str, Any] = {"entity_threshold": entity_threshold, "relation_threshold": relation_threshold}
    settings |= {"overlap": overlap, "batch_size": batch_size}
    name, api_key = check_model_name(model), read_api_key(api_key_file)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    def load() -> Any:
        if num_threads is not None:
            import torch

            torch.set_num_threads(num_threads)  # holds for the thread that calls it: this one runs the model
        return load_pipeline(name, precision, device)

    run_service(load, host, port, limits, settings=settings, api_key=api_key)
