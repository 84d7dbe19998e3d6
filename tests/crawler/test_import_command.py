"""`manage.py import_listings`."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from crawler.imports import running
from crawler.models import ImageState, Listing, ListingImport, Source, WorkState
from tests.crawler.import_files import csv_of, muge_pictures, muge_queries, picture

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def command(files_source, tmp_path):
    """`command("list.csv", csv_of(…))`: exit code and output."""

    def run(*names: str, files: dict[str, bytes] | None = None, source="files", **options) -> tuple[int, str]:
        for name, data in (files or {}).items():
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_bytes(data)
        out = io.StringIO()
        try:
            paths = [str(tmp_path / name) for name in names]
            call_command("import_listings", *paths, source=source, stdout=out, stderr=out, verbosity=0, **options)
        except CommandError as error:
            return error.returncode, f"{out.getvalue()}{error}"
        return 0, out.getvalue()

    return run


def test_all_rows_in_is_0(command):
    code, told = command("a.csv", files={"a.csv": csv_of("1,Tea", "2,Oil", header="item_id,title")})
    assert code == 0
    assert "created: 2" in told
    assert Listing.objects.count() == 2
    run = ListingImport.objects.get()
    assert (run.state, run.file_name, run.dry_run, run.stored_name) == (WorkState.DONE, "a.csv", False, "")
    code, told = command("a.csv")
    assert (code, "unchanged: 2" in told) == (0, True)


def test_rows_left_out_is_1_and_names_them(command):
    code, told = command("a.csv", files={"a.csv": csv_of("1,Tea,x", "2,Oil,5", header="item_id,title,price")})
    assert code == 1
    assert "line 2: price: 'x': It is no price." in told
    assert "1 rows were left out" in told
    assert Listing.objects.get().title == "Oil"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"source": "nowhere"}, "no source nowhere (sources of files: files); --create makes it"),
        ({"source": "no where", "create": True}, "cannot be made"),
        ({"pictures": Path("/nowhere")}, "no such folder"),
    ],
)
def test_a_wrong_argument_is_2(command, options, told):
    code, output = command("a.csv", files={"a.csv": csv_of("1,Tea")}, **options)
    assert (code, told in output) == (2, True)
    assert not ListingImport.objects.exists()


@pytest.mark.parametrize(("name", "data"), [("a.csv", b""), ("a.csv", b"colour\nred"), ("a.csv", b"PK\x03\x04xx")])
def test_an_unreadable_file_is_2_and_noted(command, name, data):
    code, output = command(name, files={name: data})
    run = ListingImport.objects.get()
    assert (code, run.state) == (2, WorkState.FAILED)
    assert run.error in output


def test_a_file_that_is_not_there_is_2(command):
    code, output = command("none.csv")
    assert code == 2
    assert "No such file" in output


def test_a_source_of_another_kind_is_2(command, source):
    code, output = command("a.csv", files={"a.csv": csv_of("1,Tea")}, source=source.id)
    assert (code, "takes no files" in output) == (2, True)


def test_create_makes_the_source_once(command):
    files = {"a.csv": csv_of("1,Tea", header="item_id,title")}
    assert command("a.csv", files=files, source="new", create=True, name="New one")[0] == 0
    assert command("a.csv", source="new", create=True)[0] == 0
    made = Source.objects.get(id="new")
    assert (made.name, made.kind, made.enabled) == ("New one", "files", True)


def test_a_dry_run_writes_no_listing(command):
    code, told = command("a.csv", files={"a.csv": csv_of("1,Tea", header="item_id,title")}, dry_run=True)
    assert (code, "created: 1" in told, Listing.objects.count()) == (0, True, 0)
    assert "nothing was written" in told


def test_pictures_are_beside_the_file_or_in_a_folder(command, tmp_path):
    table = csv_of("1,Tea,p/a.png", header="item_id,title,image")
    command("a.csv", files={"a.csv": table, "p/a.png": picture()})
    assert Listing.objects.get().image_state == ImageState.DONE
    (tmp_path / "other" / "p").mkdir(parents=True)
    (tmp_path / "other" / "p" / "a.png").write_bytes(picture("blue"))
    code, told = command("a.csv", pictures=tmp_path / "other")
    assert (code, "updated: 1" in told) == (0, True)


def test_the_two_files_of_muge_come_in_any_order(command):
    files = {"v_queries.jsonl": muge_queries((1, "tea", [5])), "v_imgs.tsv": muge_pictures({5: picture()})}
    code, told = command("v_imgs.tsv", "v_queries.jsonl", files=files)
    assert (code, "created: 1" in told) == (0, True)
    assert Listing.objects.get().image_state == ImageState.DONE
    assert ListingImport.objects.get().format == "muge"
    assert command("v_imgs.tsv", format="muge")[0] == 2
    assert command("v_imgs.tsv", "v_imgs.tsv")[0] == 2


def test_an_interrupted_command_is_noted(command, monkeypatch):
    def interrupted(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "rows_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command("a.csv", files={"a.csv": csv_of("1,Tea", header="item_id,title")})
    assert ListingImport.objects.get().state == WorkState.FAILED
