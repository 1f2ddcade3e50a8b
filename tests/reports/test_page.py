"""The HTML page in a real browser: it filters, loads nothing, runs nothing foreign, and reads without script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request

from auditor.model import Report
from auditor.reporting import RenderOptions, ReportFormat
from tests.reports import sample

pytestmark = pytest.mark.browser


class Opened:
    """A page with all that it said and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", self._request)

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def visible(self) -> list[str]:
        """Ids of the items that the filters leave."""
        ids: list[str] = self.page.eval_on_selector_all(".item", "nodes => nodes.filter(n => !n.hidden).map(n => n.id)")
        return ids

    def count(self) -> str:
        """The sentence that screen readers are told."""
        return self.page.locator("#count").inner_text()


@pytest.fixture
def opened(browser: Browser, page_file: Path) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    made = Opened(context.new_page())
    made.page.goto(page_file.as_uri())
    yield made
    assert made.said == [], "the console must stay silent"
    assert [url.split("#")[0] for url in made.requests if not url.startswith("data:")] == [page_file.as_uri()] * len(
        [url for url in made.requests if not url.startswith("data:")]
    )
    context.close()


def test_it_opens_in_silence_with_all_items(opened: Opened) -> None:
    assert len(opened.visible()) == 103
    assert opened.count() == "102 items, 1 extra"
    assert opened.page.locator("h1").inner_text() == "Fails the gate"
    assert opened.page.locator(".first li").first.inner_text().split("\n")[0] == "critical"


def test_status_and_severity_filter_and_count(opened: Opened) -> None:
    opened.page.locator("label.chip", has_text="fail").click()
    assert opened.visible() == ["TT001", "TT039", "TT088", "TT092", "X001"]
    assert opened.count() == "5 of 103 items"
    opened.page.locator("label.chip", has_text="critical").click()
    assert opened.visible() == ["TT088"]
    assert opened.page.locator("[data-n='status=pass']").inner_text() == "0"
    assert opened.page.locator("[data-n='severity=high']").inner_text() == "3"
    assert opened.page.locator(".section:visible").count() == 1
    opened.page.locator("[data-reset]").first.click()
    assert len(opened.visible()) == 103
    assert opened.page.locator(".fold[open]").count() == 0


def test_section_service_queue_and_text_filter(opened: Opened) -> None:
    page = opened.page
    page.select_option("select[name=section]", label="Redis Configuration")
    assert opened.visible() == [f"TT{number:03}" for number in range(88, 96)]
    page.select_option("select[name=section]", "")
    page.select_option("select[name=service]", "notification-service")
    assert opened.visible() == ["TT001", "TT039"]
    page.select_option("select[name=service]", "")
    page.select_option("select[name=queue]", "email")
    assert opened.visible() == ["TT001"]
    page.select_option("select[name=queue]", "")
    page.fill("input[name=q]", "EVICTED_keys  redis.conf:14")
    assert opened.visible() == ["TT088"], "every word counts, in evidence too"
    page.fill("input[name=q]", "no such word")
    assert opened.visible() == [] and page.locator("#nothing").is_visible()
    page.locator("#nothing [data-reset]").click()
    assert len(opened.visible()) == 103


def test_a_hostile_service_name_filters_too(opened: Opened) -> None:
    values = opened.page.eval_on_selector_all("select[name=service] option", "nodes => nodes.map(n => n.value)")
    hostile = next(value for value in values if "<script>" in value)
    opened.page.select_option("select[name=service]", hostile)
    assert opened.visible() == ["TT001"]


def test_the_choice_lives_in_the_address(opened: Opened, browser: Browser, page_file: Path) -> None:
    opened.page.locator("label.chip", has_text="unverified").click()
    opened.page.fill("input[name=q]", "CONFIG is refused")
    address = opened.page.evaluate("location.href")
    assert address == f"{page_file.as_uri()}#status=unverified&q={quote('CONFIG is refused').replace('%20', '+')}"
    again = browser.new_page()
    again.goto(address)
    assert again.locator("#count").inner_text() == "1 of 103 items"
    assert again.input_value("input[name=q]") == "CONFIG is refused"
    assert again.is_checked("input[value=unverified]")
    again.close()
    opened.page.goto(f"{page_file.as_uri()}#severity=critical")
    assert opened.visible() == ["TT088"]


def test_items_without_their_source_are_folded_and_open_when_asked_for(opened: Opened) -> None:
    page = opened.page
    assert not page.locator("#TT031").is_visible()
    assert page.locator(".fold", has_text="source not given").first.is_visible()
    page.fill("input[name=q]", "TT031")
    assert page.locator("#TT031").is_visible()


def test_map_and_list_open_the_item_they_name(opened: Opened) -> None:
    page = opened.page
    page.locator(".cell[data-item=TT031]").click()
    assert page.locator("#TT031").get_attribute("open") is not None and page.locator("#TT031 .body").is_visible()
    page.locator("label.chip", has_text="fail").click()
    page.locator(".cell[data-item=TT002]").click()
    assert page.locator("#TT002 .body").is_visible(), "a link wins over the filters"
    assert page.evaluate("document.activeElement.closest('.item').id") == "TT002"


def test_counts_and_matrix_lead_to_their_items(opened: Opened) -> None:
    opened.page.locator(".legend a", has_text="attested").click()
    assert opened.visible() == ["TT095"]
    opened.page.locator(".matrix tbody tr").first.locator("td a").first.click()
    assert opened.visible() == ["TT001", "TT002", "TT007"]


def test_everything_works_by_keyboard(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "items"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("maxmemory-policy")
    assert opened.visible() == ["TT088"]
    page.keyboard.press("Escape")
    assert len(opened.visible()) == 103
    page.focus("input[value=fail]")
    page.keyboard.press("Space")
    assert len(opened.visible()) == 5
    assert "solid" in page.eval_on_selector("label.chip:has(input:focus)", "n => getComputedStyle(n).outlineStyle")
    page.focus("#TT001 > summary")
    page.keyboard.press("Enter")
    assert page.locator("#TT001 .body").is_visible()


def test_expand_all_opens_what_is_shown_and_collapses_again(opened: Opened) -> None:
    page = opened.page
    page.locator("label.chip", has_text="fail").click()
    page.locator("[data-expand]").click()
    assert page.locator(".item[open]").count() == 5
    page.locator("[data-expand]").click()
    assert page.locator(".item[open]").count() == 0


def test_hostile_names_stay_text(opened: Opened) -> None:
    page = opened.page
    assert page.evaluate("window.pwned") is None
    assert page.locator("script").count() == 1 and page.locator("x").count() == 0
    text = page.locator("#TT001").text_content() or ""
    assert sample.TAG in text and sample.CDATA in text and "{{ 7*7 }}".replace("{{", "{{{{")[2:] in text
    assert "\\x1b[31mred" in text and "\\u202e" in text
    everything = page.content()
    assert "\x1b" not in everything and "\u202e" not in everything
    hrefs = page.eval_on_selector_all("a[href]", "nodes => nodes.map(n => n.getAttribute('href'))")
    assert all(re.match(r"#|https://docs\.bullmq\.io/", href) for href in hrefs)


def test_theme_follows_the_system_and_the_button(browser: Browser, page_file: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(page_file.as_uri())
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light, "the choice is kept"
    page.close()


def test_it_reads_without_script(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert not page.locator("#filters").is_visible() and not page.locator("#theme").is_visible()
    assert page.locator("#TT088").is_visible() and not page.locator("#TT088 .body").is_visible()
    page.locator("#TT088 > summary").click()
    assert page.locator("#TT088 .observed").first.is_visible()
    page.locator(".fold > summary").first.click()
    assert page.locator("#TT031").is_visible()
    page.locator(".cell[data-item=TT095]").click()
    assert page.url.endswith("#TT095")
    context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_sticks_out_sideways(width: int, browser: Browser, page_file: Path) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("script", [True, False])
def test_print_shows_failures_in_full(script: bool, browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.emulate_media(media="print")
    if script:
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#TT088 .observed").first.is_visible()
    assert page.locator("#TT001 .findings .evidence").last.is_visible()
    assert not page.locator("#TT003 .body").is_visible()
    assert not page.locator("#filters").is_visible()
    if script:
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator(".item[open]").count() == 0
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast_aa(scheme: str, browser: Browser, page_file: Path) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    poor = page.evaluate(_CONTRAST)
    assert poor == []
    context.close()


def test_landmarks_names_and_unique_ids(opened: Opened) -> None:
    page = opened.page
    for role, name in (
        ("main", None),
        ("banner", None),
        ("contentinfo", None),
        ("search", "Filter the items"),
        ("navigation", "Items by section"),
        ("status", None),
    ):
        assert page.get_by_role(role, name=name).count() == 1, role  # type: ignore[arg-type]  # roles are literals
    ids = page.eval_on_selector_all("[id]", "nodes => nodes.map(n => n.id)")
    assert len(set(ids)) == len(ids)
    unnamed = page.eval_on_selector_all(
        "input, select, button", "nodes => nodes.filter(n => !(n.labels?.length || n.textContent.trim())).length"
    )
    assert unnamed == 0
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "nodes => nodes.map(n => +n.tagName[1])")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))


class _Parsed(HTMLParser):
    """Elements, inline style and script, and the policy."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = ""
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str]] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._tag = tag
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self.attributes += [(tag, name) for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        if self._tag in ("style", "script"):
            self.texts[self._tag] = self.texts.get(self._tag, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""


def test_the_policy_allows_these_bytes_alone(report: Report, formats: dict[str, ReportFormat]) -> None:
    parsed = _Parsed()
    parsed.feed(formats["html"].render(report, RenderOptions()))
    allowed = {
        name: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in parsed.texts.items()
    }
    assert (
        parsed.policy
        == f"default-src 'none'; style-src {allowed['style']}; script-src {allowed['script']}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    inline = [(tag, name) for tag, name in parsed.attributes if name == "style" or name.startswith("on")]
    assert inline == [], "a hash does not allow these"
    assert not any(name in ("src", "srcset", "action") for _, name in parsed.attributes)
    assert not re.search(r"@import|url\(", parsed.texts["style"])


_CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const lum = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const ground = (n) => { for (; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = new Set();
  for (const n of document.querySelectorAll("body *")) {
    if (!n.checkVisibility() || n.closest(".visually-hidden, .skip, option, .empty")) continue;
    if (![...n.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim())) continue;
    const style = getComputedStyle(n), svg = n instanceof SVGElement;
    const [a, b] = [lum(parse(svg ? style.fill : style.color)), lum(ground(n))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.add(`${n.className?.baseVal ?? n.className} ${n.tagName} ${ratio.toFixed(2)}`);
  }
  return [...poor].slice(0, 20);
}"""
