"""What is to be told of a converted file: where it came from, and the configuration that lay beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import yaml

from engine.errors import ModelFileError

CONFIG_KEY = "darkroom.config"
"""As `engine.ldm.checkpoint_config` reads it."""
LARGEST_YAML = 2**20


def metadata_of(checkpoint: Path) -> tuple[dict[str, str], Path | None]:
    """Metadata for a converted checkpoint, and the configuration file it holds, if there is one.

    Looked for are NAME.yaml, NAME.yml and, in a folder with a single checkpoint, config.yaml, as the original's zoo has
    it.

    Raises:
        ModelFileError: there is one, and it is damaged.
    """
    metadata = {"format": "pt", "darkroom.converted_from": checkpoint.name}
    alone = sum(1 for other in checkpoint.parent.iterdir() if other.suffix == checkpoint.suffix) == 1
    places = [checkpoint.with_suffix(".yaml"), checkpoint.with_suffix(".yml")]
    places += [checkpoint.with_name("config.yaml")] if alone else []
    found = next((place for place in places if place.is_file()), None)
    if found is not None:
        metadata[CONFIG_KEY] = json.dumps(_model_section(found), default=str)
    return metadata, found


def _model_section(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > LARGEST_YAML:
            raise ModelFileError(f"{path} is larger than {LARGEST_YAML} bytes; this is no configuration")
        parsed = cast(object, yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ModelFileError(f"{path} cannot be read as YAML: {error}; correct it, or move it away") from error
    model = cast("dict[str, object]", parsed).get("model") if isinstance(parsed, dict) else None
    if not isinstance(model, dict):
        raise ModelFileError(f"{path} has no `model` section; give the model's own configuration, or move it away")
    return cast("dict[str, object]", model)
