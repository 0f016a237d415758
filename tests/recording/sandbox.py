"""A sandbox as `python -m sandbox` starts one, on the AWS that notes its calls."""

import sys
from collections.abc import Mapping

from sandbox import environment, up
from sandbox.__main__ import main
from sandbox.code_archive import CHECKOUT
from sandbox.embedded_aws import aws_environment
from sandbox.folder import SandboxFolder
from sandbox.subprocesses import Subprocess, Subprocesses

vars(environment)["ACCESS_KEY_ID"] = "task"  # apart from the sandbox's own calls


def _start(
    subprocesses: Subprocesses, folder: SandboxFolder, port: int, around: Mapping[str, str]
) -> Subprocess:
    return subprocesses.start(
        [sys.executable, "-m", "tests.recording.aws"],
        aws_environment(folder, port, around) | {"PYTHONPATH": str(CHECKOUT)},
        folder=folder.aws,
        log=folder.log_of("aws"),
    )


vars(up)["start_aws"] = _start
sys.exit(main())
