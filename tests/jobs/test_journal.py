"""Saving in a job that is run again: every picture once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.jobs.journal import keep_journals, open_journal, remove_journals
from engine.node.context import Context
from engine.node.decorator import node
from engine.node.folders import Folders
from engine.node.results import Shown
from tests.run.workshop import Workshop, link

JOB = "3f2b8a0c-0000-4000-8000-000000000001"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.under(tmp_path)


def save(folders: Folders, data: bytes, *, job: str = JOB, owner: str = "key", batch: int = 0) -> str:
    """Save in an attempt of its own."""
    return folders.saving(open_journal(folders, job), owner).save(data, "picture", batch=batch).name


def pictures(folders: Folders) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folders.output.iterdir())}


def test_a_second_attempt_gets_the_first_ones_file(folders: Folders) -> None:
    assert save(folders, b"red") == save(folders, b"red") == "picture_00001_.png"
    assert pictures(folders) == {"picture_00001_.png": b"red"}


def test_equal_pictures_of_one_attempt_are_all_saved(folders: Folders) -> None:
    for _ in range(2):
        mine = folders.saving(open_journal(folders, JOB), "key")
        assert [mine.save(b"red", "picture", batch=index).name for index in range(2)] == [
            "picture_00001_.png",
            "picture_00002_.png",
        ]
    assert len(pictures(folders)) == 2


def test_a_node_called_for_each_of_a_list_gets_all_its_files_back(folders: Folders) -> None:
    for _ in range(2):
        mine = folders.saving(open_journal(folders, JOB), "key")
        assert [mine.save(data, "picture").name[8:13] for data in (b"red", b"red", b"blue")] == [
            "00001",
            "00002",
            "00003",
        ]


def test_what_a_node_computes_a_little_differently_takes_the_place_of_the_first(folders: Folders) -> None:
    save(folders, b"red")
    save(folders, b"rad")
    assert pictures(folders) == {"picture_00001_.png": b"rad"}


def test_another_node_never_takes_the_place(folders: Folders) -> None:
    save(folders, b"red")
    save(folders, b"blue", owner="another key")
    assert pictures(folders) == {"picture_00001_.png": b"red", "picture_00002_.png": b"blue"}


def test_another_job_saves_its_own(folders: Folders) -> None:
    save(folders, b"red")
    save(folders, b"red", job="another")
    assert len(pictures(folders)) == 2


def test_a_picture_that_was_about_to_be_written_is(folders: Folders) -> None:
    save(folders, b"red")
    (folders.output / "picture_00001_.png").unlink()
    assert save(folders, b"red") == "picture_00001_.png"
    assert pictures(folders) == {"picture_00001_.png": b"red"}


def test_what_somebody_else_put_there_stays(folders: Folders) -> None:
    save(folders, b"red")
    (folders.output / "picture_00001_.png").write_bytes(b"mine now")
    save(folders, b"red")
    assert pictures(folders) == {"picture_00001_.png": b"mine now", "picture_00002_.png": b"red"}


def test_a_line_that_was_cut_off_spoils_no_other(folders: Folders) -> None:
    save(folders, b"red", batch=0)
    (journal,) = (folders.user / "saves").iterdir()
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'\n{"owner": "key", "slo')
    save(folders, b"blue", batch=1)
    for _ in range(2):
        assert save(folders, b"red", batch=0) == "picture_00001_.png"
        assert save(folders, b"blue", batch=1) == "picture_00002_.png"


def test_what_a_killed_attempt_was_writing_is_removed_and_what_others_write_is_not(folders: Folders) -> None:
    save(folders, b"red")
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    abandoned = folders.output / f".writing-{ended.pid}-abc.png"
    being_written = folders.output / f".writing-{os.getpid()}-abc.png"
    abandoned.touch()
    being_written.touch()
    save(folders, b"red")
    assert not abandoned.exists()
    assert being_written.exists()


def test_previews_need_no_journal(folders: Folders) -> None:
    folders.saving(open_journal(folders, JOB), "key").save(b"red", "preview", folder="temp")
    assert not folders.user.exists()


def test_journals_go_with_their_jobs(folders: Folders) -> None:
    jobs = [JOB, "another", "../a name that is no file name"]
    for job in jobs:
        save(folders, job.encode(), job=job)
    remove_journals(folders, [JOB, "never there"])
    assert len(list((folders.user / "saves").iterdir())) == 2
    keep_journals(folders, jobs[2:])
    save(folders, jobs[2].encode(), job=jobs[2])
    assert len(list((folders.user / "saves").iterdir())) == 1
    assert len(pictures(folders)) == 3


async def test_nodes_of_a_run_save_through_the_journal(workshop: Workshop) -> None:
    @node(category="test", output=True)
    def Save(value: int, ctx: Context) -> Shown:
        """Save a number."""
        return Shown(ui={"files": [{"path": str(ctx.folders.save(str(value).encode(), "number", ".txt"))}]})

    shown: list[object] = []
    for _ in range(2):
        engine = workshop.engine(Save)  # remembers nothing of the first
        spec = {"one": ("Number", {"value": 1}), "save": ("Save", {"value": link("one")})}
        result = await engine.arun(workshop.graph(engine, spec), saves=open_journal(workshop.folders, JOB))
        shown.append(result.ui["save"])
    assert shown[0] == shown[1]
    assert [path.name for path in workshop.folders.output.iterdir()] == ["number_00001_.txt"]
