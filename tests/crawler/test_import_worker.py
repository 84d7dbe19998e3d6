"""Through a real worker process that is killed in the middle of an import."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from crawler.imports.services import import_confirm, import_start, imports_resume
from crawler.models import Listing, ListingImport, Source, WorkState
from tests.crawler.import_files import csv_of
from tests.workers import eventually, worker

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
ROWS = 8000


def test_an_import_whose_worker_was_killed_is_finished_by_the_next():
    Source(id="files", name="Files", kind="files").save()
    data = csv_of(*(f"{number},Tea {number}" for number in range(ROWS)), header="item_id,title")

    def now(one: ListingImport) -> ListingImport:
        return ListingImport.objects.get(id=one.id)

    with worker("crawl") as process:
        dry_run = import_start(source="files", file=SimpleUploadedFile("a.csv", data), file_name="a.csv")
        eventually(lambda: now(dry_run).state == WorkState.DONE, what="the dry run")
        assert not Listing.objects.exists()
        real = import_confirm(dry_run=now(dry_run))
        eventually(lambda: now(real).resume_from, what="the first chunk")
        process.kill()
        process.wait()
    assert now(real).state == WorkState.RUNNING
    assert 0 < Listing.objects.count() < ROWS
    # The minutes of the lease pass at once.
    ListingImport.objects.filter(id=real.id).update(leased_until=timezone.now() - timedelta(seconds=1))
    with worker("crawl"):
        assert imports_resume() == 1
        eventually(lambda: now(real).state == WorkState.DONE, what="the second attempt")
    done = now(real)
    assert (done.done, done.created + done.unchanged, done.failed) == (ROWS, ROWS, 0)
    assert Listing.objects.count() == ROWS
