import pytest
from tests import tables
from tests.journeys.browsers import PHONE, WIDE
pytestmark = pytest.mark.browser
TSV = "Training of police\t3/2/2026\tKandal\t12\t30\t\t1,200\r\nCampaign on radio\t១៥/៣/២០២៦\tតាកែវ\t១២០\t80\t\t300.50\r\nLegal clinic\tsoon\tNowhere\tn/a\tmany\t\t99\r\n"

def paste(page, text):
    page.evaluate("""(text) => { const data = new DataTransfer(); data.setData('text/plain', text); data.setData('text/html', '<table>');
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})); }""", text)

def test_look(served, visit):
    with served.session() as session:
        scene = tables.scene(session)
        km = tables.scene(session, language="km")
    for one, lang in ((scene, "en"), (km, "km")):
        v = visit(size=WIDE)
        v.allow("409|422")
        page = v.let_in(served.session_of(one.focal))
        page.goto(one.path)
        page.locator("[data-table=b5] textarea").first.click()
        paste(page, TSV)
        page.wait_for_timeout(1500)
        print(page.locator(".save-status").inner_text(), page.locator("[data-row-words]").first.inner_text())
        page.fill("[name='received[f]']", "10"); page.fill("[name='convicted[f]']", "12")
        page.wait_for_timeout(1800)
        page.screenshot(path=f"/tmp/look-{lang}-wide.png", full_page=True)
        page.locator(".row-menu summary").first.click()
        page.locator("[data-table=b5]").screenshot(path=f"/tmp/look-{lang}-menu.png")
        page.goto(one.inner)
        page.locator("[data-table=b3] textarea").first.fill("Access to law")
        page.locator("[data-table=b3y] [name^='year[']").first.fill("2026")
        page.locator("[data-table=b3y] [name^='spent[']").first.fill("12.5")
        page.wait_for_timeout(1500)
        page.locator("button[data-row-act]").last.click()
        page.screenshot(path=f"/tmp/look-{lang}-inner.png", full_page=True)
        page.set_viewport_size(PHONE)
        page.screenshot(path=f"/tmp/look-{lang}-inner-phone.png", full_page=True)
        page.goto(one.path)
        page.screenshot(path=f"/tmp/look-{lang}-phone.png", full_page=True)
