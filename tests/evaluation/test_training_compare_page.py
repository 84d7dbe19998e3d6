"""/evaluation/training/compare/: several trainings in one chart."""

import json
import re

import pytest

from tests.evaluation.trainings import make_told, make_training

COMPARE = "/evaluation/training/compare/"


def told(number, losses, *, config=None, val=None):
    return make_told(
        number,
        {name: [[1, value], [50, value / 2]] for name, value in losses.items()},
        val={name: [[50, value]] for name, value in (val or {}).items()},
        config=config or {"seed": 0},
    )


def lines(page, chart="losses"):
    data = json.loads(page.partition('id="training-data" type="application/json">')[2].partition("</script>")[0])
    return {line["label"]: (line["colour"], line["dash"]) for line in data.get(chart, {"lines": []})["lines"]}


@pytest.fixture
def get(sign_in):
    client = sign_in("operator")

    def answer(*runs, **query):
        response = client.get(COMPARE, {"run": [getattr(run, "id", run) for run in runs]} | query)
        assert response.status_code == 200
        return response.content.decode()

    return answer


def test_a_colour_is_a_training_and_a_dash_a_curve(get):
    equal = told(1, {"total": 3.0, "brand": 2.0, "product": 1.0}, val={"product": 0.5, "product_image_only": 0.4})
    unequal = told(2, {"total": 3.0, "brand": 2.0, "product": 1.0})
    page = get(unequal, equal)
    assert lines(page) == {
        "1 · product": (0, 0),
        "1 · brand": (0, 1),
        "2 · product": (1, 0),
        "2 · brand": (1, 1),
    }
    assert lines(page, "accuracy") == {"1 · product": (0, 0)}


def test_a_pre_training_shows_its_parts(get):
    run = told(1, {"total": 3.0, "mlm": 2.0, "itm": 1.0, "alignment": 0.1})
    assert set(lines(get(run))) == {"1 · masked words (MLM)", "1 · title and picture match (ITM)"}


def test_the_curves_are_chosen(get):
    run = told(1, {"total": 3.0, "brand": 2.0})
    assert set(lines(get(run, curve=["losses.total"]))) == {"1 · sum of the parts"}
    assert set(lines(get(run, curve=["nonsense", "losses."]))) == {"1 · brand"}


def test_only_parameters_that_differ_are_listed(get):
    first = told(1, {"total": 1.0}, config={"seed": 0, "epochs": 3.0, "optimiser": {"learning_rate": 1e-4}})
    second = told(2, {"total": 1.0}, config={"seed": 0, "epochs": 3.0, "optimiser": {"learning_rate": 5e-4}})
    page = get(first, second)
    table = page.partition('id="differences"')[2]
    assert "<code>optimiser.learning_rate</code></th><td><code>0.0001</code></td><td><code>0.0005</code>" in table
    assert "epochs" not in table
    assert "Nothing: the same" in get(
        first, told(3, {}, config={"seed": 0, "epochs": 3.0, "optimiser": {"learning_rate": 1e-4}})
    )


def test_a_table_says_what_the_chart_shows(get):
    page = get(told(1, {"brand": 2.0}))
    assert '<th scope="row" class="number">50</th><td class="number nowrap">1.0000</td>' in page


def test_the_table_says_nothing_of_where_a_training_was_not(get):
    short, long = told(1, {"brand": 2.0}), make_told(2, {"brand": [[20, 4.0], [90, 3.0]]})
    table = get(short, long).partition("<tbody>")[2].partition("</tbody>")[0]
    cells = {
        row.split("</th>")[0].rpartition(">")[2]: re.findall('nowrap">([^<]*)<', row) for row in table.split("<tr>")[1:]
    }
    assert cells == {
        "1": ["2.0000", "–"],
        "20": ["2.0000", "4.0000"],
        "50": ["1.0000", "4.0000"],
        "90": ["–", "3.0000"],
    }


def test_nothing_to_compare_is_said(get):
    assert "Tick the trainings to compare" in get()
    assert "Tick the trainings to compare" in get("gone")
    assert "have told no curves yet" in get(make_training())


def test_no_more_are_drawn_than_colours_can_tell_apart(get):
    runs = [told(number, {"brand": 1.0}) for number in range(1, 9)]
    page = get(*runs)
    assert len(lines(page)) == 6
    assert "oldest 6" in page


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_others_may_not(sign_in, role):
    assert sign_in(role).get(COMPARE).status_code == 403
