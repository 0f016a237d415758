"""orders doctor: is everything in place?"""

from typing import Annotated

import typer

from orders_cli.documents import findings_document
from orders_cli.examining import Finding, Grade, examine
from orders_cli.failures import ExitCode
from orders_cli.opening import open_to_read
from orders_cli.speech import aligned, answer, answer_json
from orders_cli.teaching import command_app, examples

app = command_app()


@app.command(epilog=examples("orders doctor"))
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")] = False,
) -> None:
    """Look at ledger, bucket, stream, intake, sending and consumer, and say what is wrong.

    Exit codes: 0 nothing bad, 3 something is bad, 5 AWS is out of reach.
    """
    findings = list(examine(open_to_read()))
    if as_json:
        answer_json(findings_document(findings))
    else:
        for line in aligned([(f.thing, f.grade.value, f.sentence) for f in findings]):
            answer(line)
    raise typer.Exit(_exit_code(findings))


def _exit_code(findings: list[Finding]) -> ExitCode:
    if any(finding.is_unreachable for finding in findings):
        return ExitCode.AWS_UNREACHABLE
    if any(finding.grade is Grade.BAD for finding in findings):
        return ExitCode.PROBLEMS
    return ExitCode.DONE
