"""The report in a browser: Debian's Chromium, driven by selenium."""

import gc
import json
import shutil
import warnings

import pytest
from report_tables import METRICS, QUICK, SYSTEMS, nasty_table

from sklearn_pscore.report import write_report

webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or CHROMEDRIVER is None,
    reason="needs chromium and chromedriver",
)
WIDTHS, SCHEMES = (375, 1400), ("light", "dark")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_report(
        path,
        *nasty_table(),
        **QUICK,
        title=f"{SYSTEMS[0]} & Co",
    )


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    service = webdriver.ChromeService(executable_path=CHROMEDRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()
    del driver, service
    with warnings.catch_warnings():
        # selenium leaves its connections to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def opened(browser, report):
    """Return the browser with the report, and no log of what was before."""
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(report.as_uri())
    return browser


def show(browser, width, scheme):
    """Set the width of the screen and the scheme of colours."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def test_it_renders_without_an_error_and_asks_for_nothing(opened, report):
    assert opened.title == f"{SYSTEMS[0]} & Co"
    shown = opened.execute_script(
        "return [...document.querySelectorAll('section h2')].map(h => h.innerText)"
    )
    assert len(shown) == 10
    assert shown[0] == "Data, and what to be careful about"
    heights = opened.execute_script(
        "return [...document.querySelectorAll('svg')].map(s => s.getBBox().height)"
    )
    assert len(heights) == 8
    assert min(heights) > 50
    assert opened.get_log("browser") == []
    messages = [
        json.loads(entry["message"])["message"]
        for entry in opened.get_log("performance")
    ]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    # Pictures of data stand in the page itself.
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]


def test_the_page_lets_nothing_in(opened):
    """What would come in, were a name to break out: the policy stops it."""
    opened.set_script_timeout(5)
    came = opened.execute_async_script(
        """
        const done = arguments[0], heard = [];
        document.addEventListener("securitypolicyviolation", (event) => {
          heard.push(event.effectiveDirective);
          if (heard.length === 3) done([heard.sort(), window.broken]);
        });
        const image = document.createElement("img");
        image.src = "https://example.org/picture.png";
        const script = document.createElement("script");
        script.textContent = "window.broken = 1";
        document.body.append(image, script);
        fetch("https://example.org/").catch(() => 0);
        """
    )
    assert came == [["connect-src", "img-src", "script-src-elem"], None]
    # What it said of these is not of the page.
    opened.get_log("browser")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_stands_out_of_the_page(opened, width, scheme):
    show(opened, width, scheme)
    inner, scroll = opened.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth]"
    )
    assert inner == width
    assert scroll <= width
    # Names fit into their cells, and the text of pictures into these.
    over = opened.execute_script(
        """
        const over = [...document.querySelectorAll("td.name, dd, li, p, h1, h2, th")]
          .filter((each) => each.scrollWidth > each.clientWidth + 1)
          .map((each) => each.innerText);
        for (const svg of document.querySelectorAll("svg")) {
          const box = svg.getBoundingClientRect();
          for (const text of svg.querySelectorAll("text")) {
            const own = text.getBoundingClientRect();
            if (own.left < box.left - 1 || own.right > box.right + 1)
              over.push(text.textContent);
          }
        }
        return over;
        """
    )
    assert over == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_can_be_read_in_both_schemes(opened, scheme):
    show(opened, 1400, scheme)
    colours = opened.execute_script(
        """
        const of = (query, what) =>
          getComputedStyle(document.querySelector(query))[what];
        return [
          of("body", "backgroundColor"), of("body", "color"), of("td", "color"),
          of("svg", "fill"), of("svg text", "fill"), of(".soft", "color"),
          of(".answers li", "backgroundColor"), of(".notes", "backgroundColor"),
        ];
        """
    )
    paper, *inks, answers, notes = [lightness(colour) for colour in colours]
    assert (paper > 0.9) == (scheme == "light")
    for ink in inks:
        assert contrast(ink, paper) > 4.5
    for raised in (answers, notes):
        assert contrast(inks[0], raised) > 4.5


def lightness(colour):
    """Return the relative luminance of a colour as WCAG 2 has it."""
    parts = [float(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    low, high = sorted([first, second])
    return (high + 0.05) / (low + 0.05)


def column(browser, section, number):
    return browser.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".map((row) => row.cells[arguments[1]].innerText)",
        section,
        number,
    )


def click(browser, section, number):
    browser.execute_script(
        "document.querySelectorAll(`#${arguments[0]} th button`)[arguments[1]].click()",
        section,
        number,
    )


def test_a_click_sorts(opened):
    before = column(opened, "comparison", 1)
    click(opened, "comparison", 1)
    rising = column(opened, "comparison", 1)
    assert sorted(rising) == sorted(before)
    assert [float(value) for value in rising] == sorted(map(float, before))
    sorts = "return document.querySelectorAll('#comparison th[aria-sort]').length"
    assert opened.execute_script(sorts) == 1
    click(opened, "comparison", 1)
    assert column(opened, "comparison", 1) == rising[::-1]
    # Cells without a number are last, whichever way.
    for _ in range(2):
        click(opened, "comparison", 3)
        values = column(opened, "comparison", 3)
        n_empty = values.count("")
        assert n_empty >= 2
        assert values[-n_empty:] == [""] * n_empty
        assert opened.execute_script(sorts) == 1
    # Names, and the same rows with them.
    click(opened, "comparison", 0)
    names = column(opened, "comparison", 0)
    assert names[names.index("GT") :][:2] == ["GT", "GT (metric)"]
    accuracy = dict(zip(names, column(opened, "comparison", 1), strict=True))
    assert accuracy["GT"] == "1.000"


def test_a_key_sorts(opened):
    from selenium.webdriver.common.keys import Keys

    button = opened.find_element("css selector", "#items th button")
    button.send_keys(Keys.ENTER)
    head = opened.find_element("css selector", "#items th")
    assert head.get_attribute("aria-sort") == "ascending"


def test_names_are_shown_as_they_are(opened):
    cells = opened.execute_script(
        "return [...document.querySelectorAll('td')].map((cell) => cell.textContent)"
    )
    assert {*SYSTEMS, *METRICS} <= set(cells)
    assert opened.execute_script("return document.scripts.length") == 1
    assert (
        opened.execute_script("return document.querySelectorAll('b, img').length") == 0
    )


def test_on_paper_all_rows_are_shown(opened):
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = opened.execute_script(
        """
        const of = (query) => getComputedStyle(document.querySelector(query));
        return [of("nav").display, of(".rows").maxHeight, of(".wide").overflowX,
                of("body").backgroundColor];
        """
    )
    assert shown == ["none", "none", "visible", "rgb(255, 255, 255)"]
