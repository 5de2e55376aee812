"""`clb plan`: what it answers, and how it refuses."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from custom_labels_batch.cli.app import main
from custom_labels_batch.cli.plan_choices import DEFAULT_SCHEDULES
from sandbox.deploy import REPOSITORY


class Said:
    """What a command printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `plan` with a line of arguments."""

    def run(arguments: str) -> Said:
        code = main(["plan", *shlex.split(arguments)])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


def _answer(plan: Any, arguments: str) -> Any:
    return json.loads(plan(f"{arguments} --json").out)


def test_the_default_schedules_and_two_references_stand_side_by_side(plan: Any) -> None:
    said = plan("--images-per-day 300 --days 7")
    assert said.code == 0
    for name in (*DEFAULT_SCHEDULES, "published sample", "always running"):
        assert f" {name} " in said.out
    assert "Cheapest: rate(1 day)" in said.out


def test_schedules_can_be_named(plan: Any) -> None:
    answer = _answer(plan, "--images-per-day 300 --days 7 --schedule 'rate(2 hours)' --schedule 'cron(0 6,18 * * ? *)'")
    names = [row["name"] for row in answer["schedules"] if not row["comparedWith"]]
    assert names == ["rate(2 hours)", "cron(0 6,18 * * ? *)"]


def test_the_cheapest_schedule_that_meets_the_wanted_age_is_named(plan: Any) -> None:
    said = plan("--images-per-day 2000 --days 7 --max-age-minutes 300")
    assert "Cheapest with every result within 5.0 h: rate(4 hours)" in said.out
    answer = _answer(plan, "--images-per-day 2000 --days 7 --max-age-minutes 300")
    rows = {row["name"]: row for row in answer["schedules"]}
    meeting = [row for row in rows.values() if row["worstAgeMinutes"] <= 300 and not row["comparedWith"]]
    assert answer["chosen"] == min(meeting, key=lambda row: row["usd"])["name"]


def test_if_none_meets_the_wanted_age_it_says_which_comes_nearest_and_what_would(plan: Any) -> None:
    arguments = "--images-per-day 20000 --arrive nightly --days 3 --max-age-minutes 60"
    said = plan(arguments)
    assert "No schedule here gives every result within 60 min; nearest comes rate(15 minutes)" in said.out
    advice = _answer(plan, arguments)["advice"]
    assert advice["worstAgeMinutes"] <= 60
    settings = advice["settings"]
    again = _answer(
        plan,
        f"{arguments} --schedule '{advice['schedule']}' --max-units {settings['maxInferenceUnits']} "
        f"--target-drain-minutes {settings['targetDrainMinutes']}",
    )
    assert again["chosen"] == advice["schedule"]


def test_below_the_models_start_time_only_a_model_that_always_runs_helps(plan: Any) -> None:
    said = plan("--images-per-day 500 --days 2 --max-age-minutes 5")
    words = " ".join(said.out.split())
    assert "No run can: the model alone takes 10 minutes to start." in words
    assert "A model that always runs (trigger: upload) costs 192 USD: 1 s." in words


def test_more_images_than_the_units_can_label_are_a_clear_warning(plan: Any) -> None:
    said = plan("--images-per-day 1000000 --days 2")
    words = " ".join(said.out.split())
    assert "The backlog grows without end: 11.6 images arrive a second on average" in words
    assert "1 inference unit can label 4.9. Use --max-units 3 or more, or more --stacks." in words
    assert " grows " in said.out


def test_several_stacks_share_the_images(plan: Any) -> None:
    delivery = "--images-per-day 90000 --arrive nightly --days 2 --schedule 'rate(1 hour)'"
    one, three = _answer(plan, delivery), _answer(plan, f"{delivery} --stacks 3")
    assert one["images"] == three["images"] == 180_000
    assert three["schedules"][0]["billedMinutes"] == pytest.approx(one["schedules"][0]["billedMinutes"], rel=0.02)
    assert three["schedules"][0]["worstAgeMinutes"] < one["schedules"][0]["worstAgeMinutes"]
    assert _answer(plan, "--images-per-day 1000000 --days 2 --stacks 3")["backlogGrows"] is False


def test_a_schedule_too_rare_for_a_minimum_batch_size_is_named_as_refused(plan: Any) -> None:
    answer = _answer(plan, "--images-per-day 500 --days 2 --min-batch-size 200")
    refused = {row["schedule"]: row["needsMaxQueueAgeMinutes"] for row in answer["refused"]}
    assert refused == {"rate(1 day)": 2880, "cron(0 8-18 ? * MON-FRI *)": 7440}


def test_arrivals_come_from_a_file_and_are_repeated(plan: Any, tmp_path: Path) -> None:
    file = tmp_path / "uploads.csv"
    file.write_text("time,images\n2026-11-22T08:30,12\n2026-11-22T09:30,8\n")
    said = plan(f"--arrivals {file} --days 10")
    assert "1 day in uploads.csv, repeated for 10 days (200 images in 10 days)" in said.out
    file.write_text("2026-11-22T08:30,12\n2026-11-25T09:30,8\n")
    assert "the first 2 of 4 days in uploads.csv (12 images" in plan(f"--arrivals {file} --days 2").out


def test_a_files_name_is_told_as_it_is(plan: Any, tmp_path: Path) -> None:
    file = tmp_path / "[bold]uploads.csv"
    file.write_text("2026-11-22T08:30\n")
    assert "1 day in [bold]uploads.csv" in plan(f"--arrivals '{file}' --days 1").out


def test_a_cron_schedule_follows_the_time_zone(plan: Any) -> None:
    arguments = "--images-per-day 600 --arrive nightly --days 3 --schedule 'cron(30 2 * * ? *)'"
    for zone in ("UTC", "Asia/Tokyo"):
        assert _answer(plan, f"{arguments} --timezone {zone}")["schedules"][0]["worstAgeMinutes"] < 60


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "--images-per-day or --arrivals: exactly one of them is needed; try --images-per-day 5000"),
        ("--images-per-day 0", "'--images-per-day': '0' is not allowed; give a whole number from 1 to 10,000,000"),
        ("--images-per-day many", "'many' is not allowed; give a whole number"),
        ("--images-per-day 5 --tps nan", "'--tps': 'nan' is not allowed; give a number from 0.1 to 100"),
        ("--images-per-day 5 --max-units 501", "'501' is not allowed; give a whole number from 1 to 500"),
        (
            "--images-per-day 5 --arrive monthly",
            "'monthly' is not one of 'evenly', 'office-hours', 'nightly'",
        ),
        ("--images-per-day 5 --schedule hourly", "--schedule 'hourly': neither a rate(...) nor a cron(...)"),
        ("--images-per-day 5 --schedule 'cron(0 0 31 2 ? *)'", "never ticks from 2024 to 2051"),
        ("--images-per-day 5 --timezone Mars", "--timezone 'Mars': allowed is a name of the IANA time zone"),
        ("--images-per-day 5 --chart plan.gif", "allowed is a name that ends in .html, .svg or .png"),
        ("--images-per-day 5 --chart nowhere/plan.png", "nowhere is no folder to write it to"),
        ("--arrivals nowhere.csv", "nowhere.csv cannot be read (No such file or directory)"),
        ("--arrivals a.csv --images-per-day 5", "exactly one of them is needed"),
        ("--arrivals a.csv --arrive nightly", "the times come from --arrivals a.csv"),
        ("--image-per-day 5", "No such option: --image-per-day"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(plan: Any, arguments: str, told: str) -> None:
    said = plan(arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert told in said.err


def test_an_unknown_command_is_told_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["planx"]) == 2
    assert "No such command 'planx'. Did you mean 'plan'?" in capsys.readouterr().err


def test_the_help_has_examples_and_every_limit(plan: Any) -> None:
    said = plan("--help")
    assert said.code == 0
    assert "clb plan --images-per-day 5000 --arrive office-hours" in said.out
    assert "(maxInferenceUnits). 1 to 500." in " ".join(said.out.replace("│", " ").split())


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")])
def test_a_chart_is_drawn_on_request(plan: Any, tmp_path: Path, suffix: str, begins: bytes) -> None:
    file = tmp_path / f"plan.{suffix}"
    said = plan(f"--images-per-day 500 --days 2 --max-age-minutes 90 --chart {file}")
    assert f"Chart: {file}" in said.out.replace("\n", "")
    assert file.read_bytes().lstrip()[: len(begins)] == begins


def test_a_chart_as_a_page_needs_no_network(plan: Any, tmp_path: Path) -> None:
    plan(f"--images-per-day 500 --days 2 --chart {tmp_path / 'plan.html'}")
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert "rate(4 hours)" in page


def test_a_million_images_a_day_are_planned_in_seconds(plan: Any) -> None:
    begin = time.perf_counter()
    answer = _answer(plan, "--images-per-day 1000000 --max-units 4")
    assert answer["images"] == 30_000_000
    assert time.perf_counter() - begin < 60  # 10 on a machine that does nothing else; docs/cost.md has the figure


def test_the_module_is_a_program() -> None:
    command = [
        sys.executable,
        "-m",
        "custom_labels_batch",
        "plan",
        "--images-per-day",
        "100",
        "--days",
        "1",
        "--json",
    ]
    root = REPOSITORY
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, timeout=60)
    assert json.loads(done.stdout)["images"] == 100
