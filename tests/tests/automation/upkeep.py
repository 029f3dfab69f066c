"""Quotas, collections, purges, retention runs and what is told of artifacts, by harborapi.

    upkeep.py URL ADMIN_PASSWORD PROJECT DIGEST ACCESSORY

PROJECT has the image DIGEST as `team/app:v1`, whose first step of history is `ADD rootfs`, and
ACCESSORY, which is about it. Ends with an error at the first thing that is not as it should be.
"""

import asyncio
import base64
import sys
import time

from harborapi import HarborAsyncClient
from harborapi.exceptions import BadRequest, NotFound
from harborapi.models import (
    ImmutableRule,
    ImmutableSelector,
    QuotaUpdateReq,
    RetentionPolicy,
    Schedule,
    ScheduleObj,
    Type,
)

url, admin_password, project, digest, accessory = sys.argv[1:]
NAME = "team/app"


def number(location):
    return int(location.rsplit("/", 1)[1])


async def refused(kind, asked):
    try:
        await asked
    except kind as error:
        assert error.errors, f"no errors in the answer: {error!r}"
        return
    raise AssertionError(f"should have been refused as {kind.__name__}")


async def until(what, holds):
    deadline = time.monotonic() + 60
    while not await holds():
        assert time.monotonic() < deadline, f"in a minute it did not come: {what}"


async def artifacts(admin):
    found = await admin.get_artifact_accessories(project, NAME, "v1")
    assert [(each.digest, each.type) for each in found] == [(accessory, "subject.accessory")], found
    assert found[0].subject_artifact_digest == digest, found
    assert found[0].subject_artifact_repo == f"{project}/{NAME}", found
    found = await admin.get_artifact_accessories(project, NAME, "v1", query="type=signature.cosign")
    assert not found, found

    history = await admin.get_artifact_build_history(project, NAME, "v1")
    assert [(step.created_by, step.empty_layer) for step in history] == [
        ("ADD rootfs", False),
        ("CMD run", True),
    ], history
    assert not await admin.get_artifact_vulnerability_reports(project, NAME, "v1")
    try:
        await admin.get_artifact_vulnerabilities(project, NAME, "v1")
        raise AssertionError("an artifact that nobody scanned has a report")
    except NotFound:
        pass
    await refused(NotFound, admin.get_artifact_build_history(project, NAME, "v9"))

    artifact = await admin.get_artifact(project, NAME, "v1")
    icon = await admin.get_icon(artifact.icon)
    assert icon.content_type == "image/svg+xml", icon
    assert base64.b64decode(icon.content).startswith(b"<svg"), icon
    await refused(NotFound, admin.get_icon("sha256:" + "0" * 64))
    found = await admin.get_project_artifacts(project, with_tag=True, query="tags=v1")
    assert [(each.digest, each.repository_name) for each in found] == [
        (digest, f"{project}/{NAME}")
    ], found
    found = await admin.get_repositories(query=f"name=~{project}")
    assert [(each.name, each.artifact_count) for each in found] == [(f"{project}/{NAME}", 1)], found


async def quotas(admin):
    id = (await admin.get_project(project)).project_id
    found = await admin.get_quotas(reference="project", reference_id=str(id))
    assert [each.id for each in found] == [id], found
    assert found[0].hard.root == {"storage": -1} and found[0].used.root["storage"] > 1000, found
    await admin.update_quota(id, QuotaUpdateReq(hard={"storage": 1 << 30}))
    quota = await admin.get_quota(id)
    assert quota.hard.root == {"storage": 1 << 30}, quota
    assert quota.ref.root["name"] == project, quota
    found = await admin.get_quotas(sort="-used.storage", page_size=1, limit=1)
    assert found[0].id == id, found
    summary = await admin.get_project_summary(project)
    assert summary.quota.hard.root == {"storage": 1 << 30}, summary
    await refused(BadRequest, admin.update_quota(id, QuotaUpdateReq(hard={"storage": 0})))
    await refused(BadRequest, admin.update_quota(id, QuotaUpdateReq(hard={"stars": 1})))
    await refused(NotFound, admin.get_quota(99999))
    await admin.update_quota(id, QuotaUpdateReq(hard={"storage": -1}))


def at(kind, cron, **parameters):
    return Schedule(schedule=ScheduleObj(type=kind, cron=cron), parameters=parameters)


async def collections(admin):
    location = await admin.create_gc_schedule(
        at(Type.manual, "", delete_untagged=False, dry_run=True, workers=2)
    )
    id = number(location)

    async def is_over():
        return (await admin.get_gc_job(id)).job_status == "Success"

    await until("the end of a collection", is_over)
    log = await admin.get_gc_log(id)
    assert any("eligible for deletion" in line for line in log), log
    assert any("The GC could free up" in line for line in log), log
    assert any("success to run gc in job." in line for line in log), log
    job = await admin.get_gc_job(id)
    assert (job.job_name, job.job_kind) == ("GARBAGE_COLLECTION", "MANUAL"), job
    assert '"dry_run":true' in job.job_parameters.replace(" ", ""), job
    assert id in [each.id for each in await admin.get_gc_jobs(sort="-id", limit=10)]
    await admin.create_gc_schedule(at(Type.daily, "0 0 0 * * *", workers=1))
    assert (await admin.get_gc_schedule()).schedule.type == Type.daily
    await admin.update_gc_schedule(at(Type.custom, "0 15 4 * * *", workers=1))
    schedule = (await admin.get_gc_schedule()).schedule
    assert (schedule.type, schedule.cron) == (Type.custom, "0 15 4 * * *"), schedule
    await refused(BadRequest, admin.update_gc_schedule(at(Type.custom, "never", workers=1)))
    await refused(BadRequest, admin.update_gc_schedule(at(Type.manual, "", workers=11)))
    await admin.update_gc_schedule(at(Type.none, ""))
    await refused(NotFound, admin.get_gc_job(99999))
    await refused(NotFound, admin.get_gc_log(99999))


async def purges(admin):
    what = {"audit_retention_hour": 24, "include_event_types": "create_artifact,other"}
    location = await admin.create_purge_job_schedule(at(Type.manual, "", dry_run=True, **what))
    id = number(location)

    async def is_over():
        return (await admin.get_purge_job(id)).job_status == "Success"

    await until("the end of a purge", is_over)
    assert "[DRYRUN]Purged 0 rows of audit logs" in await admin.get_purge_job_log(id)
    assert id in [each.id for each in await admin.get_purge_job_history(limit=10)]
    # One that has ended stays as it is.
    await admin.stop_purge_job(id)
    assert (await admin.get_purge_job(id)).job_status == "Success"
    await admin.create_purge_job_schedule(at(Type.weekly, "0 0 0 * * 0", **what))
    assert (await admin.get_purge_job_schedule()).schedule.type == Type.weekly
    await admin.update_purge_job_schedule(at(Type.custom, "0 0 5 * * *", **what))
    assert (await admin.get_purge_job_schedule()).schedule.cron == "0 0 5 * * *"
    await refused(BadRequest, admin.update_purge_job_schedule(at(Type.daily, "0 0 0 * * *", x=1)))
    await admin.update_purge_job_schedule(at(Type.none, "", **what))
    await refused(NotFound, admin.get_purge_job(99999))
    await refused(NotFound, admin.get_purge_job_log(99999))
    await refused(NotFound, admin.stop_purge_job(99999))


async def rules(admin):
    every = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}
    rule = ImmutableRule(
        action="immutable",
        template="immutable_template",
        tag_selectors=[ImmutableSelector(kind="doublestar", decoration="matches", pattern="v*")],
        scope_selectors=every,
    )
    made = number(await admin.create_project_immutable_tag_rule(project, rule))
    # It sends no number in the body, which Harbor refuses.
    await refused(BadRequest, admin.enable_project_immutable_tagrule(project, made, False))
    found = (await admin.get_project_immutable_tag_rules(project))[0]
    assert not found.disabled and found.tag_selectors[0].pattern == "v*", found
    tags = await admin.get_artifact_tags(project, NAME, "v1", with_immutable_status=True)
    assert [tag.immutable for tag in tags] == [True], tags
    await admin.delete_project_immutable_tag_rule(project, made)

    policy = RetentionPolicy.model_validate(
        {
            "algorithm": "or",
            "rules": [
                {
                    "action": "retain",
                    "template": "always",
                    "params": {},
                    "tag_selectors": [
                        {"kind": "doublestar", "decoration": "matches", "pattern": "v*"}
                    ],
                    "scope_selectors": every,
                }
            ],
            "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
            "scope": {"level": "project", "ref": (await admin.get_project(project)).project_id},
        }
    )
    made = number(await admin.create_retention_policy(policy))
    run = number(await admin.start_retention_execution(made, dry_run=False))

    async def is_over():
        runs = await admin.get_retention_executions(made)
        return [(each.id, each.status) for each in runs] == [(run, "Success")]

    await until("the end of a run of retention", is_over)
    tasks = await admin.get_retention_tasks(made, run)
    assert [(task.repository, task.total, task.retained) for task in tasks] == [(NAME, 1, 1)], tasks
    log = await admin.get_retention_execution_task_log(made, run, tasks[0].id)
    assert digest in log and "RETAIN" in log, log
    await refused(NotFound, admin.get_retention_execution_task_log(made, run, 99999))
    await refused(NotFound, admin.get_retention_tasks(made, 99999))
    await admin.delete_retention_policy(made)


async def main():
    admin = HarborAsyncClient(url=url, username="admin", secret=admin_password, retry=None)
    await artifacts(admin)
    await quotas(admin)
    await collections(admin)
    await purges(admin)
    await rules(admin)
    print("all is well")


asyncio.run(main())
