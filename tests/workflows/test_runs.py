"""Runs from their start to their end: which model they use, how large, how long, and what they leave behind."""

import pytest

from sandbox.rekognition import MAX_INFERENCE_UNITS
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.services import MAPPING_SECONDS
from tests.workflows.world import RELEASE, VERSION, Fault, Settings, World, the_world

HOUR = 60 * 60
POLL_SECONDS = 16
"""Between two looks at a model, with the time the calls take."""


class TestWithoutImages:
    def test_a_run_that_finds_nothing_starts_nothing(self, world: World) -> None:
        run = world.run()

        assert run.status == "SUCCEEDED"
        assert run.states[-1] == "Nothing to do"
        assert {api for api, _ in world.calls} == {"GetItem", "GetQueueAttributes", "GetEventSourceMapping"}

    def test_a_mapping_left_open_is_closed(self, world: World) -> None:
        world.mapping.set(enabled=True)
        world.timeline.pass_time(MAPPING_SECONDS)

        run = world.run()

        assert run.status == "SUCCEEDED"
        assert world.record["outcome"] == "MAPPING_CLOSED"
        assert not world.called("StartProjectVersion")
        world.assert_released()

    def test_messages_that_are_only_in_flight_start_no_model(self, world: World) -> None:
        world.queue.in_flight = 3

        assert world.run().states[-1] == "Nothing to do"

    def test_a_queue_that_does_not_exist_fails_the_run_before_the_lock(self, world: World) -> None:
        world.queue.missing = True

        run = world.run()

        assert (run.status, run.error) == ("FAILED", "Sqs.QueueDoesNotExistException")
        assert world.lock is None


class TestWithImages:
    def test_all_are_labelled_and_the_model_is_stopped(self, world: World) -> None:
        world.upload(100)

        run = world.run()

        assert (run.status, run.states[-1]) == ("SUCCEEDED", "The run is done")
        assert world.queue.done == 100
        assert world.model.status == "STOPPED"
        world.assert_released()

    def test_the_run_leaves_a_record(self, world: World) -> None:
        world.upload(100)

        run = world.run()

        record = world.record
        assert record["id"] == f"2026-11-25T03:00:00.000Z#{run.name}"
        assert (record["outcome"], record["cause"], record["runExecutionArn"]) == ("DRAINED", "", run.arn)
        assert (record["backlogAtStart"], record["processed"], record["rejected"]) == (100, 100, 0)
        assert (record["projectVersionArn"], record["startedByRun"]) == (world.model.arn, "true")
        assert record["inferenceUnits"] == 1
        assert record["expiresAt"] == pytest.approx(record["endedAt"] / 1000 + 400 * 24 * HOUR, abs=1)

    @pytest.mark.parametrize("start_minutes", [2.0, 2.1, 7.5, 13.33])
    def test_the_billed_minutes_are_those_of_the_models_own_ledger(self, start_minutes: float) -> None:
        with the_world(
            Settings(model_start_minutes=start_minutes, max_inference_units=2, target_drain_minutes=1)
        ) as world:
            world.upload(2000)
            world.run()

            recorded = world.record["billedInferenceUnitMinutes"]
            stopped = world.model.sessions[0].stop_requested_at
            assert stopped is not None
            assert world.record["modelRanUntil"] / 1000 == pytest.approx(stopped, abs=1)
            # Rekognition does not say since when a model runs: at worst since just after the look before.
            assert recorded <= world.billed_minutes <= recorded + 2 * POLL_SECONDS / 60

    def test_the_model_is_asked_to_stop_within_seconds_of_the_second_zero(self, world: World) -> None:
        world.upload(100)
        run = world.start_run()

        world.wait_for(run, "The queue is drained")
        drained_at = world.timeline.now
        world.finish(run)

        assert world.model.sessions[0].stop_requested_at == pytest.approx(drained_at, abs=3)

    @pytest.mark.parametrize(("backlog", "units"), [(1, 1), (1305, 1), (1306, 2), (2611, 3), (7500, 5), (100_000, 5)])
    def test_units_follow_the_backlog_up_to_the_maximum(self, backlog: int, units: int) -> None:
        settings = Settings(max_inference_units=MAX_INFERENCE_UNITS, target_drain_minutes=5)
        with the_world(settings) as world:
            world.upload(backlog)
            run = world.start_run()
            world.wait_for(run, "Look at the backlog")

            assert world.model.inference_units == units
            assert world.mapping.maximum_concurrency == max(2, 2 * units)
            assert world.lock is not None
            assert world.lock["inferenceUnits"] == {"N": str(units)}

    @pytest.mark.parametrize(
        ("target_minutes", "backlog"), [(1, 140), (1, 700), (5, 1_300), (5, 6_500), (15, 12_345), (15, 21_000)]
    )
    def test_the_units_meet_the_target(self, target_minutes: int, backlog: int) -> None:
        settings = Settings(max_inference_units=MAX_INFERENCE_UNITS, target_drain_minutes=target_minutes)
        with the_world(settings) as world:
            world.upload(backlog)
            world.run()

            session = world.model.sessions[0]
            assert session.running_at is not None
            assert session.stop_requested_at is not None
            assert session.stop_requested_at - session.running_at <= target_minutes * 60
            assert world.queue.done == backlog


class TestTheStartTime:
    def billed_seconds(self, world: World) -> list[float]:
        return [session.billed_minutes(world.timeline.now) * 60 for session in world.model.sessions]

    def test_is_learned_so_that_a_later_run_sees_the_model_run_sooner(self) -> None:
        with the_world(Settings(model_start_minutes=10.2)) as world:
            for _ in range(3):
                world.upload(100)
                world.run()

            first, *later = self.billed_seconds(world)
            assert all(seconds < first - 5 for seconds in later)

    def test_that_grows_or_shrinks_costs_no_more_than_a_look_at_fixed_times(self) -> None:
        with the_world(Settings(model_start_minutes=10)) as world:
            world.upload(100)
            world.run()
            for minutes in (3, 25):
                world.model_starts_within(minutes)
                world.upload(100)
                world.run()

            assert max(self.billed_seconds(world)) < 20 + 10 + POLL_SECONDS + 10

    def test_is_not_learned_from_a_model_that_a_person_started(self, world: World) -> None:
        world.person_starts_model()
        world.upload(100)
        world.run()

        assert [request["Item"]["kind"] for request in world.called("PutItem")] == [{"S": "lock"}, {"S": "run"}]


class TestWhichVersion:
    versions = tuple(f"v{number:02}" for number in range(25))

    def test_the_newest_version_is_used(self) -> None:
        with the_world(versions=self.versions) as world:
            world.upload(10)
            world.run()

            assert world.record["projectVersionArn"] == world.project.versions[-1].arn

    def test_the_newest_usable_version_is_found_pages_away(self) -> None:
        with the_world(versions=self.versions) as world:
            world.project.faults.status = dict.fromkeys(self.versions[1:], "TRAINING_FAILED")
            world.upload(10)
            run = world.run()

            assert run.status == "SUCCEEDED"
            assert world.record["projectVersionArn"] == world.project.versions[0].arn
            assert sum("MaxResults" in request for request in world.called("DescribeProjectVersions")) == 3

    def test_a_pinned_version_is_used_whatever_is_newer(self) -> None:
        with the_world(Settings(model_version="v03"), self.versions) as world:
            world.upload(10)
            world.run()

            assert world.record["projectVersionArn"] == world.project.versions[3].arn

    def test_a_project_without_a_usable_version_fails_and_says_what_there_is(self) -> None:
        with the_world(versions=self.versions[:3]) as world:
            world.project.faults.status = dict.fromkeys(self.versions, "EXPIRED")
            world.upload(10)
            run = world.run()

            assert run.error == "ModelNotStartable"
            assert f"{world.project.versions[2].arn} is EXPIRED" in run.cause
            assert world.record["outcome"] == "FAILED"
            world.assert_released()

    def test_a_project_without_any_version_fails(self) -> None:
        with the_world(versions=()) as world:
            world.upload(10)

            run = world.run()

            assert run.error == "ModelNotStartable"
            assert "there is none" in run.cause

    def test_a_pinned_version_that_does_not_exist_fails_naming_it(self) -> None:
        with the_world(Settings(model_version="v99"), self.versions) as world:
            world.upload(10)
            run = world.run()

            assert run.error == "ModelVersionNotFound"
            assert "v99" in run.cause
            world.assert_released()

    def test_a_project_that_does_not_exist_fails_the_pinned_look_up_the_same_way(self) -> None:
        with the_world(Settings(model_version="v03"), self.versions) as world:
            world.project.arn += "0"
            world.upload(10)

            assert world.run().error == "ModelVersionNotFound"

    @pytest.mark.parametrize(
        "status",
        [
            "TRAINING_IN_PROGRESS",
            "TRAINING_FAILED",
            "FAILED",
            "DELETING",
            "COPYING_IN_PROGRESS",
            "COPYING_FAILED",
            "DEPRECATED",
            "EXPIRED",
        ],
    )
    def test_a_pinned_version_that_cannot_start_fails_and_says_what_to_do(self, status: str) -> None:
        with the_world(Settings(model_version=VERSION)) as world:
            world.project.faults.status[VERSION] = status
            world.model.status_message = "It is what it is."
            world.upload(10)
            run = world.run()

            assert run.error == "ModelNotStartable"
            assert f"{world.model.arn} is {status} (It is what it is.)" in run.cause
            assert "set modelVersion to another one" in run.cause
            assert not world.called("StartProjectVersion")
            world.assert_released()

    @pytest.mark.parametrize("status", ["TRAINING_COMPLETED", "COPYING_COMPLETED", "STOPPED"])
    def test_a_pinned_version_that_can_start_is_started_and_stopped(self, status: str) -> None:
        with the_world(Settings(model_version=VERSION)) as world:
            world.model._status = status
            world.upload(10)

            assert world.run().status == "SUCCEEDED"
            assert world.record["outcome"] == "DRAINED"
            world.assert_released()

    @pytest.mark.parametrize("pinned", [VERSION, ""])
    def test_a_version_that_is_stopping_is_started_again(self, pinned: str) -> None:
        with the_world(Settings(model_version=pinned)) as world:
            world.person_starts_model()
            world.timeline.pass_time(200)
            assert world.model.status == "RUNNING"
            world.model.stop()
            world.upload(10)

            assert world.run().status == "SUCCEEDED"
            assert len(world.model.sessions) == 2
            world.assert_released()

    @pytest.mark.parametrize("pinned", [VERSION, ""])
    @pytest.mark.parametrize("waited", [0, 200])
    def test_a_model_a_person_started_is_used_and_left_running(self, pinned: str, waited: float) -> None:
        with the_world(Settings(model_version=pinned)) as world:
            world.person_starts_model(units=2)
            world.timeline.pass_time(waited)
            world.upload(100)

            run = world.run()

            assert run.status == "SUCCEEDED"
            assert world.model.status == "RUNNING"
            assert not world.called("StartProjectVersion")
            assert not world.called("StopProjectVersion")
            assert (world.record["startedByRun"], world.record["billedInferenceUnitMinutes"]) == ("false", 0)
            assert world.mapping.maximum_concurrency == 4
            world.assert_released()

    def test_a_model_that_its_person_stops_while_it_starts_is_started_by_the_run_and_stopped(
        self, world: World
    ) -> None:
        world.stops_while_starting = True
        world.person_starts_model(units=3)
        world.upload(10)
        run = world.start_run()
        world.wait_for(run, "Wait for the model to start")
        world.model.stop()

        world.finish(run)

        assert run.status == "SUCCEEDED"
        assert (world.record["startedByRun"], world.record["inferenceUnits"]) == ("true", 1)
        world.assert_released()


class TestAStartThatGoesWrong:
    @pytest.mark.parametrize(
        "code",
        [
            "LimitExceededException",
            "InvalidParameterException",
            "AccessDeniedException",
            "ResourceNotFoundException",
            "InternalServerError",
        ],
    )
    def test_a_refused_start_fails_the_run_with_rekognitions_error(self, world: World, code: str) -> None:
        world.faults = [Fault(code, api="StartProjectVersion")]
        world.upload(10)

        run = world.run()

        assert run.error == f"Rekognition.{code.removesuffix('Exception')}Exception"
        assert world.record["cause"].startswith(run.error)
        world.assert_released()

    def test_fewer_units_are_taken_where_the_account_has_no_more(self) -> None:
        with the_world(Settings(max_inference_units=40, target_drain_minutes=5)) as world:
            world.upload(30_000)
            world.run()

            assert world.record["inferenceUnits"] == MAX_INFERENCE_UNITS
            assert (world.record["outcome"], world.record["processed"]) == ("DRAINED", 30_000)
            world.assert_released()

    def test_without_any_unit_left_the_run_fails_and_says_what_to_do(self) -> None:
        with SCENARIOS["the account has no inference unit left"].world() as world:
            run = world.run()

            assert run.error == "Rekognition.LimitExceededException"
            assert "ask for more inference units in Service Quotas" in run.cause
            world.assert_released()

    def test_a_run_with_all_units_the_account_has_is_not_outgrown(self) -> None:
        with the_world(Settings(max_inference_units=40)) as world:
            world.upload(17_460 * 20)
            world.run()

            assert [record["outcome"] for record in world.records] == ["DRAINED"]

    def test_a_start_that_is_refused_for_its_parameters_is_not_tried_again(self, world: World) -> None:
        world.faults = [fault := Fault("InvalidParameterException", api="StartProjectVersion")]
        world.upload(10)

        world.run()

        assert fault.struck == 1

    def test_a_start_that_somebody_else_made_first_is_waited_for(self, world: World) -> None:
        world.upload(10)
        run = world.start_run()
        world.wait_for(run, "Start the model")
        world.person_starts_model()

        world.finish(run)

        assert run.status == "SUCCEEDED"
        assert world.record["outcome"] == "DRAINED"
        assert world.model.status == "STOPPED"

    def test_a_start_whose_answer_was_lost_is_not_made_twice(self, world: World) -> None:
        world.faults = [Fault("lost", api="StartProjectVersion", times=1)]
        world.upload(10)

        assert world.run().status == "SUCCEEDED"
        assert len(world.model.sessions) == 1
        world.assert_released()

    @pytest.mark.parametrize("stops_while_starting", [True, False])
    def test_a_model_that_never_runs_is_given_up_after_an_hour_and_stopped(self, stops_while_starting: bool) -> None:
        with the_world() as world:
            world.stops_while_starting = stops_while_starting
            world.project.faults.never_starts = True
            world.at(1.5 * HOUR, lambda: setattr(world.project.faults, "never_starts", False))
            world.upload(10)

            run = world.run()

            assert run.error == "ModelStartTimedOut"
            assert "still STARTING after 60 minutes" in run.cause
            assert world.record["outcome"] == "FAILED"
            world.assert_released()

    def test_a_model_that_fails_to_start_says_why(self, world: World) -> None:
        world.project.faults.start_fails = "Amazon Rekognition experienced a service issue."
        world.upload(10)

        run = world.run()

        assert run.error == "ModelDidNotStart"
        assert "FAILED instead of RUNNING (Amazon Rekognition experienced a service issue.)" in run.cause
        assert world.record["billedInferenceUnitMinutes"] == 0
        world.assert_released()

    def test_a_model_that_shows_no_start_is_asked_twice_and_no_more(self, world: World) -> None:
        world.project.faults.status[VERSION] = "STOPPED"
        world.upload(10)

        run = world.run()

        assert run.error == "ModelDidNotStart"
        assert "STOPPED instead of RUNNING" in run.cause
        assert len(world.called("StartProjectVersion")) == 2

    def test_without_the_lock_no_model_is_started(self, world: World) -> None:
        """As after a redrive: the run was released long ago, and goes on where it stopped."""
        world.project.faults.never_starts = True
        world.stops_while_starting = True
        world.upload(10)
        run = world.start_run()
        world.wait_for(run, "Look at the starting model")
        world.model.stop()
        world.drop_lock()

        world.finish(run)

        assert run.error == "DynamoDB.ConditionalCheckFailedException"
        assert len(world.called("StartProjectVersion")) == 1
        world.assert_released()


class TestDraining:
    def test_a_zero_is_believed_at_once_when_as_many_were_labelled(self, world: World) -> None:
        world.upload(100)
        run = world.run()

        assert run.states.count("Count what was labelled") == 1
        assert run.states.count("Look at the backlog") == 1
        assert world.queue.done == 100

    def test_a_zero_is_believed_the_second_time_when_fewer_were_labelled(self, world: World) -> None:
        world.upload(100)
        run = world.start_run()
        world.wait_for(run, "Look at the starting model")
        world.queue.waiting -= 1  # somebody deleted it meanwhile

        world.finish(run)

        assert run.states.count("Count what was labelled") == 1
        assert run.states.count("Look at the backlog") == 2
        assert (world.record["outcome"], world.record["processed"]) == ("DRAINED", 99)

    def test_the_end_of_the_drain_is_seen_within_seconds(self) -> None:
        with the_world(Settings(model_start_minutes=10)) as world:
            world.upload(1000)
            world.run()

            limit = 1000 / world.settings.tps_per_inference_unit
            assert world.billed_minutes * 60 < limit + POLL_SECONDS + MAPPING_SECONDS + 10

    @pytest.mark.parametrize("images", [10, 100, 1000])
    def test_counts_that_are_a_minute_old_cost_a_minute_and_lose_nothing(self, images: int) -> None:
        with the_world(Settings(model_start_minutes=10)) as world:
            world.upload(images)
            world.queue.show_old_counts(60)
            world.run()

            assert (world.record["outcome"], world.record["processed"]) == ("DRAINED", images)
            limit = images / world.settings.tps_per_inference_unit
            assert world.billed_minutes * 60 < limit + POLL_SECONDS + MAPPING_SECONDS + 60 + 15
            world.assert_released()

    def test_one_zero_of_the_approximate_counts_is_not_believed(self, world: World) -> None:
        world.upload(1000)
        world.queue.false_zeros = frozenset({3})

        world.run()

        assert world.queue.done == 1000
        assert world.record["outcome"] == "DRAINED"

    def test_two_false_zeros_leave_the_work_to_the_next_run(self, world: World) -> None:
        world.upload(1000)
        world.queue.false_zeros = frozenset({2, 3})
        world.run()
        world.assert_released()

        assert world.run().status == "SUCCEEDED"
        assert world.queue.done == 1000
        assert len(world.records) == 2

    @pytest.mark.parametrize("kind", ["in_flight", "delayed"])
    def test_messages_that_are_not_visible_are_waited_for(self, world: World, kind: str) -> None:
        setattr(world.queue, kind, 1)
        world.upload(10)
        run = world.start_run()
        world.wait_for(run, "Look at the running model")
        world.timeline.pass_time(300)
        assert run.running

        setattr(world.queue, kind, 0)
        world.finish(run)

        assert world.record["outcome"] == "DRAINED"

    def test_a_backlog_that_stalls_ends_the_run(self, world: World) -> None:
        world.queue.broken = True
        world.upload(50)

        run = world.run()

        assert run.error == "BacklogDoesNotShrink"
        assert "50 images has not shrunk for 15 minutes and none was labelled" in run.cause
        assert world.billed_minutes < 15 + 5
        world.assert_released()

    def test_a_backlog_that_stalls_in_the_middle_ends_the_run(self, world: World) -> None:
        world.upload(5000)
        run = world.start_run()
        world.wait_for(run, "Look at the running model")
        world.timeline.pass_time(300)
        world.queue.flow()
        world.queue.broken = True

        world.finish(run)

        assert run.error == "BacklogDoesNotShrink"
        assert 0 < world.record["processed"] < 5000
        world.assert_released()

    def test_a_backlog_that_grows_while_images_are_labelled_is_no_stall(self, world: World) -> None:
        world.queue.arrivals_per_second = 8
        world.at(2 * HOUR, world.queue.no_more_arrive)
        world.upload(100)

        run = world.run()

        assert (run.status, world.record["outcome"]) == ("SUCCEEDED", "DRAINED")
        assert world.queue.done == pytest.approx(100 + 8 * 2 * HOUR, abs=1)

    def test_a_run_that_keeps_up_with_images_that_never_cease_ends_after_a_minute(self) -> None:
        with SCENARIOS["images never cease"].world() as world:
            run = world.start_run()
            world.wait_for(run, "The run has caught up")
            world.queue.in_flight = 0
            world.finish(run)

            assert (run.status, world.record["outcome"]) == ("SUCCEEDED", "DRAINED")
            assert world.record["processed"] >= 100
            assert "images that came since may wait for the next run" in world.record["cause"]
            assert world.billed_minutes < 100 / 2.5 / 60 + 2
            world.assert_released()

    def test_a_run_that_keeps_up_goes_on_while_some_that_waited_are_not_labelled(self) -> None:
        with SCENARIOS["images never cease"].world() as world:
            world.queue.delayed = 10_000
            world.at(30, lambda: setattr(world.queue, "delayed", 0))
            world.at(41 * 60, lambda: setattr(world.queue, "in_flight", 0))
            run = world.run()

            assert run.status == "SUCCEEDED"
            assert world.queue.done == pytest.approx(100 + 40 * 60 * 2.5, abs=3)

    def test_a_run_that_is_outgrown_is_followed_at_once_by_one_of_the_right_size(self) -> None:
        with SCENARIOS["the run is outgrown"].world() as world:
            world.run()
            world.finish_all()

            first, second = world.records
            assert (first["outcome"], first["inferenceUnits"]) == ("OUTGROWN", 1)
            assert "images, too many for 1 inference unit; a run of the right size follows" in first["cause"]
            assert (second["outcome"], second["inferenceUnits"]) == ("DRAINED", 5)
            assert world.queue.done == pytest.approx(100_100, abs=1)
            world.assert_released()

    def test_a_run_with_all_units_it_may_have_is_never_outgrown(self) -> None:
        with the_world(Settings(max_inference_units=1)) as world:
            world.upload(100)
            world.at(300, lambda: world.upload(30_000))
            world.run()

            assert [record["outcome"] for record in world.records] == ["DRAINED"]

    def test_a_persons_model_is_not_stopped_to_make_it_larger(self) -> None:
        with the_world(Settings(max_inference_units=5)) as world:
            world.person_starts_model()
            world.upload(100)
            world.at(300, lambda: world.upload(30_000))
            world.run()

            assert [record["outcome"] for record in world.records] == ["DRAINED"]
            assert world.model.status == "RUNNING"

    def test_a_backlog_that_only_just_shrinks_is_worked_off(self, world: World) -> None:
        world.queue.arrivals_per_second = 4.5
        world.at(HOUR, world.queue.no_more_arrive)
        world.upload(2000)

        world.run()

        assert world.queue.done == pytest.approx(2000 + 4.5 * HOUR, abs=1)

    def test_a_trickle_does_not_keep_the_model_running(self, world: World) -> None:
        world.queue.arrivals_per_second = 1 / 60
        world.upload(100)

        run = world.run()

        assert run.status == "SUCCEEDED"
        assert world.billed_minutes < 30

    def test_the_run_ends_at_max_run_minutes(self) -> None:
        with the_world(Settings(max_run_minutes=30)) as world:
            world.upload(100_000)
            run = world.run()

            assert run.status == "SUCCEEDED"
            assert world.record["outcome"] == "MAX_RUN_MINUTES"
            assert "maxRunMinutes (30)" in world.record["cause"]
            assert 30 <= world.billed_minutes <= 35
            world.assert_released()

    @pytest.mark.parametrize("started_by_person", [True, False])
    def test_a_model_that_a_person_stops_ends_the_run_and_closes_the_mapping(self, started_by_person: bool) -> None:
        with the_world() as world:
            if started_by_person:
                world.person_starts_model()
                world.timeline.pass_time(200)
            world.upload(5000)
            run = world.start_run()
            world.wait_for(run, "Look at the running model")
            world.timeline.pass_time(60)
            world.queue.flow()
            world.model.stop()
            stopped_at = world.timeline.now
            world.wait_for(run, "The model went away")

            assert world.timeline.now - stopped_at < 125
            world.finish(run)
            assert run.error == "ModelStopped"
            assert world.record["outcome"] == "FAILED"
            if not started_by_person:
                assert world.record["billedInferenceUnitMinutes"] == pytest.approx(world.billed_minutes, abs=2.5)
            world.assert_released()


class TestTwoRuns:
    def test_a_run_that_finds_another_one_active_ends_well(self, world: World) -> None:
        world.upload(1000)
        first = world.start_run()
        world.wait_for(first, "Wait while images are labelled")

        second = world.run()

        assert (second.status, second.states[-1]) == ("SUCCEEDED", "Another run is active")
        assert first.running
        world.finish(first)
        assert len(world.called("StartProjectVersion")) == 1

    def test_of_two_runs_that_start_at_once_one_works(self, world: World) -> None:
        world.upload(100)
        runs = [world.start_run(), world.start_run()]

        world.finish(*runs)

        assert sorted(run.states[-1] for run in runs) == ["Another run is active", "The run is done"]
        assert [run.status for run in runs] == ["SUCCEEDED", "SUCCEEDED"]
        assert len(world.records) == 1
        world.assert_released()

    def test_a_run_that_finds_a_release_at_work_ends_well(self, world: World) -> None:
        world.upload(1000)
        first = world.start_run()
        world.wait_for(first, "Wait for the release")

        assert world.run().states[-1] == "Another run is active"
        world.finish(first)
        world.assert_released()

    @pytest.mark.parametrize("ended_as", ["ABORTED", "TIMED_OUT", "FAILED"])
    def test_a_dead_runs_model_is_released_before_the_work_begins(self, world: World, ended_as: str) -> None:
        world.upload(1000)
        dead = world.start_run()
        world.wait_for(dead, "Look at the backlog")
        world.step_functions.end(dead, ended_as, error="Somebody", cause="ended it")

        run = world.run()

        assert run.status == "SUCCEEDED"
        assert run.states.count("Release a dead run's model") == 1
        assert [record["outcome"] for record in world.records] == [ended_as, "DRAINED"]
        assert world.records[0]["cause"] == "Somebody: ended it"
        assert [session.stop_requested_at is not None for session in world.model.sessions] == [True, True]
        world.assert_released()

    def test_a_lock_whose_execution_is_forgotten_is_released_first(self, world: World) -> None:
        world.put_lock("arn:aws:states:us-east-1:000000000000:execution:batch_inference:forgotten")
        world.upload(10)

        run = world.run()

        assert run.status == "SUCCEEDED"
        assert sorted(record["outcome"] for record in world.records) == ["DRAINED", "GONE"]
        world.assert_released()

    def test_a_dead_run_that_cannot_be_released_fails_the_run_after_three_attempts(self, world: World) -> None:
        world.put_lock("arn:aws:states:us-east-1:000000000000:execution:batch_inference:forgotten")
        world.faults = [Fault("AccessDeniedException", state="Take the lock over")]
        world.upload(10)

        run = world.run()

        assert run.error == "ModelNotReleased"
        assert "forgotten" in run.cause
        assert sum(execution.machine == RELEASE for execution in world.step_functions.executions.values()) == 3
        assert not world.called("StartProjectVersion")

    def test_a_dead_run_that_is_released_at_the_third_attempt_does_not_fail_the_run(self, world: World) -> None:
        world.put_lock("arn:aws:states:us-east-1:000000000000:execution:batch_inference:forgotten")
        world.faults = [Fault("AccessDeniedException", state="Take the lock over", times=2 * 9)]
        world.upload(10)

        run = world.run()

        assert run.status == "SUCCEEDED"
        world.assert_released()
