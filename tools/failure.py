"""Why did set-up stop, and what is to be done?"""

import re

_NETWORK = re.compile(
    r"Failed to establish a new connection|Temporary failure in name resolution|Name or service"
    r" not known|Connection (?:refused|reset|aborted|broken)|Read ?time(?:d out|out)|ProxyError"
    r"|RemoteDisconnected|IncompleteRead|ConnectTimeout|SSLError|CERTIFICATE_VERIFY_FAILED"
    r"|HTTP error 5\d\d|HTTP Error 5\d\d|HTTP Error 429",
)
_HASHES = re.compile(r"DO NOT MATCH THE HASHES")
_DISK = re.compile(r"No space left on device")
_JAR = re.compile(r"Failed to retrieve \S+/(?P<jar>[^/\s]+\.jar): (?P<why>.*)")
_WHEEL = re.compile(r"No matching distribution found for (?P<name>[A-Za-z0-9._-]+)")

# The first one that is not pip's own frame around another program's error.
_ERROR = re.compile(
    r"^\s*(?:ERROR|error): (?!subprocess-exited|metadata-generation|Failed building)(.*\S)",
    re.MULTILINE,
)


class SetUpFailed(Exception):
    """Set-up cannot go on; the text is one sentence for the person who ran it."""


def is_passing(log: str) -> bool:
    """Whether what pip printed speaks of a network that may answer the next time."""
    return bool(_JAR.search(log) or _NETWORK.search(log))


def sentence(log: str, log_name: str) -> str:
    """Turn what pip printed into one sentence: what was wrong, what to do.

    Args:
        log: The output of one run of pip that failed.
        log_name: Where the whole of it can be read.
    """
    if _DISK.search(log):
        return "The disk is full: set-up needs about 1 GB, in this checkout and in pip's cache."
    if _HASHES.search(log):
        return (
            "A downloaded package is not the one pinned in requirements.txt (its hash differs), so"
            f" nothing was installed: see {log_name}, and mend the mirror or cache it came from."
        )
    if jar := _JAR.search(log):
        return (
            f"The KCL's jars could not be downloaded ({jar['jar']}: {jar['why']}): check the way to"
            " Maven Central, or name a mirror in KCL_MVN_REPO_SEARCH_URL, and run it again."
        )
    if _NETWORK.search(log):
        return (
            "The package registry could not be reached: check the network, or the mirror in"
            f" PIP_INDEX_URL, and run it again (details in {log_name})."
        )
    if wheel := _WHEEL.search(log):
        return (
            f"The registry has no {wheel['name']} that fits this Python and platform with a hash in"
            f" requirements.txt: try another Python with PYTHON=, or see {log_name}."
        )
    errors = _ERROR.findall(log)
    reason = errors[0] if errors else "no reason given"
    return f"pip could not install the packages ({reason}): the whole of it is in {log_name}."
