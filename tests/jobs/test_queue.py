"""The queue as its users see it: what is stored, what runs next, what survives."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.errors import FileProblem, Problem, WorkflowError
from engine.graph.document import to_json
from engine.graph.workflow import Workflow, WorkflowNode
from engine.jobs.errors import JobConflict, NoSuchJob, NoWorker
from engine.jobs.model import MAX_ATTEMPTS, MAX_INTERRUPTIONS, Counts, Job, Sweep
from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.jobs.shop import WORKFLOW, shop, wish

DIED = Problem("worker_died", "The worker was killed by signal 9 while picture ran.", "picture", fix="retry it")


def seeds(*values: int) -> Sweep:
    return Sweep(values={"picture.seed": list(values)})


async def waiting(service: JobService) -> list[str]:
    jobs, _ = await service.list(status={"queued"})
    return [job.id for job in jobs]


async def submit(service: JobService, **changes: object) -> Job:
    (job,) = await service.submit(wish(**changes))
    return job


async def test_a_job_that_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        job = await submit(
            service, client="me", settings={"picture.seed": 7}, outputs=["save"], extra={"a": [1]}, prompt={"1": {}}
        )
    async with shop(tmp_path, places=0) as (service, _):
        detail = await service.get(job.id)
    assert detail is not None
    assert job.model_dump() == {name: value for name, value in detail.model_dump().items() if name in job.model_dump()}
    assert detail.workflow == to_json(
        Workflow(
            name="a picture",
            nodes={
                **WORKFLOW.nodes,
                "picture": WorkflowNode(type="Picture", inputs={"size": 64, "seed": 7}),
            },
        )
    )
    assert (detail.requested, detail.extra, detail.prompt) == (("save",), {"a": [1]}, {"1": {}})
    assert (job.status, job.client, job.name, job.attempts) == ("queued", "me", "a picture", 0)


async def test_jobs_of_one_client_run_one_after_another(tmp_path: Path) -> None:
    async with shop(tmp_path, places=4) as (service, stage):
        first, second = await submit(service, client="a"), await submit(service, client="a")
        other = await submit(service, client="b")
        await stage.started(first)
        await stage.started(other)
        assert await waiting(service) == [second.id]
        stage.finish(first)
        await stage.started(second)
        assert set(stage.standing) == {other.id, second.id}


async def test_jobs_of_one_sweep_run_together(tmp_path: Path) -> None:
    async with shop(tmp_path, places=3) as (service, stage):
        jobs = await service.submit(wish(client="a", sweep=seeds(1, 2, 3, 4)))
        for job in jobs[:3]:
            await stage.started(job)
        assert await waiting(service) == [jobs[3].id]
        assert len({job.sweep for job in jobs}) == 1


async def test_a_sweep_does_not_overtake_what_its_client_put_before_it(tmp_path: Path) -> None:
    async with shop(tmp_path, places=2) as (service, stage):
        jobs = await service.submit(wish(client="a", sweep=seeds(1, 2, 3)))
        await stage.started(jobs[1])
        urgent = await submit(service, client="a", front=True)
        stage.finish(jobs[0])
        await service.wait(jobs[0].id)
        stage.finish(jobs[1])
        await stage.started(urgent)
        assert set(stage.standing) == {urgent.id}, "a point of the sweep started beside a job of its own client"


async def test_a_long_sweep_leaves_room_for_other_clients(tmp_path: Path) -> None:
    async with shop(tmp_path, places=2) as (service, stage):
        jobs = await service.submit(wish(client="a", sweep=seeds(1, 2, 3)))
        await stage.started(jobs[1])
        other = await submit(service, client="b")
        stage.finish(jobs[0])
        await stage.started(other)
        assert jobs[2].id not in stage.standing


async def test_jobs_wait_in_the_order_that_was_wished(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        a, b, c = [await submit(service) for _ in range(3)]
        front = await submit(service, front=True)
        early = await submit(service, number=-100)
        between = await submit(service, number=(a.position + b.position) / 2)
        swept = await service.submit(wish(front=True, sweep=seeds(1, 2)))
        assert await waiting(service) == [each.id for each in (*swept, early, front, a, between, b, c)]
        await service.move(c.id, before=a.id)
        await service.move(early.id)
        await service.move(b.id, front=True)
        last = await submit(service)
        order = [b, *swept, front, c, a, between, early, last]
        assert await waiting(service) == [each.id for each in order]


async def test_a_job_can_be_moved_to_one_place_again_and_again(tmp_path: Path) -> None:
    """Each move halves the gap between two positions; after some fifty a float has no number left between them."""
    async with shop(tmp_path, places=0) as (service, _):
        a, b, c, d = [await submit(service) for _ in range(4)]
        order = [a.id, b.id, c.id, d.id]
        for turn in range(130):
            mover = order[1 + turn % 2]
            await service.move(mover, before=order[3])
            order.remove(mover)
            order.insert(2, mover)
            assert await waiting(service) == order
        late = await submit(service)
        assert await waiting(service) == [*order, late.id]


async def test_what_does_not_wait_cannot_be_moved(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        running, queued = await submit(service), await submit(service)
        await stage.started(running)
        with pytest.raises(JobConflict, match="is running"):
            await service.move(running.id, front=True)
        with pytest.raises(JobConflict, match="is running"):
            await service.move(queued.id, before=running.id)
        with pytest.raises(NoSuchJob):
            await service.move("nobody", front=True)
        with pytest.raises(JobConflict):
            await service.move(queued.id, before=queued.id)


async def test_a_paused_queue_starts_nothing_also_after_a_restart(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        await service.pause()
        job = await submit(service)
        assert not stage.orders
    async with shop(tmp_path) as (service, stage):
        assert service.paused
        await submit(service)
        assert not stage.orders
        await service.resume()
        await stage.started(job)


async def test_cancelling_ends_what_waits_now_and_what_runs_when_it_stops(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        running, queued, kept = [await submit(service) for _ in range(3)]
        await stage.started(running)
        assert await service.cancel([running.id, queued.id, "nobody"]) == [running.id, queued.id]
        assert (await service.wait(queued.id)).status == "cancelled"
        assert stage.cancelled == [running.id]
        assert [job.id for job in (await service.list(status={"running"}))[0]] == [running.id]
        stage.finish(running, "cancelled")
        assert (await service.wait(running.id)).status == "cancelled"
        await stage.started(kept)
        assert await service.cancel([running.id]) == [], "it is over"
        assert await service.cancel() == [kept.id]


async def test_a_job_to_be_cancelled_does_not_run_again_when_its_worker_dies(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        job = await submit(service)
        await stage.started(job)
        await service.cancel([job.id])
        del stage.standing[job.id]
        service.job_lost(job.id, 1, DIED)
        assert (await service.wait(job.id)).status == "cancelled"
        assert len(stage.orders) == 1


async def test_deleting_a_running_job_stops_it_first(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        job, queued = await submit(service), await submit(service)
        await stage.started(job)
        assert await service.delete([job.id, queued.id, "nobody"]) == [job.id, queued.id]
        assert await service.get(queued.id) is None
        assert await service.get(job.id) is not None
        stage.finish(job, "cancelled")
        with pytest.raises(NoSuchJob):
            await service.wait(job.id)
        assert await service.counts() == Counts(0, 0)


async def test_clearing_deletes_the_queue_or_the_history(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        done, running, queued = [await submit(service) for _ in range(3)]
        await stage.started(done)
        stage.finish(done)
        await stage.started(running)
        assert await service.clear("finished") == [done.id]
        assert await service.clear("queued") == [queued.id]
        assert [job.id for job in (await service.list())[0]] == [running.id]


async def test_a_finished_job_can_be_run_again(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        job = await submit(service, settings={"picture.seed": 3}, client="me", extra={"x": 1})
        with pytest.raises(JobConflict):
            await service.retry(job.id)
        await stage.started(job)
        stage.finish(job)
        await service.wait(job.id)
        again = await service.retry(job.id)
        assert again.id != job.id
        assert again.settings == job.settings
        assert (await stage.started(again)).workflow == stage.orders[0].workflow
        old, new = await service.details([job.id, again.id])
        assert (old.workflow, old.extra, old.client) == (new.workflow, new.extra, new.client)
        with pytest.raises(NoSuchJob):
            await service.retry("nobody")


async def test_a_job_whose_worker_dies_runs_again_and_fails_the_third_time(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        job, later = await submit(service), await submit(service)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            order = await stage.started(job, attempt)
            assert order.attempt == attempt
            del stage.standing[job.id]
            service.job_lost(job.id, attempt, DIED)
        failed = await service.wait(job.id)
        assert failed.status == "failed"
        assert failed.attempts == MAX_ATTEMPTS
        assert failed.problems[0].node == "picture"
        assert "tried 3 times" in failed.problems[0].message
        await stage.started(later)


async def test_a_job_whose_worker_died_runs_before_all_that_wait(tmp_path: Path) -> None:
    async with shop(tmp_path, places=2) as (service, stage):
        jobs = [await submit(service, client=name) for name in "abcd"]
        await stage.started(jobs[1])
        stage.places = 0
        await service.move(jobs[3].id, front=True)
        for job in jobs[:2]:
            del stage.standing[job.id]
            service.job_lost(job.id, 1, DIED)
        await service.pause()
        assert await waiting(service) == [jobs[1].id, jobs[0].id, jobs[3].id, jobs[2].id]


async def test_what_an_earlier_attempt_says_is_not_heard(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        job = await submit(service)
        await stage.started(job)
        del stage.standing[job.id]
        service.job_lost(job.id, 1, DIED)
        await stage.started(job, 2)
        service.job_done(job.id, 1, "done", 1.0, {"save": {"text": ["old"]}}, ())
        service.job_event(job.id, 1, {"type": "node_started", "node": "old", "node_type": "Old"})
        stage.finish(job, outputs={"save": {"text": ["new"]}})
        finished = await service.wait(job.id)
        assert finished.outputs == {"save": {"text": ["new"]}}
        assert not [event for event in await service.events_of(job.id) if event.type == "node_started"]


async def test_jobs_that_ran_when_the_server_was_stopped_run_first_and_lose_no_attempt(tmp_path: Path) -> None:
    async with shop(tmp_path, places=2) as (service, stage):
        jobs = [await submit(service, client=name) for name in "abc"]
        await stage.started(jobs[1])
    async with shop(tmp_path, places=0) as (service, _):
        assert await waiting(service) == [job.id for job in jobs]
        assert [job.attempts for job in (await service.list(status={"queued"}))[0]] == [0, 0, 0]


async def test_a_job_that_runs_at_every_death_of_the_server_fails_in_the_end(tmp_path: Path) -> None:
    job = None
    for _ in range(MAX_INTERRUPTIONS):
        async with shop(tmp_path) as (service, stage):
            if job is None:
                job = await submit(service)
            await stage.started(job, stage.orders[-1].attempt if stage.orders else await attempts(service, job))
            await abandon(service)
    async with shop(tmp_path, places=0) as (service, _):
        assert job is not None
        failed = await service.wait(job.id)
    assert failed.status == "failed"
    assert failed.problems[0].code == "server_died"


async def attempts(service: JobService, job: Job) -> int:
    """The attempt that runs or is next."""
    now = await service.get(job.id)
    assert now is not None
    return now.attempts + (now.status == "queued")


async def abandon(service: JobService) -> None:
    """Leave the database as a killed server would: with its jobs running."""
    assert service._dispatch is not None  # pyright: ignore[reportPrivateUsage]
    service._dispatch.running.clear()  # pyright: ignore[reportPrivateUsage]


async def test_a_job_whose_worker_is_gone_at_the_last_moment_is_not_lost(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        stage.refuses = True
        job = await submit(service)
        while (await service.counts()).queued != 1 or not stage.asked:
            await asyncio.sleep(0.01)
        stage.refuses = False
        service.worker_changed("cpu", "ready")
        order = await stage.started(job)
        assert order.attempt == 1


async def test_the_same_idempotency_key_gives_the_same_jobs(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        once = await service.submit(wish(idempotency_key="k", sweep=seeds(1, 2)))
        again = await service.submit(wish(idempotency_key="k", sweep=seeds(1, 2)))
        assert [job.id for job in again] == [job.id for job in once]
        with pytest.raises(JobConflict, match="another request"):
            await service.submit(wish(idempotency_key="k", sweep=seeds(1, 3)))
        together = await asyncio.gather(*(service.submit(wish(idempotency_key="l")) for _ in range(10)))
        assert len({job.id for (job,) in together}) == 1
        assert await service.counts() == Counts(3, 0)
    async with shop(tmp_path, places=0) as (service, _):
        assert [job.id for job in await service.submit(wish(idempotency_key="l"))] == [together[0][0].id]


async def test_an_id_can_be_chosen_once(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        id = str(uuid.uuid4())
        assert (await submit(service, id=id)).id == id
        with pytest.raises(JobConflict, match=id):
            await submit(service, id=id)
        with pytest.raises(WorkflowError, match="id"):
            await submit(service, id=str(uuid.uuid4()), sweep=seeds(1))


async def test_a_sweep_is_stored_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        with pytest.raises(WorkflowError) as refused:
            await service.submit(wish(sweep=Sweep(values={"picture.size": [64, 4, "many", 128]})))
        assert [(each.code, each.node, each.input) for each in refused.value.problems] == [
            ("value_out_of_range", "picture", "size"),
            ("wrong_kind", "picture", "size"),
        ]
        assert await service.counts() == Counts(0, 0)
        jobs = await service.submit(wish(sweep=Sweep(values={"picture.size": [64, 128], "picture.seed": [1, 2, 3]})))
        found = await service.details([job.id for job in jobs])
        inputs = [each.workflow["nodes"]["picture"]["inputs"] for each in found]  # pyright: ignore
        assert inputs == [{"size": size, "seed": seed} for size in (64, 128) for seed in (1, 2, 3)]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"workflow": {"darkroom": 1, "nodes": {"a": {"type": "Nothing"}}}}, ["unknown_node"]),
        ({"workflow": [1, 2]}, ["not_a_workflow"]),
        ({"settings": {"picture.sise": 1}}, ["unknown_input"]),
        ({"settings": {"nobody.x": 1, "picture": 2}}, ["no_such_node", "no_such_node"]),
        ({"settings": {"picture.size": float("nan")}}, ["number_not_finite"]),
        ({"sweep": Sweep(values={"picture.seed": [float("inf")]})}, ["number_not_finite"]),
        ({"extra": {"x": 2**70}}, ["number_too_large"]),
        ({"client": "\ud800"}, ["bad_text"]),
        ({"outputs": ["nobody"]}, ["no_such_node"]),
        (
            {"workflow": {"1": {"class_type": "Open", "inputs": {"image": "../secret.png"}}}, "outputs": ["1"]},
            ["file_problem"],
        ),
    ],
)
async def test_what_cannot_run_is_refused_with_its_reasons(
    tmp_path: Path, changes: dict[str, object], codes: Sequence[str]
) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        with pytest.raises(WorkflowError) as refused:
            await submit(service, **changes)
        assert [problem.code for problem in refused.value.problems] == list(codes)
        assert await service.counts() == Counts(0, 0)


async def test_a_node_of_an_older_version_is_left_to_the_worker_that_can_lift_it(tmp_path: Path) -> None:
    document = {"darkroom": 1, "nodes": {"old": {"type": "Old", "version": 1, "inputs": {"strength": 5}}}}
    async with shop(tmp_path, places=0) as (service, _):
        assert service.catalogue.get("Old") is not None
        assert await service.validate(document, ["old"]) == []


async def test_before_the_nodes_are_known_nothing_is_taken(tmp_path: Path) -> None:
    async with shop(tmp_path, nodes=False) as (service, _):
        with pytest.raises(NoWorker):
            await submit(service)
        assert not service.catalogue_ready


async def test_the_nodes_are_remembered_for_the_next_start(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        etag = service.catalogue_etag
        assert service.catalogue_ready
    async with shop(tmp_path, places=0, nodes=False) as (service, _):
        assert (service.catalogue_etag, service.catalogue_ready) == (etag, False)
        await submit(service)


async def test_pages_are_cut_from_all_and_found_by_text(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        jobs = [await submit(service, name=f"job 100% {index}", settings={"picture.seed": index}) for index in range(5)]
        for job in jobs[:3]:
            await stage.started(job)
            stage.finish(job)
            await service.wait(job.id)

        async def ids(**question: object) -> list[str]:
            return [job.id for job in (await service.list(**question))[0]]  # pyright: ignore[reportArgumentType]

        newest = [job.id for job in reversed(jobs)]
        assert await ids() == newest
        assert await ids(limit=2, offset=1) == newest[1:3]
        assert (await service.list(limit=1))[1] == 5
        assert await ids(newest_first=False) == newest[::-1]
        assert await ids(status={"done"}) == newest[2:]
        assert await ids(status={"queued", "running"}) == [jobs[3].id, jobs[4].id]
        assert await ids(query="100% 3") == [jobs[3].id]
        assert await ids(query="100_ 3") == []
        assert await ids(query='"picture.seed":4') == [jobs[4].id]
        assert await ids(query=jobs[2].id[:8].upper()) == [jobs[2].id]
        assert await ids(query="SAVE") == newest, "the document was not searched"
        assert await ids(client="nobody") == []


async def test_a_document_is_stored_once_and_goes_with_its_last_job(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        jobs = [*await service.submit(wish(sweep=seeds(1, 2), extra={"x": 1})), await submit(service)]

        async def documents() -> int:
            count = "SELECT count(*) FROM documents"
            return (await service._database.read(lambda connection: connection.execute(count).fetchone()))[0]  # pyright: ignore

        assert await documents() == 2
        await service.delete([jobs[0].id, jobs[2].id])
        assert await documents() == 2
        await service.delete([jobs[1].id])
        assert await documents() == 0


async def test_progress_of_a_running_job_is_seen_in_it(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        job = await submit(service)
        await stage.started(job)
        stage.tell(job, type="run_started", nodes=["picture", "save"], cached=["picture"])
        stage.tell(job, type="node_finished", node="picture", cached=True, seconds=0.0)
        stage.tell(job, type="node_started", node="save", node_type="Save")
        now = await service.get(job.id)
        assert now is not None
        assert (now.nodes_total, now.nodes_cached, now.status) == (2, 1, "running")
        assert {id: state.state for id, state in now.node_states.items()} == {"picture": "done", "save": "running"}
        stage.tell(job, type="node_finished", node="save", seconds=0.25)
        stage.finish(job)
        await service.wait(job.id)
        done = await service.get(job.id)
        assert done is not None
        assert done.node_states["picture"].cached
        assert done.node_states["save"].seconds == 0.25
        assert (done.seconds, done.device) == (0.5, "cpu")


async def test_two_servers_cannot_have_one_queue(tmp_path: Path) -> None:
    async with shop(tmp_path):
        with pytest.raises(FileProblem, match="another Darkroom server"):
            await JobService.open(Folders.under(tmp_path))
    async with shop(tmp_path):
        pass
