//! What is audited: Harbor's kinds of events, and some of our own.

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A manifest was pushed.
    CreateArtifact,
    /// A manifest was deleted.
    DeleteArtifact,
    /// A manifest was pulled.
    PullArtifact,
    /// A tag was deleted.
    DeleteTag,
    /// A project was made.
    CreateProject,
    /// A project was changed.
    UpdateProject,
    /// A project was deleted.
    DeleteProject,
    /// A repository was deleted.
    DeleteRepository,
    /// Somebody signed in, or tried to.
    LoginUser,
    /// Somebody signed out.
    LogoutUser,
    /// A user was made.
    CreateUser,
    /// A user was changed.
    UpdateUser,
    /// A user was deleted.
    DeleteUser,
    /// A robot account was made.
    CreateRobot,
    /// A robot account was changed.
    UpdateRobot,
    /// A robot account was deleted.
    DeleteRobot,
    /// Settings were changed.
    UpdateConfiguration,
    /// Somebody became a member of a project.
    CreateMember,
    /// A member got another role.
    UpdateMember,
    /// A member was removed.
    DeleteMember,
    /// A group of users was made.
    CreateUserGroup,
    /// A group of users was changed.
    UpdateUserGroup,
    /// A group of users was deleted.
    DeleteUserGroup,
    /// A custom role was made.
    CreateRole,
    /// A custom role was changed.
    UpdateRole,
    /// A custom role was deleted.
    DeleteRole,
    /// Somebody had a job begun.
    CreateExecution,
    /// Somebody had jobs stopped.
    StopExecution,
    /// The schedule of a job was set or removed.
    UpdateSchedule,
    /// A queue of jobs was paused, or a pause was ended.
    UpdateQueue,
    /// A tag was made, or moved, without a push.
    CreateTag,
    /// What is written about a repository was changed.
    UpdateRepository,
    /// A label was made.
    CreateLabel,
    /// A label was changed.
    UpdateLabel,
    /// A label was deleted.
    DeleteLabel,
    /// A label was put on an artifact.
    CreateArtifactLabel,
    /// A label was taken from an artifact.
    DeleteArtifactLabel,
    /// A rule that makes tags immutable was made.
    CreateImmutableRule,
    /// A rule that makes tags immutable was changed.
    UpdateImmutableRule,
    /// A rule that makes tags immutable was deleted.
    DeleteImmutableRule,
    /// A project got a retention policy.
    CreateRetention,
    /// A retention policy was changed.
    UpdateRetention,
    /// A retention policy was deleted.
    DeleteRetention,
    /// A retention policy was run by hand.
    RunRetention,
    /// A run of a retention policy was stopped.
    StopRetention,
}

impl Event {
    /// All of them, in the order in which Harbor's API lists them.
    pub const ALL: [Self; 45] = [
        Self::CreateArtifact,
        Self::DeleteArtifact,
        Self::PullArtifact,
        Self::CreateProject,
        Self::DeleteProject,
        Self::UpdateProject,
        Self::DeleteRepository,
        Self::LoginUser,
        Self::LogoutUser,
        Self::CreateUser,
        Self::DeleteUser,
        Self::UpdateUser,
        Self::CreateRobot,
        Self::DeleteRobot,
        Self::UpdateRobot,
        Self::UpdateConfiguration,
        Self::CreateMember,
        Self::UpdateMember,
        Self::DeleteMember,
        Self::DeleteTag,
        Self::CreateUserGroup,
        Self::UpdateUserGroup,
        Self::DeleteUserGroup,
        Self::CreateRole,
        Self::UpdateRole,
        Self::DeleteRole,
        Self::CreateExecution,
        Self::StopExecution,
        Self::UpdateSchedule,
        Self::UpdateQueue,
        Self::CreateTag,
        Self::UpdateRepository,
        Self::CreateLabel,
        Self::UpdateLabel,
        Self::DeleteLabel,
        Self::CreateArtifactLabel,
        Self::DeleteArtifactLabel,
        Self::CreateImmutableRule,
        Self::UpdateImmutableRule,
        Self::DeleteImmutableRule,
        Self::CreateRetention,
        Self::UpdateRetention,
        Self::DeleteRetention,
        Self::RunRetention,
        Self::StopRetention,
    ];

    /// The event with a name of Harbor's.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Harbor's name, such as `create_project`: operation and kind of thing.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateArtifact => "create_artifact",
            Self::DeleteArtifact => "delete_artifact",
            Self::PullArtifact => "pull_artifact",
            Self::DeleteTag => "delete_tag",
            Self::CreateProject => "create_project",
            Self::UpdateProject => "update_project",
            Self::DeleteProject => "delete_project",
            Self::DeleteRepository => "delete_repository",
            Self::LoginUser => "login_user",
            Self::LogoutUser => "logout_user",
            Self::CreateUser => "create_user",
            Self::UpdateUser => "update_user",
            Self::DeleteUser => "delete_user",
            Self::CreateRobot => "create_robot",
            Self::UpdateRobot => "update_robot",
            Self::DeleteRobot => "delete_robot",
            Self::UpdateConfiguration => "update_configuration",
            Self::CreateMember => "create_member",
            Self::UpdateMember => "update_member",
            Self::DeleteMember => "delete_member",
            Self::CreateUserGroup => "create_user_group",
            Self::UpdateUserGroup => "update_user_group",
            Self::DeleteUserGroup => "delete_user_group",
            Self::CreateRole => "create_role",
            Self::UpdateRole => "update_role",
            Self::DeleteRole => "delete_role",
            Self::CreateExecution => "create_execution",
            Self::StopExecution => "stop_execution",
            Self::UpdateSchedule => "update_schedule",
            Self::UpdateQueue => "update_queue",
            Self::CreateTag => "create_tag",
            Self::UpdateRepository => "update_repository",
            Self::CreateLabel => "create_label",
            Self::UpdateLabel => "update_label",
            Self::DeleteLabel => "delete_label",
            Self::CreateArtifactLabel => "create_artifact_label",
            Self::DeleteArtifactLabel => "delete_artifact_label",
            Self::CreateImmutableRule => "create_immutable_rule",
            Self::UpdateImmutableRule => "update_immutable_rule",
            Self::DeleteImmutableRule => "delete_immutable_rule",
            Self::CreateRetention => "create_retention",
            Self::UpdateRetention => "update_retention",
            Self::DeleteRetention => "delete_retention",
            Self::RunRetention => "run_retention",
            Self::StopRetention => "stop_retention",
        }
    }

    /// What was done, such as `create`.
    pub fn operation(self) -> &'static str {
        self.name().split_once('_').map_or("", |(operation, _)| operation)
    }

    /// What it was done to, such as `project`.
    pub fn resource_type(self) -> &'static str {
        self.name().split_once('_').map_or("", |(_, resource)| resource)
    }

    /// A sentence about it for people, as Harbor says it.
    pub(super) fn describe(self, resource: &str) -> String {
        match self {
            Self::LoginUser | Self::LogoutUser => self.operation().to_owned(),
            Self::CreateArtifact => format!("push artifact: {resource}"),
            Self::CreateUser | Self::UpdateUser | Self::DeleteUser => {
                format!("{} user with name: {resource}", self.operation())
            }
            _ => format!("{} {}: {resource}", self.operation(), self.resource_type()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn names_say_what_was_done_to_what() {
        for event in Event::ALL {
            assert_eq!(format!("{}_{}", event.operation(), event.resource_type()), event.name());
            assert_eq!(Event::from_name(event.name()), Some(event));
        }
    }
}
