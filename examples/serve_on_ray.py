"""The service on a Ray cluster: the same application, a copy of the model in each replica.

    pip install "modeling-spert[serve]" "ray[serve]>=2.50"
    python examples/serve_on_ray.py runs/demo --replicas 2              # here, or on the cluster of RAY_ADDRESS
    python examples/serve_on_ray.py org/name --replicas 4 --num_gpus 1

Ray spreads requests over the replicas, and each replica batches its own; it gets requests once its model is loaded.
Every node must be able to read MODEL: a repository on the Hub, or a folder of a shared file system. An API key is read
from SPERT_API_KEY, in the environment of the replicas. Ctrl-C stops it.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import ray
from ray import serve

from modeling_spert.service import Limits

PENDING = 64  # requests that Ray hands to a replica at once: several batches' worth


def build_service(model: str, replicas: int = 1, num_gpus: float = 0, limits: Limits | None = None) -> Any:
    """The Ray Serve application.

    Args:
        model: Folder or repository.
        replicas: Copies of the model.
        num_gpus: GPUs of each.
        limits: Of each replica.
    """
    limits = limits or Limits(max_requests=2 * PENDING)

    def build() -> Any:
        """In each replica."""
        from transformers import pipeline

        import modeling_spert  # noqa: F401  (registers the model and the pipeline)
        from modeling_spert.service import build_app, read_api_key

        loaded = pipeline("joint-extraction", model=model)
        return build_app(lambda: loaded, limits, api_key=read_api_key())

    deployment = serve.deployment(
        name="spert",
        num_replicas=replicas,
        max_ongoing_requests=PENDING,
        max_queued_requests=PENDING * replicas,  # more than that: Ray itself answers 503
        ray_actor_options={"num_gpus": num_gpus},
        graceful_shutdown_timeout_s=limits.stop_timeout,
    )(serve.ingress(build)())
    return deployment.bind()


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="model folder, or a repository on the Hub")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--num_gpus", type=float, default=0, help="of each replica")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    args = parser.parse_args()
    ray.init(ignore_reinit_error=True)
    serve.start(http_options={"host": args.host, "port": args.port})
    serve.run(build_service(args.model, args.replicas, args.num_gpus), name="spert", route_prefix="/")
    print(f"serving {args.model} at http://{args.host}:{args.port}, {args.replicas} replicas; Ctrl-C stops", flush=True)
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        serve.shutdown()


if __name__ == "__main__":
    main()
