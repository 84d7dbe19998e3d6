"""Ticking by keyboard, by shift, by the bar's buttons and by dragging."""

import os
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation.models import Label
from crawler.models import Listing
from tests.annotation.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

WIDE = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def grid(shop, crawled_page, visit):
    """`grid()`: the annotators' page with the twenty listings of a search."""
    crawled_page("honey")
    make_product()

    def go(path: str = "/annotation/?keyword=honey", **options) -> Page:
        page = visit("annotator", path, **({"viewport": WIDE} | options))
        expect(page.locator(".card .tick")).to_have_count(20)
        return page

    return go


def boxes(page: Page) -> Locator:
    return page.locator(".card .tick")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def start(page: Page) -> None:
    """Leave the field that has the focus at first."""
    page.evaluate("document.activeElement.blur()")


def ticked(page: Page) -> list[int]:
    """The places of the ticked cards."""
    return [place for place, box in enumerate(boxes(page).all()) if box.is_checked()]


def columns(page: Page) -> int:
    return page.locator(".grid").evaluate("grid => getComputedStyle(grid).gridTemplateColumns.split(' ').length")


def picture(page: Page, place: int) -> Locator:
    return page.locator(".card img.picture").nth(place)


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.parametrize("keys", [["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"], ["l", "j", "h", "k"]])
def test_arrows_and_letters_move_in_two_dimensions(grid, keys):
    page = grid()
    start(page)
    right, down, left, up = keys
    press(page, right)
    expect(boxes(page).first).to_be_focused()
    press(page, right)
    expect(boxes(page).nth(1)).to_be_focused()
    press(page, down)
    expect(boxes(page).nth(1 + columns(page))).to_be_focused()
    press(page, left)
    expect(boxes(page).nth(columns(page))).to_be_focused()
    press(page, up, up, left)
    expect(boxes(page).first).to_be_focused()


def test_the_current_card_is_plain_to_see_and_clear_of_the_bar(grid):
    page = grid()
    start(page)
    press(page, *["j"] * 4, " ")
    card = page.locator(".card:has(.tick:focus)")
    assert card.evaluate("card => getComputedStyle(card).outlineStyle") == "solid"
    floating = page.locator(".floating").bounding_box()
    place = card.bounding_box()
    assert place["y"] + place["height"] <= floating["y"]
    shoot(page, "current-1400")


def test_it_moves_past_cards_without_a_picture(grid):
    listing = Listing.objects.order_by("id").first()
    Listing.objects.filter(id=listing.id).update(image_sha256="", image_error="404 Not Found")
    page = grid()
    start(page)
    press(page, *["l"] * 20, "a")
    assert len(ticked(page)) == 19


def test_space_ticks_and_unticks(grid):
    page = grid()
    start(page)
    press(page, "l", "l", " ")
    assert ticked(page) == [1]
    press(page, "l", " ", "h", " ")
    assert ticked(page) == [2]


def test_shift_and_arrows_tick_a_range_that_can_shrink_again(grid):
    page = grid()
    boxes(page).nth(6).check()
    start(page)
    press(page, "h", *["h"] * 4)  # from the clicked card to the second
    expect(boxes(page).nth(1)).to_be_focused()
    press(page, *["Shift+ArrowRight"] * 4)
    assert ticked(page) == [1, 2, 3, 4, 5, 6]
    press(page, *["Shift+ArrowLeft"] * 2)
    assert ticked(page) == [1, 2, 3, 6]
    press(page, "l", "Shift+L")
    assert ticked(page) == [1, 2, 3, 4, 5, 6]


def test_shift_and_click_give_a_range_what_its_end_gets(grid):
    page = grid()
    picture(page, 1).click()
    picture(page, 5).click(modifiers=["Shift"])
    assert ticked(page) == [1, 2, 3, 4, 5]
    picture(page, 3).click(modifiers=["Shift"])
    assert ticked(page) == [1, 2]
    assert page.evaluate("getSelection().toString()") == ""


def test_all_none_and_invert(grid):
    page = grid()
    start(page)
    press(page, "a")
    assert len(ticked(page)) == 20
    boxes(page).nth(3).uncheck()
    press(page, "i")
    assert ticked(page) == [3]
    press(page, "n")
    assert ticked(page) == []


def test_the_bar_has_buttons_for_all_none_and_invert(grid):
    page = grid()
    page.get_by_role("button", name="All", exact=True).click()
    assert len(ticked(page)) == 20
    picture(page, 3).click()
    page.get_by_role("button", name="Invert").click()
    assert ticked(page) == [3]
    page.get_by_role("button", name="None").click()
    assert ticked(page) == []


def test_more_afresh_and_the_fields_have_a_key(grid, crawled_page):
    crawled_page("honey", page=2)
    page = grid()
    start(page)
    press(page, "l", "m")
    expect(boxes(page)).not_to_have_count(20)
    expect(boxes(page).first).to_be_focused()  # paging takes nobody's place away
    press(page, "/")
    expect(page.get_by_label("Keyword to search for")).to_be_focused()
    start(page)
    press(page, "p")
    expect(page.get_by_label("Product of our catalogue")).to_be_focused()
    start(page)
    press(page, "f")
    page.wait_for_url("**spider=true**")


def test_no_key_acts_while_one_types_or_holds_ctrl(grid):
    page = grid()
    field = page.get_by_label("Product of our catalogue")
    field.fill("")
    press(page, "a", "n", "?", "v", "s")
    expect(field).to_have_value("an?vs")
    start(page)
    press(page, "Control+a", "Alt+a", "Meta+a")
    assert ticked(page) == []
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#messages .message")).to_have_count(0)


def test_letters_can_be_switched_off(grid):
    page = grid()
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Keys of a single letter or sign act").uncheck()
    page.reload()
    start(page)
    press(page, "a", "?", "ArrowRight", " ")
    assert ticked(page) == [0]
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize("by", ["s", "Control+Enter"])
def test_a_whole_search_is_labelled_by_keyboard_alone(grid, by):
    page = grid()
    start(page)
    press(page, "p")
    page.keyboard.type("Alpha Orange Juice")
    page.keyboard.press("Tab")
    start(page)
    press(page, "l", " ", "j", " ", by)
    expect(page.locator("#messages")).to_contain_text("Saved: 2 labels for Alpha Orange Juice.")
    assert Label.objects.count() == 2


def test_ctrl_enter_submits_from_the_field_one_types_in(grid):
    page = grid()
    boxes(page).first.check()
    page.get_by_label("Product of our catalogue").fill("Alpha Orange Juice")
    press(page, "Control+Enter")
    expect(page.locator("#messages")).to_contain_text("Saved: 1 label")


def test_the_large_picture_moves_on_and_ticks(grid):
    page = grid()
    start(page)
    press(page, "l", "v")
    dialog = page.get_by_role("dialog")
    titles = page.locator(".card .title").all_inner_texts()
    expect(dialog.get_by_role("heading")).to_have_text(titles[0])
    press(page, "ArrowRight", "l", " ")
    expect(dialog.get_by_role("heading")).to_have_text(titles[2])
    expect(dialog.get_by_role("checkbox")).to_be_checked()
    shoot(page, "preview-1400")
    assert ticked(page) == [2]
    press(page, "Escape")
    expect(dialog).to_have_count(0)
    expect(boxes(page).nth(2)).to_be_focused()


def test_the_large_picture_opens_by_a_click_too(grid):
    page = grid(viewport=PHONE)
    page.locator(".zoom").nth(4).click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_attribute(
        "src", picture(page, 4).get_attribute("src")
    )
    page.get_by_role("dialog").get_by_role("checkbox").check()
    shoot(page, "preview-390")
    page.get_by_role("button", name="Close").click()
    assert ticked(page) == [4]


def test_the_map_opens_by_key_and_by_button(grid):
    page = grid()
    start(page)
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("row")).to_have_count(14)
    shoot(page, "map-1400")
    press(page, "a", "Escape")
    assert ticked(page) == []  # keys do not reach behind it
    page.get_by_role("button", name="Keys").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_all_without_scrolling_sideways(grid, scheme):
    page = grid(viewport=PHONE, color_scheme=scheme)
    start(page)
    press(page, "l", "j", " ")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shoot(page, f"current-390-{scheme}")
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    shoot(page, f"map-390-{scheme}")


def drag(page: Page, first: int, last: int, *, steps: int = 3) -> None:
    """From the middle of one picture to that of another."""
    middles = []
    for place in (first, last):
        box = picture(page, place).bounding_box()
        middles.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    page.mouse.move(*middles[0])
    page.mouse.down()
    page.mouse.move(*middles[1], steps=steps)
    page.mouse.up()


def test_dragging_ticks_what_it_passes_as_the_first_one_changes(grid):
    page = grid()
    page.locator(".grid").evaluate("grid => grid.scrollIntoView()")
    drag(page, 0, 3, steps=1)  # a fast hand: nothing is reported between the ends
    assert ticked(page) == [0, 1, 2, 3]
    drag(page, 3, 2)
    assert ticked(page) == [0, 1]
    drag(page, 0, 4)
    assert ticked(page) == []


def test_a_hand_that_shakes_still_clicks(grid):
    page = grid()
    page.locator(".grid").evaluate("grid => grid.scrollIntoView()")
    box = picture(page, 1).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 52, box["y"] + 51)
    page.mouse.up()
    assert ticked(page) == [1]
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 90, steps=4)  # a drag that never leaves its card
    page.mouse.up()
    assert ticked(page) == []
    picture(page, 2).click()  # and the next click is a click
    assert ticked(page) == [2]


def test_dragging_selects_no_text(grid):
    page = grid()
    page.locator(".grid").evaluate("grid => grid.scrollIntoView()")
    drag(page, 0, 3)
    assert page.evaluate("getSelection().toString()") == ""
    expect(page.locator("body")).not_to_have_class(re.compile("dragging"))


def test_without_a_script_the_new_buttons_are_away(grid):
    page = grid(java_script_enabled=False)
    for name in ("All", "Invert", "Keys"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    picture(page, 0).click()
    expect(boxes(page).first).to_be_checked()


def test_a_recent_product_is_chosen_by_a_click(grid):
    page = grid()
    field = page.get_by_label("Product of our catalogue")
    field.fill("Alpha Orange Juice")
    boxes(page).first.check()
    press(page, "Control+Enter")
    expect(page.locator("#messages")).to_contain_text("Saved: 1 label")
    field.fill("")
    page.get_by_role("button", name="Alpha Orange Juice", exact=True).click()
    expect(field).to_have_value("Alpha Orange Juice")


def test_a_search_by_enter_leads_to_its_first_card(grid, crawled_page):
    crawled_page("tea")
    page = grid()
    start(page)
    press(page, "l", "l", "l", "/")
    page.keyboard.type("tea")
    press(page, "Enter")
    expect(page.locator("#submission [name=keyword]")).to_have_value("tea")
    expect(boxes(page).first).to_be_focused()
    press(page, "l")
    expect(boxes(page).nth(1)).to_be_focused()


def test_whoever_types_on_keeps_the_keyboard(grid, crawled_page):
    crawled_page("tea")
    page = grid()
    page.get_by_label("Keyword to search for").fill("tea")
    page.route("**/annotation/?*", lambda route: (page.keyboard.type(" green"), route.continue_()))
    press(page, "Enter")
    expect(page.locator("#submission [name=keyword]")).to_have_value("tea")
    expect(page.get_by_label("Keyword to search for")).to_be_focused()
    expect(page.get_by_label("Keyword to search for")).to_have_value("tea green")


def test_escape_leads_from_a_field_back_to_the_pictures_and_clears_nothing(grid):
    page = grid()
    start(page)
    press(page, "l", "l", "/", "Escape")
    expect(boxes(page).nth(1)).to_be_focused()
    expect(page.get_by_label("Keyword to search for")).to_have_value("honey")
    press(page, "p")
    page.keyboard.type("alpha")
    expect(page.get_by_role("listbox")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.get_by_label("Product of our catalogue")).to_be_focused()
    press(page, "Escape")
    expect(boxes(page).nth(1)).to_be_focused()
    expect(page.get_by_label("Product of our catalogue")).to_have_value("alpha")
