"""/evaluation/models/: which there are, which answers, each as a zip."""

import io
import zipfile

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from evaluation.archive import zipped
from evaluation.models import ModelVersion
from evaluation.selectors.models import activations, active_model, models_to_choose
from tests.evaluation.factories import make_model

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
MODELS = "/evaluation/models/"


def activate(model_id):
    return reverse("evaluation:model_activate", args=[model_id])


def download(model_id):
    return reverse("evaluation:model_download", args=[model_id])


@pytest.fixture
def folder():
    model = make_model("vilt_demo #3")
    folder = settings.MODELS_DIR / model.folder
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 9000)
    return folder


def test_models_are_listed_and_put_into_use(sign_in):
    old, new = make_model("old", active=True), make_model("new <b>", active=False)
    metrics = {"product": {"right": 3, "total": 4, "accuracy": 0.75, "low": 0.3, "high": 0.954}}
    ModelVersion.objects.filter(id=new.id).update(metrics=metrics)
    client = sign_in("operator")
    page = client.get(MODELS).content.decode()
    assert "new &lt;b&gt;" in page
    assert "75.0 %" in page
    assert "n = 4" in page
    assert active_model().id == old.id
    assert client.post(activate(new.id))["Location"] == MODELS
    assert client.post(activate(new.id)).status_code == 302
    assert active_model().id == new.id
    assert active_model().activated_by == "operator"
    assert client.post(activate("x")).status_code == 404


def test_a_pre_trained_model_is_not_put_into_use(sign_in):
    model = make_model("base", active=False)
    ModelVersion.objects.update(kind="pretrain")
    client = sign_in("operator")
    page = client.get(MODELS).content.decode()
    assert activate(model.id) not in page
    assert f"start_from={model.id}" in page
    assert "only pre-trained" in client.post(activate(model.id), follow=True).content.decode()
    assert active_model() is None


def test_the_folder_is_downloaded(sign_in, folder):
    response = sign_in("operator").get(download(folder.name))
    assert response["Content-Disposition"] == 'attachment; filename="vilt_demo-3.zip"'
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["vilt_demo-3/config.json", "vilt_demo-3/model.safetensors"]
        assert archive.read("vilt_demo-3/model.safetensors") == (folder / "model.safetensors").read_bytes()


def test_an_archive_comes_in_pieces_is_always_the_same_and_follows_no_links(folder, tmp_path):
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    pieces = list(zipped(folder, name="m"))
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 2 << 20
    assert b"".join(pieces) == b"".join(zipped(folder, name="m"))
    assert b"secret" not in b"".join(pieces)


def test_what_is_not_there_is_not_found(sign_in):
    client = sign_in("operator")
    assert client.get(download("x")).status_code == 404
    assert client.get(download(make_model(folder="elsewhere").id)).status_code == 404


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_others_may_not(sign_in, role, folder):
    client = sign_in(role)
    assert client.get(MODELS).status_code == 403
    assert client.get(download(folder.name)).status_code == 403
    assert client.post(activate(folder.name)).status_code == 403


def test_what_changes_something_only_allows_post(sign_in):
    assert sign_in("superuser").get(activate("x")).status_code == 405


def address(name, *arguments):
    return reverse(f"evaluation:{name}", args=arguments)


def test_one_click_leads_back_to_the_version_before(sign_in):
    old, new = make_model("old", active=False), make_model("new", active=False)
    client = sign_in("operator")
    assert address("model_roll_back") not in client.get(MODELS).content.decode()
    refused = client.post(address("model_roll_back"), follow=True)
    assert "No other model was in use" in refused.content.decode()
    for model in (old, new):
        client.post(activate(model.id))
    page = client.get(MODELS).content.decode()
    assert "Back to “old”" in page
    client.post(address("model_roll_back"))
    assert active_model().id == old.id
    assert [one.model_name for one in activations()] == ["old", "new", "old"]
    client.post(address("model_roll_back"))
    assert active_model().id == new.id


def test_a_retired_version_cannot_be_chosen_until_it_is_restored(sign_in):
    old, new = make_model("old", active=False), make_model("new", active=False)
    client = sign_in("operator")
    for model in (old, new):
        client.post(activate(model.id))
    assert "is in use" in client.post(address("model_retire", new.id), follow=True).content.decode()
    client.post(address("model_retire", old.id))
    assert [model.id for model in models_to_choose()] == [new.id]
    page = client.post(activate(old.id), follow=True).content.decode()
    assert "is retired" in page
    assert "Back to" not in page
    assert active_model().id == new.id
    client.post(address("model_restore", old.id))
    assert {model.id for model in models_to_choose()} == {old.id, new.id}
    assert active_model().id == new.id
    assert client.post(address("model_retire", "x")).status_code == 404


def test_restored_it_is_not_in_use_at_once(sign_in):
    """Although it is the one that was put into use last."""
    old, new = make_model("old"), make_model("new")
    ModelVersion.objects.filter(id=new.id).update(retired_at=timezone.now())
    assert active_model().id == old.id
    sign_in("operator").post(address("model_restore", new.id))
    assert active_model().id == old.id


def test_evaluators_change_no_model(sign_in):
    model = make_model("old")
    client = sign_in("evaluator")
    for name, arguments in (("model_retire", [model.id]), ("model_restore", [model.id]), ("model_roll_back", [])):
        assert client.post(address(name, *arguments)).status_code == 403
