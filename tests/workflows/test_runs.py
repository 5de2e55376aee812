"""What a run does when nothing goes wrong."""

from tests.workflows.world import World


def test_a_run_labels_what_waits_and_stops_the_model(world: World) -> None:
    world.upload(100)

    run = world.run()

    assert (run.status, run.cause) == ("SUCCEEDED", "")
    assert world.queue.waiting == 0
    assert world.model.status == "STOPPED"
    assert world.lock is None
    print(run.events, run.stopped_at - run.started_at, world.record, world.billed_minutes, run.history[:30])
