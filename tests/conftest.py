"""What holds for every test: a clean environment, no way out, and a reason for each skip."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.loaders
import hypothesis
import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent
NPM_PREFIX = "npm:"
LOOPBACK = ("127.", "::1", "localhost")
WITH_DAEMONS = ("tests/e2e/", "tests/chaos/", "tests/image/")
WITHOUT_DAEMON = "tests/chaos/test_drain.py"
MOSTLY_WAITING = ("tests/e2e/test_chain_quota.py", "tests/e2e/test_chain_three_minutes.py")
IN_CI = os.environ.get("CI") == "true"

# Two cores that others use, too: how long one example takes says nothing.
hypothesis.settings.register_profile("here", deadline=None)
# The same examples at every run: what lands must not depend on chance. Here chance goes on looking.
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if IN_CI else "here")


def pytest_configure() -> None:
    """Take away what would let a test depend on, or reach, somebody's real account or proxy."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "ORDERS_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_REGION="eu-central-1",
        AWS_DEFAULT_REGION="eu-central-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    # A shell that starts this in the background has all its programs ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process: cheap tests first. Several (`-n 2`): the longest first, so all end together."""
    costs = ("aws", "kcl", "e2e", "chaos", "needs", "slow")

    def cost(item: pytest.Item) -> int:
        return max(
            (rank for rank, name in enumerate(costs, 1) if item.get_closest_marker(name)), default=0
        )

    items.sort(key=cost, reverse="PYTEST_XDIST_WORKER" in os.environ)


class OneDaemonAtATime(LoadScopeScheduling):  # type: ignore[misc] # xdist carries no types
    """The tests of a file run in one process, and those with a busy KCL daemon all in the same one.

    Those that send at one or two a second for minutes leave the processors to others.
    """

    @override
    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path in MOSTLY_WAITING:
            return "waiting"
        has_daemon = path.startswith(WITH_DAEMONS) and path != WITHOUT_DAEMON
        return "daemons" if has_daemon else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Several processes: who runs which test."""
    return OneDaemonAtATime(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose programs are missing here; under CI=true that is a failure."""
    missing = [
        str(tool)
        for mark in item.iter_markers("needs")
        for tool in mark.args
        if not _is_there(str(tool))
    ]
    if missing:
        reason = f"needs {', '.join(missing)}: see CONTRIBUTING.md, 'Programs beside Python'"
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def _is_there(tool: str) -> bool:
    if tool.startswith(NPM_PREFIX):
        package = tool.removeprefix(NPM_PREFIX)
        return (ROOT / "tests" / "node" / "node_modules" / package / "package.json").exists()
    beside_python = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return shutil.which(tool, path=beside_python) is not None


def _only_on_this_machine(
    connect: Callable[[socket.socket, Any], Any],
) -> Callable[[socket.socket, Any], Any]:
    def guarded(self: socket.socket, address: Any) -> Any:  # noqa: ANN401 - as in the socket module
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test may talk to this machine only, not to {address}")
        return connect(self, address)

    return guarded


@pytest.fixture(scope="session", autouse=True)
def no_way_out() -> None:
    """Refuse connections of this process to any other machine."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _only_on_this_machine(socket.socket.connect))
    patch.setattr(socket.socket, "connect_ex", _only_on_this_machine(socket.socket.connect_ex))


@pytest.fixture(scope="session", autouse=True)
def service_models_read_once() -> None:
    """Let all AWS clients share what botocore reads of a service: megabytes of JSON for each."""
    loader = botocore.loaders.create_loader()
    pytest.MonkeyPatch().setattr("botocore.session.create_loader", lambda *_: loader)
