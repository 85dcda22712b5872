"""Bringing a model of 1.7 GB to the device: time until it can compute, and memory beside the file's own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.row import Row, at_most

UNET = "dict(in_channels=4, out_channels=4, model_channels=288, channel_mult=(1, 2, 3, 3), num_res_blocks=2, " \
    "attention_resolutions=(1, 2, 4), num_heads=8, context_dim=768)"  # fmt: skip

WRITE = f"""
import json, sys
import torch
from engine.ldm.unet import UNetConfig, UNetModel
config = {UNET}
with torch.device("meta"):
    unet = UNetModel(UNetConfig(**config))
position, header = 0, {{"__metadata__": {{"darkroom.config": json.dumps({{"params": {{
    "unet_config": {{"params": config | {{"use_spatial_transformer": True}}}}, "conditioning_key": "crossattn"}}}})}}}}
for name, tensor in unet.state_dict().items():
    end = position + 4 * tensor.numel()
    entry = {{"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [position, end]}}
    header["model.diffusion_model." + name] = entry
    position = end
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text)
    file.truncate(8 + len(text) + position)  # a hole: zeros that take no room on the disk
"""

LOAD = """
import json, resource, sys, time
import torch
from engine.models.device import Device
from engine.models.handles import Model
from engine.models.manager import ModelManager
import engine.ldm.checkpoint

def resident():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmRSS"))

manager = ModelManager(Device(), 0)  # with no budget nothing stays, so each use loads again
times = []
for _ in range(5):
    start = time.process_time()
    with manager.use(Model.open(sys.argv[1])):
        times.append(time.process_time() - start)
before = resident()
with manager.use(Model.open(sys.argv[1])) as unet:
    for weight in unet.parameters():
        weight.sum()  # as the first step does: reads every weight
    touched = resident()
print(json.dumps({"seconds": min(times), "bytes": touched - before}))
"""


def rows() -> list[Row]:
    """CPU time of opening and building, and resident memory once every weight was read, over the file's size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        _python(WRITE, path)
        size = path.stat().st_size
        found = json.loads(_python(LOAD, path))
    return [
        at_most(f"a model of {size / 1e9:.1f} GB is ready", "P13", found["seconds"] * 1000, 50, "ms"),
        at_most("memory once all its weights were read / file", "P13", found["bytes"] / size, 1.1, "x"),
    ]


def _python(code: str, path: Path) -> str:
    """Run code in a process of its own, whose memory is its own."""
    return subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True).stdout
