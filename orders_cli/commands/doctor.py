"""orders doctor: check that everything is in place."""

import typer

from orders_cli.aws import open_to_read
from orders_cli.checks import CheckResult, Grade, run_checks
from orders_cli.command_options import AsJson, command_app, examples
from orders_cli.failures import ExitCode
from orders_cli.json_documents import doctor_document
from orders_cli.output import answer_aligned, answer_json

app = command_app()


@app.command(epilog=examples("orders doctor"))
def doctor(as_json: AsJson = False) -> None:
    """Check that everything is in place.

    Checks ledger, bucket, stream, intake, sending and consumer, and says what is wrong.

    Exit codes: 0 nothing is bad, 3 something is bad, 5 AWS is unreachable.
    """
    results = list(run_checks(open_to_read()))
    if as_json:
        answer_json(doctor_document(results))
    else:
        answer_aligned([(one.thing, one.grade.value, one.sentence) for one in results])
    raise typer.Exit(_exit_code(results))


def _exit_code(results: list[CheckResult]) -> ExitCode:
    if any(result.is_unreachable for result in results):
        return ExitCode.AWS_UNREACHABLE
    if any(result.grade is Grade.BAD for result in results):
        return ExitCode.PROBLEMS
    return ExitCode.DONE
