"""Promise P5: the server is up without what only nodes need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from engine.node.folders import PROJECT

START = r"""
import asyncio, json, re, sys, tempfile
from pathlib import Path
from aiohttp.test_utils import TestClient, TestServer
from engine.http.app import make_app
from engine.http.keys import ServerSettings
from engine.jobs.service import JobService
from engine.node.folders import Folders

async def main():
    with tempfile.TemporaryDirectory() as home:
        folders = Folders.under(Path(home))
        service = await JobService.open(folders)
        async with TestClient(TestServer(make_app(service, folders, ServerSettings(token="x" * 16)))) as client:
            async with client.get("/v1/queue") as answer:
                assert answer.status == 200
        await service.close()
    late = ("torch", "transformers", "safetensors", "numpy", "PIL", "networkx", "nodes", "engine.values", "engine.ldm")
    loaded = [name for name in late if name in sys.modules]
    status = Path("/proc/self/status")  # not getrusage, which counts what the parent held when it started this
    peak = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    print(json.dumps({"loaded": loaded, "kilobytes": int(peak[1]) if peak else None}))

asyncio.run(main())
"""


def test_the_first_answer_needs_no_torch_and_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, cwd=PROJECT, check=True)
    measured = json.loads(done.stdout)
    assert measured["loaded"] == []
    if measured["kilobytes"] is None:
        pytest.skip("only Linux says how much memory a process has held")
    assert measured["kilobytes"] < 80 * 1024
