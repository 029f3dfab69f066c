//! What can be asked for: an action on a kind of thing, in Harbor's words.

use std::fmt;

/// A kind of thing that rights are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Resource {
    /// The project itself, as its members see it.
    Itself,
    /// Signatures and other artifacts that belong to an artifact.
    Accessory,
    /// Artifacts.
    Artifact,
    /// What is read out of an artifact, such as its build history.
    ArtifactAddition,
    /// Labels on an artifact.
    ArtifactLabel,
    /// The audit log of the system.
    AuditLog,
    /// The list of all repositories.
    Catalog,
    /// The settings of the project or the system.
    Configuration,
    /// Preheat providers, by their old name.
    Distribution,
    /// Exports of vulnerabilities.
    ExportCve,
    /// Garbage collection.
    GarbageCollection,
    /// Rules that make tags immutable.
    ImmutableTag,
    /// Jobs and their queues.
    JobserviceMonitor,
    /// Labels.
    Label,
    /// Users found in LDAP.
    LdapUser,
    /// The log of the project.
    Log,
    /// Members of the project.
    Member,
    /// Metadata of the project.
    Metadata,
    /// Webhooks.
    NotificationPolicy,
    /// Preheat providers.
    PreheatInstance,
    /// Preheat policies.
    PreheatPolicy,
    /// Projects, as the system and robots see them.
    Project,
    /// Purging of the audit log.
    PurgeAudit,
    /// Quotas.
    Quota,
    /// Other registries.
    Registry,
    /// Replications.
    Replication,
    /// Kinds of registries to replicate with.
    ReplicationAdapter,
    /// Replication policies.
    ReplicationPolicy,
    /// Repositories.
    Repository,
    /// Robot accounts.
    Robot,
    /// Custom roles.
    Role,
    /// Bills of materials.
    Sbom,
    /// Scans.
    Scan,
    /// Scans of everything.
    ScanAll,
    /// Scanners.
    Scanner,
    /// The overview of all vulnerabilities.
    SecurityHub,
    /// The disk space of the system.
    SystemVolumes,
    /// Tags.
    Tag,
    /// Tag retention.
    TagRetention,
    /// Users.
    User,
    /// User groups.
    UserGroup,
}

impl Resource {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::UserGroup as usize + 1;

    /// All of them.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Itself,
        Self::Accessory,
        Self::Artifact,
        Self::ArtifactAddition,
        Self::ArtifactLabel,
        Self::AuditLog,
        Self::Catalog,
        Self::Configuration,
        Self::Distribution,
        Self::ExportCve,
        Self::GarbageCollection,
        Self::ImmutableTag,
        Self::JobserviceMonitor,
        Self::Label,
        Self::LdapUser,
        Self::Log,
        Self::Member,
        Self::Metadata,
        Self::NotificationPolicy,
        Self::PreheatInstance,
        Self::PreheatPolicy,
        Self::Project,
        Self::PurgeAudit,
        Self::Quota,
        Self::Registry,
        Self::Replication,
        Self::ReplicationAdapter,
        Self::ReplicationPolicy,
        Self::Repository,
        Self::Robot,
        Self::Role,
        Self::Sbom,
        Self::Scan,
        Self::ScanAll,
        Self::Scanner,
        Self::SecurityHub,
        Self::SystemVolumes,
        Self::Tag,
        Self::TagRetention,
        Self::User,
        Self::UserGroup,
    ];

    /// The one with Harbor's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.as_str() == name)
    }

    /// Harbor's name; empty for the project itself.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Itself => "",
            Self::Accessory => "accessory",
            Self::Artifact => "artifact",
            Self::ArtifactAddition => "artifact-addition",
            Self::ArtifactLabel => "artifact-label",
            Self::AuditLog => "audit-log",
            Self::Catalog => "catalog",
            Self::Configuration => "configuration",
            Self::Distribution => "distribution",
            Self::ExportCve => "export-cve",
            Self::GarbageCollection => "garbage-collection",
            Self::ImmutableTag => "immutable-tag",
            Self::JobserviceMonitor => "jobservice-monitor",
            Self::Label => "label",
            Self::LdapUser => "ldap-user",
            Self::Log => "log",
            Self::Member => "member",
            Self::Metadata => "metadata",
            Self::NotificationPolicy => "notification-policy",
            Self::PreheatInstance => "preheat-instance",
            Self::PreheatPolicy => "preheat-policy",
            Self::Project => "project",
            Self::PurgeAudit => "purge-audit",
            Self::Quota => "quota",
            Self::Registry => "registry",
            Self::Replication => "replication",
            Self::ReplicationAdapter => "replication-adapter",
            Self::ReplicationPolicy => "replication-policy",
            Self::Repository => "repository",
            Self::Robot => "robot",
            Self::Role => "role",
            Self::Sbom => "sbom",
            Self::Scan => "scan",
            Self::ScanAll => "scan-all",
            Self::Scanner => "scanner",
            Self::SecurityHub => "security-hub",
            Self::SystemVolumes => "system-volumes",
            Self::Tag => "tag",
            Self::TagRetention => "tag-retention",
            Self::User => "user",
            Self::UserGroup => "user-group",
        }
    }
}

/// What is done with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// Make one.
    Create,
    /// Remove one.
    Delete,
    /// See all.
    List,
    /// Run or stop one.
    Operate,
    /// Fetch content.
    Pull,
    /// Send content.
    Push,
    /// See one.
    Read,
    /// Stop one that runs.
    Stop,
    /// Change one.
    Update,
}

impl Action {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::Update as usize + 1;

    /// All of them.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Create,
        Self::Delete,
        Self::List,
        Self::Operate,
        Self::Pull,
        Self::Push,
        Self::Read,
        Self::Stop,
        Self::Update,
    ];

    /// The one with Harbor's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// Harbor's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Operate => "operate",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Read => "read",
            Self::Stop => "stop",
            Self::Update => "update",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An action on a kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Right {
    /// The kind of thing.
    pub resource: Resource,
    /// The action.
    pub action: Action,
}

impl Right {
    /// To fetch from a repository.
    pub const PULL: Self = Self::new(Resource::Repository, Action::Pull);
    /// To send to a repository, which makes it if need be.
    pub const PUSH: Self = Self::new(Resource::Repository, Action::Push);
    /// To delete from a repository by docker's protocol.
    pub const DELETE: Self = Self::new(Resource::Repository, Action::Delete);
    /// A right by its parts.
    pub const fn new(resource: Resource, action: Action) -> Self {
        Self { resource, action }
    }

    /// A right by Harbor's names of its parts.
    pub fn from_words((resource, action): (&str, &str)) -> Option<Self> {
        Some(Self::new(Resource::from_name(resource)?, Action::from_name(action)?))
    }

    /// Whether it is about a repository or what is in one, so that patterns of
    /// repositories narrow it.
    pub fn is_in_repository(self) -> bool {
        matches!(
            self.resource,
            Resource::Accessory
                | Resource::Artifact
                | Resource::ArtifactAddition
                | Resource::ArtifactLabel
                | Resource::Repository
                | Resource::Sbom
                | Resource::Scan
                | Resource::Tag
        )
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource.as_str(), self.action.as_str())
    }
}
