"""Every address of the site × every role × every method, against one table that says who may what.

An address that the table does not know fails the test: whoever adds a page says here whom it is for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

STRANGER, NOBODY, ANNOTATOR, EVALUATOR = "stranger", "nobody", "annotator", "evaluator"
REVIEWER, OPERATOR, ADMINISTRATOR, SUPERUSER = "reviewer", "operator", "administrator", "superuser"
ROLES = (STRANGER, NOBODY, ANNOTATOR, EVALUATOR, REVIEWER, OPERATOR, ADMINISTRATOR, SUPERUSER)
STAFF = {REVIEWER, OPERATOR, ADMINISTRATOR, SUPERUSER}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Who may. An administrator holds what the other roles hold together; a superuser may everything.
CHIEFS = {ADMINISTRATOR, SUPERUSER}
SIGNED_IN = set(ROLES) - {STRANGER}
ANNOTATE = {ANNOTATOR, REVIEWER} | CHIEFS
EVALUATE = {EVALUATOR} | CHIEFS
REVIEW = {REVIEWER} | CHIEFS
OPERATE = {OPERATOR} | CHIEFS
READ_CATALOGUE = ANNOTATE | EVALUATE
LISTINGS = REVIEW | OPERATE

# In which order an address decides, and so what everybody else is answered:
OPEN = "open"  # for everybody
PAGE = "page"  # another method: 405; strangers: the login; who may not: 403
API = "api"  # strangers: 401; another method: 405; who may not: 403
STAFF_PAGE = "staff page"  # who is no staff: the admin's login; another method: 405; who may not: 403
STAFF_OPEN = "staff open"  # who is no staff: the admin's login; what staff see there depends on what they ask for

ALL = " ".join(METHODS)


@dataclass(frozen=True)
class Rule:
    route: str  # the address as the URLconf writes it
    kind: str
    methods: str
    who: set[str] | dict[str, set[str]]  # a dict: by method
    unknown: bool = False  # the address names a document by an id, which is not there: 404 for those who may
    refused: str = ""  # for what scripts poll: the answer to all who may not, where a redirect would be followed


TABLE = [
    # the site
    Rule("", OPEN, ALL, set(ROLES)),  # the home page sends everybody on
    Rule("login/", OPEN, ALL, set(ROLES)),
    Rule("logout/", OPEN, ALL, set(ROLES)),
    Rule("i18n/setlang/", OPEN, ALL, set(ROLES)),
    Rule("healthz", OPEN, ALL, set(ROLES)),
    Rule("profile/", PAGE, "GET", SIGNED_IN),
    Rule("profile/token/", PAGE, "POST", SIGNED_IN),
    Rule("profile/token/revoke/", PAGE, "POST", SIGNED_IN),
    # annotators
    Rule("annotation/", PAGE, "GET", ANNOTATE),
    Rule("annotation/crawls/<str:crawl_id>/", PAGE, "GET", ANNOTATE),
    Rule("annotation/listings/<str:listing_id>/picture/", PAGE, "GET POST", ANNOTATE, unknown=True),
    Rule("annotation/products/", PAGE, "GET", ANNOTATE),
    Rule("annotation/products/guidelines/", PAGE, "GET", ANNOTATE),
    Rule("annotation/mine/", PAGE, "GET", ANNOTATE),
    Rule("annotation/next/", PAGE, "GET", ANNOTATE),
    Rule("annotation/page-size/", PAGE, "POST", ANNOTATE),
    Rule("annotation/tour-seen/", PAGE, "POST", ANNOTATE),
    Rule("annotation/submit/", PAGE, "POST", ANNOTATE),
    Rule("annotation/claim/", PAGE, "POST", ANNOTATE),
    Rule("annotation/submissions/<str:submission_id>/", PAGE, "GET", ANNOTATE, unknown=True),
    Rule("annotation/submissions/<str:submission_id>/undo/", PAGE, "POST", ANNOTATE, unknown=True),
    Rule("annotation/work/", PAGE, "GET", ANNOTATE),
    Rule("annotation/keywords/", PAGE, "GET", ANNOTATE),
    Rule("annotation/suggestions/", PAGE, "POST", ANNOTATE),
    Rule("annotation/suggestions/status/", PAGE, "POST", ANNOTATE),
    Rule("annotation/feedback/", PAGE, "GET", ANNOTATE),
    # evaluators
    Rule("evaluation/", PAGE, "GET POST", EVALUATE),
    Rule("evaluation/runs/<str:run_id>/", PAGE, "GET", EVALUATE, unknown=True),
    Rule("evaluation/runs/<str:run_id>/progress/", PAGE, "GET", EVALUATE, unknown=True),
    Rule("evaluation/runs/<str:run_id>/judgments/", PAGE, "POST", EVALUATE, unknown=True),
    Rule("evaluation/products/", PAGE, "GET", EVALUATE),
    Rule("evaluation/worth-judging/", PAGE, "GET POST", EVALUATE),
    Rule("evaluation/labelling/", PAGE, "GET POST", EVALUATE | REVIEW),
    Rule("evaluation/statistics/", PAGE, "GET", EVALUATE),
    Rule("evaluation/statistics/judgments/", PAGE, "GET", EVALUATE),
    Rule("evaluation/statistics/export/<str:format>/", PAGE, "GET", EVALUATE, unknown=True),
    Rule("evaluation/statistics/names/<str:dimension>/", PAGE, "GET", EVALUATE, unknown=True),
    Rule("evaluation/statistics/curves/", PAGE, "GET", EVALUATE),
    Rule("evaluation/statistics/pairs/", PAGE, "GET", EVALUATE),
    Rule("evaluation/statistics/speed/", PAGE, "GET", EVALUATE),
    Rule("evaluation/statistics/threshold/", PAGE, "POST", OPERATE),
    # operators
    Rule("evaluation/training/", PAGE, "GET", OPERATE),
    Rule("evaluation/training/start/", PAGE, "POST", OPERATE),
    Rule("evaluation/training/compare/", PAGE, "GET", OPERATE),
    Rule("evaluation/training/<str:run_id>/", PAGE, "GET", OPERATE, unknown=True),
    Rule("evaluation/training/<str:run_id>/progress/", PAGE, "GET", OPERATE, unknown=True),
    Rule("evaluation/training/<str:run_id>/cancel/", PAGE, "POST", OPERATE, unknown=True),
    Rule("evaluation/training/<str:run_id>/resume/", PAGE, "POST", OPERATE, unknown=True),
    Rule("evaluation/models/", PAGE, "GET", OPERATE),
    Rule("evaluation/models/roll-back/", PAGE, "POST", OPERATE),
    Rule("evaluation/models/<str:model_id>/retire/", PAGE, "POST", OPERATE, unknown=True),
    Rule("evaluation/models/<str:model_id>/restore/", PAGE, "POST", OPERATE, unknown=True),
    Rule("evaluation/models/<str:model_id>/activate/", PAGE, "POST", OPERATE, unknown=True),
    Rule("evaluation/models/<str:model_id>/download/", PAGE, "GET", OPERATE, unknown=True),
    Rule("evaluation/models/<str:model_id>/words/", PAGE, "GET POST", OPERATE, unknown=True),
    Rule("evaluation/models/<str:model_id>/words/<str:listing_id>/", PAGE, "GET", OPERATE, unknown=True),
    # programs
    Rule("api/schema", API, "GET", SIGNED_IN),
    Rule("api/goodslist", API, "GET", SIGNED_IN),
    Rule("api/goodslist/crawls", API, "GET", SIGNED_IN),
    Rule("api/goodslist/crawls/<str:crawl_id>", API, "GET", SIGNED_IN, unknown=True),
    Rule("api/brands", API, "GET POST", {"GET": READ_CATALOGUE, "POST": REVIEW}),
    Rule("api/products", API, "GET POST", {"GET": READ_CATALOGUE, "POST": REVIEW}),
    Rule("api/products/<str:product_id>", API, "GET PATCH", {"GET": READ_CATALOGUE, "PATCH": REVIEW}, unknown=True),
    Rule("api/labels", API, "GET POST", ANNOTATE),
    Rule("api/labels/<str:label_id>", API, "GET", ANNOTATE, unknown=True),
    Rule("api/labels/<str:label_id>/review", API, "POST", REVIEW),
    Rule("api/tasks", API, "GET POST", {"GET": ANNOTATE, "POST": REVIEW}),
    Rule("api/tasks/<str:task_id>", API, "GET PATCH", {"GET": ANNOTATE, "PATCH": REVIEW}, unknown=True),
    Rule("api/predictions", API, "GET POST", EVALUATE),
    Rule("api/predictions/jobs/<str:run_id>", API, "GET", EVALUATE, unknown=True),
    Rule("api/predictions/<str:prediction_id>", API, "GET", EVALUATE, unknown=True),
    Rule("api/judgments", API, "GET POST", EVALUATE),
    Rule("api/statistics", API, "GET", EVALUATE),
    # pictures
    Rule(r"images/(?P<sha256>[0-9a-f]{64})\.jpg$", PAGE, "GET", SIGNED_IN, unknown=True),
    # the admin's own; its lists and forms are in ADMIN
    Rule("admin/", STAFF_OPEN, ALL, STAFF),
    Rule("admin/password_change/", STAFF_OPEN, ALL, STAFF),
    Rule("admin/password_change/done/", STAFF_OPEN, ALL, STAFF),
    Rule("admin/autocomplete/", STAFF_OPEN, ALL, STAFF),
    Rule("admin/jsi18n/", STAFF_OPEN, ALL, STAFF),
    Rule("admin/r/<path:content_type_id>/<path:object_id>/", STAFF_OPEN, ALL, STAFF),
    Rule("admin/(?P<app_label>auth|crawler|annotation|evaluation)/$", STAFF_OPEN, ALL, STAFF),
    Rule("admin/(?P<url>.*)$", STAFF_OPEN, ALL, STAFF),
    Rule("admin/login/", OPEN, ALL, set(ROLES)),
    Rule("admin/logout/", OPEN, ALL, set(ROLES)),
    Rule("admin/annotation/label/review/", STAFF_PAGE, ALL, REVIEW),
    Rule("admin/annotation/dispute/decide/", STAFF_PAGE, ALL, REVIEW),
    Rule("admin/annotation/brand/export/<str:format>/", STAFF_PAGE, ALL, REVIEW, unknown=True),
    Rule("admin/annotation/product/export/<str:format>/", STAFF_PAGE, ALL, REVIEW, unknown=True),
    Rule("admin/annotation/label/export/<str:format>/", STAFF_PAGE, ALL, REVIEW, unknown=True),
    Rule("admin/annotation/tableimport/<path:object_id>/progress/", PAGE, "GET", REVIEW, refused="403"),
    Rule("admin/annotation/tableimport/<path:object_id>/confirm/", STAFF_PAGE, "POST", REVIEW),
    Rule("admin/annotation/submission/agreement/", STAFF_PAGE, ALL, REVIEW),
    Rule("admin/annotation/submission/agreement/progress/", STAFF_PAGE, ALL, REVIEW, refused="403"),
    Rule("admin/annotation/webhook/<path:object_id>/secret/", STAFF_PAGE, "POST", OPERATE),
    Rule("admin/crawler/listingimport/<path:object_id>/progress/", PAGE, "GET", OPERATE, refused="403"),
    Rule("admin/crawler/listingimport/<path:object_id>/confirm/", STAFF_PAGE, "POST", OPERATE),
    Rule("admin/crawler/source/<path:object_id>/try/", STAFF_PAGE, ALL, OPERATE),
    Rule("admin/crawler/crawl/health/", STAFF_PAGE, ALL, OPERATE),
    Rule("admin/crawler/crawl/health/now/", STAFF_PAGE, ALL, OPERATE, refused="401"),
    Rule("admin/crawler/crawl/<path:object_id>/raw-page/", STAFF_PAGE, ALL, OPERATE, unknown=True),
]

ONLY_SUPERUSER, NO_ONE = {SUPERUSER}, set[str]()
# The admin's pages of each model: who may view, add, change, delete.
ADMIN = {
    "auth/group": (CHIEFS, ONLY_SUPERUSER, ONLY_SUPERUSER, ONLY_SUPERUSER),
    "auth/user": (CHIEFS, CHIEFS, CHIEFS, CHIEFS),
    "annotation/brand": (REVIEW, REVIEW, REVIEW, ONLY_SUPERUSER),
    "annotation/product": (REVIEW, REVIEW, REVIEW, ONLY_SUPERUSER),
    "annotation/submission": (REVIEW, NO_ONE, NO_ONE, NO_ONE),
    "annotation/task": (REVIEW, NO_ONE, REVIEW, REVIEW),
    "annotation/label": (REVIEW, NO_ONE, REVIEW, REVIEW),
    "annotation/claim": (REVIEW, NO_ONE, NO_ONE, REVIEW),
    "annotation/dispute": (REVIEW, NO_ONE, REVIEW, NO_ONE),
    "annotation/tableimport": (REVIEW, REVIEW, REVIEW, NO_ONE),  # its page only shows, however it is asked
    "annotation/webhook": (OPERATE, OPERATE, OPERATE, OPERATE),
    "annotation/webhookdelivery": (OPERATE, NO_ONE, OPERATE, NO_ONE),
    "crawler/source": (OPERATE, OPERATE, OPERATE, NO_ONE),
    "crawler/scheduledsearch": (OPERATE, OPERATE, OPERATE, OPERATE),
    "crawler/crawl": (OPERATE, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "crawler/searchpage": (OPERATE, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "crawler/listing": (LISTINGS, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "crawler/listingimport": (OPERATE, OPERATE, OPERATE, NO_ONE),  # its page only shows, however it is asked
    "evaluation/modelversion": (OPERATE, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "evaluation/trainingrun": (OPERATE, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "evaluation/predictionrun": (ONLY_SUPERUSER, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "evaluation/prediction": (ONLY_SUPERUSER, NO_ONE, NO_ONE, ONLY_SUPERUSER),
    "evaluation/judgment": (ONLY_SUPERUSER, NO_ONE, NO_ONE, ONLY_SUPERUSER),
}


def walk(patterns: list, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the URLconf, as (route, pattern)."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def rule_of(route: str) -> Rule | None:
    """The rule for this address, or None when the table does not know it."""
    for rule in TABLE:
        if rule.route == route:
            return rule
    model, _, rest = route.removeprefix("admin/").partition("/")
    name, _, rest = rest.partition("/")
    if not route.startswith("admin/") or f"{model}/{name}" not in ADMIN:
        return None
    view, add, change, delete = ADMIN[f"{model}/{name}"]
    pages = {
        "": view,
        "add/": add,
        "<path:object_id>/history/": view,
        "<path:object_id>/delete/": delete,
        "<path:object_id>/change/": {method: change if method == "POST" else view for method in METHODS},
        "<path:object_id>/": STAFF,  # an old address: leads to change/
        "<id>/password/": change,
    }
    return Rule(route, STAFF_PAGE, ALL, pages[rest]) if rest in pages else None


def expected(rule: Rule, role: str, method: str) -> str:
    who = rule.who.get(method, set()) if isinstance(rule.who, dict) else rule.who
    known = method in rule.methods.split()
    if rule.kind == OPEN:
        return "open"
    if rule.kind == PAGE and not known:
        return "405"
    if rule.refused and role not in who:
        return rule.refused
    if role == STRANGER or (rule.kind in {STAFF_PAGE, STAFF_OPEN} and role not in STAFF):
        return "401" if rule.kind == API else "login"
    if rule.kind == STAFF_OPEN:
        return "open"
    if not known:
        return "405"
    if role not in who:
        return "403"
    return "404" if rule.unknown else "allowed"


def outcome(answer) -> str:
    status = answer.status_code
    if status in {301, 302} and "/login/" in answer.get("Location", ""):
        return "login"
    if status < 400 or status in {400, 409, 415, 422}:  # was let in, and told that what it sent is no good
        return "allowed"
    return str(status)


def address(route: str, samples: dict[str, object]) -> str:
    """The route with ids in it: in the admin of a document that is there, elsewhere of one that is not."""
    if route.startswith("admin/"):
        model = "/".join(route.split("/")[1:3])
        sample = str(samples.get(model, "1"))
        for name in ("<path:object_id>", "<id>", "<path:content_type_id>"):
            route = route.replace(name, sample)
        route = route.replace("<str:format>", "unknown")
        route = route.replace("(?P<app_label>auth|crawler|annotation|evaluation)/$", "auth/")
        return "/" + route.replace("(?P<url>.*)$", "unknown")
    route = route.replace("(?P<sha256>[0-9a-f]{64})\\.jpg$", "0" * 64 + ".jpg")
    return "/" + "/".join("unknown" if part.startswith("<") else part for part in route.split("/"))


def sample_of(model: type[models.Model]) -> object:
    """The key of a new document of `model` with something in each field that needs it."""
    values: dict[str, object] = {}
    for field in model._meta.concrete_fields:
        if field.name == "image_sha256":  # pages show a document only with its picture
            values[field.attname] = "0" * 64
        if field.has_default() or field.null or (field.blank and not field.primary_key) or field.auto_created:
            continue
        if isinstance(field, models.DateTimeField):
            values[field.attname] = timezone.now()
        elif isinstance(field, models.IntegerField | models.FloatField):
            values[field.attname] = 1
        else:
            values[field.attname] = field.choices[0][0] if field.choices else "sample"
    document = model(**values)
    document.save(force_insert=True)
    return document.pk


def enter(client: Client, user: User | None) -> None:
    if user is not None:
        client.force_login(user)


def test_the_table_knows_every_address():
    unknown = [route for route, _ in walk(get_resolver().url_patterns) if rule_of(route) is None]
    assert not unknown, f"tests/test_matrix.py does not know {unknown}: add them to TABLE (or a model to ADMIN)"


@pytest.mark.parametrize("role", ROLES)
def test_every_address_lets_in_exactly_who_may(person, source, role):
    user = None if role == STRANGER else person(role)
    samples = {f"{model._meta.app_label}/{model._meta.model_name}": sample_of(model) for model in admin.site._registry}
    client = Client(raise_request_exception=False)
    enter(client, user)
    wrong: list[str] = []
    for route, _ in walk(get_resolver().url_patterns):
        rule = rule_of(route)
        assert rule is not None
        path = address(route, samples)
        for method in METHODS:
            answer = client.generic(method, path)
            got, wanted = outcome(answer), expected(rule, role, method)
            answer.close()
            if got.startswith("5") or wanted not in {got, "open"}:
                wrong.append(f"{method:7}{path}: {got} instead of {wanted}")
            if user is not None and not client.session.get("_auth_user_id"):
                enter(client, user)  # that was the way out
    if user is not None:
        cache.delete(f"throttle_user_{user.pk}")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("route", ["new/", "api/new", "admin/annotation/new/", "admin/annotation/brand/new/"])
def test_an_address_that_is_new_is_noticed(route):
    assert rule_of(route) is None


def test_the_table_of_the_admin_names_exactly_its_models():
    assert set(ADMIN) == {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}
