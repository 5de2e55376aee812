"""What people and programs are told of a run's end, by event, mail and metric; and what the guard tells of no run."""

import pytest

from tests.workflows.definitions import states
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.world import RELEASE, SUMMARY_TOPIC_ARN, Fault, Settings, World, the_world

TELLING = ("Look at what still waits", "Count what was billed", "Announce the end of the run", "Mail the summary")


class TestTheEvent:
    def test_says_what_the_record_says(self, world: World) -> None:
        world.upload(100)

        world.run()

        (event,), record = world.told, world.record
        same = (
            *("runExecutionArn", "outcome", "cause", "projectVersionArn", "inferenceUnits", "backlogAtStart"),
            *("processed", "rejected", "billedInferenceUnitMinutes", "modelCostUsd"),
        )
        assert {name: event[name] for name in same} == {name: record[name] for name in same}
        assert (event["outcome"], event["processed"], event["stillWaiting"]) == ("DRAINED", 100, 0)
        assert (event["startedByRun"], event["projectArn"]) == (True, world.project.arn)
        assert event["startedAt"] == "2026-11-25T03:00:00.000Z"
        assert event["minutes"] == pytest.approx((record["endedAt"] - record["startedAt"]) / 60_000, abs=0.05)

    def test_goes_to_the_default_bus_under_a_name_of_its_own(self, world: World) -> None:
        world.upload(100)

        world.run()

        (request,) = world.called("PutEvents")
        (entry,) = request["Entries"]
        assert (entry["Source"], entry["DetailType"]) == ("custom-labels-batch", "Run Ended")
        assert "EventBusName" not in entry

    def test_of_a_run_on_somebody_elses_model_costs_nothing(self, world: World) -> None:
        world.person_starts_model()
        world.upload(100)

        world.run()

        (event,) = world.told
        assert (event["startedByRun"], event["billedInferenceUnitMinutes"], event["modelCostUsd"]) == (False, 0, 0)

    def test_of_a_run_that_chose_no_model_names_none(self) -> None:
        with the_world(versions=()) as world:
            world.upload(10)
            world.run()

            (event,) = world.told
            assert event["projectVersionArn"] is None
            assert event["outcome"] == "FAILED"
            assert event["cause"].startswith("ModelNotStartable: No version")
            assert event["stillWaiting"] == 10

    def test_is_sent_again_where_eventbridge_did_not_take_it(self, world: World) -> None:
        world.refused_entries = 1
        world.upload(10)

        world.run()

        assert len(world.called("PutEvents")) == 5  # with four retries
        assert len(world.mails) == 1
        assert world.lock is None


class TestTheMail:
    def test_is_one_that_a_person_likes_to_read(self) -> None:
        with the_world(Settings(model_start_minutes=2, inference_unit_hour_price=3.5)) as world:
            world.upload(1234)
            world.run()

            (mail,), record = world.mails, world.record
            billed, usd = record["billedInferenceUnitMinutes"], record["modelCostUsd"]
            assert mail["TopicArn"] == SUMMARY_TOPIC_ARN
            assert mail["Subject"] == f"surfaces: 1,234 labelled, 0 rejected, {usd:.2f} USD, DRAINED"
            assert mail["Message"].splitlines() == [
                "The run is done: what waited is labelled.",
                "",
                "Images labelled: 1,234",
                "Images rejected: 0",
                "Images that still wait: about 0",
                "",
                "Model: surfaces.2026-11-01T00.00.00, 1 inference unit",
                f"Billed: {billed:.2f} inference-unit minutes",
                f"Cost of the model: {usd:.2f} USD, at 3.50 USD an hour and inference unit",
                f"Time: {(record['endedAt'] - record['startedAt']) / 60_000:.1f} minutes, from 2026-11-25 03:00 UTC",
                "",
                f"Run: {record['runExecutionArn']}",
            ]
            assert usd == pytest.approx(billed / 60 * 3.5, abs=1e-4)

    def test_of_a_run_that_did_fewer_than_waited_says_where_the_others_are(self, world: World) -> None:
        world.put_lock("somebody", backlogAtStart={"N": "12"}, processed={"N": "4"}, outcome={"S": "DRAINED"})

        world.release()

        (mail,) = world.mails
        assert mail["Message"].startswith(
            "The queue is empty, but more messages waited than images were done. The others"
        )
        assert "clb redrive --dry-run says why" in mail["Message"]

    def test_of_a_failed_run_says_why_and_what_waits(self) -> None:
        with SCENARIOS["nothing is ever labelled"].world() as world:
            world.run()

            (mail,) = world.mails
            assert mail["Subject"].endswith(", FAILED")
            assert "The run failed; what waits is for the next one." in mail["Message"]
            assert "Images that still wait: about 100" in mail["Message"]
            assert "Why: BacklogDoesNotShrink: The backlog of 100 images has not shrunk" in mail["Message"]

    def test_says_that_somebody_elses_model_was_left(self, world: World) -> None:
        world.person_starts_model()
        world.upload(10)

        world.run()

        assert "1 inference unit; somebody else started it, so it was left as it is" in world.mails[0]["Message"]

    def test_has_a_subject_that_sns_takes_whatever_the_numbers(self) -> None:
        with the_world(Settings(inference_unit_hour_price=1000)) as world:
            world.project.arn = world.project.arn.replace("surfaces", "s" * 255)
            world.put_lock(
                "somebody",
                processed={"N": "123456789"},
                rejected={"N": "123456789"},
                inferenceUnits={"N": "500"},
                outcome={"S": "MAX_RUN_MINUTES"},
            )

            world.release()

            (mail,) = world.mails
            assert len(mail["Subject"]) < 100
            assert mail["Subject"].isascii()
            assert mail["Subject"].isprintable()


class TestTheMetric:
    def test_is_what_was_billed(self, world: World) -> None:
        for _ in range(2):
            world.upload(100)
            world.run()

        assert world.measured("BilledInferenceUnitMinutes") == [
            record["billedInferenceUnitMinutes"] for record in world.records
        ]

    def test_is_told_from_other_stacks_by_the_state_machine(self, world: World) -> None:
        world.upload(100)

        world.run()

        (request,) = world.called("PutMetricData")
        assert request["Namespace"] == "CustomLabelsBatch"
        assert request["MetricData"][0]["Dimensions"] == [
            {"Name": "StateMachineArn", "Value": "arn:aws:states:us-east-1:000000000000:stateMachine:release_model"}
        ]


class TestHowOften:
    @pytest.mark.parametrize("way", ["nothing waits", "the mapping was left open", "too few images wait"])
    def test_nobody_is_told_where_there_was_nothing_to_do(self, way: str) -> None:
        with SCENARIOS[way].world() as world:
            world.run()
            world.release()

            assert (world.told, world.mails, world.measured("BilledInferenceUnitMinutes")) == ([], [], [])

    @pytest.mark.parametrize("way", sorted(SCENARIOS))
    def test_every_run_with_a_record_is_told_once(self, way: str) -> None:
        with SCENARIOS[way].world() as world:
            world.run()
            world.finish_all()
            world.release()

            recorded = sorted(r["runExecutionArn"] for r in world.records if r["outcome"] != "MAPPING_CLOSED")
            assert sorted(event["runExecutionArn"] for event in world.told) == recorded
            assert len(world.mails) == len(recorded)

    @pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
    def test_a_run_that_could_not_tell_itself_is_told_by_the_guard(self, world: World, status: str) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")
        world.step_functions.end(run, status)

        world.release()

        (event,), (mail,) = world.told, world.mails
        assert (event["runExecutionArn"], event["outcome"]) == (run.arn, status)
        assert event["stillWaiting"] > 0
        assert mail["Subject"].endswith(f", {status}")

    def test_a_release_that_dies_before_the_lock_is_dropped_tells_again(self, world: World) -> None:
        world.upload(100)
        run = world.start_run()
        world.wait_for(run, "Wait for the release")
        release = next(each for each in world.step_functions.executions.values() if each.machine == RELEASE)
        world.wait_for(release, "Drop the lock")
        world.abort(release)

        world.release()

        assert [event["runExecutionArn"] for event in world.told] == [run.arn, run.arn]
        assert len(world.records) == 1

    @pytest.mark.parametrize("task", TELLING)
    def test_what_cannot_be_told_keeps_nobody_from_telling_the_rest(self, task: str) -> None:
        with SCENARIOS["images wait"].world() as world:
            world.faults = [fault := Fault("AccessDeniedException", state=task)]

            run = world.run()

            told = {
                "Count what was billed": len(world.measured("BilledInferenceUnitMinutes")),
                "Announce the end of the run": len(world.told),
                "Mail the summary": len(world.mails),
            }
            assert fault.struck
            assert (run.status, world.lock) == ("SUCCEEDED", None)
            assert told == {name: int(name != task) for name in told}
            if task == "Look at what still waits":
                assert world.told[0]["stillWaiting"] is None
                assert "Images that still wait: unknown" in world.mails[0]["Message"]

    def test_nothing_of_it_can_hold_the_lock_for_longer_than_two_minutes(self) -> None:
        """Nobody can start a run while it is retried."""
        retries = [states(RELEASE, "Task")[task]["Retry"][-1] for task in TELLING]

        assert (
            sum(r["IntervalSeconds"] * r["BackoffRate"] ** n for r in retries for n in range(r["MaxAttempts"])) <= 120
        )


class TestTheGuard:
    def measured(self, world: World) -> list[float]:
        return world.measured("IdleInferenceUnits")

    def test_finds_no_model_in_service(self, world: World) -> None:
        world.release()

        assert self.measured(world) == [0]

    def test_finds_the_units_of_a_model_that_a_person_runs(self, world: World) -> None:
        world.person_starts_model(units=3)
        world.release()
        world.timeline.pass_time(3600)
        world.release()

        assert self.measured(world) == [0, 3]  # nothing is billed while it starts

    def test_finds_it_among_versions_pages_away(self) -> None:
        with the_world(versions=tuple(f"v{number:02}" for number in range(25))) as world:
            world.person_starts_model(units=2)
            world.timeline.pass_time(3600)

            world.release()

            assert self.measured(world) == [2]
            assert len(world.called("DescribeProjectVersions")) == 3

    def test_counts_a_running_model_without_a_number_of_units_as_one(self, world: World) -> None:
        world.person_starts_model(units=0)
        world.timeline.pass_time(3600)

        world.release()

        assert self.measured(world) == [1]

    def test_finds_none_while_a_run_is_active(self, world: World) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")
        assert world.model.status == "RUNNING"

        world.release()

        assert self.measured(world) == [0]

    @pytest.mark.parametrize("seconds", range(0, 400, 8))
    def test_takes_no_run_for_none_whenever_it_looks(self, seconds: int) -> None:
        with the_world(Settings(model_start_minutes=0.5)) as world:
            world.upload(1000)
            world.at(seconds, world.start_release)

            world.run()
            world.timeline.pass_time(400)

            assert self.measured(world) == [0]
