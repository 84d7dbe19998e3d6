"""From a file to the catalogue with a dry run between, in a real Chromium and with a real worker."""

import pytest
from playwright.sync_api import expect

from annotation.models import Product
from tests.annotation.factories import make_product
from tests.annotation.table_files import csv_file
from tests.workers import worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]


def test_a_dry_run_and_then_the_import(visit):
    make_product("Alpha Juice", keywords="juice")
    data = csv_file(["name", "keywords", "active"], ["Alpha Juice", "orange", ""], ["Tea", "", ""], ["Oil", "", "x"])
    page = visit("reviewer", "/admin/annotation/product/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File").set_input_files({"name": "list.csv", "mimeType": "text/csv", "buffer": data})
    with worker("crawl"):
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_text("It should be true or false.")).to_be_visible(timeout=60_000)
        expect(page.locator("ins")).to_have_text("orange")
        assert Product.objects.count() == 1
        page.get_by_role("button", name="Import for real").click()
        expect(page.get_by_text("The import is finished.")).to_be_visible(timeout=60_000)
    assert sorted(Product.objects.values_list("name", "keywords")) == [("Alpha Juice", "orange"), ("Tea", "")]
