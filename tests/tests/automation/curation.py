"""Labels, tags, copies, deletes and repositories by harborapi.

    curation.py URL ADMIN_PASSWORD PROJECT OTHER DIGEST

PROJECT has the image DIGEST as `team/app:v1`, OTHER is an empty project. Ends with an error
at the first thing that is not as it should be.
"""

import asyncio
import sys
import uuid

from harborapi import HarborAsyncClient
from harborapi.exceptions import BadRequest, Conflict, Forbidden, NotFound
from harborapi.models import Label, Repository, Tag

url, admin_password, project, other, digest = sys.argv[1:]
NAME = "team/app"


def unique(what):
    return f"{what}-{uuid.uuid4().hex[:8]}"


def number(location):
    return int(location.rsplit("/", 1)[1])


async def refused(kind, asked):
    try:
        await asked
    except kind as error:
        # Harbor's list of errors: the client reads them from the body.
        assert error.errors, f"no errors in the answer: {error!r}"
        return
    raise AssertionError(f"should have been refused as {kind.__name__}")


async def labels(admin):
    home = (await admin.get_project(project)).project_id
    away = (await admin.get_project(other)).project_id
    new = Label(name=unique("stable"), color="#0065AB", scope="g", description="it runs")
    stable = number(await admin.create_label(new))
    await refused(Conflict, admin.create_label(new))
    await refused(BadRequest, admin.create_label(Label(name="", scope="g")))
    await refused(BadRequest, admin.create_label(Label(name="x", scope="x")))
    ours = number(await admin.create_label(Label(name="ours", scope="p", project_id=home)))
    theirs = number(await admin.create_label(Label(name="theirs", scope="p", project_id=away)))

    found = await admin.get_labels(scope="g", name=new.name)
    assert [label.id for label in found] == [stable], found
    assert (found[0].color, found[0].scope) == ("#0065AB", "g"), found
    found = await admin.get_labels(scope="p", project_id=home)
    assert [(label.name, label.project_id) for label in found] == [("ours", home)], found
    await admin.update_label(ours, Label(name="ours too", color="red"))
    label = await admin.get_label(ours)
    assert (label.name, label.color, label.scope) == ("ours too", "red", "p"), label

    for id in (stable, ours):
        await admin.add_artifact_label(project, NAME, "v1", Label(id=id))
        await refused(Conflict, admin.add_artifact_label(project, NAME, "v1", Label(id=id)))
    await refused(NotFound, admin.add_artifact_label(project, NAME, "v1", Label(id=theirs)))
    found = await admin.get_artifacts(project, NAME, query=f"labels=({stable} {ours})")
    assert [artifact.digest for artifact in found] == [digest], found
    assert not await admin.get_artifacts(project, NAME, query=f"labels=({theirs})")
    await admin.delete_artifact_label(project, NAME, "v1", stable)
    await refused(NotFound, admin.delete_artifact_label(project, NAME, "v1", stable))
    for id in (stable, ours, theirs):
        await admin.delete_label(id)
        await refused(NotFound, admin.get_label(id))
    assert not await admin.get_artifacts(project, NAME, query=f"labels=({ours})")


async def tags(admin):
    for name in ("latest", "1.0"):
        location = await admin.create_artifact_tag(project, NAME, digest, Tag(name=name))
        assert location.endswith(f"/tags/{name}"), location
    await refused(
        Conflict, admin.create_artifact_tag(project, NAME, "v1", Tag(name="latest"))
    )
    await refused(
        BadRequest, admin.create_artifact_tag(project, NAME, "v1", Tag(name="no tag"))
    )
    await refused(NotFound, admin.create_artifact_tag(project, NAME, "v9", Tag(name="x")))
    found = await admin.get_artifact_tags(project, NAME, "v1", sort="name")
    assert [tag.name for tag in found] == ["1.0", "latest", "v1"], found
    assert not any(tag.immutable for tag in found), found
    found = await admin.get_artifact_tags(project, NAME, "v1", query="name=~LAT")
    assert [tag.name for tag in found] == ["latest"], found
    await admin.delete_artifact_tag(project, NAME, "v1", "1.0")
    await refused(NotFound, admin.delete_artifact_tag(project, NAME, "v1", "1.0"))


async def copies(admin):
    source = f"{project}/{NAME}"
    location = await admin.copy_artifact(other, "deep/copy", f"{source}:v1")
    assert location.endswith("/artifacts/v1"), location
    await admin.copy_artifact(other, "deep/copy", f"{source}@{digest}")
    await admin.copy_artifact(project, NAME, f"{source}:v1")
    artifact = await admin.get_artifact(other, "deep/copy", "latest")
    assert artifact.digest == digest, artifact
    assert sorted(tag.name for tag in artifact.tags) == ["latest", "v1"], artifact
    await refused(NotFound, admin.copy_artifact(other, "x", f"{source}:none"))
    await refused(BadRequest, admin.copy_artifact(other, "x", source))
    await refused(NotFound, admin.get_repository(other, "x"))


async def repositories(admin):
    repository = await admin.get_repository(project, NAME)
    assert (repository.artifact_count, repository.name) == (1, f"{project}/{NAME}"), repository
    await admin.update_repository(project, NAME, Repository(description="what we run"))
    found = await admin.get_repositories(project, query="description=~WHAT WE")
    assert [repository.description for repository in found] == ["what we run"], found

    await admin.delete_artifact(other, "deep/copy", "v1")
    await refused(NotFound, admin.get_artifact(other, "deep/copy", digest))
    assert not await admin.get_artifacts(other, "deep/copy")
    # The original stays.
    assert (await admin.get_artifact(project, NAME, "v1")).digest == digest
    for name, repository in ((other, "deep/copy"), (project, NAME)):
        await admin.delete_repository(name, repository)
        await refused(NotFound, admin.get_repository(name, repository))
        assert not await admin.get_repositories(name)


async def strangers():
    nobody = HarborAsyncClient(url=url, username="nobody", secret="wrong", retry=None)
    for asked in (
        nobody.delete_artifact(project, NAME, "v1"),
        nobody.delete_repository(project, NAME),
    ):
        try:
            await asked
        except Exception as error:
            assert not isinstance(error, (AssertionError, NotFound, Forbidden)), repr(error)
            continue
        raise AssertionError("somebody unknown was served")


async def main():
    admin = HarborAsyncClient(url=url, username="admin", secret=admin_password, retry=None)
    await strangers()
    await labels(admin)
    await tags(admin)
    await copies(admin)
    await repositories(admin)
    print("all is well")


asyncio.run(main())
