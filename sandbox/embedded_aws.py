"""How is the embedded AWS started so that it stays on this machine and in its folder?"""

import sys
from collections.abc import Mapping

from sandbox.clients import REGION
from sandbox.folder import SandboxFolder
from sandbox.ports import HOST
from sandbox.subprocesses import Subprocess, Subprocesses


def start_aws(
    subprocesses: Subprocesses, folder: SandboxFolder, port: int, around: Mapping[str, str]
) -> Subprocess:
    """Start ministack on 127.0.0.1; `around` is this process's environment."""
    return subprocesses.start(
        [sys.executable, "-m", "ministack"],
        aws_environment(folder, port, around),
        folder=folder.aws,
        log=folder.log_of("aws"),
    )


def aws_environment(folder: SandboxFolder, port: int, around: Mapping[str, str]) -> dict[str, str]:
    """All that ministack and the Lambda runs inside it get to see of the environment.

    It must not listen elsewhere, persist outside its folder, or find a Docker daemon: it would
    remove containers of other ministacks there.
    """
    temporary = folder.aws / "tmp"
    return {
        "PATH": around.get("PATH", "/usr/bin:/bin"),
        "LANG": "C.UTF-8",
        "HOME": str(folder.aws),
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "STATE_DIR": str(folder.aws / "state"),
        "S3_DATA_DIR": str(folder.aws / "s3"),
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
