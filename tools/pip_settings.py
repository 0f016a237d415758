"""pip's settings (mirrors, certificates, proxy) for uv, which does not read them itself."""

import ast
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "no-cache-dir": "UV_NO_CACHE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
_SECTIONS = ("global", "install", ":env:")  # a later one wins
_LINE = re.compile(rf"({'|'.join(_SECTIONS)})\.([a-z-]+)=(['\"].*)")


def for_uv(pip_config: str, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Translate what `pip config list` printed into options and variables of uv.

    A UV_ variable of the environment stays as it is.
    """
    lines = [match.groups() for line in pip_config.splitlines() if (match := _LINE.match(line))]
    lines.sort(key=lambda line: _SECTIONS.index(line[0]))
    pip = {option: " ".join(ast.literal_eval(value).split()) for _, option, value in lines}
    # pip only warns about a folder that does not exist; uv stops.
    places = [p for p in pip.pop("find-links", "").split() if "://" in p or Path(p).exists()]
    if places:
        pip["find-links"] = ",".join(places)
    variables = {uv: pip[option] for option, uv in _VARIABLES.items() if option in pip}
    # Like pip, look for a version in all indexes; with hashes there is no risk in that.
    variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if _has_system_certificates():
        variables["UV_SYSTEM_CERTS"] = "1"
    if not _can_write(Path(environment.get("XDG_CACHE_HOME") or "~/.cache").expanduser()):
        variables["UV_NO_CACHE"] = "1"
    # Not a variable: that would also apply to the build that downloads the KCL's jars.
    bundle = pip.get("cert") or environment.get("REQUESTS_CA_BUNDLE", "")
    options = ["--cert", bundle] if Path(bundle).is_file() else []
    options += ["--no-index"] if pip.get("no-index", "0") not in {"0", "false", "no"} else []
    kept = {name for name in environment if name.startswith("UV_")}
    return options, {name: value for name, value in variables.items() if name not in kept}


def _has_system_certificates() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
