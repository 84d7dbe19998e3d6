"""The configurations that come with the library."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from ml.training.tasks import TASKS, Kind

FOLDER = Path(__file__).parents[1] / "configs"


@dataclass(frozen=True)
class ConfigInfo:
    """One file of `ml/configs/`; `summary` is its first comment."""

    name: str
    path: Path
    kind: Kind
    summary: str


def available_configs() -> list[ConfigInfo]:
    """All of them, by name."""
    infos = []
    for path in sorted(FOLDER.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        kind = TASKS[yaml.safe_load(text)["task"]].kind
        infos.append(ConfigInfo(path.stem, path, kind, text.partition("\n")[0].removeprefix("#").strip()))
    return infos
