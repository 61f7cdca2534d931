import pytest
from playwright.sync_api import sync_playwright

from .place import FLAGS, browser, listening
from .tab import Tab


@pytest.fixture(scope="package")
def demo(tmp_path_factory):
    with listening("demo", "--no-browser", log=tmp_path_factory.mktemp("demo") / "log") as found:
        yield found


@pytest.fixture(scope="package")
def chromium():
    with sync_playwright() as p:
        found = p.chromium.launch(executable_path=browser(), args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def tab(demo, chromium):
    found = Tab(chromium, demo.url)
    yield found
    found.close()
