"""What every address of the annotation API has in common, and the catalogue: brands and products."""

import io

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test.utils import CaptureQueriesContext
from PIL import Image
from rest_framework.authtoken.models import Token

from annotation.models import Brand, Product
from crawler.images import MAX_BYTES
from tests.annotation.factories import make_product

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
BRANDS, PRODUCTS, LABELS = "/api/brands", "/api/products", "/api/labels"
PATHS = [BRANDS, PRODUCTS, f"{PRODUCTS}/x", LABELS, f"{LABELS}/x", f"{LABELS}/x/review"]
JSON = "application/json"


def picture(size=(32, 32), name="milk.png") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(buffer, "PNG")
    return SimpleUploadedFile(name, buffer.getvalue(), "image/png")


def is_problem(answer, status: int) -> bool:
    document = answer.json()
    return (answer.status_code, answer["Content-Type"], document["status"]) == (
        status,
        "application/problem+json",
        status,
    )


class TestEveryAddress:
    @pytest.mark.parametrize("path", PATHS)
    def test_strangers_may_not(self, client, person, path):
        assert is_problem(client.get(path), 401)
        assert is_problem(client.post(path), 401)

    @pytest.mark.parametrize("path", PATHS)
    def test_people_without_a_role_may_not(self, sign_in, path):
        client = sign_in("nobody")
        answer = client.post(path) if path.endswith("/review") else client.get(path)
        assert is_problem(answer, 403)

    @pytest.mark.parametrize("path", PATHS)
    def test_it_is_in_the_schema(self, sign_in, path):
        schema = sign_in("annotator").get("/api/schema", {"format": "json"}).json()["paths"]
        known = path.replace(f"{PRODUCTS}/x", f"{PRODUCTS}/{{product_id}}").replace(
            f"{LABELS}/x", f"{LABELS}/{{label_id}}"
        )
        assert known in schema
        for method, operation in schema[known].items():
            assert operation["summary"], (known, method)
            assert {"401", "403"} <= set(operation["responses"])

    @pytest.mark.parametrize("path", PATHS)
    def test_other_methods_are_refused(self, sign_in, path):
        assert is_problem(sign_in("superuser").put(path), 405)
        assert is_problem(sign_in("superuser").delete(path), 405)

    @pytest.mark.parametrize("path", [f"{PRODUCTS}/x", f"{LABELS}/x"])
    def test_what_is_not_there_is_not_found(self, sign_in, path):
        assert is_problem(sign_in("reviewer").get(path), 404)

    @pytest.mark.parametrize("path", [BRANDS, PRODUCTS, LABELS])
    def test_an_unknown_parameter_is_refused_by_its_name(self, sign_in, path):
        answer = sign_in("reviewer").get(path, {"annotator__password__startswith": "p", "page_size": 5})
        assert is_problem(answer, 400)
        assert set(answer.json()["errors"]) == {"annotator__password__startswith"}

    @pytest.mark.parametrize("path", [BRANDS, PRODUCTS, LABELS])
    @pytest.mark.parametrize("size", ["0", "201", "many"])
    def test_a_page_has_at_most_200(self, sign_in, path, size):
        answer = sign_in("reviewer").get(path, {"page_size": size})
        assert is_problem(answer, 400)
        assert f"“{size}”" in answer.json()["errors"]["page_size"][0]

    def test_requests_are_counted(self, sign_in, monkeypatch):
        monkeypatch.setattr("mmproject.throttling.UserRate.THROTTLE_RATES", {"user": "2/min"})
        client = sign_in("reviewer")
        counted = f"throttle_user_{client.session['_auth_user_id']}"
        cache.delete(counted)
        assert [client.get(path).status_code for path in (BRANDS, PRODUCTS, LABELS)] == [200, 200, 429]
        cache.delete(counted)

    def test_a_token_is_enough(self, client, person):
        token = Token.objects.create(user=person("annotator"))
        assert client.get(BRANDS, headers={"Authorization": f"Token {token.key}"}).status_code == 200

    def test_a_session_needs_the_csrf_token_to_write(self, person):
        from django.test import Client

        client = Client(enforce_csrf_checks=True)
        client.force_login(person("reviewer"))
        assert is_problem(client.post(PRODUCTS, {"name": "x"}), 403)


@pytest.fixture
def reader(sign_in):
    return sign_in("annotator")


@pytest.fixture
def reviewer(sign_in):
    return sign_in("reviewer")


class TestBrands:
    def test_it_lists_by_name(self, reader):
        Brand(id="b", name="Beta", aliases="second, 乙").save()
        Brand(id="a", name="Alpha").save()
        page = reader.get(BRANDS).json()
        assert page == {
            "page": 1,
            "has_next": False,
            "brands": [
                {"id": "a", "name": "Alpha", "aliases": ""},
                {"id": "b", "name": "Beta", "aliases": "second, 乙"},
            ],
        }
        assert [one["id"] for one in reader.get(BRANDS, {"q": "乙"}).json()["brands"]] == ["b"]
        second = reader.get(BRANDS, {"page_size": 1, "page": 2}).json()
        assert ([one["id"] for one in second["brands"]], second["has_next"]) == (["b"], False)

    @pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer", "administrator", "superuser"])
    def test_who_names_products_may_read(self, sign_in, role):
        assert sign_in(role).get(BRANDS).status_code == 200

    def test_operators_may_not(self, sign_in):
        assert sign_in("operator").get(BRANDS).status_code == 403

    def test_a_reviewer_adds_one(self, sign_in):
        answer = sign_in("reviewer").post(BRANDS, {"name": "Nordic Farm", "aliases": "NF, 北欧"}, JSON)
        assert (answer.status_code, answer.json()) == (
            201,
            {"id": "nordic-farm", "name": "Nordic Farm", "aliases": "NF, 北欧"},
        )
        assert Brand.objects.get().aliases == "NF, 北欧"

    def test_a_name_without_latin_letters_gets_an_id_of_its_own(self, sign_in):
        answer = sign_in("reviewer").post(BRANDS, {"name": "伊利"}, JSON)
        assert Brand.objects.get(name="伊利").id == answer.json()["id"] != ""

    @pytest.mark.parametrize("role", ["annotator", "evaluator"])
    def test_readers_add_none(self, sign_in, role):
        assert is_problem(sign_in(role).post(BRANDS, {"name": "Beta"}, JSON), 403)
        assert not Brand.objects.exists()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": " "}, "name"),
            ({"name": "Alpha"}, "name"),
            ({"name": "Other", "id": "a"}, "id"),
            ({"name": "Other", "id": "no spaces"}, "id"),
            ({"name": "x" * 121}, "name"),
        ],
    )
    def test_what_is_wrong_is_named_and_changes_nothing(self, sign_in, body, field):
        Brand(id="a", name="Alpha").save()
        answer = sign_in("reviewer").post(BRANDS, body, JSON)
        assert is_problem(answer, 400)
        assert field in answer.content.decode()
        assert Brand.objects.count() == 1


class TestProducts:
    def test_it_lists_and_filters(self, reader):
        make_product("Alpha Milk", keywords="milk, 牛奶")
        make_product("Beta Tea", brand="Beta", active=False)
        make_product("Plain", brand="")

        def names(**query):
            return [one["name"] for one in reader.get(PRODUCTS, query).json()["products"]]

        assert names() == ["Alpha Milk", "Beta Tea", "Plain"]
        assert names(q="牛奶 alpha") == ["Alpha Milk"]
        assert names(q=".*") == []
        assert names(brand="beta") == ["Beta Tea"]
        assert names(active="true") == ["Alpha Milk", "Plain"]
        assert names(active="false") == ["Beta Tea"]
        assert names(page=2, page_size=2) == ["Plain"]
        assert reader.get(PRODUCTS, {"page_size": 2}).json()["has_next"] is True

    def test_one_is_shown_whole(self, reader):
        make_product("Alpha Milk", keywords="milk", guidelines="1 l only", image_sha256="a" * 64)
        assert reader.get(f"{PRODUCTS}/alpha-milk").json() == {
            "id": "alpha-milk",
            "name": "Alpha Milk",
            "brand": "alpha",
            "brand_name": "Alpha",
            "keywords": "milk",
            "description": "",
            "guidelines": "1 l only",
            "picture": f"/images/{'a' * 64}.jpg",
            "active": True,
        }

    def test_more_products_are_no_more_queries(self, reader):
        def queries():
            with CaptureQueriesContext(connections["mongo"]) as seen:
                assert reader.get(PRODUCTS).status_code == 200
            return len(seen)

        make_product("One")
        first = queries()
        for number in range(10):
            make_product(f"More {number}")
        assert queries() == first == 1


class TestAddingAProduct:
    def test_it_works(self, reviewer):
        make_product()
        answer = reviewer.post(PRODUCTS, {"name": "Alpha Milk", "brand": "alpha", "keywords": "milk"}, JSON)
        assert answer.status_code == 201
        assert answer["Location"] == f"{PRODUCTS}/alpha-milk"
        assert reviewer.get(answer["Location"]).json() == answer.json()
        assert (answer.json()["brand_name"], answer.json()["active"]) == ("Alpha", True)

    def test_a_picture_comes_with_a_form(self, reviewer):
        data = reviewer.post(PRODUCTS, {"name": "Milk", "picture": picture()}).json()
        assert data["active"] is True
        assert reviewer.get(data["picture"])["Content-Type"] == "image/jpeg"

    def test_a_name_without_latin_letters_gets_an_id(self, reviewer):
        data = reviewer.post(PRODUCTS, {"name": "橙汁"}, JSON).json()
        assert reviewer.get(f"{PRODUCTS}/{data['id']}").json()["name"] == "橙汁"

    @pytest.mark.parametrize(
        ("fields", "field", "named"),
        [
            ({"name": ""}, "name", ""),
            ({"name": "n" * 201}, "name", "nnn"),
            ({"name": "Alpha Orange Juice"}, "name", "“Alpha Orange Juice”"),
            ({"name": "x", "id": "alpha-orange-juice"}, "id", "“alpha-orange-juice”"),
            ({"name": "x", "id": "../x"}, "id", "../x"),
            ({"name": "x", "brand": "nowhere"}, "brand", "nowhere"),
            ({"name": "x", "brand": {"$ne": ""}}, "brand", ""),
            ({"name": "x", "active": "perhaps"}, "active", "perhaps"),
            ({"name": "x", "keywords": ["a"]}, "keywords", ""),
            ({"name": "a\0b"}, "name", ""),
        ],
    )
    def test_bad_input_is_refused_with_field_and_value(self, reviewer, fields, field, named):
        make_product()
        answer = reviewer.post(PRODUCTS, fields, JSON)
        assert is_problem(answer, 400)
        assert named in answer.json()["errors"][field][0]
        assert Product.objects.count() == 1

    @pytest.mark.parametrize("body", ["[]", "3", "null", "{", '"name"'])
    def test_what_is_no_object_is_refused(self, reviewer, body):
        assert is_problem(reviewer.generic("POST", PRODUCTS, body, JSON), 400)

    def test_what_is_no_picture_is_refused_by_its_name(self, reviewer):
        files = [
            SimpleUploadedFile("evil.svg", b"<svg onload='alert(1)'/>"),
            picture(size=(2, 2), name="evil.png"),
            SimpleUploadedFile("evil.jpg", b"x" * (MAX_BYTES + 1)),
        ]
        for file in files:
            answer = reviewer.post(PRODUCTS, {"name": "Milk", "picture": file})
            assert is_problem(answer, 400)
            assert "“evil." in answer.json()["errors"]["picture"][0]
        assert not Product.objects.exists()

    @pytest.mark.parametrize("role", ["annotator", "evaluator", "operator"])
    def test_only_reviewers_may(self, sign_in, role):
        assert is_problem(sign_in(role).post(PRODUCTS, {"name": "x"}, JSON), 403)


class TestChangingAProduct:
    PATH = f"{PRODUCTS}/alpha-orange-juice"

    def test_it_changes_what_is_named_and_nothing_else(self, reviewer):
        make_product(keywords="juice", image_sha256="a" * 64)
        Brand(id="beta", name="Beta").save()
        data = reviewer.patch(self.PATH, {"name": "Renamed", "brand": "beta", "active": False}, JSON).json()
        assert (data["id"], data["name"], data["brand_name"], data["active"]) == (
            "alpha-orange-juice",
            "Renamed",
            "Beta",
            False,
        )
        assert (data["keywords"], data["picture"]) == ("juice", f"/images/{'a' * 64}.jpg")
        data = reviewer.patch(self.PATH, {"brand": None}, JSON).json()
        assert (data["brand"], data["brand_name"], data["active"]) == (None, "", False)

    def test_the_same_again_changes_nothing(self, reviewer):
        make_product()
        first = reviewer.patch(self.PATH, {"keywords": "juice"}, JSON)
        second = reviewer.patch(self.PATH, {"keywords": "juice", "name": "Alpha Orange Juice"}, JSON)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json() == reviewer.patch(self.PATH, {}, JSON).json()

    def test_its_picture_can_be_renewed(self, reviewer):
        make_product(image_sha256="a" * 64)
        body, kind = _multipart({"picture": picture()})
        data = reviewer.patch(self.PATH, body, kind).json()
        assert data["picture"] != f"/images/{'a' * 64}.jpg"
        assert data["active"] is True

    def test_a_name_that_is_taken_is_refused(self, reviewer):
        make_product()
        make_product("Milk")
        answer = reviewer.patch(self.PATH, {"name": "Milk"}, JSON)
        assert is_problem(answer, 400)
        assert "“Milk”" in answer.json()["errors"]["name"][0]

    @pytest.mark.parametrize("role", ["annotator", "evaluator", "operator"])
    def test_only_reviewers_may(self, sign_in, role):
        make_product()
        assert is_problem(sign_in(role).patch(self.PATH, {"name": "x"}, JSON), 403)


def _multipart(fields):
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return encode_multipart(BOUNDARY, fields), MULTIPART_CONTENT
