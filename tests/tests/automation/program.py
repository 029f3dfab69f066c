"""People, projects, members, robots, settings and the audit log by harborapi.

    program.py URL ADMIN_PASSWORD

The client holds every answer against its own models of Harbor's, so what it takes is what
it would take from Harbor. Ends with an error at the first thing that is not as it should be.
"""

import asyncio
import sys
import uuid

from harborapi import HarborAsyncClient
from harborapi.exceptions import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    Unauthorized,
)
from harborapi.models import (
    Access,
    Configurations,
    CVEAllowlist,
    CVEAllowlistItem,
    ImmutableRule,
    ImmutableSelector,
    ProjectMetadata,
    ProjectReq,
    RetentionPolicy,
    RobotCreate,
    RobotPermission,
    UserCreationReq,
    UserGroup,
    UserProfile,
)

url, admin_password = sys.argv[1:]
PASSWORD = "Correct1Horse"


def client(username, secret):
    return HarborAsyncClient(url=url, username=username, secret=secret, retry=None)


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


async def users(admin):
    name = unique("user")
    new = UserCreationReq(
        username=name,
        password=PASSWORD,
        email=f"{name}@example.org",
        realname="A Person",
        comment="made by a program",
    )
    location = await admin.create_user(new)
    user = await admin.get_user(number(location))
    assert (user.username, user.realname, user.sysadmin_flag) == (name, "A Person", False), user
    await refused(Conflict, admin.create_user(new))
    weak = new.model_copy(update={"username": unique("user"), "password": "weak"})
    await refused(BadRequest, admin.create_user(weak))

    profile = UserProfile(realname="Another", email=f"{name}@example.com", comment="changed")
    await admin.update_user(user.user_id, profile)
    user = await admin.get_user_by_username(name)
    assert (user.realname, user.email) == ("Another", f"{name}@example.com"), user
    found = await admin.get_users(query=f"username=~{name[2:]}", sort="-username")
    assert [each.username for each in found] == [name], found

    own = client(name, PASSWORD)
    assert (await own.get_current_user()).user_id == user.user_id
    await refused(Forbidden, own.get_users())
    await admin.set_user_admin(user.user_id, True)
    assert len(await own.get_users(page_size=1)) >= 2, "the client follows the pages"
    await admin.set_user_admin(user.user_id, False)
    await refused(Forbidden, own.get_users())

    await refused(Forbidden, own.set_user_password(user.user_id, "Better2Horse", "Wrong1Horse"))
    await own.set_user_password(user.user_id, "Better2Horse", PASSWORD)
    await refused(Unauthorized, own.get_current_user())
    await admin.set_user_password(user.user_id, PASSWORD)
    assert (await own.get_current_user()).username == name
    return user, own


async def projects(admin, user, own):
    name = unique("project")
    await own.create_project(ProjectReq(project_name=name, metadata=ProjectMetadata(public="false")))
    project = await own.get_project(name)
    assert project.name == name and project.owner_name == user.username, project
    assert project.current_user_role_id == 1, project
    assert await own.project_exists(name)
    assert [each.name for each in await own.get_projects(name=name)] == [name]
    assert (await admin.get_project(project.project_id)).name == name
    await refused(Conflict, own.create_project(ProjectReq(project_name=name)))
    await refused(BadRequest, own.create_project(ProjectReq(project_name="Not_A_Name")))

    await own.update_project(name, ProjectReq(metadata=ProjectMetadata(public="true")))
    assert (await own.get_project(name)).metadata.public == "true"
    await own.set_project_metadata(name, ProjectMetadata(auto_scan="true"))
    assert (await own.get_project_metadata_entry(name, "auto_scan"))["auto_scan"] == "true"
    await own.update_project_metadata_entry(name, "auto_scan", {"auto_scan": "false"})
    assert (await own.get_project(name)).metadata.auto_scan == "false"
    await own.delete_project_metadata_entry(name, "auto_scan")
    assert (await own.get_project(name)).metadata.auto_scan is None

    summary = await own.get_project_summary(name)
    assert (summary.repo_count, summary.project_admin_count) == (0, 1), summary
    assert (await own.get_project_deletable(name)).deletable
    found = await own.search(name)
    assert [each.name for each in found.project] == [name], found
    return project


async def members(admin, project, own):
    name = unique("member")
    location = await admin.create_user(
        UserCreationReq(
            username=name, password=PASSWORD, email=f"{name}@example.org", realname=name
        )
    )
    other = client(name, PASSWORD)
    path = project.name
    made = await own.add_project_member_user(path, name, role_id=3)
    member = await own.get_project_member(path, number(made))
    assert (member.entity_name, member.role_name, member.entity_type) == (name, "guest", "u")
    await refused(Conflict, own.add_project_member_user(path, number(location), role_id=2))
    await refused(NotFound, own.add_project_member_user(path, unique("nobody"), role_id=2))
    await refused(BadRequest, own.add_project_member_user(path, name, role_id=99))
    await refused(Forbidden, other.add_project_member_user(path, "admin", role_id=2))
    await own.update_project_member_role(path, member.id, 2)
    found = await own.get_project_members(path, entity_name=name)
    assert [(each.id, each.role_id) for each in found] == [(member.id, 2)], found
    allowed = await other.get_current_user_permissions(
        scope=f"/project/{project.project_id}", relative=True
    )
    assert ("repository", "push") in {(each.resource, each.action) for each in allowed}, allowed
    assert ("member", "create") not in {(each.resource, each.action) for each in allowed}
    await own.remove_project_member(path, member.id)
    await refused(NotFound, own.get_project_member(path, member.id))
    await admin.delete_user(number(location))
    await refused(NotFound, admin.get_user(number(location)))
    await refused(Unauthorized, other.get_current_user())


async def robots(admin, project, own):
    known = await admin.get_permissions()
    assert known.project and known.system
    pull = Access(resource="repository", action="pull")
    name = unique("robot")
    new = RobotCreate(
        name=name,
        description="made by a program",
        level="project",
        duration=30,
        permissions=[
            RobotPermission(
                kind="project",
                namespace=project.name,
                access=[pull, Access(resource="robot", action="read")],
            )
        ],
    )
    made = await own.create_robot(new)
    assert made.secret and made.name.endswith(f"{project.name}+{name}"), made
    robot = await own.get_robot(made.id)
    assert robot.level == "project" and robot.duration == 30 and not robot.disable, robot
    itself = client(made.name, made.secret)
    assert (await itself.get_robot(made.id)).name == made.name
    await refused(Forbidden, itself.delete_robot(made.id))
    found = await own.get_robots(query=f"Level=project,ProjectID={project.project_id}")
    assert [each.id for each in found] == [made.id], found

    robot.description = "changed"
    robot.disable = True
    await own.update_robot(made.id, robot)
    assert (await own.get_robot(made.id)).description == "changed"
    await refused(Unauthorized, itself.get_robot(made.id))
    robot.disable = False
    await own.update_robot(made.id, robot)
    await own.refresh_robot_secret(made.id, "Chosen1Secret")
    await refused(Unauthorized, itself.get_robot(made.id))
    itself = client(made.name, "Chosen1Secret")
    assert (await itself.get_robot(made.id)).id == made.id
    given = await own.refresh_robot_secret(made.id, "")
    assert given.secret, given
    await own.delete_robot(made.id)
    await refused(NotFound, admin.get_robot(made.id))

    system = RobotCreate(
        name=unique("robot"),
        level="system",
        duration=-1,
        permissions=[
            RobotPermission(kind="project", namespace="*", access=[pull]),
            RobotPermission(
                kind="system", namespace="/", access=[Access(resource="user", action="list")]
            ),
        ],
    )
    await refused(Forbidden, own.create_robot(system))
    made = await admin.create_robot(system)
    assert len(await client(made.name, made.secret).get_users(page_size=1)) >= 1
    await admin.delete_robot(made.id)
    unknown = new.model_copy(deep=True)
    unknown.permissions[0].access = [Access(resource="robot", action="*")]
    await refused(BadRequest, own.create_robot(unknown))


async def settings(admin, own):
    before = await admin.get_config()
    assert before.auth_mode.value == "db_auth", before
    await refused(Forbidden, own.get_config())
    await admin.update_config(
        Configurations(token_expiration=45, project_creation_restriction="adminonly")
    )
    after = await admin.get_config()
    assert after.token_expiration.value == 45 and after.token_expiration.editable, after
    await refused(Forbidden, own.create_project(ProjectReq(project_name=unique("project"))))
    assert (await admin.get_system_info()).project_creation_restriction == "adminonly"
    await admin.update_config(
        Configurations(token_expiration=30, project_creation_restriction="everyone")
    )
    await refused(BadRequest, admin.update_config(Configurations(token_expiration=-5)))

    assert await admin.ping() == "Pong"
    assert (await admin.health_check()).status == "healthy"
    assert (await admin.get_system_volume_info()).storage
    assert (await admin.get_statistics()).total_project_count >= 2
    allowlist = CVEAllowlist(items=[CVEAllowlistItem(cve_id="CVE-2024-0001")])
    await admin.update_cve_allowlist(allowlist)
    kept = await admin.get_cve_allowlist()
    assert [item.cve_id for item in kept.items] == ["CVE-2024-0001"], kept


async def groups(admin, own):
    name = unique("group")
    # Groups of a directory or provider: there is none in db_auth, so the kind is OpenID's.
    location = await admin.create_usergroup(UserGroup(group_name=name, group_type=3))
    group = await admin.get_usergroup(number(location))
    assert (group.group_name, group.group_type) == (name, 3), group
    changed = unique("group")
    await admin.update_usergroup(group.id, UserGroup(group_name=changed))
    found = await own.search_usergroups(changed)
    assert changed in [each.group_name for each in found], found
    await refused(Forbidden, own.create_usergroup(UserGroup(group_name=name, group_type=3)))
    await admin.delete_usergroup(group.id)
    await refused(NotFound, admin.get_usergroup(group.id))


async def audit(admin, project, own):
    logs = await own.get_project_logs(project.name, page_size=5, limit=50)
    seen = {(log.operation, log.resource_type) for log in logs}
    assert ("create", "project") in seen, seen
    assert all(log.username for log in logs), logs
    found = await admin.get_audit_logs(query=f"username={project.owner_name}", limit=50)
    assert found and all(log.username == project.owner_name for log in found), found
    # Of others' deeds somebody sees what was done in projects of its own.
    assert not await own.get_audit_logs(query="username=admin,resource_type=configuration", limit=5)


async def policies(project, own):
    path = project.name
    rule = ImmutableRule(
        action="immutable",
        template="immutable_template",
        tag_selectors=[ImmutableSelector(kind="doublestar", decoration="matches", pattern="v*")],
        scope_selectors={
            "repository": [
                ImmutableSelector(kind="doublestar", decoration="repoMatches", pattern="**")
            ]
        },
    )
    made = await own.create_project_immutable_tag_rule(path, rule)
    await refused(Conflict, own.create_project_immutable_tag_rule(path, rule))
    found = await own.get_project_immutable_tag_rules(path)
    assert [(each.id, each.disabled) for each in found] == [(number(made), False)], found
    assert found[0].scope_selectors["repository"][0].pattern == "**", found
    off = found[0].model_copy(update={"disabled": True})
    await own.update_project_immutable_tag_rule(path, number(made), off)
    assert (await own.get_project_immutable_tag_rules(path))[0].disabled
    await own.delete_project_immutable_tag_rule(path, number(made))
    assert not await own.get_project_immutable_tag_rules(path)

    known = await own.get_retention_metadata()
    assert [each.rule_template for each in known.templates][0] == "latestPushedK", known
    policy = RetentionPolicy.model_validate(
        {
            "algorithm": "or",
            "rules": [
                {
                    "action": "retain",
                    "template": "latestPushedK",
                    "params": {"latestPushedK": 3},
                    "tag_selectors": [
                        {"kind": "doublestar", "decoration": "matches", "pattern": "**"}
                    ],
                    "scope_selectors": {
                        "repository": [
                            {"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}
                        ]
                    },
                }
            ],
            "trigger": {"kind": "Schedule", "settings": {"cron": "0 0 4 * * *"}},
            "scope": {"level": "project", "ref": project.project_id},
        }
    )
    location = await own.create_retention_policy(policy)
    assert await own.get_project_retention_id(path) == number(location)
    shown = await own.get_retention_policy(number(location))
    assert shown.rules[0].template == "latestPushedK", shown
    await own.update_retention_policy(number(location), shown)
    await refused(BadRequest, own.create_retention_policy(policy))
    begun = await own.start_retention_execution(number(location), dry_run=True)
    runs = await own.get_retention_executions(number(location))
    assert [(each.id, each.dry_run) for each in runs] == [(number(begun), True)], runs
    await own.stop_retention_execution(number(location), number(begun))
    await own.get_retention_tasks(number(location), number(begun))
    await own.delete_retention_policy(number(location))
    # Whoever may not see all projects is not told what is not there.
    await refused(Forbidden, own.get_retention_policy(number(location)))


async def main():
    admin = client("admin", admin_password)
    user, own = await users(admin)
    project = await projects(admin, user, own)
    await members(admin, project, own)
    await robots(admin, project, own)
    await settings(admin, own)
    await groups(admin, own)
    await policies(project, own)
    await audit(admin, project, own)
    await own.delete_project(project.name)
    await refused(NotFound, admin.get_project(project.name))
    await refused(Forbidden, own.get_project(project.name))
    await admin.delete_user(user.user_id)
    await refused(Unauthorized, client("admin", "Wrong1Horse").get_current_user())
    print("all is well")


asyncio.run(main())
