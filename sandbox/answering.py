"""Does a part of the sandbox answer by now?"""

import http.client
import time
from dataclasses import dataclass

from sandbox.bell import Bell
from sandbox.children import Child
from sandbox.errors import OutOfReach, SandboxError, WrongUse
from sandbox.ports import HOST

_POLL_SECONDS = 0.03
_ASK_SECONDS = 2.0
_WRONG_SETTINGS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the sandbox: role, what a person calls it, process, and where it says "ready"."""

    role: str
    name: str
    child: Child
    port: int
    path: str

    def answers(self) -> bool:
        """Whether it says 200 there."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_ASK_SECONDS)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def ended(self, code: int) -> SandboxError:
        """The sentence for a part that ended by itself."""
        how = f"signal {-code}" if code < 0 else f"code {code}"
        sentence = (
            f"{self.name} ended with {how}: {self.child.last_words().rstrip('.')}. "
            f"Its log is {self.child.log}."
        )
        return WrongUse(sentence) if code == _WRONG_SETTINGS else OutOfReach(sentence)


def await_answer(part: Part, bell: Bell, limit_seconds: float) -> None:
    """Wait until a part answers.

    Raises OutOfReach where it does not in this time, what `Part.ended` says where it ends, and
    StopAskedError.
    """
    deadline = time.monotonic() + limit_seconds
    while not part.answers():
        code = part.child.exit_code()
        if code is not None:
            raise part.ended(code)
        if time.monotonic() > deadline:
            raise OutOfReach(
                f"{part.name} did not get ready within {limit_seconds:.0f} s; "
                f"its log is {part.child.log}."
            )
        bell.wait_or_stop(_POLL_SECONDS)
