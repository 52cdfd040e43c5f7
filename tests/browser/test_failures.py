"""What a person reads when a part of a page fails: a true sentence, not a blank page; the console says the rest."""

from playwright.sync_api import Page, Route, expect

from tests.browser.touch import decoded, latent_map, open_page, wait_for_map

FAIL = "(node) => { const { part } = node.getRootNode(); part.update = () => { throw new Error('on purpose'); }; }"
MEND = "(node) => { delete node.getRootNode().part.update; }"


def errors_of(page: Page) -> list[str]:
    """What the console tells as errors, from now on."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    return told


def test_a_module_that_cannot_be_read_is_not_taken_for_a_server_that_lacks_them(page: Page, server: str):
    told = errors_of(page)
    page.route(
        "**/explore/sliders.js", lambda route: route.fulfill(body="export class {", content_type="text/javascript")
    )
    page.goto(server)
    expect(page.get_by_text("A part of this page could not be loaded")).to_be_visible()
    expect(page.get_by_text("streamlit run")).to_be_hidden()
    assert any("SyntaxError" in each for each in told)


def test_a_page_that_cannot_be_built_says_so(page: Page, server: str):
    def broken(route: Route) -> None:
        text = (
            route.fetch()
            .text()
            .replace("constructor(explore) {", "constructor(explore) { throw new Error('on purpose');")
        )
        route.fulfill(body=text, content_type="text/javascript")

    told = errors_of(page)
    page.route("**/panels/neighbours.js", broken)
    page.goto(server)
    expect(page.get_by_text("Something went wrong inside this page (on purpose)")).to_be_visible()
    assert any("on purpose" in each for each in told)


def test_a_page_that_fails_at_an_update_keeps_what_it_shows_and_recovers(page: Page, server: str):
    open_page(page, server)
    zero = page.get_by_role("button", name="Zero")
    failure = page.get_by_text("Something went wrong inside this page")
    page.locator(".explore").evaluate(FAIL)
    zero.click()
    expect(failure).to_be_visible()
    expect(latent_map(page)).to_be_visible()
    expect(decoded(page)).to_be_visible()
    page.locator(".explore").evaluate(MEND)
    page.get_by_role("button", name="Random (image)").click()
    expect(failure).to_have_count(0)
    wait_for_map(page)


def test_parts_that_need_what_nobody_answers_are_not_offered(page: Page, server: str):
    def answering_nothing(route: Route) -> None:
        text = route.fetch().text().replace("can: new Set(QUESTIONS)", "can: new Set()")
        route.fulfill(body=text, content_type="text/javascript")

    page.route("**/engine/remote.js", answering_nothing)
    open_page(page, server, "?model=mnist-16d")
    expect(page.get_by_text("UMAP settings")).to_be_hidden()
    expect(page.get_by_text("Density", exact=True)).to_be_hidden()
    page.get_by_role("tab", name="Directions").click()
    expect(page.get_by_role("button", name="Add direction")).to_be_visible()
    expect(page.get_by_role("button", name="Save directions")).to_be_hidden()
    page.get_by_role("link", name="Interpolate").click()
    page.get_by_role("tab", name="Path").wait_for()
    expect(page.get_by_role("tab", name="Export")).to_have_count(0)
