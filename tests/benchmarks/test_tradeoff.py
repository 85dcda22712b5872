"""The study of compression, as small as it goes: it trains, goes on, measures and writes its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.tradeoff.plan import QUICK, Plan
from engine.errors import FileProblem
from engine.ldm.training.classifier import Classifier, ClassifierConfig, save_classifier


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(8):
        Image.new("RGB", (32, 32), (number * 30, 255 - number * 30, 128)).save(data / f"{number}.png")
    torch.manual_seed(0)
    save_classifier(tmp_path / "classifier.safetensors", Classifier(ClassifierConfig(("a", "b"), (8, 8), 16)))
    for factor in QUICK.factors:  # as if a step took that long on any machine
        folder = tmp_path / "work" / f"f{factor}"
        folder.mkdir(parents=True)
        (folder / "timed.json").write_text(json.dumps({"seconds_per_step": 0.01}))
    words = ["tradeoff", "--quick", "--data", str(data), "--classifier", str(tmp_path / "classifier.safetensors")]
    return [*words, "--folder", str(tmp_path / "work"), "--docs", str(tmp_path / "docs")]


def test_a_quick_study_writes_its_page_and_goes_on_from_what_it_has(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    page = (tmp_path / "docs" / "tradeoff.md").read_text()
    assert page in capsys.readouterr().out
    lines = page.splitlines()
    for factor in QUICK.factors:  # a first stage and two points each
        assert sum(line.startswith(f"| {factor} | ") for line in lines) == 3
    for name in ("tradeoff.png", "tradeoff-samples.webp"):
        with Image.open(tmp_path / "docs" / "images" / name) as picture:
            assert min(picture.size) > 40
    outcome = json.loads((tmp_path / "work" / "outcome.json").read_text())
    assert outcome["first_stages"][0]["frechet"] == outcome["floor"]
    assert all(each["frechet"] > 0 for each in outcome["judged"])
    assert [each["point"]["steps"] for each in outcome["judged"]] == [2, 2, 4, 4]
    trained = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.safetensors")}
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.safetensors")} == trained
    assert json.loads((tmp_path / "work" / "outcome.json").read_text()) == outcome
    with pytest.raises(FileProblem, match="name another folder"):
        main([*words, "--points", "0.001"])


@pytest.mark.parametrize("plan", [Plan(), QUICK])
def test_u_nets_differ_in_their_ends_alone_and_first_stages_compress_as_they_say(plan: Plan) -> None:
    configs = {factor: plan.model(factor, 1.0) for factor in plan.factors}
    inner = {(each.unet.model_channels, each.unet.channel_mult, each.unet.num_heads) for each in configs.values()}
    assert len(inner) == 1
    for factor, config in configs.items():
        assert (1 if config.first_stage is None else config.first_stage.downsampling) == factor
        assert config.unet.in_channels == config.unet.out_channels
