import io

from tools.progress import Progress


def test_on_a_terminal_one_line_is_rewritten_in_place() -> None:
    out = io.StringIO()
    progress = Progress(out, is_terminal=True)

    progress.show("packages", "fetched 9 of 10")
    progress.show("the project")
    progress.end("Set up.")

    shown = out.getvalue().split("\r")
    assert [line.strip() for line in shown[1:]] == [
        "Setting up: packages fetched 9 of 10, 0 s",
        "Setting up: the project, 0 s",
        "Set up.",
    ]
    assert out.getvalue().count("\n") == 1


def test_elsewhere_each_step_is_one_line_of_a_log() -> None:
    out = io.StringIO()
    progress = Progress(out, is_terminal=False)

    for done in range(3):
        progress.show("packages", f"fetched {done} of 3")
    progress.show("the project")
    progress.end("Set up.")

    assert out.getvalue().splitlines() == [
        "Setting up: packages fetched 0 of 3, 0 s",
        "Setting up: the project, 0 s",
        "Set up.",
    ]


def test_elsewhere_a_long_step_shows_now_and_then_that_it_goes_on() -> None:
    out = io.StringIO()
    progress = Progress(out, is_terminal=False)

    progress.show("packages", "fetched 0 of 3")
    progress.started -= 20
    progress.show("packages", "fetched 2 of 3")

    assert out.getvalue().splitlines()[-1] == "Setting up: packages fetched 2 of 3, 20 s"
