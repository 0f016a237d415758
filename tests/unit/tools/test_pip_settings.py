from pathlib import Path

from tools.pip_settings import for_uv

CONFIG = """\
:env:.index-url='https://me:secret@mirror.test/simple'
global.default-timeout='60'
global.index-url='https://old.test/simple'
install.extra-index-url='\\nhttps://a.test/simple\\nhttps://b.test/simple'
freeze.timeout='10'
"""


def test_uv_is_told_the_mirrors_of_pip() -> None:
    options, variables = for_uv(CONFIG, {})

    assert options == []
    assert variables["UV_DEFAULT_INDEX"] == "https://me:secret@mirror.test/simple"
    assert variables["UV_EXTRA_INDEX_URL"] == "https://a.test/simple https://b.test/simple"
    assert variables["UV_HTTP_TIMEOUT"] == "60"


def test_a_variable_of_uv_that_is_set_already_stays() -> None:
    _, variables = for_uv(CONFIG, {"UV_DEFAULT_INDEX": "https://mine.test/simple"})

    assert "UV_DEFAULT_INDEX" not in variables


def test_a_folder_of_packages_that_does_not_exist_is_left_out(tmp_path: Path) -> None:
    places = f"global.find-links='{tmp_path} {tmp_path}/nowhere https://a.test/wheels'"

    _, variables = for_uv(places, {})

    assert variables["UV_FIND_LINKS"] == f"{tmp_path},https://a.test/wheels"


def test_certificates_of_pip_or_of_requests_are_those_of_uv(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.touch()

    assert for_uv(f"global.cert='{bundle}'", {})[0] == ["--cert", str(bundle)]
    assert for_uv("", {"REQUESTS_CA_BUNDLE": str(bundle)})[0] == ["--cert", str(bundle)]


def test_a_cache_that_cannot_be_written_is_not_used() -> None:
    assert for_uv("", {"XDG_CACHE_HOME": "/proc/nowhere"})[1]["UV_NO_CACHE"] == "1"
