"""What an answer says of itself: its encoding, its JSON, when to ask again. Strangers may say anything."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.errors import LayoutError
from crawler.responses import Fetched, retry_after_seconds

NO_TEXT_ENCODINGS = ["base64", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-7", "hex", "x" * 5000]
charsets = st.sampled_from(["", "utf-8", "gbk", "utf-16", "shift_jis", *NO_TEXT_ENCODINGS]) | st.text(max_size=20)


def answer(body: bytes, *, charset: str = "") -> Fetched:
    return Fetched(url="http://shop.example/", content_type="text/html", charset=charset, body=body)


@pytest.mark.parametrize("charset", NO_TEXT_ENCODINGS)
@pytest.mark.parametrize("where", ["header", "page"])
def test_what_python_calls_an_encoding_but_is_none_of_the_web_is_passed_over(charset, where):
    """Each of these once raised something that is no SourceError, or made text that no database takes."""
    meta = f'<meta charset="{charset}">' if where == "page" else ""
    text = answer(f"{meta}绿茶 \\ud800".encode(), charset=charset if where == "header" else "").text()
    assert text.endswith("绿茶 \\ud800")


@pytest.mark.parametrize(
    ("mark", "encoding"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
)
def test_a_byte_order_mark_says_more_than_the_header(mark, encoding):
    assert answer(mark + "绿茶".encode(encoding), charset="iso-8859-1").text() == "绿茶"


@given(st.binary(max_size=200), charsets, st.booleans())
def test_any_bytes_are_read_as_text_that_can_be_stored(body, charset, in_page):
    meta = f'<meta charset="{charset}">'.encode(errors="replace") if in_page else b""
    answer(meta + body, charset="" if in_page else charset).text().encode()


@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b"9" * 10_000)
def test_what_is_no_json_is_a_changed_page(body):
    kept = body
    try:
        answer(body).json()
    except LayoutError as error:
        kept = error.page.body
    assert kept == body


@pytest.mark.parametrize(
    ("value", "seconds"), [("3", 3), ("", 0), ("soon", 0), ("-5", 0), ("١", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_retry_after_is_read_with_care(value, seconds):
    assert retry_after_seconds(value) == seconds


dates = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    *(st.sampled_from(["Wed", "Mi", ""]), st.integers(), st.sampled_from(["Oct", "Okt"]), st.integers()),
    *(st.integers(), st.integers(0, 99), st.integers(0, 99)),
    st.sampled_from(["GMT", "", "+0800"]) | st.integers().map("{:+05d}".format),
)


@given(st.text(max_size=60) | st.integers().map(str) | dates)
@example("Wed, 21 Oct 99999999999 07:28:00 GMT")
@example("Wed, 21 Oct 2015 07:28:00 +9999999999999")
@example("31 Dec 9999 23:59:59 -2359")
def test_whatever_retry_after_holds_is_seconds(value):
    assert 0 <= retry_after_seconds(value) < float("inf")
