"""The service on a local Ray: two replicas, the same answers."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from running_service import answers, wait_until
from tiny_pipeline import TEXT, assert_same_answers, save_folder, tiny_model, tiny_pipeline

from benchmarks.service_load import closed_load

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_serve_on_ray_two_replicas_answer_as_the_pipeline(tmp_path):
    if subprocess.run([sys.executable, "-c", "import ray.serve"], capture_output=True).returncode:
        pytest.skip('ray[serve] is not installed: pip install "ray[serve]"')
    folder = save_folder(tmp_path / "tiny")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "examples/serve_on_ray.py", str(folder), "--replicas", "2", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": "/tmp"}
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or "Ctrl-C stops" in (tmp_path / "log").read_text("utf-8"), 300)
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.poll() is not None or answers(address + "/ready"))
        texts = [f"{TEXT} In {index} weeks." for index in range(20)]
        replies = closed_load(address, texts, callers=8, seconds=5)
        assert Counter(reply.status for reply in replies).keys() == {200}, (tmp_path / "log").read_text("utf-8")
        expected = tiny_pipeline(tiny_model())(texts)
        assert_same_answers([reply.answer() for reply in replies], [expected[reply.index] for reply in replies])
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 0
    finally:
        process.kill()
        process.wait()
