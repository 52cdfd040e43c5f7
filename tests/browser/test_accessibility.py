"""What axe-core finds on every page in what we draw ourselves, and that all of it can be reached with the keyboard."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.interpolate import add, open_interpolate, thumbs, turn_to
from tests.browser.touch import decoded, open_page, pixels, wait_until_changed

# Each page is looked at in both themes and at both widths, in two goes: contrast does not depend on the width, nor
# layout on the theme.
LOOKS = (("light", 1440), ("dark", 1024))
ONCE = pytest.mark.parametrize("page", LOOKS[:1], indirect=True, ids=["light-1440"])  # for what no look changes
GRAVE = ("serious", "critical")
MOST_STOPS = 60

# What Streamlit draws (navigation, captions, upload boxes, tables) and what Plotly draws (charts, a map's buttons and
# legend) is theirs to mend. Ours are the roots of our components, which axe enters by itself, and what we write as HTML
# by `st.html`; of the components only Plotly's own element inside a map is left out, not the map around it.
COMPONENT = '[data-testid="stBidiComponentIsolated"]'
OURS = [COMPONENT, ".vae-tile", ".vae-comparison", ".vae-card-name"]
SCOPE = {"include": OURS, "exclude": [{"fromShadowDom": [COMPONENT, ".js-plotly-plot"]}]}
# The size of what is pressed, 24 pixels or as much room around it, belongs to WCAG 2.2, which axe checks on demand.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

UNNAMED = """(part) => {
  const button = document.createElement("button");
  button.id = "unnamed";
  part.append(button);
}"""
# The element that has the focus: its name, whether a component of ours drew it, and what shows that it has the focus.
FOCUSED = """() => {
  let node = document.activeElement;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(node);
  const accent = getComputedStyle(node).getPropertyValue("--st-primary-color");
  const sample = document.body.appendChild(document.createElement("i"));
  sample.style.color = accent;
  const wanted = `solid 2px ${getComputedStyle(sample).color}`;
  sample.remove();
  const shows = `${outlineStyle} ${outlineWidth} ${outlineColor}` === wanted;
  return { name: node.ariaLabel ?? node.textContent, isOurs: node.getRootNode() !== document, shows };
}"""


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def page(page: Page, request: pytest.FixtureRequest) -> Page:
    """A page in one of the looks; nothing moves by itself, so that what axe sees holds still."""
    scheme, width = request.param
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    return page


def findings(page: Page) -> list[dict[str, Any]]:
    """What axe finds of grave impact in what we draw, one entry a rule and element."""
    expect(page.locator(COMPONENT).first).to_be_attached()  # else a new name of Streamlit's would empty the scope
    violations = Axe().run(page, context=SCOPE, options=OPTIONS).response["violations"]
    nodes = [{"rule": violation["id"], **node} for violation in violations for node in violation["nodes"]]
    return [node for node in nodes if node["impact"] in GRAVE]


def told(finding: dict[str, Any]) -> str:
    """Rule, impact, where it is (through shadow roots), and what to do."""
    steps = [step if isinstance(step, str) else " >>> ".join(step) for step in finding["target"]]
    return f"{finding['rule']} ({finding['impact']}) at {' | '.join(steps)}\n{finding['failureSummary']}"


def check(page: Page, state: str) -> None:
    """Fail with all findings when there are any."""
    if found := findings(page):
        pytest.fail(f"{state}: {len(found)} findings\n\n" + "\n\n".join(map(told, found)), pytrace=False)


def unfold(page: Page) -> None:
    """Open whatever is folded in our components."""
    page.locator(f"{COMPONENT} details").evaluate_all("(all) => all.forEach((each) => (each.open = true))")


def panel(page: Page, name: str) -> Locator:
    """Turn to a tab; its panel."""
    turn_to(page, name)
    return page.get_by_role("tabpanel", name=name)


# -- every page -------------------------------------------------------------------------------------------------------


def test_explore_with_each_of_its_tabs(page: Page, server: str):
    open_page(page, server)
    for count in (1, 2):
        page.get_by_role("button", name="Try a real").nth(count).click()
        expect(page.get_by_role("button", name="Remove")).to_have_count(count)
    page.get_by_role("button", name="Remove").first.hover()  # which shows it
    check(page, "sliders")
    groups = panel(page, "Groups")
    check(page, "groups, none")
    groups.get_by_role("combobox", name="Digit").select_option("7")
    groups.get_by_role("button", name="Keep as group").click()
    groups.get_by_role("textbox", name="Name of group 1").wait_for()
    check(page, "groups")
    directions = panel(page, "Directions")
    directions.get_by_role("button", name="Add direction").click()
    directions.get_by_role("textbox", name="Name of direction 1").wait_for()
    check(page, "directions")
    panel(page, "Neighbours").get_by_role("listitem").first.wait_for()
    check(page, "neighbours")
    traversals = panel(page, "Traversals")
    traversals.get_by_role("button", name="Show").first.click()
    traversals.get_by_test_id("sheet").wait_for()
    check(page, "traversals")
    panel(page, "Sliders")
    unfold(page)
    check(page, "sliders, all unfolded")


def test_interpolate_with_each_of_its_panels(page: Page, server: str):
    open_interpolate(page, server)
    panel(page, "Path")
    unfold(page)
    check(page, "path, all unfolded")
    panel(page, "Export")
    check(page, "export")
    panel(page, "Grid")
    check(page, "grid, with too few keyframes")
    add(page, "Sliders", "Sliders")
    expect(page.get_by_role("button", name="Save PNG")).to_be_enabled()
    thumbs(page).nth(1).hover()  # which shows its buttons
    check(page, "grid")


def test_reconstruct_without_and_with_a_picture(page: Page, server: str):
    page.goto(f"{server}/reconstruct")
    page.locator('[data-testid="latent-map"][data-painted]').wait_for()
    check(page, "no picture")
    page.locator('[class*="st-key-example_"] button').first.click()
    page.locator(".vae-comparison").wait_for()
    page.get_by_role("button", name="Go to digit").wait_for()
    check(page, "one picture")


def test_models_with_each_of_its_tabs_and_the_model_picker_opened(page: Page, server: str):
    page.goto(f"{server}/models")
    page.locator(".vae-tile").last.wait_for()
    check(page, "collection")
    page.get_by_role("combobox", name="Model", exact=True).click()
    expect(page.get_by_role("listbox", name="Models").get_by_role("option").first).to_be_visible()
    check(page, "model picker opened")
    page.keyboard.press("Escape")
    for name in ("Figures", "Rate and distortion"):
        turn_to(page, name)
        check(page, name)


@ONCE
def test_a_button_without_a_name_is_found_in_our_parts_and_there_alone(page: Page, server: str):
    page.goto(f"{server}/models")
    page.get_by_role("combobox", name="Model", exact=True).wait_for()
    page.locator("body").evaluate(UNNAMED)
    assert findings(page) == []
    page.locator(f"{COMPONENT} .picking").evaluate(UNNAMED)
    (unnamed,) = (finding for finding in findings(page) if finding["rule"] == "button-name")
    assert re.match(r"button-name \(critical\) at .* >>> #unnamed\nFix any of the following:\n", told(unnamed))


# -- the keyboard -----------------------------------------------------------------------------------------------------


def focused(page: Page) -> dict[str, Any]:
    return page.evaluate(FOCUSED)


def stops(page: Page, last: str) -> list[dict[str, Any]]:
    """Where the tab key leads, up to a name."""
    found: list[dict[str, Any]] = []
    while len(found) < MOST_STOPS and not (found and found[-1]["name"] == last):
        page.keyboard.press("Tab")
        found.append(focused(page))
    return found


@pytest.mark.parametrize(
    ("page", "path", "last"),
    [(LOOKS[0], "", "Value of Dimension 8"), (LOOKS[1], "interpolate", "Frames per leg")],
    indirect=["page"],
    ids=["explore-light", "interpolate-dark"],
)
def test_whatever_has_the_focus_shows_it(page: Page, server: str, path: str, last: str):
    open_page(page, server, path)
    found = stops(page, last)
    assert found[-1]["name"] == last
    assert [each["name"] for each in found if each["isOurs"] and not each["shows"]] == []


@ONCE
def test_arrow_keys_home_and_end_turn_to_tabs(page: Page, server: str):
    open_page(page, server)
    turn_to(page, "Sliders")
    for key, name in (
        ("End", "Traversals"),
        ("ArrowRight", "Sliders"),
        ("ArrowLeft", "Traversals"),
        ("Home", "Sliders"),
    ):
        page.keyboard.press(key)
        assert focused(page)["name"] == name
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()


@ONCE
def test_members_and_neighbours_are_loaded_with_the_keyboard(page: Page, server: str):
    open_page(page, server)
    groups = panel(page, "Groups")
    groups.get_by_role("combobox", name="Digit").select_option("7")
    frame = groups.get_by_role("button", name="Load member")
    frame.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(frame).to_have_accessible_name(re.compile("^Load member 17 of 64"))
    before = pixels(decoded(page))
    page.keyboard.press("Enter")
    wait_until_changed(page, decoded(page), before)
    neighbours = panel(page, "Neighbours").get_by_role("listitem").get_by_role("button")
    neighbours.nth(2).focus()
    number = focused(page)["name"].split(", at a distance")[0]
    page.keyboard.press("Enter")
    expect(neighbours.first).to_have_accessible_name(re.compile(f"^{number}, at a distance of 0.00"))
    expect(neighbours.first).to_be_focused()
