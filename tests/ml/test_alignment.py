"""Where a model sees a word: from the transport plan, as a picture, and from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml.__main__ import main
from ml.data.pairs import batch_of
from ml.data.preprocessing import Preprocessing
from ml.data.tokenizer import TextTokenizer, train_tokenizer
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.objectives.optimal_transport import ipot
from ml.objectives.word_patch_alignment import cosine_cost
from ml.serving.alignment import draw_alignment, word_alignment
from ml.serving.labels import Labels
from ml.serving.model_folder import ModelFolder, save_model_folder
from tests.ml.factories import COLOURS, write_picture

TITLE = "橙汁 orange juices, 绿茶!"
ASPECT = Preprocessing(shape="aspect", size=64, longest=160, normalisation="vilt")


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    """Knows "orange" as one token and "juices" as several, with the letters of "just" and "nieces"."""
    titles = ["橙汁 绿茶 orange orange just nieces, !"] * 2
    return TextTokenizer(train_tokenizer(titles, vocabulary_size=50, max_tokens=40))


@pytest.fixture(scope="module")
def model(tokenizer: TextTokenizer) -> ViltMatcher:
    torch.manual_seed(0)
    config = ViltConfig(
        vocabulary_size=tokenizer.size,
        hidden_size=16,
        layers=1,
        heads=2,
        intermediate_size=32,
        image_size=64,
        patch_embedding="linear",
        train_patches=True,
    )
    return ViltMatcher(config).eval()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    path = write_picture(tmp_path_factory.mktemp("picture") / "a.png", COLOURS[0], size=(130, 65))
    picture = Image.open(path).convert("RGB")
    picture.paste(COLOURS[2], (0, 0, 65, 65))
    return picture


def test_each_word_has_a_heat_over_the_patches_of_the_picture(model, tokenizer, image) -> None:
    """In the picture's own shape, as far as patches keep it."""
    found = word_alignment(model, tokenizer, ASPECT, image, TITLE)
    assert found.words == ["橙汁", "orange", "juices", "绿茶"]
    for heat in found.heats:
        assert heat.shape == (2, 4)
        assert heat.dtype == np.float32
        assert heat.min() >= 0
        assert heat.max() == 1


def test_a_heat_is_the_plans_mass_from_the_words_tokens(model, tokenizer, image) -> None:
    """Word by word, patch by patch, from the encoder's tokens in the order that a reader would count them."""
    found = word_alignment(model, tokenizer, ASPECT, image, "orange juices")
    with torch.inference_mode():
        encoded = model.encode(batch_of(tokenizer, [("orange juices", [ASPECT.pixels(image)])]))
        tokens = tokenizer.tokens("orange juices")
        inner = slice(1, len(tokens) - 1)
        text, patches = encoded.text[:, inner], encoded.image
        plan = ipot(
            cosine_cost(text, patches), torch.ones(text.shape[:2]).bool(), torch.ones(patches.shape[:2]).bool()
        )[0]
    assert tokens[1] == "orange"
    assert len(tokens) > 4
    for heat, rows in zip(found.heats, [range(1), range(1, len(plan))], strict=True):
        for patch in range(8):
            mass = sum(float(plan[row, patch]) for row in rows)
            largest = max(sum(float(plan[row, other]) for row in rows) for other in range(8))
            assert heat[patch // 4, patch % 4] == pytest.approx(mass / largest, abs=1e-5)


def test_a_word_alone_has_every_patch(model, tokenizer, image) -> None:
    (heat,) = word_alignment(model, tokenizer, ASPECT, image, "橙").heats
    assert heat == pytest.approx(np.ones((2, 4)), abs=1e-4)


@pytest.mark.parametrize("title", ["", "🍊", "§ §", "unknown"])
def test_a_title_without_known_words_has_no_heats(model, tokenizer, image, title: str) -> None:
    found = word_alignment(model, tokenizer, ASPECT, image, title)
    assert (found.words, found.heats) == ([], [])


def test_words_that_were_cut_off_are_left_out(model, tokenizer, image) -> None:
    found = word_alignment(model, tokenizer, ASPECT, image, "橙汁 " * 30 + "orange")
    assert set(found.words) == {"橙汁"}
    assert len(found.words) == 19


def luminance(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), dtype=np.float64)


@pytest.mark.parametrize("colour", ["black", "white", "gray", (200, 30, 30)])
def test_warm_and_cold_can_be_told_on_dark_and_on_light_pictures(colour) -> None:
    heat = np.zeros((4, 6))
    heat[:, 4:] = 1
    drawn = draw_alignment(Image.new("RGB", (600, 400), colour), heat)
    assert (drawn.size, drawn.mode) == ((600, 400), "RGB")
    seen = luminance(drawn)
    assert seen[:, 480:].mean() - seen[:, :300].mean() > 70
    assert np.abs(np.diff(seen[:, 300:480], axis=1)).max() > 100  # the outline


def test_the_picture_can_be_seen_through_the_heat() -> None:
    """A bright half and a dark half stay apart everywhere, in the cold and in the warm."""
    image = Image.new("RGB", (120, 90), "black")
    image.paste("white", (0, 0, 120, 45))
    for heat in (0.0, 1.0):
        seen = luminance(draw_alignment(image, np.full((3, 4), heat)))
        assert seen[:30].mean() - seen[60:].mean() > 40


def test_heat_lies_where_its_patch_is_and_fades_between() -> None:
    heat = np.zeros((3, 4))
    heat[2, 0] = 1
    seen = luminance(draw_alignment(Image.new("RGB", (80, 60), "gray"), heat))
    assert seen[55, 3] > seen[5, 75] + 70
    row = luminance(draw_alignment(Image.new("RGB", (200, 20), "gray"), np.array([[0.0, 0.4]])))[10]
    assert (np.diff(row) >= -1).all()
    assert len(set(row.tolist())) > 10


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (33, 2)])
def test_any_picture_can_be_drawn(size: tuple[int, int]) -> None:
    assert draw_alignment(Image.new("RGB", size), np.ones((1, 5))).size == size


def run(*arguments: object) -> int:
    return main([str(argument) for argument in ("align", *arguments)])


@pytest.fixture(scope="module")
def folder(model, tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is only pre-trained; read only."""
    folder = tmp_path_factory.mktemp("model") / "pretrained"
    labels = Labels(brands=[], products=[])
    content = ModelFolder(model=model, tokenizer=tokenizer, labels=labels, preprocessing=ASPECT)
    save_model_folder(folder, content)
    return folder


@pytest.fixture(scope="module")
def pictures(image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    image.save(folder / "juice.png")
    (folder / "text.png").write_text("text")
    return folder


def test_the_command_draws_and_says_the_words(
    folder: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "heat.png"
    for _ in range(2):  # a second drawing takes the place of the first
        assert run(folder, pictures / "juice.png", TITLE, "--word", "绿茶", "--output", output) == 0
        said = capsys.readouterr()
        assert json.loads(said.out) == {"words": ["橙汁", "orange", "juices", "绿茶"], "output": str(output)}
        assert "align" in said.err
        with Image.open(output) as drawn:
            assert (drawn.format, drawn.size) == ("PNG", (130, 65))
        assert [path.name for path in tmp_path.iterdir()] == ["heat.png"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"word": "红茶"}, "word='红茶' is not among the words that the model sees in the title: 橙汁, orange"),
        ({"title": ""}, "in the title: none"),
        ({"image": "nowhere.png"}, "nowhere.png: the file is missing"),
        ({"image": "text.png"}, "text.png: not a picture"),
        ({"model": "nowhere"}, "nowhere"),
        ({"output": "heat.jpg"}, "heat.jpg must be a .png"),
        ({"output": "nowhere/heat.png"}, "must be a .png in a folder that is there"),
    ],
)
def test_a_wrong_question_is_exit_2_named_and_writes_nothing(
    folder: Path,
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    said: str,
) -> None:
    asked = {"model": folder.name, "image": "juice.png", "title": TITLE, "word": "绿茶", "output": "heat.png"} | changes
    rest = ["--word", asked["word"], "--output", tmp_path / asked["output"]]
    assert run(folder.parent / asked["model"], pictures / asked["image"], asked["title"], *rest) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
    assert list(tmp_path.iterdir()) == []
