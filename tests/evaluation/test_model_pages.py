"""/evaluation/models/: which there are, which answers, each as a zip."""

import io
import zipfile

import pytest
from django.conf import settings
from django.urls import reverse

from evaluation.archive import zipped
from evaluation.models import ModelVersion
from evaluation.selectors.models import active_model
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
