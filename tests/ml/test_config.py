from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from ml.training import ConfigError, TrainConfig, available_configs, read_config

DEMO = Path(__file__).parents[2] / "ml" / "configs" / "vilt_demo.yaml"


def test_every_packaged_configuration_is_read() -> None:
    files = sorted(DEMO.parent.glob("*.yaml"))
    assert DEMO in files
    for file in files:
        assert isinstance(read_config(file), TrainConfig)


@pytest.mark.parametrize("name", ["vilt_pretrain", "vilt_finetune"])
def test_a_configuration_that_people_copy_names_every_key(name: str) -> None:
    """Nothing of it may hide in a default."""
    path = DEMO.parent / f"{name}.yaml"
    values, config = yaml.safe_load(path.read_text(encoding="utf-8")), read_config(path)
    assert set(values) == {entry.name for entry in fields(config)}
    for part in ("model", "pictures", "optimiser"):
        assert set(values[part]) == {entry.name for entry in fields(getattr(config, part))}


def test_each_says_in_one_line_what_it_is_for() -> None:
    infos = {info.name: info for info in available_configs()}
    assert infos["vilt_demo"].kind == "finetune"
    assert infos["vilt_pretrain"].kind == "pretrain"
    assert all(20 < len(info.summary) < 150 for info in infos.values())


def test_changes_are_laid_over_the_file() -> None:
    config = read_config(DEMO, ["batch_size=7", "model.layers=2", "optimiser.learning_rate=1e-3"])
    assert (config.batch_size, config.model.layers, config.optimiser.learning_rate) == (7, 2, 1e-3)
    assert config.model.hidden_size == read_config(DEMO).model.hidden_size


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("batchsize=7", "batchsize"),
        ("model.depth=7", r"model\.depth"),
        ("batch_size=many", "batch_size='many'"),
        ("batch_size=1.5", "batch_size=1.5"),
        ("batch_size=true", "batch_size=True"),
        ("batch_size=", "batch_size=''"),
        ("batch_size=0", "batch_size=0"),
        ("drop_title=1.5", "drop_title=1.5"),
        ("picture_alone=true", "drop_title=0.45"),
        ("optimiser.learning_rate=0", "learning_rate=0"),
        ("optimiser.learning_rate=.nan", "learning_rate=nan"),
        ("optimiser.learning_rate=.inf", "learning_rate=inf"),
        ("optimiser.weight_decay=-1", "weight_decay=-1"),
        ("brand_weight=-1", "brand_weight=-1"),
        ("label_smoothing=.nan", "label_smoothing=nan"),
        ("batch_size", "'batch_size' is not key=value"),
        ("=3", "is not key=value"),
        ("batch_size.x=3", r"batch_size\.x"),
        ("model=3", "model=3"),
        ("batch_size=[", "batch_size"),
        ("model.heads=5", "heads=5"),
        ("model.image_size=100", "image_size=100"),
        ("model.patch_embedding=conv", "patch_embedding='conv'"),
        ("model.dropout=2", "dropout=2"),
        ("model.max_tokens=1", "max_tokens=1"),
        ("model.vocabulary_size=0", "vocabulary_size=0"),
    ],
)
def test_a_mistake_is_named_with_its_value(change: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config(DEMO, [change])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_config(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("content", [b"a: [", b"- 1", b"\xff\xfe\x00", b"!!python/object/apply:os.system ['true']"])
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="broken"):
        read_config(path)
